//! Crate `rmcp` as a foreign Enterprise-Managed Authorization client of a lab: its own exchanges, its own transport.
//!
//! `LANYARD_BIN=…/lanyard interop-rmcp-client FACTS` prints one line per check and ends with `PASS` or `FAIL`, as every
//! driver beside it. Never uses a crate of Lanyard.

mod arguments;
mod facts;
mod wire;

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use oauth2::ClientSecret;
use rmcp::model::ProtocolVersion;
use rmcp::transport::auth::default_oauth_http_client;
use rmcp::transport::auth::enterprise::{
    EmaAccessToken, EmaAuthorizationServer, EmaClientAuthentication, EmaError, EmaExchangeRequest, EmaExchangeStage,
};

use crate::facts::{Client, Connector, Credentials, Facts, Server};

/// How a client with a secret says who it is.
type Method = fn(ClientSecret) -> EmaClientAuthentication;

const METHODS: [(&str, Method); 2] = [
    ("basic", EmaClientAuthentication::ClientSecretBasic),
    ("post", EmaClientAuthentication::ClientSecretPost),
];
const WIRES: [ProtocolVersion; 2] = [ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28];

#[tokio::main]
async fn main() -> ExitCode {
    let mut checks = 0;
    match run(&mut checks).await {
        Ok(()) => {
            println!("PASS rmcp-client: {checks} checks");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAIL rmcp-client: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what holds and counts it.
fn ok(checks: &mut u32, what: &str) {
    *checks += 1;
    println!("ok   {what}");
}

async fn run(checks: &mut u32) -> anyhow::Result<()> {
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        bail!("a crypto provider stands already");
    }
    let file = std::env::args().nth(1).context("usage: interop-rmcp-client FACTS")?;
    let facts = Facts::read(&file)?;
    let connector = facts.connector()?;
    let client = facts.secret_client()?;
    let employee = facts.employee(connector)?;
    let id_token = facts.id_token(employee, client).await?;
    ok(
        checks,
        &format!("ID token of the lab ({} by {})", employee.username, client.name),
    );

    for wire in WIRES {
        for (name, method) in METHODS {
            let token = exchange(&facts, client, connector, &id_token, method)
                .await
                .with_context(|| format!("both legs with {name}"))?;
            ok(checks, &format!("{wire}: both legs with client_secret_{name}"));
            ensure!(token.expires_in.is_some(), "{wire}: the access token says no lifetime");
            let narrower = token.scopes.iter().all(|scope| connector.scopes.contains(scope));
            ensure!(
                narrower && !token.scopes.is_empty(),
                "{wire}: granted {:?}",
                token.scopes
            );
            ok(
                checks,
                &format!("{wire}: scopes of the connector were granted, and no others"),
            );
            let tool = wire::call(&connector.mcp_url, token.access_token.secret(), &wire, connector).await?;
            ok(checks, &format!("{wire}: {tool} answers"));
        }
    }
    refusals(checks, &facts, client, connector, &id_token).await?;
    stranger(checks, &facts, client, connector).await
}

/// What must not work: a subject that was changed, a wrong secret, and no token at all.
async fn refusals(
    checks: &mut u32,
    facts: &Facts,
    client: &Client,
    connector: &Connector,
    id_token: &str,
) -> anyhow::Result<()> {
    let idp = EmaExchangeStage::IdentityProvider;
    let changed = changed_signature(id_token)?;
    let refused = exchange(facts, client, connector, &changed, METHODS[0].1).await;
    expect(
        checks,
        "an ID token with a changed signature is refused",
        refused,
        |error| {
            matches!(error, EmaError::InvalidGrant(stage) if *stage == idp)
                || matches!(error, EmaError::OAuthRejected { stage, code: "invalid_request", .. } if *stage == idp)
        },
    )?;
    let forgetful = Client {
        idp: client.idp.with_secret("wrong"),
        ..client.clone()
    };
    let refused = exchange(facts, &forgetful, connector, id_token, METHODS[0].1).await;
    expect(
        checks,
        "a wrong secret at the issuer is refused",
        refused,
        |error| matches!(error, EmaError::OAuthRejected { stage, status: 401, code: "invalid_client" } if *stage == idp),
    )?;
    let forgetful = Client {
        ras: client.ras.with_secret("wrong"),
        ..client.clone()
    };
    let refused = exchange(facts, &forgetful, connector, id_token, METHODS[0].1).await;
    expect(checks, "a wrong secret at the RAS is refused", refused, |error| {
        let ras = EmaExchangeStage::ResourceAuthorizationServer;
        matches!(error, EmaError::OAuthRejected { stage, status: 401, code: "invalid_client" } if *stage == ras)
    })?;
    for wire in WIRES {
        let refused = wire::call(&connector.mcp_url, "nonsense", &wire, connector).await;
        ensure!(refused.is_err(), "{wire}: the gateway served a token that is none");
        ok(
            checks,
            &format!("{wire}: a token that is none is refused by the gateway"),
        );
    }
    Ok(())
}

/// Somebody whom the organisation's policy keeps off a connector is refused at the first leg.
async fn stranger(checks: &mut u32, facts: &Facts, client: &Client, connector: &Connector) -> anyhow::Result<()> {
    let Some((contractor, closed)) = facts.stranger() else {
        bail!("the lab has nobody who is kept off a connector");
    };
    let theirs = facts.id_token(contractor, client).await?;
    let refused = exchange(facts, client, closed, &theirs, METHODS[0].1).await;
    let what = format!("{} is refused {}", contractor.username, closed.name);
    expect(checks, &what, refused, |error| {
        let idp = EmaExchangeStage::IdentityProvider;
        matches!(error, EmaError::OAuthRejected { stage, .. } if *stage == idp)
    })?;
    ensure!(
        closed.name != connector.name || !facts.may(contractor, connector),
        "the lab contradicts itself"
    );
    Ok(())
}

/// Both legs as the SDK makes them: token exchange at the issuer, redemption at the RAS.
async fn exchange(
    facts: &Facts,
    client: &Client,
    connector: &Connector,
    id_token: &str,
    method: Method,
) -> Result<EmaAccessToken, EmaError> {
    let http = default_oauth_http_client().map_err(|_| EmaError::InvalidRequest("no HTTP client"))?;
    let idp = at(&facts.issuer, &client.idp, method);
    let ras = at(&facts.ras, &client.ras, method);
    EmaExchangeRequest::new_with_id_token(idp, ras, &connector.resource, id_token)
        .with_scopes(connector.scopes.iter().cloned())
        .exchange(&http, &http)
        .await
}

fn at(server: &Server, credentials: &Credentials, method: Method) -> EmaAuthorizationServer {
    let secret = ClientSecret::new(credentials.client_secret.clone().unwrap_or_default());
    EmaAuthorizationServer::new(&server.url, &server.token_endpoint, &credentials.client_id)
        .with_client_authentication(method(secret))
}

fn expect(
    checks: &mut u32,
    what: &str,
    outcome: Result<EmaAccessToken, EmaError>,
    right: impl FnOnce(&EmaError) -> bool,
) -> anyhow::Result<()> {
    match outcome {
        Ok(_) => bail!("{what}: was accepted"),
        Err(error) if right(&error) => {
            ok(checks, &format!("{what} ({error})"));
            Ok(())
        }
        Err(error) => bail!("{what}: failed for another reason: {error}"),
    }
}

/// The same token with another first character of the signature.
fn changed_signature(token: &str) -> anyhow::Result<String> {
    let (signed, signature) = token.rsplit_once('.').context("the ID token has no signature")?;
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let rest = signature.get(1..).context("the signature is empty")?;
    Ok(format!("{signed}.{other}{rest}"))
}
