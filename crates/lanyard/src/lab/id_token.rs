//! `lanyard lab id-token`: a fresh ID token for a foreign program.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use lanyard_fetch::{Fetch, FetchRequest, HttpFetch, Outbound};
use lanyard_jose::random::SystemRandom;
use url::Url;

use crate::lab::facts::{CredentialFacts, Facts};
use crate::lab::oauth::{Oauth, Party};
use crate::lab::organisation::LabCredential;
use crate::ui::Ui;

/// Print a fresh ID token of a person of a running lab
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct IdTokenArgs {
    /// The facts file of the running lab
    #[arg(long, value_name = "FILE")]
    facts: PathBuf,
    /// The person, by user name
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    user: Option<String>,
    /// The client, by its name in the facts file
    #[arg(long, value_name = "NAME")]
    client: String,
    /// One token per person, one per line, without typing passwords (for load tests)
    #[arg(long, conflicts_with = "user")]
    all: bool,
    /// With --all: at most this many people
    #[arg(long, value_name = "N", default_value_t = 2000, requires = "all")]
    count: usize,
    /// With --all: how long the tokens live
    #[arg(long, value_name = "TIME", default_value = "1h", requires = "all", value_parser = crate::config::parse_duration)]
    ttl: std::time::Duration,
}

/// Runs the command.
///
/// # Errors
/// When the lab does not answer, or refuses.
pub(crate) async fn run(args: IdTokenArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let facts = Facts::read(&args.facts)?;
    let known = || {
        facts
            .clients
            .iter()
            .map(|client| client.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let client = facts.clients.iter().find(|client| client.name == args.client);
    let client = client.with_context(|| format!("--client: the lab has {}", known()))?;
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&Outbound {
        development: true,
        ..Outbound::default()
    })?);
    if args.all {
        ui.line(all(&*fetch, &facts, &client.idp.client_id, &args).await?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let username = args.user.unwrap_or_default();
    let user = facts.users.iter().find(|user| user.username == username);
    let user = user.with_context(|| format!("--user: {username} is not in the facts file"))?;
    let Some(redirect_uri) = client.redirect_uris.first() else {
        bail!("the client {} signs nobody in", args.client)
    };
    let oauth = Oauth {
        fetch,
        random: Arc::new(SystemRandom),
    };
    let issuer = Party::of(&facts.issuer.url)?;
    let (tokens, _) = oauth
        .sign_in(
            &issuer,
            &credential(&client.idp),
            redirect_uri,
            (&user.username, &user.password),
        )
        .await?;
    ui.line(&tokens.id_token.context("the issuer gave no ID token")?);
    Ok(ExitCode::SUCCESS)
}

async fn all(fetch: &dyn Fetch, facts: &Facts, client_id: &str, args: &IdTokenArgs) -> anyhow::Result<String> {
    let mut url = Url::parse(&facts.lab.mint_url)?;
    url.query_pairs_mut()
        .append_pair("client_id", client_id)
        .append_pair("count", &args.count.to_string())
        .append_pair("ttl", &args.ttl.as_secs().to_string());
    let mut request = FetchRequest::get(url);
    request.method = Method::POST;
    request.max_body = 1024 * 1024 * 1024;
    request.timeout = std::time::Duration::from_secs(600);
    let bearer = HeaderValue::try_from(format!("Bearer {}", facts.admin.token))?;
    let response = fetch
        .fetch(request.header(AUTHORIZATION, bearer))
        .await
        .context("the lab does not answer")?;
    let text = String::from_utf8_lossy(&response.body).into_owned();
    anyhow::ensure!(
        response.status.is_success(),
        "the lab answered {}: {text}",
        response.status
    );
    Ok(text)
}

fn credential(facts: &CredentialFacts) -> LabCredential {
    LabCredential {
        client_id: facts.client_id.clone(),
        secret: facts.client_secret.clone(),
        private_jwk: facts.private_jwk.clone(),
    }
}
