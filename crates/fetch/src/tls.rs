//! TLS for outbound requests.
//!
//! Owns roots and provider: aws-lc-rs, the platform's roots and the operator's files.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::allow::Outbound;
use crate::error::FetchError;

/// Chooses the process-wide cryptography of `rustls`; may be called again without effect.
///
/// This crate passes its provider explicitly. The call is for other code in the process that asks for the default.
pub fn install_crypto_provider() {
    // An error only says that one is installed already.
    let _ = aws_lc_rs::default_provider().install_default();
}

pub(crate) fn client_config(outbound: &Outbound) -> Result<ClientConfig, FetchError> {
    let wrong = |text: String| FetchError::Configuration(text);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(error.to_string()))?;
    let roots = extra_roots(outbound)?;
    let config = match Verifier::new_with_extra_roots(roots, provider) {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        // A machine without any root can still be evaluated on loopback; every TLS connection will fail.
        Err(_) if outbound.development => builder.with_root_certificates(RootCertStore::empty()),
        Err(error) => return Err(wrong(format!("no trusted root certificates: {error}"))),
    };
    Ok(config.with_no_client_auth())
}

fn extra_roots(outbound: &Outbound) -> Result<Vec<CertificateDer<'static>>, FetchError> {
    let mut roots = Vec::new();
    for file in &outbound.ca_files {
        let wrong = |error| FetchError::Configuration(format!("the CA file {}: {error}", file.display()));
        let before = roots.len();
        for certificate in CertificateDer::pem_file_iter(file).map_err(wrong)? {
            roots.push(certificate.map_err(wrong)?);
        }
        if roots.len() == before {
            return Err(FetchError::Configuration(format!(
                "the CA file {} has no certificate",
                file.display()
            )));
        }
    }
    Ok(roots)
}
