//! Certificates of SAML identity providers in documents of administrators.
//!
//! Owns looking at them before anything is written: core keeps them as texts, and only `lanyard-federation` can read them.

use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::spec::connection::ConnectionSpec;
use lanyard_federation::saml::certificate::Certificate;

/// Refuses a certificate with which nothing could ever be verified.
///
/// # Errors
/// [`AdminDenial::Invalid`] with what is wrong with it.
pub(crate) fn check_certificates(spec: &ConnectionSpec) -> Result<(), AdminDenial> {
    let certificates = spec.saml.iter().flat_map(|saml| &saml.certificates);
    for text in certificates {
        Certificate::parse(text).map_err(|error| AdminDenial::invalid("saml.certificates", error.to_string()))?;
    }
    Ok(())
}
