//! `lanyard conformance-client URL`: the client under test of the MCP conformance suite.
//!
//! Owns reading the suite's environment and what is done in each scenario. Everything that is judged is done by the
//! client library; only approving without a browser ([`agent`]) exists for the suite alone. Keeps nothing between runs.

mod agent;
mod scenario;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use lanyard_client::clock::{Clock as _, SystemClock};
use lanyard_client::credentials::{ClientAuth, ClientIdentity};
use lanyard_client::flow::Flow;
use lanyard_client::interactive::Interactive;
use lanyard_client::registration::with_secret;
use lanyard_client::session::Session;
use lanyard_client::store::MemoryStore;
use lanyard_client::subject::Enterprise;
use lanyard_fetch::{Fetch, HttpFetch, MetadataCache, Outbound};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use self::agent::Approving;
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// The metadata document that the suite knows this client by.
const CLIENT_METADATA_URL: &str = "https://conformance-test.local/client-metadata.json";

/// Act as the client under test of the MCP conformance suite
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConformanceClientArgs {
    /// The scenario's name
    #[arg(long, env = "MCP_CONFORMANCE_SCENARIO", default_value = "", hide = true)]
    scenario: String,
    /// The scenario's context, JSON
    #[arg(
        long,
        env = "MCP_CONFORMANCE_CONTEXT",
        default_value = "",
        hide = true,
        hide_env_values = true
    )]
    context: String,
    /// The protocol version
    #[arg(
        long,
        env = "MCP_CONFORMANCE_PROTOCOL_VERSION",
        default_value = "2025-11-25",
        hide = true
    )]
    protocol_version: String,
    /// The MCP server
    url: String,
}

/// What the suite hands over.
#[derive(Debug, Default, Deserialize)]
struct Context {
    client_id: Option<ClientId>,
    client_secret: Option<SecretString>,
    issuer: Option<Issuer>,
    idp_client_id: Option<ClientId>,
    idp_id_token: Option<SecretString>,
    idp_issuer: Option<Issuer>,
    idp_token_endpoint: Option<String>,
    #[serde(default, rename = "toolCalls")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Debug, Deserialize)]
struct ToolCall {
    name: String,
    #[serde(default)]
    arguments: Option<serde_json::Map<String, Value>>,
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: ConformanceClientArgs, _: &Ui) -> anyhow::Result<ExitCode> {
    match drive(&args).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => Ok(Ending::of(&error).tell()),
    }
}

async fn drive(args: &ConformanceClientArgs) -> anyhow::Result<()> {
    let context: Context = if args.context.is_empty() {
        Context::default()
    } else {
        serde_json::from_str(&args.context).context("the scenario's context is not of a known form")?
    };
    // Everything of the suite is plain http on loopback.
    let outbound = Outbound {
        development: true,
        ..Outbound::default()
    };
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&outbound)?);
    let flow = Arc::new(flow(&args.url, &context, &fetch).await?);
    scenario::run(args, &context, &fetch, &flow).await
}

async fn flow(url: &str, context: &Context, fetch: &Arc<dyn Fetch>) -> anyhow::Result<Flow> {
    if let Some(id_token) = &context.idp_id_token {
        return managed(url, context, fetch, id_token).await;
    }
    let mut builder = Flow::builder(Arc::clone(fetch)).interactive(code_flow(fetch)?);
    if let Some(client_id) = &context.client_id {
        let issuer = match &context.issuer {
            Some(issuer) => issuer.clone(),
            None => named_issuer(url, fetch).await?,
        };
        let identity = match &context.client_secret {
            Some(secret) => {
                let metadata = MetadataCache::new(Arc::clone(fetch))
                    .authorization_server(&issuer)
                    .await?;
                with_secret(&metadata, client_id.clone(), secret.clone())
            }
            None => ClientIdentity::public(client_id.clone()),
        };
        builder = builder.credentials(issuer, identity);
    }
    Ok(builder.build())
}

fn code_flow(fetch: &Arc<dyn Fetch>) -> anyhow::Result<Interactive> {
    let client_metadata_url = ClientId::parse(CLIENT_METADATA_URL)?;
    Ok(Interactive::new(Arc::new(Approving::new(Arc::clone(fetch))), "Lanyard")
        .with_client_metadata_url(client_metadata_url))
}

/// Whom credentials without an issuer are for: the authorization server that the server names now, and no later one.
async fn named_issuer(url: &str, fetch: &Arc<dyn Fetch>) -> anyhow::Result<Issuer> {
    let looking = Flow::builder(Arc::clone(fetch)).interactive(code_flow(fetch)?).build();
    Ok(looking.discover(url, None).await?.authorization_server.issuer.clone())
}

/// Enterprise-Managed Authorization with the sign-in that is given (CF-01). The code flow stays off.
async fn managed(
    url: &str,
    context: &Context,
    fetch: &Arc<dyn Fetch>,
    id_token: &SecretString,
) -> anyhow::Result<Flow> {
    let issuer = context.idp_issuer.clone().context("the context has no idp_issuer")?;
    let idp_client_id = context
        .idp_client_id
        .clone()
        .context("the context has no idp_client_id")?;
    let client_id = context.client_id.clone().context("the context has no client_id")?;
    let now = SystemClock.now();
    let session = Session::from_id_token(issuer.clone(), idp_client_id.clone(), id_token.clone(), now)?;
    let mut enterprise = Enterprise::new(issuer, ClientIdentity::public(idp_client_id));
    enterprise.token_endpoint.clone_from(&context.idp_token_endpoint);
    let auth = context
        .client_secret
        .clone()
        .map_or(ClientAuth::None, ClientAuth::SecretBasic);
    let named = named_issuer(url, fetch).await?;
    Ok(Flow::builder(Arc::clone(fetch))
        .store(Arc::new(MemoryStore::with(session)))
        .enterprise(enterprise)
        .credentials(named, ClientIdentity { client_id, auth })
        .build())
}
