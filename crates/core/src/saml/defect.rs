//! What is wrong with the bytes of a SAML message, or with its signature.
//!
//! Owns the names of those checks. Never says anything about what the message claims (`accept.rs`).

/// Why a SAML message was not read. The texts hold nothing of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// More bytes than are read (SEC-22).
    #[error("the message is larger than {0} bytes")]
    TooLarge(usize),
    /// Neither base64 nor base64url, or not in its one way of writing (D-17), or bytes that are no UTF-8.
    #[error("the encoding is wrong: {0}")]
    Encoding(&'static str),
    /// A document type, an entity, a comment, a processing instruction or a CDATA section (SAML-02).
    #[error("{0} may not stand in a SAML message")]
    Markup(&'static str),
    /// Nested deeper than is read (SEC-22).
    #[error("the message is nested too deeply")]
    TooDeep,
    /// Not XML.
    #[error("the message is not well-formed XML")]
    Malformed,
    /// Two elements with one identifier, or an identifier in an unusual attribute.
    #[error("an identifier is {0}")]
    Identifier(&'static str),
    /// Another structure than SAML and the profile prescribe; what wrapping attacks need (SAML-04).
    #[error("the structure is wrong: {0}")]
    Shape(&'static str),
    /// An algorithm or transform that is not allowed: SHA-1, HMAC, another canonical form (SAML-04).
    #[error("the {0} is not allowed")]
    Algorithm(&'static str),
    /// Nothing is signed (SAML-03).
    #[error("the {0} is not signed")]
    Unsigned(&'static str),
    /// No pinned certificate made the signature, or something was altered since (SAML-03).
    #[error("the signature over the {0} fits no certificate of the connection")]
    Signature(&'static str),
    /// Encrypted to another key, or with an algorithm that is not allowed.
    #[error("the assertion cannot be decrypted: {0}")]
    Encryption(&'static str),
    /// A part that is missing, empty, too long or in the wrong form.
    #[error("{0} is missing or malformed")]
    Value(&'static str),
    /// The identity provider answered that it did not authenticate the person (SAML Core, section 3.2.2.1).
    #[error("the identity provider answered with the status {0}")]
    Status(&'static str),
}

impl Defect {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "saml_too_large",
            Self::Encoding(_) => "saml_encoding",
            Self::Markup(_) => "saml_markup",
            Self::TooDeep => "saml_too_deep",
            Self::Malformed => "saml_malformed",
            Self::Identifier(_) => "saml_identifier",
            Self::Shape(_) => "saml_shape",
            Self::Algorithm(_) => "saml_algorithm",
            Self::Unsigned(_) => "saml_unsigned",
            Self::Signature(_) => "saml_signature",
            Self::Encryption(_) => "saml_encryption",
            Self::Value(_) => "saml_value",
            Self::Status(_) => "saml_status",
        }
    }
}
