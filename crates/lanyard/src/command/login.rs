//! `lanyard login`
//!
//! Owns the sign-in of a person at this terminal. Never sees their password.

pub(crate) mod enrol;
pub(crate) mod loopback;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use lanyard_client::clock::{Clock as _, SystemClock};
use lanyard_client::credentials::{Caller, ClientIdentity};
use lanyard_client::revocation::{revoke_request, revoke_response};
use lanyard_client::session::Session;
use lanyard_client::sign_in::{
    SignIn, authorization_request, authorization_response, check_id_token, code_request, code_response, usual_scopes,
};
use lanyard_client::store::CredentialStore as _;
use lanyard_fetch::{Fetch, JwksCache, MetadataCache};
use lanyard_jose::random::SystemRandom;
use lanyard_jose::token::{IdToken, Unverified};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::scope::ScopeSet;
use secrecy::SecretString;

use self::enrol::Enrolment;
use self::loopback::Loopback;
use crate::client_config::Places;
use crate::client_config::at::parse_issuer;
use crate::client_config::open::Ground;
use crate::client_config::outcome::{Ending, plain};
use crate::client_config::state::{IssuerRecord, key_name};
use crate::credentials::SessionStore;
use crate::ui::Ui;

/// What is wrong with scopes that were configured.
pub(crate) const SCOPES_OF_FILE: &str = "issuer.scopes of client.toml is not a list of scopes";

/// Sign in at your organisation's issuer
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LoginArgs {
    /// The issuer [default: the one of the last sign-in, or of client.toml]
    #[arg(long, value_name = "URL", value_parser = parse_issuer)]
    issuer: Option<Issuer>,
    /// Print the address instead of opening the browser
    #[arg(long)]
    no_browser: bool,
    /// This program's client id at the issuer
    #[arg(long, value_name = "ID", default_value = "lanyard-cli")]
    client_id: String,
    /// Ask for this kind of authentication
    #[arg(long, value_name = "ACR")]
    acr_values: Option<String>,
    /// Ask for a sign-in that is at most so many seconds old
    #[arg(long, value_name = "SECONDS")]
    max_age: Option<u64>,
    /// A name for this machine, shown beside its key
    #[arg(long, value_name = "NAME", env = "HOSTNAME")]
    machine: Option<String>,
    #[command(flatten)]
    places: Places,
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: LoginArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    match sign_in(&args, ui).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Ok(Ending::of(&error).tell()),
    }
}

/// A sign-in that is not kept yet.
pub(crate) struct SignedIn {
    pub(crate) session: Session,
    pub(crate) identity: ClientIdentity,
    pub(crate) access_token: SecretString,
}

/// What is asked of the issuer, as whom.
pub(crate) struct Asked {
    pub(crate) identity: ClientIdentity,
    pub(crate) scope: ScopeSet,
    pub(crate) acr_values: Option<String>,
    pub(crate) max_age: Option<u64>,
    pub(crate) no_browser: bool,
}

async fn sign_in(args: &LoginArgs, ui: &Ui) -> anyhow::Result<()> {
    let mut ground = Ground::open(&args.places)?;
    let issuer = ground.issuer(args.issuer.as_ref());
    let issuer = issuer
        .ok_or_else(|| Ending::failed("No issuer is named.", Some("Name it with: lanyard login --issuer URL")))?;
    let fetch = ground.fetch(&issuer)?;
    let metadata = MetadataCache::new(Arc::clone(&fetch))
        .authorization_server(&issuer)
        .await
        .with_context(|| format!("the metadata of {issuer} cannot be used"))?;
    let entry = ground.file.issuer.as_ref().filter(|entry| entry.url == issuer);
    let asked = Asked {
        identity: match entry {
            Some(entry) => entry.identity()?,
            None => ClientIdentity::public(ClientId::parse(args.client_id.as_str())?),
        },
        scope: scopes(&metadata, entry.and_then(|entry| entry.scopes.as_deref()))?,
        acr_values: args.acr_values.clone(),
        max_age: args.max_age,
        no_browser: args.no_browser,
    };
    let signed_in = authenticate(asked, ui, &fetch, &metadata).await?;

    let earlier = ground.state.issuers.get(&issuer).cloned();
    let mut record = IssuerRecord {
        client_id: signed_in.identity.client_id.clone(),
        key: None,
        kept_in: String::new(),
    };
    if let Some(endpoint) = metadata.lanyard_connectors_endpoint.as_deref() {
        let enrolment = Enrolment {
            fetch: &fetch,
            issuer: &issuer,
            endpoint,
            identity: &signed_in.identity,
            access_token: &signed_in.access_token,
            now: SystemClock.now(),
        };
        let enrolled = enrolment.enrol(&machine_name(args.machine.as_deref())).await?;
        if let Some(old) = earlier.as_ref().and_then(|record| record.key.as_ref()) {
            // Of another person, or gone already: either way not ours to remove any more.
            let _ = enrolment.remove(&old.kid).await;
        }
        record.kept_in = ground.secrets.write(&key_name(&issuer), &enrolled.private)?.to_owned();
        record.key = Some(enrolled.record);
    }
    let store = SessionStore::new(Arc::clone(&ground.secrets));
    store.save(&signed_in.session).await?;
    ground.state.issuers.insert(issuer.clone(), record);
    ground.state.current = Some(issuer.clone());
    ground.state.save(&ground.directory)?;
    if metadata.lanyard_connectors_endpoint.is_some() {
        bind_to_key(args, issuer.clone()).await?;
    }
    let name = signed_in.session.name.as_deref().unwrap_or(&signed_in.session.subject);
    ui.line(&format!("Signed in at {issuer} as {}.", ui.strong(&plain(name))));
    ui.note("`lanyard connectors` lists what you may reach.");
    Ok(())
}

/// Renews the sign-in with the key of this machine, so that its refresh token is of no use without that key.
async fn bind_to_key(args: &LoginArgs, issuer: Issuer) -> anyhow::Result<()> {
    let client = Ground::open(&args.places)?.client(issuer, None)?;
    let client = client.context("the sign-in was not kept")?;
    let subject = client.flow.subject().context("the sign-in was not kept")?;
    subject
        .renew_now(&client.flow)
        .await
        .context("the issuer did not take the key of this machine")?;
    Ok(())
}

/// The code flow with the browser (CL-SS-01 to CL-SS-03).
pub(crate) async fn authenticate(
    asked: Asked,
    ui: &Ui,
    fetch: &Arc<dyn Fetch>,
    metadata: &AuthorizationServerMetadata,
) -> anyhow::Result<SignedIn> {
    let issuer = &metadata.issuer;
    let identity = asked.identity;
    let loopback = Loopback::bind()?;
    let request = SignIn {
        redirect_uri: loopback.redirect_uri().to_owned(),
        scope: asked.scope,
        acr_values: asked.acr_values,
        max_age: asked.max_age,
        ..SignIn::default()
    };
    let (page, pending) = authorization_request(metadata, &identity.client_id, &request, &SystemRandom)?;
    let state = page
        .query_pairs()
        .find(|(name, _)| name == "state")
        .map(|(_, state)| state.into_owned());
    show(page.as_str(), asked.no_browser, ui);
    let query = loopback.answer(state.unwrap_or_default()).await?;
    let code = authorization_response(pending, &query)?;

    let now = SystemClock.now();
    let caller = Caller {
        identity: &identity,
        audience: issuer.as_str(),
        now,
        random: &SystemRandom,
    };
    let endpoint = metadata
        .token_endpoint
        .as_deref()
        .context("the issuer publishes no token_endpoint")?;
    let (request, expected) = code_request(endpoint, &caller, code)?;
    let answer = code_response(&fetch.fetch(request).await?).context("the issuer did not complete the sign-in")?;
    let id_token = answer.id_token.clone().context("the issuer gave no ID token")?;
    let jwks_uri = metadata
        .jwks_uri
        .as_deref()
        .context("the issuer publishes no jwks_uri")?;
    let kid = Unverified::<IdToken>::parse(&id_token)?.kid().map(str::to_owned);
    let keys = JwksCache::new(Arc::clone(fetch)).keys(jwks_uri, kid.as_deref()).await?;
    check_id_token(
        &id_token,
        Some(&answer.access_token),
        &keys,
        &expected,
        SystemClock.now(),
    )?;
    let client_id = identity.client_id.clone();
    let session = Session::from_id_token(issuer.clone(), client_id, SecretString::from(id_token), now)?;
    Ok(SignedIn {
        session: session.with_tokens(&answer, now),
        identity,
        access_token: SecretString::from(answer.access_token),
    })
}

fn scopes(metadata: &AuthorizationServerMetadata, configured: Option<&str>) -> anyhow::Result<ScopeSet> {
    if let Some(configured) = configured {
        return ScopeSet::parse(configured).context(SCOPES_OF_FILE);
    }
    Ok(usual_scopes(metadata))
}

/// With `--no-browser`, and when no browser can be opened, the address alone stands on stdout.
fn show(page: &str, no_browser: bool, ui: &Ui) {
    if !no_browser && open::that_detached(page).is_ok() {
        ui.note("Your browser opens for the sign-in. If it does not, visit this address:");
        ui.note(page);
        return;
    }
    ui.note("Visit this address in a browser on this machine to sign in:");
    ui.line(page);
}

/// What this machine is called beside its key.
pub(crate) fn machine_name(named: Option<&str>) -> String {
    let named = named.map(str::to_owned).filter(|name| !name.trim().is_empty());
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    let name = named.or_else(from_file).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(64).collect();
    if name.is_empty() {
        "a machine without a name".to_owned()
    } else {
        name
    }
}

/// Revokes the refresh token of a session; for a sign-out.
pub(crate) async fn revoke(
    fetch: &Arc<dyn Fetch>,
    metadata: &AuthorizationServerMetadata,
    identity: &ClientIdentity,
    session: &Session,
) -> anyhow::Result<()> {
    let (Some(endpoint), Some(token)) = (&metadata.revocation_endpoint, &session.refresh_token) else {
        return Ok(());
    };
    let now = SystemClock.now();
    let caller = Caller {
        identity,
        audience: metadata.issuer.as_str(),
        now,
        random: &SystemRandom,
    };
    revoke_response(&fetch.fetch(revoke_request(endpoint, &caller, token)?).await?)?;
    Ok(())
}
