//! A logout that an identity provider asks for (SAML Profiles, section 4.4.3.2).
//!
//! Owns which sessions end. The request's signature was checked; what is ended are sessions that this provider began.

use std::time::Duration;

use lanyard_protocol::issuer::Issuer;

use crate::audit::event::Actor;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::idp::logout::end_everywhere;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::saml::denial::SamlDenial;
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::{Connection, Kind};
use crate::upstream::saml;

/// How long a request counts that does not say so.
const USUAL_LIFE: Duration = Duration::from_secs(300);
/// How far the clock of an identity provider may differ.
const SKEW: Duration = Duration::from_secs(60);

/// A signed request to end sessions.
#[derive(Debug, Clone)]
pub struct LogoutRequest {
    /// Its identifier.
    pub id: String,
    /// Who asks.
    pub issuer: String,
    /// Where it was sent to.
    pub destination: Option<String>,
    /// When it was made.
    pub issued_at: Timestamp,
    /// Until when it counts.
    pub not_on_or_after: Option<Timestamp>,
    /// Which sessions.
    pub session_indexes: Vec<String>,
}

/// Ends the sessions that a request names; how many there were.
///
/// # Errors
/// [`StoreError`].
pub fn end_sessions(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    connection: &Connection,
    request: &LogoutRequest,
) -> Result<Outcome<u64, SamlDenial>, StoreError> {
    let fits = matches!(&connection.kind, Kind::Saml(settings) if settings.entity_id == request.issuer);
    if !fits {
        return Ok(Outcome::Denied(SamlDenial::OtherIssuer));
    }
    let own = saml::slo_url(issuer, &connection.name);
    if request
        .destination
        .as_ref()
        .is_some_and(|destination| *destination != own)
    {
        return Ok(Outcome::Denied(SamlDenial::Destination));
    }
    let end_of_request = request
        .not_on_or_after
        .unwrap_or(request.issued_at.plus(USUAL_LIFE))
        .plus(SKEW);
    if cx.now >= end_of_request || request.issued_at > cx.now.plus(SKEW) {
        return Ok(Outcome::Denied(SamlDenial::Unacceptable(
            crate::saml::accept::Unacceptable::Expired,
        )));
    }
    if !tx.record_use(
        "idp",
        ReplayKind::SamlAssertion,
        &request.issuer,
        &request.id,
        end_of_request,
    )? {
        return Ok(Outcome::Denied(SamlDenial::Replayed));
    }
    let by = Actor::System(format!("connection {}", connection.name));
    let mut ended = 0;
    for index in &request.session_indexes {
        for session in tx.list_sessions_of_upstream(&connection.id, index)? {
            ended += u64::from(end_everywhere(cx, tx, vault, issuer, &session, by.clone())?);
        }
    }
    Ok(Outcome::Granted(ended))
}
