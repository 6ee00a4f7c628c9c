//! What a gateway is given at start.
//!
//! Owns the list. Never reads configuration files: the composition does.

use std::sync::Arc;
use std::time::Duration;

use lanyard_jose::digest::HmacKey;
use lanyard_jose::verify::AccessTokenCache;
use lanyard_resource_server::keys::KeySource;
use lanyard_resource_server::revocation::RevocationView;

use crate::audit::CallSink;
use crate::credentials::UpstreamCredentials;

/// What the gateway uses and does not make.
pub struct GatewayDeps {
    /// Microseconds since the epoch.
    pub now: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The keys of the authorization servers.
    pub keys: Arc<dyn KeySource>,
    /// What is revoked. Fill it before the first request.
    pub revocations: Arc<dyn RevocationView>,
    /// Tokens that were verified before.
    pub tokens: AccessTokenCache,
    /// Takes one event per call.
    pub calls: Arc<dyn CallSink>,
    /// What is shown to the servers behind.
    pub credentials: Arc<dyn UpstreamCredentials>,
    /// Binds handles of servers behind to callers. Random, and the same on all gateways of a deployment.
    pub handle_key: HmacKey,
    /// Trust roots and versions for `https` upstreams. ALPN is set by the gateway.
    pub tls: rustls::ClientConfig,
}

/// Limits and names.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Starts every request id of this process.
    pub request_id_prefix: String,
    /// Allowed clock skew in seconds, at most 60 (SEC-07).
    pub leeway: i64,
    /// The largest request body (SEC-22).
    pub max_body: usize,
    /// How long a request body may take to arrive.
    pub body_within: Duration,
    /// How long a connection to a server behind may take.
    pub connect_within: Duration,
    /// How long a server behind may take until the head of its answer.
    pub headers_within: Duration,
    /// How often a long stream looks whether the revocation view is still fresh. Revocations end it at once.
    pub stream_check: Duration,
    /// Hosts that stand for any route, for a proxy in front that does not keep the `Host`.
    pub host_aliases: Vec<String>,
    /// Refuses 2026-07-28 requests that do not declare the extension (RS-W26-05). It proves nothing.
    pub require_declaration: bool,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self {
            request_id_prefix: "req".to_owned(),
            leeway: 30,
            max_body: 1024 * 1024,
            body_within: Duration::from_secs(30),
            connect_within: Duration::from_secs(5),
            headers_within: Duration::from_secs(300),
            stream_check: Duration::from_secs(5),
            host_aliases: Vec::new(),
            require_declaration: false,
        }
    }
}
