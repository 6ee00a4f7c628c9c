//! `/healthz`, `/readyz` and `/metrics`.
//!
//! Owns what "alive" and "ready" mean. Never on a public listener's issuer paths; the composition chooses the listener.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use lanyard_core::store::{Store, StoreExt};
use serde::Serialize;

use crate::http::answer;

/// How long the store may take before we are not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// What health looks at.
#[derive(Clone)]
pub struct HealthDeps {
    /// The store, which also holds the signing keys; `None` in a process that only runs a gateway.
    pub store: Option<Arc<dyn Store>>,
    /// Whether revocations from elsewhere are fresh; `None` where they are those of the store.
    pub revocations: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// Tasks of the supervisor: (name, whether it runs).
    pub tasks: Arc<dyn Fn() -> Vec<(String, bool)> + Send + Sync>,
    /// Renders the metrics in the text format of Prometheus; `None` when none are kept.
    pub metrics: Option<Arc<dyn Fn() -> String + Send + Sync>>,
}

/// The router of the health and metrics listener.
pub fn router(deps: HealthDeps) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(deps)
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    store: &'static str,
    keys: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocations: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stopped: Vec<String>,
}

async fn alive() -> Response {
    answer::text(StatusCode::OK, "ok\n")
}

async fn ready(State(deps): State<HealthDeps>) -> Response {
    let (reached, store, keys) = match &deps.store {
        None => (true, "none", "none"),
        Some(store) => {
            let read = store.read(|tx| tx.keys_version());
            match tokio::time::timeout(PATIENCE, read).await {
                Ok(Ok(_)) => (true, "reachable", "loaded"),
                _ => (false, "unreachable", "unknown"),
            }
        }
    };
    let fresh = deps.revocations.as_ref().map(|fresh| fresh());
    let stopped: Vec<String> = (deps.tasks)()
        .into_iter()
        .filter(|(_, runs)| !runs)
        .map(|(name, _)| name)
        .collect();
    let good = reached && fresh.unwrap_or(true) && stopped.is_empty();
    let body = Readiness {
        status: if good { "ready" } else { "not ready" },
        store,
        keys,
        revocations: fresh.map(|fresh| if fresh { "fresh" } else { "stale" }),
        stopped,
    };
    answer::json(
        if good {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        },
        &body,
    )
}

async fn metrics(State(deps): State<HealthDeps>) -> Response {
    match deps.metrics {
        Some(render) => answer::text(StatusCode::OK, render()),
        None => answer::text(StatusCode::NOT_FOUND, "metrics are switched off\n"),
    }
}
