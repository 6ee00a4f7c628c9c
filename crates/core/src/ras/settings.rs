//! What the RAS is configured to be.

use std::time::Duration;

use lanyard_protocol::issuer::Issuer;

/// The RAS of this deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RasSettings {
    /// Its issuer identifier; the only `aud` that its ID-JAGs may have.
    pub issuer: Issuer,
    /// Allowed clock skew, the one that verification uses (SEC-07).
    pub leeway: Duration,
    /// The longest life of an access token, whatever a trust record says (RAS-AT-04).
    pub max_access_token_ttl: Duration,
    /// Whether access tokens name their tenant: only when there are several.
    pub emit_tenant: bool,
}

impl RasSettings {
    /// The defaults for an issuer: 30 s of leeway, tokens of at most an hour.
    pub const fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            leeway: Duration::from_secs(30),
            max_access_token_ttl: Duration::from_secs(3600),
            emit_tenant: false,
        }
    }
}
