//! An MCP client under Enterprise-Managed Authorization: the sign-in once, then every approved server.
//!
//! `example-rmcp-client ISSUER CLIENT_ID CLIENT_SECRET RAS RAS_CLIENT_ID RAS_CLIENT_SECRET MCP_URL < id-token`
//!
//! The ID token on stdin is what the host's own sign-in gave, for example `lanyard lab id-token`.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use lanyard_client::clock::{Clock as _, SystemClock};
use lanyard_client::credentials::{ClientAuth, ClientIdentity};
use lanyard_client::flow::Flow;
use lanyard_client::rmcp::authorized::Authorized;
use lanyard_client::rmcp::over_fetch::OverFetch;
use lanyard_client::rmcp::{client_info, either_wire};
use lanyard_client::session::Session;
use lanyard_client::store::MemoryStore;
use lanyard_client::subject::Enterprise;
use lanyard_fetch::{Fetch, HttpFetch, Outbound};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use rmcp::service::ClientServiceExt as _;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use secrecy::SecretString;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [issuer, client_id, secret, ras, ras_client_id, ras_secret, mcp_url] = arguments.as_slice() else {
        anyhow::bail!(
            "usage: example-rmcp-client ISSUER CLIENT_ID SECRET RAS RAS_CLIENT_ID RAS_SECRET MCP_URL < id-token"
        );
    };
    let at_idp = client(client_id, secret)?;
    let issuer = Issuer::parse(issuer.as_str())?;

    // The person's sign-in: here an ID token that the host has got already.
    let mut id_token = String::new();
    std::io::stdin().read_to_string(&mut id_token)?;
    let id_token = SecretString::from(id_token.trim().to_owned());
    let session = Session::from_id_token(issuer.clone(), at_idp.client_id.clone(), id_token, SystemClock.now())?;

    // The organisation's issuer, and this client at the authorization server of the MCP servers.
    let outbound = Outbound {
        development: issuer.is_plain_http(),
        ..Outbound::default()
    };
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&outbound)?);
    let flow = Flow::builder(Arc::clone(&fetch))
        .store(Arc::new(MemoryStore::with(session)))
        .enterprise(Enterprise::new(issuer, at_idp))
        .credentials(Issuer::parse(ras.as_str())?, client(ras_client_id, ras_secret)?)
        .build();

    // An rmcp client whose requests carry the right token.
    let http = Authorized::new(OverFetch::new(fetch, Duration::from_secs(60)), Arc::new(flow));
    let config = StreamableHttpClientTransportConfig::with_uri(mcp_url.as_str());
    let transport = StreamableHttpClientTransport::with_client(http.clone(), config);
    let service = match client_info("example-rmcp-client", "1.0.0")
        .serve_with_lifecycle(transport, either_wire())
        .await
    {
        Ok(service) => service,
        Err(error) => match http.refusal() {
            Some(refusal) => anyhow::bail!("{refusal}"),
            None => return Err(error).context("the server could not be used"),
        },
    };
    for tool in service.list_tools(None).await?.tools {
        println!("{}", tool.name);
    }
    service.cancel().await?;
    Ok(())
}

fn client(id: &str, secret: &str) -> anyhow::Result<ClientIdentity> {
    let auth = ClientAuth::SecretBasic(SecretString::from(secret.to_owned()));
    Ok(ClientIdentity {
        client_id: ClientId::parse(id)?,
        auth,
    })
}
