//! Randomness and what is made from it directly.
//!
//! Owns the source and the shape of unguessable texts. Never stores them.

use secrecy::SecretString;

use crate::digest::base64url;

/// A source of random bytes that nobody can guess. A trait so that tests can repeat a run.
pub trait Random: Send + Sync {
    /// Fills `out` completely.
    fn fill(&self, out: &mut [u8]);
}

/// The operating system's entropy, through the crypto backend's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// When the system has no randomness: nothing safe can be done without it.
    fn fill(&self, out: &mut [u8]) {
        #[expect(
            clippy::expect_used,
            reason = "a predictable secret would be worse than a stopped request"
        )]
        aws_lc_rs::rand::fill(out).expect("the system random generator failed");
    }
}

/// A text of 256 random bits in base64url: 43 characters, for codes, refresh tokens and generated secrets.
pub fn token(random: &dyn Random) -> SecretString {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    random.fill(bytes.as_mut_slice());
    SecretString::from(base64url(bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn tokens_have_256_bits_and_do_not_repeat() {
        let tokens: HashSet<String> = (0..1000)
            .map(|_| token(&SystemRandom).expose_secret().to_owned())
            .collect();
        assert_eq!(tokens.len(), 1000);
        assert!(tokens.iter().all(|token| token.len() == 43));
    }

    #[test]
    fn a_token_is_not_printed() {
        let secret = token(&SystemRandom);
        assert!(!format!("{secret:?}").contains(secret.expose_secret()));
    }
}
