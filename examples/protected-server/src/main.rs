//! An MCP server written with `rmcp` and protected with one tower layer.
//!
//! ```text
//! example-protected-server --port 8080 --issuer http://127.0.0.1:4501        protected by that authorization server
//! example-protected-server --port 8080 --bare                                open, to stand behind the gateway
//! ```
//!
//! It has every tool, prompt and resource that the server half of the MCP conformance suite asks for.
//! Prints its URL when it listens; port 0 takes a free one.
#![expect(
    clippy::indexing_slicing,
    reason = "reading a member of a JSON value that is not there gives null"
)]

mod answers;
mod catalogue;
mod inputs;
mod server;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use axum::Router;
use lanyard_fetch::{Fetch, HttpFetch, JwksCache, MetadataCache, Outbound};
use lanyard_jose::verify::AccessTokenCache;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;
use lanyard_resource_server::clock::Clock;
use lanyard_resource_server::keys::FetchedKeys;
use lanyard_resource_server::layer::ProtectLayer;
use lanyard_resource_server::resource::ProtectedResource;
use lanyard_resource_server::revocation::RevocationList;
use lanyard_resource_server::verifier::{Verifier, VerifierParts};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;

use crate::server::Server;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let url = format!("http://{}/mcp", listener.local_addr()?);

    let server = Server::new()?;
    let config = StreamableHttpServerConfig::default()
        .with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"])
        .with_sse_retry(Some(Duration::from_millis(500)));
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let router = Router::new().nest_service("/mcp", service);
    let router = match options.issuer {
        // The lines that matter: the layer verifies every request, answers the challenges and serves the metadata.
        Some(issuer) => router.layer(protect(&url, issuer, &options.scopes)?),
        None => router,
    };

    println!("{url}");
    axum::serve(listener, router)
        .with_graceful_shutdown(async {
            // Without a signal handler the process just ends when it is told to.
            let _ = tokio::signal::ctrl_c().await;
        })
        .await?;
    Ok(())
}

fn protect(url: &str, issuer: Issuer, scopes: &ScopeSet) -> anyhow::Result<ProtectLayer> {
    // `development` allows plain http on loopback, where this example runs.
    let outbound = Outbound {
        development: true,
        ..Outbound::default()
    };
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&outbound)?);
    let clock: Clock = Arc::new(now);
    let resource = ProtectedResource::new(ResourceId::parse(url)?, issuer)
        .with_scopes(scopes)
        .with_name("Protected example");
    let parts = VerifierParts {
        keys: Arc::new(FetchedKeys::new(
            Arc::new(MetadataCache::new(Arc::clone(&fetch))),
            Arc::new(JwksCache::new(fetch)),
        )),
        // Without a feed of revocations a token lives until it expires.
        revocations: Arc::new(RevocationList::local(Arc::clone(&clock))),
        tokens: AccessTokenCache::new(10_000),
        clock,
    };
    Ok(ProtectLayer::new(Verifier::new(resource, parts)).require(scopes.clone()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "a program of its own: this is where its clock is"
)]
fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

/// What the command line says.
struct Options {
    port: u16,
    /// `None` is `--bare`.
    issuer: Option<Issuer>,
    scopes: ScopeSet,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            port: 0,
            issuer: None,
            scopes: ScopeSet::empty(),
        };
        let mut bare = false;
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--bare" => bare = true,
                "--port" => options.port = value()?.parse().context("--port needs a number")?,
                "--issuer" => options.issuer = Some(Issuer::parse(value()?)?),
                "--scopes" => options.scopes = ScopeSet::parse(&value()?)?,
                other => bail!("unknown argument {other}; known are --port N, --bare, --issuer URL, --scopes \"A B\""),
            }
        }
        if bare == options.issuer.is_some() {
            bail!("say either --bare or --issuer URL");
        }
        Ok(options)
    }
}
