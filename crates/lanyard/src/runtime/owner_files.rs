//! The files of a one-time owner token: the token for the command line, a link for a browser.
//!
//! Owns their names. Both are readable by this user only; nothing else keeps the token.

use std::path::PathBuf;

use lanyard_protocol::issuer::Issuer;
use secrecy::{ExposeSecret, SecretString};

use crate::config::Config;
use crate::runtime::private_file;

/// The file with the link, beside the one with the token.
pub(crate) const LINK: &str = "owner-link";

/// Where a one-time token was written.
pub(crate) struct OwnerFiles {
    /// The token alone.
    pub(crate) token: PathBuf,
    /// The link, where an issuer is configured.
    pub(crate) link: Option<PathBuf>,
}

/// Writes a one-time token, and the link that carries it, in place of older ones.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(config: &Config, token: &SecretString) -> anyhow::Result<OwnerFiles> {
    let path = config.state_dir.join("owner-token");
    private_file::write(&path, token.expose_secret().as_bytes())?;
    let link = match &config.idp {
        Some(role) => {
            let path = config.state_dir.join(LINK);
            private_file::write(&path, link(&role.issuer, token).as_bytes())?;
            Some(path)
        }
        None => None,
    };
    Ok(OwnerFiles { token: path, link })
}

/// The token stands in the fragment, which no browser sends and no server logs.
pub(crate) fn link(issuer: &Issuer, token: &SecretString) -> String {
    let issuer = issuer.as_str().trim_end_matches('/');
    format!("{issuer}/first-sign-in#token={}", token.expose_secret())
}
