//! What a sign-in leaves behind: who signed in at which issuer, and the tokens that prove it.
//!
//! Owns the value and its stored form. Never stores it (see [`crate::store`]).

use std::fmt;

use lanyard_jose::digest::from_base64url;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::json;
use lanyard_protocol::oauth::token_response::TokenResponse;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// One person's sign-in at one issuer.
#[derive(Clone)]
pub struct Session {
    /// The enterprise IdP.
    pub issuer: Issuer,
    /// The client that the tokens were issued to.
    pub client_id: ClientId,
    /// The person, as the IdP names them to this client.
    pub subject: String,
    /// A name for people.
    pub name: Option<String>,
    /// The ID token: the subject token of leg 1.
    pub id_token: SecretString,
    /// When it expires, seconds since the epoch.
    pub id_token_expires_at: i64,
    /// For renewing.
    pub refresh_token: Option<SecretString>,
    /// The issuer's own access token, for the connectors endpoint.
    pub access_token: Option<SecretString>,
    /// When that expires.
    pub access_token_expires_at: Option<i64>,
    /// When the person proved who they are.
    pub auth_time: Option<i64>,
    /// How strongly.
    pub acr: Option<String>,
    /// When this sign-in was made, seconds since the epoch.
    pub signed_in_at: i64,
}

impl Session {
    /// A session from an ID token that the host got and checked by its own means.
    ///
    /// # Errors
    /// [`UnreadableSession`] when it is not a JWT with `sub` and `exp`.
    pub fn from_id_token(
        issuer: Issuer,
        client_id: ClientId,
        id_token: SecretString,
        now: i64,
    ) -> Result<Self, UnreadableSession> {
        #[derive(Deserialize)]
        struct Claims {
            sub: String,
            exp: i64,
            auth_time: Option<i64>,
            acr: Option<String>,
            name: Option<String>,
        }
        let payload = id_token
            .expose_secret()
            .split('.')
            .nth(1)
            .and_then(from_base64url)
            .ok_or(UnreadableSession)?;
        let claims: Claims = json::from_slice(&payload).map_err(|_| UnreadableSession)?;
        Ok(Self {
            issuer,
            client_id,
            subject: claims.sub,
            name: claims.name,
            id_token,
            id_token_expires_at: claims.exp,
            refresh_token: None,
            access_token: None,
            access_token_expires_at: None,
            auth_time: claims.auth_time,
            acr: claims.acr,
            signed_in_at: now,
        })
    }

    /// Takes over the other tokens of a token response. A missing refresh token leaves the old one (RFC 6749, section 6).
    #[must_use]
    pub fn with_tokens(mut self, answer: &TokenResponse, now: i64) -> Self {
        if let Some(refresh_token) = &answer.refresh_token {
            self.refresh_token = Some(SecretString::from(refresh_token.clone()));
        }
        self.access_token = Some(SecretString::from(answer.access_token.clone()));
        self.access_token_expires_at = answer
            .expires_in
            .map(|seconds| now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX)));
        self
    }

    /// Whether the ID token can still be exchanged.
    pub const fn id_token_is_fresh(&self, now: i64) -> bool {
        now < self.id_token_expires_at.saturating_sub(30)
    }

    /// The issuer's access token, while it can still be sent.
    pub fn fresh_access_token(&self, now: i64) -> Option<&SecretString> {
        let fresh = self
            .access_token_expires_at
            .is_none_or(|at| now < at.saturating_sub(10));
        self.access_token.as_ref().filter(|_| fresh)
    }

    /// The form in which a store keeps it: JSON, secret as a whole.
    pub fn to_stored(&self) -> SecretString {
        let secret = |value: &Option<SecretString>| value.as_ref().map(|token| token.expose_secret().to_owned());
        let stored = Stored {
            version: 1,
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            subject: self.subject.clone(),
            name: self.name.clone(),
            id_token: self.id_token.expose_secret().to_owned(),
            id_token_expires_at: self.id_token_expires_at,
            refresh_token: secret(&self.refresh_token),
            access_token: secret(&self.access_token),
            access_token_expires_at: self.access_token_expires_at,
            auth_time: self.auth_time,
            acr: self.acr.clone(),
            signed_in_at: self.signed_in_at,
        };
        SecretString::from(serde_json::to_string(&stored).unwrap_or_default())
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`UnreadableSession`].
    pub fn from_stored(text: &SecretString) -> Result<Self, UnreadableSession> {
        let stored: Stored = json::from_slice(text.expose_secret().as_bytes()).map_err(|_| UnreadableSession)?;
        if stored.version != 1 {
            return Err(UnreadableSession);
        }
        Ok(Self {
            issuer: stored.issuer,
            client_id: stored.client_id,
            subject: stored.subject,
            name: stored.name,
            id_token: SecretString::from(stored.id_token),
            id_token_expires_at: stored.id_token_expires_at,
            refresh_token: stored.refresh_token.map(SecretString::from),
            access_token: stored.access_token.map(SecretString::from),
            access_token_expires_at: stored.access_token_expires_at,
            auth_time: stored.auth_time,
            acr: stored.acr,
            signed_in_at: stored.signed_in_at,
        })
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    issuer: Issuer,
    client_id: ClientId,
    subject: String,
    name: Option<String>,
    id_token: String,
    id_token_expires_at: i64,
    refresh_token: Option<String>,
    access_token: Option<String>,
    access_token_expires_at: Option<i64>,
    auth_time: Option<i64>,
    acr: Option<String>,
    signed_in_at: i64,
}

/// A stored session or an ID token that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sign-in cannot be read")]
pub struct UnreadableSession;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_reads_back_and_is_not_printed_cl_st_01() {
        let payload = lanyard_jose::digest::base64url(br#"{"sub":"alice","exp":2000,"acr":"mfa"}"#);
        let session = Session::from_id_token(
            Issuer::parse("https://idp.example").unwrap(),
            ClientId::parse("c").unwrap(),
            SecretString::from(format!("e30.{payload}.sig")),
            1000,
        )
        .unwrap();
        assert_eq!(session.subject, "alice");
        assert!(!format!("{session:?}").contains("e30"));
        let again = Session::from_stored(&session.to_stored()).unwrap();
        assert_eq!(again.to_stored().expose_secret(), session.to_stored().expose_secret());
        assert!(again.id_token_is_fresh(1969) && !again.id_token_is_fresh(1970));
    }
}
