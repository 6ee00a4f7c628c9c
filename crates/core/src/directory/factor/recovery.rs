//! Recovery codes: ten words on paper for the day when the telephone is gone. Each works once.
//!
//! Owns making, storing as a keyed hash, and using them. Never shows one twice.

use lanyard_jose::random::Random;
use secrecy::{ExposeSecret, SecretString};

use crate::cx::Cx;
use crate::id::UserId;
use crate::keys::vault::Vault;
use crate::store::{StoreError, Tx};

/// How many codes a person gets.
pub const CODES: usize = 10;
/// Letters and digits that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// Characters of a code: 50 bits.
const LENGTH: usize = 10;

/// Replaces a person's codes by new ones, to be shown once.
///
/// # Errors
/// [`StoreError`].
pub fn replace(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, user: &UserId) -> Result<Vec<SecretString>, StoreError> {
    let codes: Vec<SecretString> = (0..CODES).map(|_| make(&*cx.random)).collect();
    let hashes: Vec<[u8; 32]> = codes
        .iter()
        .map(|code| vault.digest_recovery_code(user, &folded(code.expose_secret())))
        .collect();
    tx.replace_recovery_codes(user, &hashes, cx.now)?;
    Ok(codes)
}

/// Uses a code up; `false` when the person has no such code, or used it.
///
/// # Errors
/// [`StoreError`].
pub fn use_up(cx: &Cx, tx: &mut dyn Tx, vault: &Vault, user: &UserId, typed: &str) -> Result<bool, StoreError> {
    let folded = folded(typed);
    if folded.len() != LENGTH {
        return Ok(false);
    }
    tx.use_recovery_code(user, &vault.digest_recovery_code(user, &folded), cx.now)
}

fn make(random: &dyn Random) -> SecretString {
    let mut bytes = [0; LENGTH];
    random.fill(&mut bytes);
    let mut code = String::with_capacity(LENGTH + 1);
    for (n, byte) in bytes.into_iter().enumerate() {
        if n == LENGTH / 2 {
            code.push('-');
        }
        // 256 is a multiple of 32: every character is as likely as any other.
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or(b'a');
        code.push(char::from(letter));
    }
    SecretString::from(code)
}

/// As it is hashed: without blanks and hyphens, in lower case; `o` and `i` were never printed.
fn folded(typed: &str) -> String {
    let letters = typed.chars().filter(|c| c.is_ascii_alphanumeric()).take(LENGTH + 1);
    let letters = letters.map(|c| c.to_ascii_lowercase());
    letters.map(|c| if c == 'o' { '0' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Random for Counting {
        fn fill(&self, out: &mut [u8]) {
            for (byte, n) in out.iter_mut().zip(0..) {
                *byte = n;
            }
        }
    }

    #[test]
    fn a_code_is_two_groups_and_read_back_however_it_is_typed() {
        let code = make(&Counting);
        assert_eq!(code.expose_secret(), "abcde-fghjk");
        for typed in ["ABCDE FGHJK", "abcdefghjk", " abcde-fghjk "] {
            assert_eq!(folded(typed), "abcdefghjk");
        }
        assert_eq!(folded("O2345-6789a"), "023456789a");
        assert_ne!(folded("abcde-fghjkk").len(), LENGTH);
    }
}
