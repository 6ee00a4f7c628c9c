//! Why a flow ended without a token, in the terms a host acts on.
//!
//! Owns the translation of OAuth codes into those terms. Never prints.

use lanyard_fetch::FetchError;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::error::ErrorCode;
use lanyard_protocol::scope::ScopeSet;

use crate::discovery::DiscoveryError;
use crate::id_jag::UnwantedIdJag;
use crate::sign_in::{IdTokenError, SignInError};
use crate::store::StoreError;
use crate::token_endpoint::{Refusal, TokenError};

/// Where in the path it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Leg {
    /// Renewing the sign-in.
    Renewal,
    /// The token exchange at the enterprise IdP.
    Exchange,
    /// The redemption at the authorization server of the MCP server.
    Redemption,
    /// The code flow.
    Code,
}

impl std::fmt::Display for Leg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Renewal => "renewing the sign-in",
            Self::Exchange => "the token exchange at the identity provider",
            Self::Redemption => "the redemption at the authorization server",
            Self::Code => "the sign-in at the authorization server",
        })
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// Nobody signed in at the enterprise IdP on this machine.
    #[error("nobody is signed in at {issuer}")]
    NotSignedIn {
        /// The IdP.
        issuer: Issuer,
    },
    /// The sign-in is over; only signing in again helps (CL-TX-03).
    #[error("the sign-in at {issuer} is over")]
    SignInOver {
        /// The IdP.
        issuer: Issuer,
        /// What it said.
        refusal: Option<Box<Refusal>>,
    },
    /// A stronger or fresher sign-in is needed (SU-03, SU-06).
    #[error("a stronger or more recent sign-in is needed")]
    StepUp {
        /// The authentication asked for.
        acr_values: Option<String>,
        /// How fresh it must be, in seconds.
        max_age: Option<u64>,
    },
    /// Somebody else signed in when the person was asked to sign in again. Nothing of it was kept.
    #[error("another person signed in")]
    OtherPerson,
    /// Policy says no. No browser opens: signing in again would not help.
    #[error("access is not permitted ({leg}): {refusal}")]
    Denied {
        /// Where.
        leg: Leg,
        /// What the server said.
        refusal: Box<Refusal>,
    },
    /// The scopes that the call needs were not granted.
    #[error("the scopes {missing} are needed and not granted")]
    ScopeWithheld {
        /// Which.
        missing: ScopeSet,
    },
    /// The server refuses with a plain 403: no token would do better.
    #[error("the server forbids this call")]
    Forbidden,
    /// The server refuses a token that was just issued for it.
    #[error("the server refuses a token that was just issued for it")]
    Rejected,
    /// The server is not under Enterprise-Managed Authorization and the code flow is off.
    #[error("{mcp_url} is not managed by the organisation")]
    NotManaged {
        /// The MCP server.
        mcp_url: String,
        /// Its authorization server.
        issuer: Issuer,
    },
    /// No credentials for this authorization server; those of another are never used (CL-ST-02).
    #[error("there are no client credentials for {issuer}")]
    NoCredentials {
        /// The authorization server.
        issuer: Issuer,
    },
    /// The URL of the MCP server is not `https` (or loopback).
    #[error("{0} is not the URL of an MCP server: https is needed")]
    McpUrl(String),
    /// Discovery stopped.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The metadata of an authorization server was not accepted.
    #[error("the metadata of {issuer} is not usable: {reason}")]
    Metadata {
        /// Whose.
        issuer: Issuer,
        /// Why.
        reason: String,
    },
    /// The IdP answered with another grant than the one asked for.
    #[error(transparent)]
    UnwantedIdJag(#[from] UnwantedIdJag),
    /// The ID token was not accepted.
    #[error(transparent)]
    IdToken(#[from] IdTokenError),
    /// The code flow was refused.
    #[error(transparent)]
    SignIn(#[from] SignInError),
    /// The code flow could not be shown to the person.
    #[error("the sign-in could not be carried out: {0}")]
    Agent(String),
    /// A token endpoint failed or refused for a reason that is not policy.
    #[error("{leg} failed: {error}")]
    Token {
        /// Where.
        leg: Leg,
        /// Why.
        error: TokenError,
    },
    /// The stored sign-in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not reached.
    #[error("could not be reached: {0}")]
    Fetch(#[from] FetchError),
}

impl FlowError {
    /// Sorts what a token endpoint said: step-up, policy, or failure.
    pub(crate) fn of_token(leg: Leg, error: TokenError) -> Self {
        let TokenError::Refused(refusal) = error else {
            return Self::Token { leg, error };
        };
        if refusal.is(ErrorCode::InsufficientUserAuthentication) {
            return Self::StepUp {
                acr_values: refusal.acr_values,
                max_age: refusal.max_age,
            };
        }
        let policy = [
            ErrorCode::AccessDenied,
            ErrorCode::InvalidTarget,
            ErrorCode::InvalidScope,
            ErrorCode::UnauthorizedClient,
            ErrorCode::InvalidAuthorizationDetails,
        ];
        // At the RAS a grant that is still refused when it is fresh means this person or this trust.
        let final_grant = leg == Leg::Redemption && refusal.is(ErrorCode::InvalidGrant);
        if final_grant || policy.into_iter().any(|code| refusal.is(code)) {
            return Self::Denied { leg, refusal };
        }
        Self::Token {
            leg,
            error: TokenError::Refused(refusal),
        }
    }

    /// The request id by which an administrator finds the reason.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Denied { refusal, .. } => refusal.request_id.as_deref(),
            Self::SignInOver { refusal, .. } => refusal.as_ref()?.request_id.as_deref(),
            Self::Token { error, .. } => error.refusal()?.request_id.as_deref(),
            _ => None,
        }
    }

    /// Whether policy decided: another attempt or another sign-in changes nothing.
    pub const fn is_denial(&self) -> bool {
        matches!(self, Self::Denied { .. } | Self::ScopeWithheld { .. } | Self::Forbidden)
    }

    /// Whether signing in (again) is what to do next.
    pub const fn needs_sign_in(&self) -> bool {
        matches!(
            self,
            Self::NotSignedIn { .. } | Self::SignInOver { .. } | Self::StepUp { .. }
        )
    }
}
