//! What the code grant and the refresh grant give: the data of an ID token, an access token and a refresh token.
//!
//! Owns the shape shared by both. Never decides and never signs.

use lanyard_protocol::claims::time::{Subject, TokenId};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::scope::ScopeSet;
use secrecy::SecretString;

use crate::client::registration::Client;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::{FamilyId, SessionId, UserId};
use crate::idp::{subject, token_id};
use crate::keys::vault::Vault;
use crate::session::record::Authentication;
use crate::session::refresh::RefreshFamily;
use crate::store::StoreError;

/// Tokens to be made and signed after the commit.
pub struct TokenGrant {
    /// Who signed in.
    pub user: UserId,
    /// The person as this client knows them.
    pub subject: Subject,
    /// For which client.
    pub client_id: ClientId,
    /// The family that all these tokens die with.
    pub family: FamilyId,
    /// The session, while it stands.
    pub session: Option<SessionId>,
    /// Granted scopes.
    pub scope: ScopeSet,
    /// The nonce of the authorization request; never repeated on a refresh.
    pub nonce: Option<String>,
    /// The original sign-in.
    pub authentication: Authentication,
    /// What scopes `profile` and `email` show.
    pub profile: Profile,
    /// Identifier of the ID token.
    pub id_token_jti: TokenId,
    /// Identifier of the access token.
    pub access_token_jti: TokenId,
    /// The instant of the decision.
    pub issued_at: Timestamp,
    /// The refresh token, when `offline_access` was granted.
    pub refresh_token: Option<SecretString>,
}

/// What a client may know of a person, by scope. Never more than was asked for (SEC-19).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// Display name, with `profile`.
    pub name: Option<String>,
    /// User name, with `profile`.
    pub preferred_username: Option<String>,
    /// Address, with `email`.
    pub email: Option<String>,
}

impl Profile {
    /// The part of a person that the scopes show.
    pub fn of(user: &User, scope: &ScopeSet) -> Self {
        let profile = scope.contains_str("profile");
        Self {
            name: profile.then(|| user.display_name.clone()),
            preferred_username: profile.then(|| user.username.clone()),
            email: user.email.clone().filter(|_| scope.contains_str("email")),
        }
    }
}

impl TokenGrant {
    pub(super) fn new(
        cx: &Cx,
        vault: &Vault,
        client: &Client,
        user: &User,
        family: &RefreshFamily,
        session: Option<SessionId>,
        scope: ScopeSet,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            subject: subject::for_client(vault, client, &user.id)?,
            user: user.id.clone(),
            client_id: client.client_id.clone(),
            session,
            nonce: None,
            authentication: family.authentication.clone(),
            profile: Profile::of(user, &scope),
            scope,
            id_token_jti: token_id::of_family(cx, &family.id),
            access_token_jti: token_id::of_family(cx, &family.id),
            family: family.id.clone(),
            issued_at: cx.now,
            refresh_token: None,
        })
    }
}
