//! Whether a refresh token may be used now, at the refresh grant and as the subject of a token exchange (IDP-TX-11).
//!
//! Owns every check of the family and of the position of the token in it. Never rotates and never issues.

use lanyard_jose::digest::sha256;
use secrecy::{ExposeSecret, SecretString};

use crate::client::auth::AuthenticatedClient;
use crate::client::registration::{ClientAuthMethod, KeyHolder};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::UserId;
use crate::idp::Stop;
use crate::idp::settings::IdpSettings;
use crate::session::refresh::{RefreshFamily, RefreshToken};
use crate::store::Tx;

/// Why a refresh token is not accepted. On the wire each is `invalid_grant`, without a word on which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefreshDenial {
    /// Never issued here, or long gone.
    #[error("the refresh token is not known")]
    Unknown,
    /// Issued to another client.
    #[error("the refresh token belongs to another client")]
    OtherClient,
    /// Bound to another key of the client, or to a key of another person.
    #[error("the refresh token is bound to another key")]
    OtherKey,
    /// Ended by revocation, logout, deactivation or an administrator.
    #[error("the refresh token was revoked")]
    Revoked,
    /// Past its idle or absolute end.
    #[error("the refresh token has expired")]
    Expired,
    /// The sign-in behind it was ended and it does not outlive it (RV-07).
    #[error("the session behind the refresh token was ended")]
    SessionEnded,
    /// The person is deactivated, gone, or was cut off since.
    #[error("the person may not sign in any more")]
    UserInactive,
    /// Used again after it was replaced; its family was ended.
    #[error("the refresh token was used again after it had been replaced")]
    Reused,
}

impl RefreshDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "refresh_token_unknown",
            Self::OtherClient => "refresh_token_other_client",
            Self::OtherKey => "refresh_token_other_key",
            Self::Revoked => "refresh_token_revoked",
            Self::Expired => "refresh_token_expired",
            Self::SessionEnded => "session_ended",
            Self::UserInactive => "user_inactive",
            Self::Reused => "refresh_token_reused",
        }
    }
}

/// A refresh token that may be used.
pub(super) struct Usable {
    pub(super) family: RefreshFamily,
    pub(super) token: RefreshToken,
    pub(super) user: User,
    /// It was replaced a moment ago, and the answer may have been lost.
    pub(super) replaced: bool,
    /// Whether the sign-in behind it still stands.
    pub(super) session_stands: bool,
}

/// Checks a presented refresh token; binds an unbound family of a native client to the key it is used with. `seen` is
/// told whose it is, also on a refusal.
pub(super) fn check(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    presented: &SecretString,
    seen: &mut Option<UserId>,
) -> Result<Usable, Stop<RefreshDenial>> {
    let denied = |denial| Err(Stop::Denied(denial));
    let hash = sha256(presented.expose_secret().as_bytes());
    let Some(token) = tx.find_refresh_token(&hash)? else {
        return denied(RefreshDenial::Unknown);
    };
    let Some(family) = tx.find_family(&token.family)? else {
        return denied(RefreshDenial::Unknown);
    };
    if family.client != client.client.key {
        return denied(RefreshDenial::OtherClient);
    }
    *seen = Some(family.user.clone());
    let Some(user) = tx.find_user(&family.user)?.filter(|user| may_act(user, &family)) else {
        return denied(RefreshDenial::UserInactive);
    };
    if family.ended_at.is_some() {
        return denied(RefreshDenial::Revoked);
    }
    let family = bind(tx, client, family)?;
    if family.expires_at <= cx.now || token.expires_at <= cx.now {
        return denied(RefreshDenial::Expired);
    }
    let session_stands = tx
        .find_session(&family.session)?
        .is_some_and(|session| session.ended_at.is_none() && cx.now < session.expires_at);
    if !session_stands && !family.offline {
        return denied(RefreshDenial::SessionEnded);
    }
    let replaced = match token.rotated_at {
        None => false,
        Some(at) => {
            let recent = cx.now.since(at) <= settings.refresh_grace;
            let immediate = tx.newest_generation(&family.id)? == token.generation + 1;
            if !(recent && immediate) {
                // Somebody holds a copy; who is the thief cannot be told (BCP, section 4.14).
                tx.end_family(&family.id, cx.now)?;
                return denied(RefreshDenial::Reused);
            }
            true
        }
    };
    Ok(Usable {
        family,
        token,
        user,
        replaced,
        session_stands,
    })
}

fn may_act(user: &User, family: &RefreshFamily) -> bool {
    user.is_active() && user.not_before.is_none_or(|cut| family.created_at >= cut)
}

/// A native client's family is used only with a key that its person enrolled, and always with the same one.
fn bind(
    tx: &mut dyn Tx,
    client: &AuthenticatedClient,
    mut family: RefreshFamily,
) -> Result<RefreshFamily, Stop<RefreshDenial>> {
    if client.client.auth != ClientAuthMethod::Native {
        return Ok(family);
    }
    let denied = Stop::Denied(RefreshDenial::OtherKey);
    let Some(key) = &client.key else { return Err(denied) };
    if key.holder != Some(KeyHolder::User(family.user.clone())) {
        return Err(denied);
    }
    match &family.bound_kid {
        Some(kid) if *kid == key.kid => Ok(family),
        Some(_) => Err(denied),
        None if tx.bind_family(&family.id, &key.kid)? => {
            family.bound_kid = Some(key.kid.clone());
            Ok(family)
        }
        // Bound by somebody else since it was read.
        None => Err(denied),
    }
}
