//! A gateway in front of one MCP server, with a key of its own, for trials and measurements.
//!
//! ```text
//! cargo run -p lanyard-gateway --example front -- http://127.0.0.1:8080/mcp
//! ```
//!
//! Prints the URL of the protected endpoint and a token for it that lives an hour.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a trial, not a product")]

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use lanyard_gateway::audit::{Acknowledgement, Call, CallSink, NotRecorded};
use lanyard_gateway::credentials::FixedCredentials;
use lanyard_gateway::gateway::Gateway;
use lanyard_gateway::settings::{GatewayDeps, GatewaySettings};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::HmacKey;
use lanyard_jose::jwk::{JwkSet, KeySet};
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::{Random, SystemRandom};
use lanyard_jose::verify::AccessTokenCache;
use lanyard_protocol::gateway::RouteSnapshot;
use lanyard_protocol::issuer::Issuer;
use lanyard_resource_server::keys::StaticKeys;
use lanyard_resource_server::revocation::RevocationList;
use serde_json::json;
use tokio::net::TcpListener;

const ISSUER: &str = "http://127.0.0.1:4501";

struct Nowhere;

impl CallSink for Nowhere {
    fn record(&self, _: Call, _: bool) -> Result<Acknowledgement, NotRecorded> {
        Ok(Acknowledgement::Queued)
    }
}

#[tokio::main]
async fn main() {
    let upstream = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "http://127.0.0.1:8080/mcp".to_owned());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resource = format!("http://{}/front/mcp", listener.local_addr().unwrap());
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let route = json!({
        "name": "front", "resource": resource, "authorization_server": ISSUER, "upstream": upstream,
        "scopes": "use", "status": "active", "tools": {"*": "use"},
    });
    let snapshot = RouteSnapshot {
        version: 1,
        routes: vec![serde_json::from_value(route).unwrap()],
    };
    let issuer = Issuer::parse(ISSUER).unwrap();
    let keys = KeySet::from_jwks(&JwkSet {
        keys: vec![key.public_jwk()],
    });
    let roots = rustls::RootCertStore::empty();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut secret = [0; 32];
    SystemRandom.fill(&mut secret);
    let deps = GatewayDeps {
        now: Arc::new(micros),
        keys: Arc::new(StaticKeys::new(issuer, keys)),
        revocations: Arc::new(RevocationList::local(Arc::new(|| micros() / 1_000_000))),
        tokens: AccessTokenCache::new(10_000),
        calls: Arc::new(Nowhere),
        credentials: Arc::new(FixedCredentials::none()),
        handle_key: HmacKey::new(&secret),
        tls: rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    };
    let (gateway, problems) = Gateway::new(deps, GatewaySettings::default(), snapshot);
    assert!(problems.is_empty(), "{problems:?}");
    let now = micros() / 1_000_000;
    let claims = json!({
        "iss": ISSUER, "sub": "somebody", "aud": resource, "client_id": "trial", "jti": "1", "iat": now, "exp": now + 3600,
        "scope": "use",
    });
    println!("{resource}\n{}", key.sign("at+jwt", &claims).unwrap());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let gateway = Arc::clone(&gateway);
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, Infallible>(gateway.handle(request).await) }
            });
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn micros() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(elapsed.as_micros()).unwrap()
}
