//! One identity provider for all tests, and the two ways in.

use std::sync::LazyLock;

use lanyard_core::clock::Timestamp;
use lanyard_core::saml::assertion::Assertion;
use lanyard_core::saml::defect::Defect;
use lanyard_federation::saml::assertion::UnverifiedAssertion;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::response::UnverifiedResponse;
use lanyard_jose::algorithm::Algorithm;
use lanyard_testkit::saml::{Draft, IdentityProvider};

pub(crate) const ISSUER: &str = "https://idp.example/saml";
pub(crate) const SP: &str = "https://sp.example/saml";
pub(crate) const ACS: &str = "https://sp.example/acs";

pub(crate) static IDP: LazyLock<IdentityProvider> = LazyLock::new(|| IdentityProvider::new(ISSUER, Algorithm::Rs256));

/// Somebody who signs as well, with a key that nobody pinned.
pub(crate) static STRANGER: LazyLock<IdentityProvider> =
    LazyLock::new(|| IdentityProvider::new(ISSUER, Algorithm::Rs256));

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub(crate) fn draft() -> Draft {
    IDP.draft(now(), SP, ACS)
}

pub(crate) fn pinned() -> Vec<Certificate> {
    vec![IDP.certificate.clone()]
}

pub(crate) fn assertion(xml: &str, certificates: &[Certificate]) -> Result<Assertion, Defect> {
    UnverifiedAssertion::parse(xml.as_bytes())?.verify(certificates)
}

pub(crate) fn response(xml: &str, certificates: &[Certificate]) -> Result<Assertion, Defect> {
    UnverifiedResponse::parse(xml.as_bytes())?.verify(certificates, &[])
}
