//! TLS of our listeners.
//!
//! Owns reading PEM files. TLS 1.2 or newer (HT-02).

use std::sync::Arc;

use anyhow::Context;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::TlsFiles;

/// An acceptor for the files.
///
/// # Errors
/// When a file cannot be read, holds no certificate or key, or they do not belong together.
pub(crate) fn acceptor(files: &TlsFiles) -> anyhow::Result<TlsAcceptor> {
    let name = files.certificate_file.display();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate_file)
        .and_then(Iterator::collect)
        .with_context(|| format!("tls.certificate_file: {name} is no readable PEM file"))?;
    anyhow::ensure!(!chain.is_empty(), "tls.certificate_file: {name} holds no certificate");
    let key = PrivateKeyDer::from_pem_file(&files.key_file).with_context(|| {
        format!(
            "tls.key_file: {} is no readable PEM private key",
            files.key_file.display()
        )
    })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .with_context(|| format!("tls: the certificate in {name} and the private key do not belong together"))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
