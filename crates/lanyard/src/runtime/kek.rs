//! Where the key-encryption key comes from.
//!
//! Owns reading or making it. Never stores it beside a backup and never prints it.

use std::path::Path;

use anyhow::Context;
use lanyard_jose::digest::from_hex;
use lanyard_jose::random::Random;
use lanyard_jose::seal::Kek;

use crate::config::KekSource;
use crate::runtime::private_file;

/// Reads the key, or makes it in the state directory at the first start.
///
/// # Errors
/// When the file is missing, readable by others, or holds no key of 32 bytes.
pub(crate) fn load(source: &KekSource, state_dir: &Path, random: &dyn Random) -> anyhow::Result<Kek> {
    match source {
        KekSource::File(path) => parse(&private_file::read(path)?).with_context(|| {
            format!(
                "kek.file: {} holds no key: 32 bytes are needed, as they are, in hexadecimal or in base64",
                path.display()
            )
        }),
        KekSource::StateDirectory => {
            let path = state_dir.join("kek");
            if !path.exists() {
                let (kek, bytes) = Kek::generate(random);
                private_file::write(&path, &*bytes)?;
                return Ok(kek);
            }
            parse(&private_file::read(&path)?).with_context(|| {
                format!(
                    "{} holds no key of 32 bytes; restore it, or start with an empty state directory",
                    path.display()
                )
            })
        }
    }
}

fn parse(bytes: &[u8]) -> Option<Kek> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Some(Kek::from_bytes(raw));
    }
    let text = std::str::from_utf8(bytes).ok()?.trim();
    if text.len() == 64 {
        return from_hex(text).map(Kek::from_bytes);
    }
    let decoded = from_base64(text)?;
    <[u8; 32]>::try_from(decoded.as_slice()).ok().map(Kek::from_bytes)
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_two_bytes_are_read_raw_in_hexadecimal_and_in_base64() {
        assert!(parse(&[7; 32]).is_some());
        assert!(parse("07".repeat(32).as_bytes()).is_some());
        assert!(parse(b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n").is_some());
        assert!(parse(&[7; 31]).is_none());
        assert!(parse(b"short").is_none());
    }
}
