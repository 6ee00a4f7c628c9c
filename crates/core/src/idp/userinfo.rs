//! What the userinfo endpoint says (OpenID Connect Core, section 5.3).
//!
//! Owns the claims by scope. Never decides whether the bearer may ask (`own_token.rs`).

use lanyard_protocol::claims::time::Subject;
use serde::Serialize;

use crate::idp::own_token::OwnBearer;
use crate::idp::token_grant::Profile;

/// The claims; absent ones were not asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    /// The same as in the ID token.
    pub sub: Subject,
    /// With scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With scope `profile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// With scope `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// With scope `email`; an administrator wrote the address, the person did not prove it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

/// The claims for a bearer.
pub fn claims(bearer: &OwnBearer) -> UserInfo {
    let Profile {
        name,
        preferred_username,
        email,
    } = Profile::of(&bearer.user, &bearer.scope);
    let email_verified = email.as_ref().map(|_| false);
    UserInfo {
        sub: bearer.subject.clone(),
        name,
        preferred_username,
        email,
        email_verified,
    }
}
