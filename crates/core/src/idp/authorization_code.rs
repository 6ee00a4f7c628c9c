//! Redeeming an authorization code (RFC 6749, section 4.1.3; RFC 7636, section 4.6; IDP-AU-06).
//!
//! Owns the checks of the code and the family that begins with it. Never signs.

use lanyard_jose::digest::{constant_time_eq, s256_challenge, sha256};
use lanyard_jose::random;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::AuthorizationCodeRequest;
use secrecy::ExposeSecret;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::UserId;
use crate::idp::settings::IdpSettings;
use crate::idp::token_grant::TokenGrant;
use crate::idp::{Stop, session};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::session::code::AuthorizationCode;
use crate::session::refresh::{RefreshFamily, RefreshToken};
use crate::store::{StoreError, Tx};

/// Why a code was refused. The comment names the code on the wire where it is not `invalid_grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// `unauthorized_client`.
    #[error("the client may not use the authorization code grant")]
    GrantNotAllowed,
    /// Never issued, or long gone.
    #[error("the code is not known")]
    UnknownCode,
    /// Issued to another client.
    #[error("the code was issued to another client")]
    OtherClient,
    /// Past its end.
    #[error("the code has expired")]
    Expired,
    /// Used before; what was issued for it is dead now.
    #[error("the code was used before")]
    Reused,
    /// Not the redirect URI of the request.
    #[error("the redirect URI is not the one of the authorization request")]
    RedirectMismatch,
    /// No verifier, or not the one behind the challenge (IDP-AU-02).
    #[error("the PKCE verifier does not fit")]
    VerifierMismatch,
    /// Logged out since.
    #[error("the session behind the code was ended")]
    SessionEnded,
    /// Deactivated since.
    #[error("the person may not sign in any more")]
    UserInactive,
}

impl Denial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::UnknownCode => "code_unknown",
            Self::OtherClient => "code_other_client",
            Self::Expired => "code_expired",
            Self::Reused => "code_reused",
            Self::RedirectMismatch => "redirect_uri_mismatch",
            Self::VerifierMismatch => "verifier_mismatch",
            Self::SessionEnded => "session_ended",
            Self::UserInactive => "user_inactive",
        }
    }
}

/// Decides whether `client` gets tokens for a code. A native program without a proof may: the verifier is its proof.
///
/// # Errors
/// [`StoreError`].
pub fn redeem(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &AuthorizationCodeRequest,
) -> Result<Outcome<TokenGrant, Denial>, StoreError> {
    let mut seen = None;
    let decided = decide(cx, tx, vault, settings, client, request, &mut seen);
    let event = |event: NewEvent| {
        let event = event
            .actor(Actor::Client(client.client.client_id.as_str().to_owned()))
            .client(&client.client.client_id)
            .detail("grant", GrantType::AuthorizationCode.as_str());
        match &seen {
            Some(user) => event.subject(user.as_str()),
            None => event,
        }
    };
    match Stop::settle(decided)? {
        Ok(grant) => {
            let issued = event(NewEvent::granted("idp.tokens.issued"))
                .detail("family", grant.family.as_str())
                .detail("refresh_token", grant.refresh_token.is_some())
                .detail("scope", grant.scope.to_string());
            record(cx, tx, issued)?;
            Ok(Outcome::Granted(grant))
        }
        Err(denial) => {
            record(cx, tx, event(NewEvent::denied("idp.tokens.denied", denial.code())))?;
            Ok(Outcome::Denied(denial))
        }
    }
}

fn decide(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &AuthorizationCodeRequest,
    seen: &mut Option<UserId>,
) -> Result<TokenGrant, Stop<Denial>> {
    let denied = |denial| Err(Stop::Denied(denial));
    if !client.client.grants.contains(&GrantType::AuthorizationCode) {
        return denied(Denial::GrantNotAllowed);
    }
    let hash = sha256(request.code.as_bytes());
    let Some(code) = tx.find_code(&hash)? else {
        return denied(Denial::UnknownCode);
    };
    if code.client != client.client.key {
        return denied(Denial::OtherClient);
    }
    *seen = Some(code.user.clone());
    if code.used_at.is_some() {
        return end_reused(cx, tx, &code);
    }
    if code.expires_at <= cx.now {
        return denied(Denial::Expired);
    }
    if request.redirect_uri.as_deref() != Some(code.redirect_uri.as_str()) {
        return denied(Denial::RedirectMismatch);
    }
    if !verifier_fits(request.code_verifier.as_deref(), &code.code_challenge) {
        return denied(Denial::VerifierMismatch);
    }
    let user = check_sign_in(cx, tx, &code)?;

    let family = begin_family(cx, settings, client, &code);
    tx.insert_family(&family)?;
    if !tx.use_code(&hash, cx.now, Some(&family.id))? {
        // Somebody was faster; neither keeps anything.
        tx.end_family(&family.id, cx.now)?;
        let code = tx.find_code(&hash)?.unwrap_or(code);
        return end_reused(cx, tx, &code);
    }
    let session = Some(code.session.clone());
    let mut grant = TokenGrant::new(cx, vault, &client.client, &user, &family, session, code.scope)?;
    grant.nonce = code.nonce;
    if family.offline {
        let token = random::token(&*cx.random);
        tx.insert_refresh_token(&RefreshToken {
            hash: sha256(token.expose_secret().as_bytes()),
            family: family.id.clone(),
            generation: 1,
            issued_at: cx.now,
            expires_at: cx.now.plus(settings.refresh_idle).min(family.expires_at),
            rotated_at: None,
        })?;
        grant.refresh_token = Some(token);
    }
    Ok(grant)
}

/// A second use: whoever was first may have been the thief.
fn end_reused(cx: &Cx, tx: &mut dyn Tx, code: &AuthorizationCode) -> Result<TokenGrant, Stop<Denial>> {
    if let Some(family) = &code.family {
        tx.end_family(family, cx.now)?;
    }
    Err(Stop::Denied(Denial::Reused))
}

fn verifier_fits(verifier: Option<&str>, challenge: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    verifier.is_some_and(|verifier| {
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(unreserved)
            && constant_time_eq(s256_challenge(verifier).as_bytes(), challenge.as_bytes())
    })
}

fn check_sign_in(cx: &Cx, tx: &mut dyn Tx, code: &AuthorizationCode) -> Result<User, Stop<Denial>> {
    let session = tx.find_session(&code.session)?;
    let Some(session) = session.filter(|session| session.ended_at.is_none() && cx.now < session.expires_at) else {
        return Err(Stop::Denied(Denial::SessionEnded));
    };
    let user = tx
        .find_user(&code.user)?
        .filter(|user| session::may_use(user, &session));
    user.ok_or(Stop::Denied(Denial::UserInactive))
}

fn begin_family(
    cx: &Cx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    code: &AuthorizationCode,
) -> RefreshFamily {
    let offline = code.scope.contains_str("offline_access");
    // Without a refresh token the family only has to outlive the tokens that name it.
    let life = if offline {
        settings.refresh_absolute
    } else {
        settings.id_token_ttl.max(settings.access_token_ttl)
    };
    RefreshFamily {
        id: cx.new_id(),
        client: client.client.key.clone(),
        bound_kid: client
            .key
            .as_ref()
            .filter(|key| key.holder.is_some())
            .map(|key| key.kid.clone()),
        user: code.user.clone(),
        session: code.session.clone(),
        offline,
        scope: code.scope.clone(),
        authentication: code.authentication.clone(),
        created_at: cx.now,
        expires_at: cx.now.plus(life),
        ended_at: None,
    }
}
