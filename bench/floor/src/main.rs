//! The floor: the least that a Rust server can do for a chain. Real ES256 signatures, client authentication, a memory
//! of verified ID tokens, a replay set, and one audit line on disk before each answer. No policy, no store.
//!
//! Owns the yardstick of `cargo xtask bench`, and the ID tokens of a foreign issuer for it and for the peers. It is no
//! product: what it leaves out is what the figures of a product are compared with.

mod audit;
mod key;
mod token;

use std::path::Path;

use anyhow::{Context, bail};
use axum::Router;
use axum::routing::post;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tower::ServiceExt;

const USAGE: &str = "usage: lanyard-floor id-tokens FOLDER COUNT | serve ADDRESS FOLDER";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["id-tokens", folder, count] => id_tokens(Path::new(folder), count.parse().context("COUNT")?),
        ["serve", address, folder] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(address, Path::new(folder)))
        }
        _ => bail!(USAGE),
    }
}

/// Makes a key, leaves its public half in `jwks.json`, and prints so many ID tokens.
fn id_tokens(folder: &Path, count: usize) -> anyhow::Result<()> {
    let key = key::Key::generate()?;
    let jwks = serde_json::json!({ "keys": [key.public_jwk()?] });
    std::fs::write(folder.join("jwks.json"), jwks.to_string())?;
    std::fs::write(folder.join("public"), key.public())?;
    for n in 0..count {
        println!("{}", token::id_token(&key, n)?);
    }
    Ok(())
}

async fn serve(address: &str, folder: &Path) -> anyhow::Result<()> {
    let public = std::fs::read(folder.join("public")).context("run `id-tokens` first")?;
    let floor = token::Floor::new(&public, audit::Audit::start(&folder.join("audit.jsonl"))?)?;
    let router = Router::new().route("/token", post(token::answer)).with_state(floor);
    let listener = tokio::net::TcpListener::bind(address).await?;
    let connections = tokio::task::LocalSet::new();
    connections
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let router = router.clone();
                tokio::task::spawn_local(async move {
                    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                        router.clone().oneshot(request.map(axum::body::Body::new))
                    });
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A broken connection shows at the caller.
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        })
        .await
}
