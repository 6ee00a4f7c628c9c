//! Why the RAS did not accept an ID-JAG.
//!
//! Owns the exact reasons. The caller hears one neutral sentence for nearly all of them (SEC-23).

use lanyard_jose::verify::VerifyError;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::scope::ScopeSet;

/// The exact reason, for the record and for the administrator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The client is not registered for this grant (RAS-JB-03). Row 3: `unauthorized_client`.
    #[error("the client is not registered for the jwt-bearer grant")]
    GrantNotAllowed,
    /// No enabled trust record names the issuer (RAS-JB-06).
    #[error("the issuer is not trusted here")]
    UntrustedIssuer,
    /// The issuer is this RAS itself (RAS-JB-06; interop, section 3).
    #[error("an ID-JAG of this authorization server itself is never redeemed here")]
    SelfIssued,
    /// Type, algorithm, signature, audience or times (RAS-JB-04, 05, 07 to 10).
    #[error("the ID-JAG does not verify: {0}")]
    NotVerified(VerifyError),
    /// The issuer's keys could not be had, and none are cached.
    #[error("the keys of the issuer cannot be reached")]
    KeysUnavailable,
    /// The trust record was changed, switched off or removed while the request was under way.
    #[error("the trust record of the issuer changed while the request was under way, or is switched off")]
    TrustChanged,
    /// Lives longer than the trust record allows (D-18).
    #[error("the ID-JAG lives for {seconds} s, the trust record allows {allowed} s")]
    LivesTooLong {
        /// `exp - iat`.
        seconds: i64,
        /// The limit.
        allowed: i64,
    },
    /// Rich authorization details, which are not supported. Row 10: `invalid_authorization_details`.
    #[error("the ID-JAG carries authorization_details, which are not supported here")]
    AuthorizationDetails,
    /// A key-bound ID-JAG (row 15); proof of possession is not supported.
    #[error("the ID-JAG is bound to a key, and no proof of possession is supported here")]
    KeyBound,
    /// The `client_id` claim names another client (RAS-JB-11).
    #[error("the ID-JAG is for the client {granted}, the request came from {authenticated}")]
    ClientMismatch {
        /// The claim.
        granted: ClientId,
        /// Who asked.
        authenticated: ClientId,
    },
    /// The key of a native client acts for another person.
    #[error("the client's key was enrolled for another person")]
    HolderMismatch,
    /// The `tenant` claim is missing or another one (MT-03, MT-07).
    #[error("the tenant claim is not the one of the trust record")]
    TenantMismatch,
    /// The `aud_tenant` claim disagrees with the trust record (MT-06).
    #[error("the aud_tenant claim is not the one of the trust record")]
    AudienceTenantMismatch,
    /// The trust record does not admit the client (MT-11).
    #[error("the trust record of the issuer does not admit this client")]
    ClientNotTrusted,
    /// A resource of the claim is not registered here (RAS-JB-15).
    #[error("the ID-JAG names a resource that is not registered here")]
    UnknownResource,
    /// The trust record does not admit the resource (MT-11).
    #[error("the trust record of the issuer does not admit the resource {0}")]
    ResourceNotTrusted(String),
    /// The resource is staged or switched off.
    #[error("no tokens are issued for the resource {0} at present")]
    ResourceNotOpen(String),
    /// Without a `resource` claim there must be exactly one candidate (RAS-JB-16).
    #[error("the ID-JAG names no resource, and not exactly one is configured for its issuer")]
    NoSoleResource,
    /// The parameter asks for what the claim or the trust record does not hold (RAS-JB-17). `invalid_target`.
    #[error("the resource parameter is outside of what the ID-JAG grants")]
    ResourceOutsideClaim,
    /// Several resources and no choice; a token is for one. `invalid_target`.
    #[error("the ID-JAG grants several resources and the request does not choose one")]
    ResourceNotChosen,
    /// A scope of the claim does not exist for the resource (D-06).
    #[error("the ID-JAG holds scopes that the resource does not have: {0}")]
    UnknownScope(ScopeSet),
    /// The request leaves out scopes of the ID-JAG and the rule is strict (D-04).
    #[error("the request leaves out scopes that the ID-JAG holds: {0}")]
    NarrowerRequest(ScopeSet),
    /// Nothing is left to grant. Row 8: `invalid_scope`.
    #[error("no scope is left to grant")]
    NoScope,
    /// Nobody is linked to the subject, and accounts are not made here (RAS-JB-19, AL-05).
    #[error("no account is linked to the subject, and the trust record makes none")]
    UnknownSubject,
    /// The account that the ID-JAG names belongs to somebody else, or the subject has another one (AL-02, AL-04).
    #[error("the account named by aud_sub is linked to another subject, or the subject to another account")]
    LinkConflict,
    /// The account is switched off (AL-06).
    #[error("the account is switched off")]
    AccountDisabled,
    /// The ID-JAG was minted before the person or the client was cut off (P7).
    #[error("the ID-JAG is from before the moment at which the subject or the client was cut off")]
    CutOff,
    /// The sign-in behind the ID-JAG was ended by an administrator since (RV-07).
    #[error("the session behind the ID-JAG was ended")]
    SessionEnded,
    /// Redeemed before (RAS-JB-12).
    #[error("the ID-JAG was redeemed before")]
    Replayed,
}

impl Denial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::UntrustedIssuer => "untrusted_issuer",
            Self::SelfIssued => "self_issued",
            Self::NotVerified(error) => error.code(),
            Self::KeysUnavailable => "keys_unavailable",
            Self::TrustChanged => "trust_changed",
            Self::LivesTooLong { .. } => "lives_too_long",
            Self::AuthorizationDetails => "authorization_details",
            Self::KeyBound => "key_bound",
            Self::ClientMismatch { .. } => "client_mismatch",
            Self::HolderMismatch => "holder_mismatch",
            Self::TenantMismatch => "tenant_mismatch",
            Self::AudienceTenantMismatch => "aud_tenant_mismatch",
            Self::ClientNotTrusted => "client_not_trusted",
            Self::UnknownResource => "unknown_resource",
            Self::ResourceNotTrusted(_) => "resource_not_trusted",
            Self::ResourceNotOpen(_) => "resource_not_open",
            Self::NoSoleResource => "no_sole_resource",
            Self::ResourceOutsideClaim => "resource_outside_claim",
            Self::ResourceNotChosen => "resource_not_chosen",
            Self::UnknownScope(_) => "unknown_scope",
            Self::NarrowerRequest(_) => "narrower_request",
            Self::NoScope => "no_scope",
            Self::UnknownSubject => "unknown_subject",
            Self::LinkConflict => "link_conflict",
            Self::AccountDisabled => "account_disabled",
            Self::CutOff => "cut_off",
            Self::SessionEnded => "session_ended",
            Self::Replayed => "replayed",
        }
    }
}
