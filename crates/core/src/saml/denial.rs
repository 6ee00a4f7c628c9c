//! Why a SAML message led to nobody: from its bytes to the person's name.

use crate::saml::accept::Unacceptable;
use crate::saml::defect::Defect;

/// The exact check that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SamlDenial {
    /// The bytes, or the signature.
    #[error(transparent)]
    Defect(#[from] Defect),
    /// What it says.
    #[error(transparent)]
    Unacceptable(#[from] Unacceptable),
    /// No connection has this provider.
    #[error("the issuer of the assertion is no configured identity provider")]
    UnknownIssuer,
    /// Signed by the provider of the connection, in the name of another.
    #[error("the message names another identity provider than the connection's")]
    OtherIssuer,
    /// The connection was changed, switched off or removed since it was verified.
    #[error("the identity provider was changed or switched off meanwhile")]
    ConnectionChanged,
    /// A certificate of the connection cannot be read.
    #[error("the connection has a certificate that cannot be used")]
    Certificate,
    /// The client has no service provider for which the assertion could be (SAML-05).
    #[error("the client is registered for no SAML service provider")]
    NoServiceProvider,
    /// The response was sent to another address than it says.
    #[error("the response was made for another address")]
    Destination,
    /// It answers no request, and the connection does not allow that.
    #[error("the response answers no request of this sign-in")]
    Unsolicited,
    /// A name for one session, and no session knows it (SAML-11).
    #[error("the name is made for one session only, and identifies nobody")]
    TransientName,
    /// The attribute that identifies people is not there, or has several values.
    #[error("the attribute that identifies people has not exactly one value")]
    SubjectAttribute,
    /// Used before (SAML-09).
    #[error("the assertion was used before")]
    Replayed,
}

impl SamlDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Defect(defect) => defect.code(),
            Self::Unacceptable(unacceptable) => unacceptable.code(),
            Self::UnknownIssuer => "saml_unknown_issuer",
            Self::OtherIssuer => "saml_other_issuer",
            Self::ConnectionChanged => "connection_changed",
            Self::Certificate => "saml_certificate",
            Self::NoServiceProvider => "saml_no_service_provider",
            Self::Destination => "saml_destination",
            Self::Unsolicited => "saml_unsolicited",
            Self::TransientName => "saml_transient_name",
            Self::SubjectAttribute => "saml_subject_attribute",
            Self::Replayed => "saml_replayed",
        }
    }

    /// Whether the provider itself said that it did not sign the person in.
    pub const fn by_provider(&self) -> bool {
        matches!(self, Self::Defect(Defect::Status(_)))
    }
}
