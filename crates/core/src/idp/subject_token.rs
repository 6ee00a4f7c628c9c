//! Whom a token exchange is about, and whether that sign-in still stands (IDP-TX-09, IDP-TX-11, IDP-TX-14).
//!
//! Owns the checks of both kinds of subject token. Never verifies a signature and never asks policy.

use lanyard_jose::token::{IdToken, Verified};
use lanyard_protocol::claims::time::NumericDate;
use secrecy::SecretString;

use crate::client::auth::AuthenticatedClient;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::{SessionId, UserId};
use crate::idp::assertion::Vouched;
use crate::idp::settings::IdpSettings;
use crate::idp::token_exchange::Denial;
use crate::idp::{Stop, refresh_family, subject, token_id};
use crate::keys::vault::Vault;
use crate::session::record::{Authentication, Session};
use crate::session::refresh::RefreshFamily;
use crate::store::{StoreError, Tx};

/// The person behind a subject token.
pub(super) struct Found {
    pub(super) user: User,
    /// The original sign-in (SU-04).
    pub(super) authentication: Authentication,
    /// The session, while it stands.
    pub(super) session: Option<SessionId>,
}

/// The person of an ID token that this IdP issued to this client. `seen` is told who it is, also on a refusal.
pub(super) fn of_id_token(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    client: &AuthenticatedClient,
    token: &Verified<IdToken>,
    seen: &mut Option<UserId>,
) -> Result<Found, Stop<Denial>> {
    let denied = |denial| Err(Stop::Denied(denial));
    let own = client.client.client_id.as_str();
    let several = token.aud.as_slice().len() > 1;
    let for_client = token.aud.as_slice().iter().any(|value| value == own);
    let azp_fits = token.azp.as_ref().map_or(!several, |azp| azp == own);
    if !for_client || !azp_fits {
        return denied(Denial::SubjectOfOtherClient);
    }

    let family = match token.jti.as_deref().and_then(token_id::family) {
        None => None,
        Some(id) => Some(tx.find_family(&id)?.ok_or(Stop::Denied(Denial::GrantEnded))?),
    };
    let session = match &token.sid {
        None => None,
        Some(sid) => Some(find_session(tx, sid)?.ok_or(Stop::Denied(Denial::SessionEnded))?),
    };
    // Issued on a refresh after the person's logout: it names no session, and stands as long as the family.
    let (user, authentication, began) = match (&session, &family) {
        (Some(session), _) => (&session.user, &session.authentication, session.created_at),
        (None, Some(family)) if family.offline => (&family.user, &family.authentication, family.created_at),
        (None, _) => return denied(Denial::SessionEnded),
    };
    *seen = Some(user.clone());
    let user = find_active(tx, user, began, token.iat)?;
    if family
        .as_ref()
        .is_some_and(|family| !family_stands(family, client, cx.now))
    {
        return denied(Denial::GrantEnded);
    }
    if session
        .as_ref()
        .is_some_and(|session| session.ended_at.is_some() || session.expires_at <= cx.now)
    {
        return denied(Denial::SessionEnded);
    }
    if subject::for_client(vault, &client.client, &user.id)? != token.sub {
        return denied(Denial::SubjectMismatch);
    }
    Ok(Found {
        user,
        authentication: authentication.clone(),
        session: session.map(|session| session.id),
    })
}

/// The person of a refresh token, with every check of the refresh grant.
pub(super) fn of_refresh_token(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    presented: &SecretString,
    seen: &mut Option<UserId>,
) -> Result<Found, Stop<Denial>> {
    let usable = match Stop::settle(refresh_family::check(cx, tx, settings, client, presented, seen))? {
        Ok(usable) => usable,
        Err(denial) => return Err(Stop::Denied(Denial::RefreshToken(denial))),
    };
    Ok(Found {
        user: usable.user,
        authentication: usable.family.authentication,
        session: usable.session_stands.then_some(usable.family.session),
    })
}

/// The person of an assertion that was found acceptable.
pub(super) fn of_assertion(vouched: &Vouched) -> Found {
    Found {
        user: vouched.user.clone(),
        authentication: vouched.authentication.clone(),
        session: vouched.session.as_ref().map(|session| session.id.clone()),
    }
}

fn family_stands(family: &RefreshFamily, client: &AuthenticatedClient, now: Timestamp) -> bool {
    family.client == client.client.key && family.ended_at.is_none() && now < family.expires_at
}

fn find_session(tx: &mut dyn Tx, sid: &str) -> Result<Option<Session>, StoreError> {
    match SessionId::parse(sid) {
        Ok(sid) => tx.find_session(&sid),
        Err(_) => Ok(None),
    }
}

/// The person, if active and not cut off since the sign-in began and the token was issued.
fn find_active(tx: &mut dyn Tx, id: &UserId, began: Timestamp, issued_at: NumericDate) -> Result<User, Stop<Denial>> {
    let Some(user) = tx.find_user(id)? else {
        return Err(Stop::Denied(Denial::UserUnknown));
    };
    if !user.is_active() {
        return Err(Stop::Denied(Denial::UserDeactivated));
    }
    if user
        .not_before
        .is_some_and(|cut| began < cut || issued_at.seconds() < cut.seconds())
    {
        return Err(Stop::Denied(Denial::SubjectCutOff));
    }
    Ok(user)
}
