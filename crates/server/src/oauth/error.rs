//! The table: which OAuth code each reason becomes (requirements, section 16).
//!
//! Owns the translation, one exhaustive match per kind of reason. Never decides anything else.

use http::StatusCode;
use lanyard_core::client::auth::AuthDenial;
use lanyard_core::idp::{authorization_code, refresh_token, token_exchange};
use lanyard_core::ras::denial as redemption;
use lanyard_jose::verify::VerifyError;
use lanyard_protocol::form::FormError;
use lanyard_protocol::oauth::error::ErrorCode;
use lanyard_protocol::oauth::token_request::RequestError;

use crate::http::form::NoForm;
use crate::oauth::client_auth::Unreadable;
use crate::oauth::refusal::Refusal;

const MALFORMED: &str = "malformed_request";

/// Row 1: the request cannot be read.
pub(crate) const fn no_form(error: NoForm) -> Refusal {
    match error {
        NoForm::Query => row_1("parameters in the query string are not accepted"),
        NoForm::ContentType => row_1("the content type must be application/x-www-form-urlencoded"),
        NoForm::TooLarge | NoForm::Form(FormError::TooLarge) => {
            row_1("the body is too large").with_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        NoForm::TooSlow => row_1("the body did not arrive in time").with_status(StatusCode::REQUEST_TIMEOUT),
        NoForm::Broken => row_1("the body could not be read"),
        NoForm::Form(FormError::TooManyParameters) => row_1("there are too many parameters"),
        NoForm::Form(FormError::Encoding) => row_1("the body is not form-encoded UTF-8"),
        NoForm::Form(FormError::Repeated(_)) => row_1("a parameter appears more than once"),
    }
}

const fn row_1(description: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, MALFORMED, description)
}

/// Rows 1, 6, 8 and 10: the parameters of a grant.
pub(crate) const fn request(error: &RequestError) -> Refusal {
    match error {
        RequestError::Form(error) => no_form(NoForm::Form(*error)),
        RequestError::Missing(_) => row_1("a required parameter is missing"),
        RequestError::Unsupported(_) => row_1("a parameter has a value that is not supported"),
        RequestError::TooLong(_) => row_1("a parameter is too long"),
        RequestError::OneAudience => row_1("exactly one audience is required"),
        RequestError::Scope => Refusal::new(ErrorCode::InvalidScope, "malformed_scope", "the scope is malformed"),
        RequestError::Resource => Refusal::new(
            ErrorCode::InvalidTarget,
            "malformed_resource",
            "the resource must be an absolute URI without a fragment",
        ),
        RequestError::AuthorizationDetails => Refusal::new(
            ErrorCode::InvalidAuthorizationDetails,
            "authorization_details",
            "authorization_details is not supported",
        ),
    }
}

/// Rows 1 and 2: the client's proof cannot be read.
pub(crate) const fn unreadable(error: &Unreadable) -> Refusal {
    match error {
        Unreadable::Form(error) => no_form(NoForm::Form(*error)),
        Unreadable::SeveralMethods => row_1("only one client authentication method may be used"),
        Unreadable::HalfAnAssertion => row_1("client_assertion and client_assertion_type belong together"),
        Unreadable::TwoClients => row_1("the request names two different clients"),
        Unreadable::NoClientId => row_1("client_secret needs client_id"),
        Unreadable::Basic => invalid_client("malformed_credentials"),
        Unreadable::AssertionType => invalid_client("assertion_type"),
        Unreadable::Assertion(error) => assertion(error),
        Unreadable::ClientId => invalid_client("unknown_client"),
    }
}

/// Row 2: one neutral text, whatever is wrong with the proof (SEC-23).
pub(crate) const fn invalid_client(reason: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidClient, reason, "client authentication failed")
}

/// Row 2: core did not accept the client. All alike outside (SEC-23).
pub(crate) const fn client_auth(denial: &AuthDenial) -> Refusal {
    match denial {
        AuthDenial::NoCredentials
        | AuthDenial::UnknownClient
        | AuthDenial::ClientDisabled
        | AuthDenial::AgentNotActive(_)
        | AuthDenial::WrongMethod
        | AuthDenial::WrongSecret
        | AuthDenial::SecretExpired
        | AuthDenial::UnknownKey
        | AuthDenial::KeyExpired
        | AuthDenial::AssertionReplayed => invalid_client(denial.code()),
    }
}

/// Row 2: the client assertion does not verify.
pub(crate) const fn assertion(error: &VerifyError) -> Refusal {
    invalid_client(error.code())
}

/// Row 5: the subject token of an exchange does not verify. One neutral text.
pub(crate) const fn subject_token(error: &VerifyError) -> Refusal {
    Refusal::new(
        ErrorCode::InvalidGrant,
        error.code(),
        "the subject token is not acceptable",
    )
}

/// Token exchange (rows 1 to 9).
pub(crate) const fn exchange(denial: &token_exchange::Denial) -> Refusal {
    use token_exchange::Denial;
    let (code, description) = match denial {
        Denial::StepUpNeeded { needed } => {
            let description = "a stronger or more recent sign-in is needed";
            return Refusal::new(ErrorCode::InsufficientUserAuthentication, denial.code(), description)
                .with_needed(*needed);
        }
        Denial::PublicClient => (ErrorCode::InvalidClient, "the client must authenticate for this grant"),
        Denial::GrantNotAllowed => (ErrorCode::UnauthorizedClient, "the client may not use this grant"),
        Denial::RequestedTokenType => (ErrorCode::InvalidRequest, "the requested token type is not supported"),
        Denial::SubjectTokenType => (ErrorCode::InvalidRequest, "the subject token type is not supported"),
        Denial::SubjectOfOtherClient
        | Denial::SubjectMismatch
        | Denial::GrantEnded
        | Denial::SessionEnded
        | Denial::UserUnknown
        | Denial::UserDeactivated
        | Denial::SubjectCutOff
        | Denial::RefreshToken(_)
        | Denial::Assertion(_)
        | Denial::Person(_)
        | Denial::KeyOfOtherPerson => (ErrorCode::InvalidGrant, "the subject token is not acceptable"),
        Denial::UnknownPair { .. } => (ErrorCode::InvalidTarget, "audience and resource are not a known pair"),
        Denial::ResourceNeeded => (ErrorCode::InvalidTarget, "a resource must be named for this audience"),
        Denial::UnknownAudience | Denial::AudienceDisabled | Denial::ConnectorNotActive { .. } | Denial::NoMapping => {
            (ErrorCode::InvalidTarget, "the target is not available")
        }
        Denial::NotPermitted => (
            ErrorCode::AccessDenied,
            "not permitted by the policy of the organisation",
        ),
        Denial::OfflineNotAllowed => (ErrorCode::InvalidScope, "the client may not have offline_access"),
        Denial::NoScopeGranted => (ErrorCode::InvalidScope, "none of the requested scopes can be granted"),
    };
    Refusal::new(code, denial.code(), description)
}

/// The authorization code grant (rows 3 and 5).
pub(crate) const fn code_grant(denial: &authorization_code::Denial) -> Refusal {
    use authorization_code::Denial;
    let (code, description) = match denial {
        Denial::GrantNotAllowed => (ErrorCode::UnauthorizedClient, "the client may not use this grant"),
        Denial::UnknownCode
        | Denial::OtherClient
        | Denial::Expired
        | Denial::Reused
        | Denial::RedirectMismatch
        | Denial::VerifierMismatch
        | Denial::SessionEnded
        | Denial::UserInactive => (ErrorCode::InvalidGrant, "the code is not acceptable"),
    };
    Refusal::new(code, denial.code(), description)
}

/// The refresh grant (rows 2, 3, 5 and 8).
pub(crate) const fn refresh_grant(denial: &refresh_token::Denial) -> Refusal {
    use refresh_token::Denial;
    let (code, description) = match denial {
        Denial::PublicClient => (ErrorCode::InvalidClient, "the client must authenticate for this grant"),
        Denial::GrantNotAllowed => (ErrorCode::UnauthorizedClient, "the client may not use this grant"),
        Denial::Token(_) => (ErrorCode::InvalidGrant, "the refresh token is not acceptable"),
        Denial::ScopeExceeded => (ErrorCode::InvalidScope, "the scope is wider than what was granted"),
    };
    Refusal::new(code, denial.code(), description)
}

/// Redemption of an ID-JAG (rows 3, 8 and 10 to 15). What depends on the person or on whom we trust has one neutral
/// text (SEC-23).
pub(crate) const fn redemption(denial: &redemption::Denial) -> Refusal {
    use redemption::Denial;
    const NEUTRAL: &str = "the grant is not acceptable";
    let (code, description) = match denial {
        Denial::GrantNotAllowed => (ErrorCode::UnauthorizedClient, "the client may not use this grant"),
        Denial::UntrustedIssuer
        | Denial::SelfIssued
        | Denial::NotVerified(_)
        | Denial::KeysUnavailable
        | Denial::TrustChanged
        | Denial::LivesTooLong { .. }
        | Denial::KeyBound
        | Denial::ClientMismatch { .. }
        | Denial::HolderMismatch
        | Denial::TenantMismatch
        | Denial::AudienceTenantMismatch
        | Denial::ClientNotTrusted
        | Denial::ResourceNotTrusted(_)
        | Denial::UnknownSubject
        | Denial::LinkConflict
        | Denial::AccountDisabled
        | Denial::CutOff
        | Denial::SessionEnded => (ErrorCode::InvalidGrant, NEUTRAL),
        Denial::Replayed => (ErrorCode::InvalidGrant, "the assertion was already used"),
        Denial::UnknownResource | Denial::ResourceNotOpen(_) | Denial::NoSoleResource => (
            ErrorCode::InvalidGrant,
            "the grant names no resource that is available here",
        ),
        Denial::UnknownScope(_) => (
            ErrorCode::InvalidGrant,
            "the grant holds a scope that the resource does not have",
        ),
        Denial::NarrowerRequest(_) => (
            ErrorCode::InvalidGrant,
            "the request leaves out scopes that the grant holds; leave out scope, or ask for all",
        ),
        Denial::ResourceOutsideClaim => (ErrorCode::InvalidTarget, "the resource is outside of the grant"),
        Denial::ResourceNotChosen => (
            ErrorCode::InvalidTarget,
            "the grant holds several resources; choose one",
        ),
        Denial::NoScope => (ErrorCode::InvalidScope, "none of the requested scopes can be granted"),
        Denial::AuthorizationDetails => (
            ErrorCode::InvalidAuthorizationDetails,
            "authorization_details is not supported",
        ),
    };
    Refusal::new(code, denial.code(), description)
}

/// Row 4.
pub(crate) const UNSUPPORTED_GRANT: Refusal = Refusal::new(
    ErrorCode::UnsupportedGrantType,
    "unsupported_grant_type",
    "the grant type is not supported here",
);

/// Row 1: no `grant_type` at all.
pub(crate) const NO_GRANT: Refusal = row_1("grant_type is missing");
