//! Whether a bearer of the issuer's own access token may be served (userinfo, connectors, keys).
//!
//! Owns the check of current state behind the token. Never verifies a signature; a token of another kind never gets
//! here.

use lanyard_jose::token::{AccessToken, Verified};
use lanyard_protocol::scope::ScopeSet;

use crate::client::registration::{Client, Side};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::{FamilyId, SessionId};
use crate::idp::token_id;
use crate::outcome::Outcome;
use crate::session::record::Authentication;
use crate::store::{StoreError, Tx};

/// A person acting through a client.
#[derive(Debug, Clone)]
pub struct OwnBearer {
    /// The person.
    pub user: User,
    /// The client.
    pub client: Client,
    /// The grant behind the token.
    pub family: FamilyId,
    /// The session it was issued in.
    pub session: Option<SessionId>,
    /// How the person signed in.
    pub authentication: Authentication,
    /// What the token allows.
    pub scope: ScopeSet,
    /// The person as the client knows them.
    pub subject: lanyard_protocol::claims::time::Subject,
}

/// Why a bearer is refused: 401 `invalid_token`, for `InsufficientScope` 403 `insufficient_scope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OwnTokenDenial {
    /// Not one of ours, or the client is gone or switched off.
    #[error("the client of the token is not registered or switched off")]
    Client,
    /// Revoked, expired or never issued.
    #[error("the grant behind the token was ended")]
    GrantEnded,
    /// Logged out (IDP-TX-14 holds here as well).
    #[error("the session behind the token was ended")]
    SessionEnded,
    /// Deactivated or cut off since.
    #[error("the person may not sign in any more")]
    UserInactive,
    /// Without the scope that is needed here.
    #[error("the token does not have the scope {0}")]
    InsufficientScope(&'static str),
}

impl OwnTokenDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Client => "unknown_client",
            Self::GrantEnded => "grant_ended",
            Self::SessionEnded => "session_ended",
            Self::UserInactive => "user_inactive",
            Self::InsufficientScope(_) => "insufficient_scope",
        }
    }
}

/// Checks current state behind a token whose signature, audience (the issuer) and times were found right.
///
/// Reads only and appends no event: whoever acts for the bearer records the act.
///
/// # Errors
/// [`StoreError`].
pub fn bearer(
    cx: &Cx,
    tx: &mut dyn Tx,
    token: &Verified<AccessToken>,
    needed: &'static str,
) -> Result<Outcome<OwnBearer, OwnTokenDenial>, StoreError> {
    let denied = |denial| Ok(Outcome::Denied(denial));
    let Some(client) = tx.find_client(Side::Idp, &token.client_id)?.filter(Client::may_act) else {
        return denied(OwnTokenDenial::Client);
    };
    let family = match token_id::family(token.jti.as_str()) {
        Some(id) => tx.find_family(&id)?,
        None => None,
    };
    let Some(family) =
        family.filter(|family| family.client == client.key && family.ended_at.is_none() && cx.now < family.expires_at)
    else {
        return denied(OwnTokenDenial::GrantEnded);
    };
    let user = tx
        .find_user(&family.user)?
        .filter(|user| user.is_active() && user.not_before.is_none_or(|cut| family.created_at >= cut));
    let Some(user) = user else {
        return denied(OwnTokenDenial::UserInactive);
    };
    let session = match &token.sid {
        Some(sid) if *sid == family.session.as_str() => Some(family.session.clone()),
        Some(_) => return denied(OwnTokenDenial::SessionEnded),
        None => None,
    };
    let stands = match &session {
        Some(id) => tx
            .find_session(id)?
            .is_some_and(|session| session.ended_at.is_none() && cx.now < session.expires_at),
        None => family.offline,
    };
    if !stands {
        return denied(OwnTokenDenial::SessionEnded);
    }
    let scope = token.scope.clone().unwrap_or_default();
    if !scope.contains_str(needed) {
        return denied(OwnTokenDenial::InsufficientScope(needed));
    }
    let subject = token.sub.clone();
    Ok(Outcome::Granted(OwnBearer {
        user,
        client,
        family: family.id,
        authentication: family.authentication,
        session,
        scope,
        subject,
    }))
}
