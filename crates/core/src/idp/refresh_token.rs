//! Refreshing: a new access token, ID token and refresh token for an old refresh token (IDP-AU-09; BCP, section 4.14).
//!
//! Owns rotation. Never raises `acr` and never moves `auth_time` (SU-04).

use lanyard_jose::digest::sha256;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::RefreshTokenRequest;
use secrecy::{ExposeSecret, SecretString};

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::cx::Cx;
use crate::id::UserId;
use crate::idp::refresh_family::{RefreshDenial, Usable};
use crate::idp::settings::IdpSettings;
use crate::idp::token_grant::TokenGrant;
use crate::idp::{Stop, refresh_family};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::session::refresh::RefreshToken;
use crate::store::{StoreError, Tx};

/// Why a refresh was refused. The comment names the code on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// `invalid_client`: a program without a proof of its own.
    #[error("the client did not prove itself")]
    PublicClient,
    /// `unauthorized_client`.
    #[error("the client may not use refresh tokens")]
    GrantNotAllowed,
    /// `invalid_grant`.
    #[error(transparent)]
    Token(#[from] RefreshDenial),
    /// `invalid_scope`: more than was granted.
    #[error("the scope is wider than what was granted")]
    ScopeExceeded,
}

impl Denial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PublicClient => "public_client",
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::Token(denial) => denial.code(),
            Self::ScopeExceeded => "scope_exceeded",
        }
    }
}

/// Decides whether `client` gets new tokens, and rotates.
///
/// # Errors
/// [`StoreError`].
pub fn refresh(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &RefreshTokenRequest,
) -> Result<Outcome<TokenGrant, Denial>, StoreError> {
    let mut seen = None;
    let decided = decide(cx, tx, vault, settings, client, request, &mut seen);
    let event = |event: NewEvent| {
        let event = event
            .actor(Actor::Client(client.client.client_id.as_str().to_owned()))
            .client(&client.client.client_id)
            .detail("grant", GrantType::RefreshToken.as_str());
        match &seen {
            Some(user) => event.subject(user.as_str()),
            None => event,
        }
    };
    match Stop::settle(decided)? {
        Ok((grant, generation)) => {
            let refreshed = event(NewEvent::granted("idp.tokens.refreshed"))
                .detail("family", grant.family.as_str())
                .detail("generation", generation)
                .detail("scope", grant.scope.to_string());
            record(cx, tx, refreshed)?;
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
    request: &RefreshTokenRequest,
    seen: &mut Option<UserId>,
) -> Result<(TokenGrant, i64), Stop<Denial>> {
    if !client.is_proven() {
        return Err(Stop::Denied(Denial::PublicClient));
    }
    if !client.client.grants.contains(&GrantType::RefreshToken) {
        return Err(Stop::Denied(Denial::GrantNotAllowed));
    }
    let presented = SecretString::from(request.refresh_token.clone());
    let usable = match Stop::settle(refresh_family::check(cx, tx, settings, client, &presented, seen))? {
        Ok(usable) => usable,
        Err(denial) => return Err(Stop::Denied(Denial::Token(denial))),
    };
    let scope = match &request.scope {
        None => usable.family.scope.clone(),
        Some(scope) if scope.is_subset(&usable.family.scope) && !scope.is_empty() => scope.clone(),
        Some(_) => return Err(Stop::Denied(Denial::ScopeExceeded)),
    };
    let successor = rotate(cx, tx, vault, settings, &usable, &presented)?;
    let session = usable.session_stands.then(|| usable.family.session.clone());
    let mut grant = TokenGrant::new(cx, vault, &client.client, &usable.user, &usable.family, session, scope)?;
    grant.refresh_token = Some(successor);
    Ok((grant, usable.token.generation + 1))
}

/// The successor is derived from its predecessor: whoever asks again within the grace gets the same one (a lost
/// answer, or two threads of one client), and nothing of it has to be stored.
fn rotate(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    settings: &IdpSettings,
    usable: &Usable,
    presented: &SecretString,
) -> Result<SecretString, StoreError> {
    let successor = vault.refresh_successor(presented.expose_secret());
    if !usable.replaced && tx.rotate_refresh_token(&usable.token.hash, cx.now)? {
        tx.insert_refresh_token(&RefreshToken {
            hash: sha256(successor.expose_secret().as_bytes()),
            family: usable.family.id.clone(),
            generation: usable.token.generation + 1,
            issued_at: cx.now,
            expires_at: cx.now.plus(settings.refresh_idle).min(usable.family.expires_at),
            rotated_at: None,
        })?;
    }
    Ok(successor)
}
