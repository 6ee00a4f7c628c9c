//! Revocation of an access token by its client (RFC 7009; RV-01, RV-02).
//!
//! Owns who may revoke what. The answer on the wire is the same in every case.

use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::gateway::Revoked;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::ras::cut_off::keep_until;
use crate::ras::settings::RasSettings;
use crate::store::{StoreError, Tx};

/// Why nothing was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// Not a live token of this RAS.
    #[error("this is no access token that is live here")]
    UnknownToken,
    /// A token of another client.
    #[error("the token belongs to another client")]
    NotOwner,
}

impl Denial {
    /// The stable name. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownToken => "unknown_token",
            Self::NotOwner => "not_owner",
        }
    }
}

/// Revokes the client's own token; the position in the revocation feed. `token` is `None` for anything that is no
/// access token of ours. Written with the reserve.
///
/// # Errors
/// [`StoreError`].
pub fn revoke(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    client: &AuthenticatedClient,
    token: Option<&Verified<AccessToken>>,
) -> Result<Outcome<i64, Denial>, StoreError> {
    let client_id = &client.client.client_id;
    let actor = Actor::Client(client_id.as_str().to_owned());
    let grant = match token {
        Some(token) => tx.find_access_grant(token.jti.as_str())?,
        None => None,
    };
    let denial = match grant {
        Some(grant) if grant.client_id != *client_id => Denial::NotOwner,
        Some(grant) if tx.revoke_access_grant(client_id, &grant.jti, cx.now)? => {
            let revoked = Revoked::Token {
                issuer: settings.issuer.clone(),
                jti: grant.jti.clone(),
            };
            let sequence = tx.append_revocation(&revoked, cx.now, keep_until(settings, cx.now))?;
            let event = NewEvent::granted("ras.access_token.revoked")
                .actor(actor)
                .subject(format!("{}|{}", grant.issuer, grant.subject))
                .client(client_id)
                .target(grant.resource.as_str())
                .tenant(&grant.tenant);
            record(cx, tx, event.detail("jti", grant.jti))?;
            return Ok(Outcome::Granted(sequence));
        }
        _ => Denial::UnknownToken,
    };
    let event = NewEvent::denied("ras.access_token.revocation_refused", denial.code())
        .actor(actor)
        .client(client_id);
    record(cx, tx, event.detail_if("jti", token.map(|token| token.jti.as_str())))?;
    Ok(Outcome::Denied(denial))
}
