//! Why an exchange was refused.

use crate::idp::refresh_family::RefreshDenial;
use crate::saml::denial::SamlDenial;
use crate::session::requirement::Requirement;
use crate::upstream::denial::ResolveDenial;

/// The exact reason. The comment names the code on the wire (requirements, section 16).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// `invalid_client`: a program without a proof of its own (IDP-TX-02).
    #[error("the client did not prove itself")]
    PublicClient,
    /// `unauthorized_client`.
    #[error("the client may not use token exchange")]
    GrantNotAllowed,
    /// `invalid_request`: only ID-JAGs are given (IDP-TX-01).
    #[error("only an ID-JAG can be asked for")]
    RequestedTokenType,
    /// `invalid_request`: not an ID token or refresh token (IDP-TX-08).
    #[error("the subject token type is not supported")]
    SubjectTokenType,
    /// `invalid_grant`: addressed to another client (IDP-TX-09).
    #[error("the ID token was issued to another client")]
    SubjectOfOtherClient,
    /// `invalid_grant`: the `sub` is not the one of this person for this client.
    #[error("the ID token names another person than its session")]
    SubjectMismatch,
    /// `invalid_grant`: the grant that the ID token came from was revoked.
    #[error("the grant behind the ID token was ended")]
    GrantEnded,
    /// `invalid_grant`: logged out or past its end (IDP-TX-14).
    #[error("the session behind the subject token was ended")]
    SessionEnded,
    /// `invalid_grant`.
    #[error("the person does not exist any more")]
    UserUnknown,
    /// `invalid_grant` (IDP-TX-14).
    #[error("the person is deactivated")]
    UserDeactivated,
    /// `invalid_grant`: everything from before a cut-off is dead.
    #[error("the sign-in is from before the person was cut off")]
    SubjectCutOff,
    /// `invalid_grant` (IDP-TX-11).
    #[error(transparent)]
    RefreshToken(#[from] RefreshDenial),
    /// `invalid_grant`: a SAML assertion (SAML-03 … SAML-09).
    #[error(transparent)]
    Assertion(#[from] SamlDenial),
    /// `invalid_grant`: the person whom an assertion vouches for is not let in (SAML-11).
    #[error(transparent)]
    Person(#[from] ResolveDenial),
    /// `invalid_scope`: a refresh token needs `offline_access`, and the client may not have it (SAML-10).
    #[error("the client may not have offline access")]
    OfflineNotAllowed,
    /// `invalid_grant`: a person's key acts for that person only.
    #[error("the client's key was enrolled by another person")]
    KeyOfOtherPerson,
    /// `invalid_target` (IDP-TX-03).
    #[error("the audience is not a registered authorization server")]
    UnknownAudience,
    /// `invalid_target`.
    #[error("the audience is switched off")]
    AudienceDisabled,
    /// `invalid_target` (IDP-TX-06).
    #[error("{resource} is not a resource of the audience")]
    UnknownPair {
        /// The resource that was asked for.
        resource: String,
    },
    /// `invalid_target`: several resources, none named, and the audience wants one (IDP-TX-07).
    #[error("the audience governs several resources and the request names none")]
    ResourceNeeded,
    /// `invalid_target`: "target not available", as for an unknown one, so that a connector can be prepared unseen.
    #[error("the connector {connector} is {status}")]
    ConnectorNotActive {
        /// Its name.
        connector: String,
        /// `staged` or `off`.
        status: &'static str,
    },
    /// `invalid_target`: the client has no id there (IDP-MN-02).
    #[error("the client has no client id at the audience")]
    NoMapping,
    /// `insufficient_user_authentication`: a better sign-in alone would add a requested scope (SU-01).
    #[error("{needed} is needed")]
    StepUpNeeded {
        /// What the sign-in must be.
        needed: Requirement,
    },
    /// `access_denied`: no rule admits this person through this client (D-08).
    #[error("policy does not admit this person through this client")]
    NotPermitted,
    /// `invalid_scope`: admitted, but not with any requested scope (D-08).
    #[error("policy grants none of the requested scopes")]
    NoScopeGranted,
}

impl Denial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::PublicClient => "public_client",
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::RequestedTokenType => "requested_token_type",
            Self::SubjectTokenType => "subject_token_type",
            Self::SubjectOfOtherClient => "subject_of_other_client",
            Self::SubjectMismatch => "subject_mismatch",
            Self::GrantEnded => "grant_ended",
            Self::SessionEnded => "session_ended",
            Self::UserUnknown => "user_unknown",
            Self::UserDeactivated => "user_deactivated",
            Self::SubjectCutOff => "subject_cut_off",
            Self::RefreshToken(denial) => denial.code(),
            Self::Assertion(denial) => denial.code(),
            Self::Person(denial) => denial.code(),
            Self::OfflineNotAllowed => "offline_not_allowed",
            Self::KeyOfOtherPerson => "key_of_other_person",
            Self::UnknownAudience => "unknown_audience",
            Self::AudienceDisabled => "audience_disabled",
            Self::UnknownPair { .. } => "unknown_pair",
            Self::ResourceNeeded => "resource_needed",
            Self::ConnectorNotActive { .. } => "connector_not_active",
            Self::NoMapping => "no_client_mapping",
            Self::StepUpNeeded { .. } => "step_up_needed",
            Self::NotPermitted => "not_permitted",
            Self::NoScopeGranted => "no_scope_granted",
        }
    }
}
