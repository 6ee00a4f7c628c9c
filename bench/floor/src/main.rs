//! The floor: the least that a Rust server can do for a chain. Real ES256 signatures, client authentication, a memory
//! of verified ID tokens, a replay set, and one audit line on disk before each answer. No policy, no store. For a call
//! through a gateway: a proxy that only passes on.
//!
//! Owns the yardsticks of `cargo xtask bench`, and the ID tokens of a foreign issuer for it and for the peers. It is no
//! product: what it leaves out is what the figures of a product are compared with.

mod audit;
mod key;
mod pass;
mod token;

use std::convert::Infallible;
use std::path::Path;

use anyhow::{Context, bail};
use axum::Router;
use axum::routing::post;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tower::ServiceExt;

const USAGE: &str = "usage: lanyard-floor id-tokens FOLDER COUNT | serve ADDRESS FOLDER | pass ADDRESS UPSTREAM";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["id-tokens", folder, count] => id_tokens(Path::new(folder), count.parse().context("COUNT")?),
        ["serve", address, folder] => run(serve(address, Path::new(folder))),
        ["pass", address, upstream] => run(pass(address, upstream)),
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

fn run(server: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(server)
}

async fn serve(address: &str, folder: &Path) -> anyhow::Result<()> {
    let public = std::fs::read(folder.join("public")).context("run `id-tokens` first")?;
    let floor = token::Floor::new(&public, audit::Audit::start(&folder.join("audit.jsonl"))?)?;
    let router = Router::new().route("/token", post(token::answer)).with_state(floor);
    listen(address, move |request| {
        router.clone().oneshot(request.map(axum::body::Body::new))
    })
    .await
}

async fn pass(address: &str, upstream: &str) -> anyhow::Result<()> {
    let pass = pass::Pass::new(upstream)?;
    listen(address, move |request| pass.clone().answer(request)).await
}

/// Answers every request of every connection.
async fn listen<A, B>(
    address: &str,
    answer: impl Fn(Request<Incoming>) -> A + Clone + Send + 'static,
) -> anyhow::Result<()>
where
    A: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind(address).await?;
    let connections = tokio::task::LocalSet::new();
    connections
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let answer = answer.clone();
                tokio::task::spawn_local(async move {
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    // A broken connection shows at the caller.
                    let _ = builder.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
                });
            }
        })
        .await
}
