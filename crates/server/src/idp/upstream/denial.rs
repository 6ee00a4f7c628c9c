//! Why a sign-in at an identity provider came to nothing before there was a person to decide about.
//!
//! Owns the reasons and what a person is told. Nothing that a provider wrote reaches a page (row 42 of the threats).

use http::StatusCode;
use lanyard_core::saml::denial::SamlDenial;
use lanyard_core::upstream::denial::AttemptDenial;
use lanyard_fetch::{FetchError, MetadataError};
use lanyard_jose::verify::VerifyError;

/// The exact check that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamDenial {
    /// The answer belongs to no sign-in of this browser.
    #[error(transparent)]
    Attempt(#[from] AttemptDenial),
    /// A parameter missing or twice.
    #[error("the answer is not one: {0}")]
    Answer(&'static str),
    /// The provider announces `iss` and the answer has none (RFC 9207).
    #[error("the answer names no issuer although the provider announces it")]
    AnswerWithoutIssuer,
    /// The answer names another issuer (RFC 9207).
    #[error("the answer names another issuer")]
    AnswerOfOtherIssuer,
    /// The provider said no; its error code, when it is one.
    #[error("the provider answered with {0}")]
    Refused(String),
    /// Its metadata cannot be had or is not its own.
    #[error("the provider's metadata: {0}")]
    Metadata(#[from] MetadataError),
    /// An endpoint is missing, or not where credentials may be sent.
    #[error("the provider's {0} is missing or not protected by https")]
    Endpoint(&'static str),
    /// It does not say that it takes PKCE with S256 (CL-SS-01).
    #[error("the provider does not announce PKCE with S256")]
    NoPkce,
    /// Our credential there does not open.
    #[error("our credential at the provider cannot be opened")]
    Credential,
    /// The token endpoint cannot be asked.
    #[error("the provider's token endpoint: {0}")]
    TokenEndpoint(FetchError),
    /// The token endpoint said no; its error code, when it is one.
    #[error("the provider's token endpoint answered with {0}")]
    CodeRefused(String),
    /// The token endpoint answered without an ID token.
    #[error("the provider's token endpoint sent no ID token")]
    NoIdToken,
    /// Its keys cannot be had.
    #[error("the provider's keys: {0}")]
    Keys(FetchError),
    /// The ID token, or a logout token.
    #[error("the provider's token: {0}")]
    IdToken(#[from] VerifyError),
    /// Not the nonce of this sign-in.
    #[error("the ID token is not for this sign-in: another nonce or none")]
    Nonce,
    /// Several audiences and not us as the authorized party, or another authorized party.
    #[error("the ID token was issued to another party")]
    AuthorizedParty,
    /// Not the hash of the access token beside it.
    #[error("the ID token does not belong to the access token beside it")]
    AccessTokenHash,
    /// The claims that identify a person at this product are missing.
    #[error("the ID token has no {0}")]
    SubjectClaim(&'static str),
    /// Another tenant than the connection's.
    #[error("the ID token is of another tenant")]
    Tenant,
    /// No Google Workspace domain of the connection.
    #[error("the account is in none of the connection's Google Workspace domains")]
    HostedDomain,
    /// The userinfo endpoint cannot be asked.
    #[error("the provider's userinfo endpoint: {0}")]
    Userinfo(FetchError),
    /// The userinfo is about somebody else (OpenID Connect Core, section 5.3.2).
    #[error("the provider's userinfo is about another person")]
    UserinfoSubject,
    /// A SAML answer.
    #[error(transparent)]
    Saml(#[from] SamlDenial),
}

/// What happened and what to do, for people.
type Words = (&'static str, &'static str);

const NOT_UNDER_WAY: Words = (
    "This sign-in is not under way in this browser any more: it took too long, was finished before, or was begun \
     elsewhere.",
    "Please sign in again. If that does not help, allow cookies for this site.",
);
const REFUSED: Words = (
    "Your identity provider did not sign you in.",
    "If you did not stop the sign-in yourself, ask your administrator whether you may use this application.",
);
const NOT_ACCEPTED: Words = (
    "The answer of your identity provider was not accepted.",
    "Please try again. If it goes on, tell your administrator: the audit log has the exact reason.",
);

/// What is told of an answer that was refused before the browser came back with its cookie.
pub(super) const fn words_of_refused(by_provider: bool) -> Words {
    if by_provider { REFUSED } else { NOT_ACCEPTED }
}

impl UpstreamDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Attempt(denial) => denial.code(),
            Self::Answer(_) => "answer_malformed",
            Self::AnswerWithoutIssuer => "answer_without_issuer",
            Self::AnswerOfOtherIssuer => "answer_of_other_issuer",
            Self::Refused(_) => "provider_refused",
            Self::Metadata(_) => "provider_metadata",
            Self::Endpoint(_) => "provider_endpoint",
            Self::NoPkce => "provider_without_pkce",
            Self::Credential => "provider_credential",
            Self::TokenEndpoint(_) => "provider_token_endpoint",
            Self::CodeRefused(_) => "provider_refused_code",
            Self::NoIdToken => "id_token_missing",
            Self::Keys(_) => "provider_keys",
            Self::IdToken(error) => error.code(),
            Self::Nonce => "nonce_mismatch",
            Self::AuthorizedParty => "authorized_party_mismatch",
            Self::AccessTokenHash => "access_token_hash_mismatch",
            Self::SubjectClaim(_) => "subject_claim_missing",
            Self::Tenant => "other_tenant",
            Self::HostedDomain => "other_hosted_domain",
            Self::Userinfo(_) => "provider_userinfo",
            Self::UserinfoSubject => "userinfo_of_other_person",
            Self::Saml(denial) => denial.code(),
        }
    }

    /// What the person is told: the same words for every check that an attacker could probe.
    pub(super) const fn words(&self) -> Words {
        match self {
            Self::Attempt(_) | Self::Answer(_) | Self::Saml(SamlDenial::Unsolicited) => NOT_UNDER_WAY,
            Self::Refused(_) => REFUSED,
            Self::Saml(denial) => words_of_refused(denial.by_provider()),
            Self::HostedDomain | Self::Tenant => (
                "The account you chose does not belong to this organisation.",
                "Please sign in again with your account at work.",
            ),
            Self::Metadata(_) | Self::TokenEndpoint(_) | Self::Keys(_) | Self::Userinfo(_) => (
                "Your identity provider does not answer as it should at the moment.",
                "Please try again in a moment. If it goes on, tell your administrator.",
            ),
            Self::AnswerWithoutIssuer
            | Self::AnswerOfOtherIssuer
            | Self::Endpoint(_)
            | Self::NoPkce
            | Self::Credential
            | Self::CodeRefused(_)
            | Self::NoIdToken
            | Self::IdToken(_)
            | Self::Nonce
            | Self::AuthorizedParty
            | Self::AccessTokenHash
            | Self::SubjectClaim(_)
            | Self::UserinfoSubject => NOT_ACCEPTED,
        }
    }

    /// The status of the page.
    pub(super) const fn status(&self) -> StatusCode {
        match self {
            Self::Attempt(_) | Self::Answer(_) | Self::Saml(SamlDenial::Unsolicited) => StatusCode::BAD_REQUEST,
            Self::Metadata(_) | Self::TokenEndpoint(_) | Self::Keys(_) | Self::Userinfo(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::FORBIDDEN,
        }
    }
}

/// An error code of a provider, when it looks like one: nothing else of its text is kept.
pub(super) fn error_code(text: &str) -> String {
    let good = |b: u8| b.is_ascii_lowercase() || b == b'_';
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(good) {
        text.to_owned()
    } else {
        "an error".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_code_is_kept_of_what_a_provider_says_row_42() {
        assert_eq!(error_code("access_denied"), "access_denied");
        for text in ["", "<script>", "Access Denied", "a b", &"x".repeat(65)] {
            assert_eq!(error_code(text), "an error");
        }
    }
}
