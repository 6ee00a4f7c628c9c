//! The connection URL: what PostgreSQL's driver reads, and TLS, which it does not.
//!
//! Owns `sslmode` and `sslrootcert`. Never shows the URL, which may hold a password.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use postgres::Config;
use postgres::config::{Host, SslMode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::Connector;
use crate::open::OpenError;

const CONNECT: Duration = Duration::from_secs(5);

/// What the URL says about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tls {
    mode: Option<String>,
    roots: Option<String>,
}

/// Reads the URL.
///
/// # Errors
/// [`OpenError`] when it cannot be read, or when it would send a password in the clear over a network without having
/// said so.
pub(super) fn connector(url: &str) -> Result<Connector, OpenError> {
    let (url, tls) = split(url);
    let mut config = Config::from_str(&url).map_err(|error| {
        OpenError::Url(
            std::error::Error::source(&error).map_or_else(|| "it does not parse".to_owned(), ToString::to_string),
        )
    })?;
    config
        .application_name("lanyard")
        .connect_timeout(CONNECT)
        .keepalives_idle(Duration::from_secs(60));
    let protected = match tls.mode.as_deref() {
        Some("require" | "verify-ca" | "verify-full") => true,
        Some("disable") => false,
        Some(_) => {
            return Err(OpenError::Url(
                "sslmode must be disable, require or verify-full (both verify the certificate)".to_owned(),
            ));
        }
        None if tls.roots.is_some() => true,
        None if config.get_hosts().iter().all(is_local) => false,
        None => {
            return Err(OpenError::Url(
                "the server is not on this machine: say sslmode=require, or sslmode=disable when the network is \
                 trusted"
                    .to_owned(),
            ));
        }
    };
    if !protected {
        config.ssl_mode(SslMode::Disable);
        return Ok(Connector::new(config, None));
    }
    config.ssl_mode(SslMode::Require);
    let tls = client_config(tls.roots.as_deref().map(Path::new))?;
    Ok(Connector::new(config, Some(MakeRustlsConnect::new(tls))))
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// The URL without the parameters that the driver does not know, and these.
fn split(url: &str) -> (String, Tls) {
    let mut tls = Tls::default();
    let Some((base, query)) = url.split_once('?') else {
        return (url.to_owned(), tls);
    };
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslmode", mode)) => tls.mode = Some(decoded(mode)),
            Some(("sslrootcert", file)) => tls.roots = Some(decoded(file)),
            _ => rest.push(pair),
        }
    }
    let url = if rest.is_empty() {
        base.to_owned()
    } else {
        format!("{base}?{}", rest.join("&"))
    };
    (url, tls)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high.saturating_mul(16).saturating_add(low)).unwrap_or(b'?'));
                rest = ahead;
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn client_config(roots: Option<&Path>) -> Result<ClientConfig, OpenError> {
    let said = |why: &dyn std::fmt::Display| OpenError::Tls(why.to_string());
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| said(&error))?;
    let Some(file) = roots else {
        let verified = builder.with_platform_verifier().map_err(|error| said(&error))?;
        return Ok(verified.with_no_client_auth());
    };
    let unreadable = |why: &dyn std::fmt::Display| OpenError::Tls(format!("sslrootcert {}: {why}", file.display()));
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
        store
            .add(certificate.map_err(|error| unreadable(&error))?)
            .map_err(|error| unreadable(&error))?;
    }
    if store.is_empty() {
        return Err(unreadable(&"it holds no certificate"));
    }
    Ok(builder.with_root_certificates(store).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_elsewhere_needs_a_word_about_tls() {
        assert!(matches!(
            connector("postgres://u:p@db.example/x"),
            Err(OpenError::Url(_))
        ));
        assert!(connector("postgres://u:p@db.example/x?sslmode=disable").is_ok());
        assert!(connector("postgres://u@127.0.0.1:5432/x").is_ok());
        assert!(connector("postgres://u@%2Ftmp%2Fpg/x").is_ok());
        assert!(connector("postgres://u@db.example/x?sslmode=prefer").is_err());
    }

    #[test]
    fn tls_is_taken_out_of_the_url_and_the_rest_stays() {
        let (url, tls) = split("postgres://u@h/d?sslmode=verify-full&options=-c%20x&sslrootcert=%2Fetc%2Fca.pem");
        assert_eq!(url, "postgres://u@h/d?options=-c%20x");
        assert_eq!(
            tls,
            Tls {
                mode: Some("verify-full".into()),
                roots: Some("/etc/ca.pem".into())
            }
        );
    }

    #[test]
    fn an_error_about_the_url_does_not_show_the_password() {
        let error = connector("postgres://u:geheim@h:notaport/d?sslmode=disable")
            .err()
            .unwrap();
        assert!(!error.to_string().contains("geheim"), "{error}");
    }
}
