//! Passwords: argon2id in PHC form, m = 19 MiB, t = 2, p = 1.
//!
//! Owns hashing and checking. Slow on purpose: never called inside a unit of work, and as many at once as there are
//! cores. The only file that touches `argon2`.

use argon2::{Algorithm, Argon2, Params, Version};
use lanyard_jose::digest::{base64url, constant_time_eq, from_base64url};
use lanyard_jose::random::Random;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// The longest password that is read, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// The hash of a password that nobody knows, with the cost of a real one: for user names that do not exist, so that
/// time does not tell (SEC-23).
pub const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bGFueWFyZC1kdW1teS0wMQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password that cannot be hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the password is longer than 1024 bytes")]
pub struct PasswordTooLong;

/// Hashes a password with a fresh salt.
///
/// # Errors
/// [`PasswordTooLong`].
pub fn hash(random: &dyn Random, password: &str) -> Result<String, PasswordTooLong> {
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordTooLong);
    }
    let mut salt = [0_u8; SALT_BYTES];
    random.fill(&mut salt);
    let digest = digest(MEMORY_KIB, PASSES, LANES, &salt, password).ok_or(PasswordTooLong)?;
    Ok(format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
        to_base64(&salt),
        to_base64(&digest)
    ))
}

/// Whether `password` is the one behind `phc`. A hash that cannot be read fits no password.
pub fn verify(phc: &str, password: &str) -> bool {
    let Some(stored) = Stored::read(phc) else { return false };
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    digest(stored.memory, stored.passes, stored.lanes, &stored.salt, password)
        .is_some_and(|digest| constant_time_eq(&digest, &stored.digest))
}

/// Whether `phc` is a hash that [`verify`] can check: for hashes that are imported.
pub fn is_readable(phc: &str) -> bool {
    Stored::read(phc).is_some()
}

struct Stored {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Stored {
    fn read(phc: &str) -> Option<Self> {
        let mut fields = phc.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, digest) = (fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() {
            return None;
        }
        let mut costs = costs.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok();
        let (memory, passes, lanes) = (cost("m")?, cost("t")?, cost("p")?);
        // An imported hash must not be able to take the machine's memory or minutes of its time.
        if costs.next().is_some() || memory > 256 * 1024 || passes > 16 || lanes > 4 {
            return None;
        }
        let (salt, digest) = (from_base64(salt)?, from_base64(digest)?);
        (digest.len() == HASH_BYTES).then_some(Self {
            memory,
            passes,
            lanes,
            salt,
            digest,
        })
    }
}

fn digest(memory: u32, passes: u32, lanes: u32, salt: &[u8], password: &str) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(memory, passes, lanes, Some(HASH_BYTES)).ok()?;
    let mut out = [0_u8; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .ok()?;
    Some(out)
}

/// PHC strings use the other alphabet of base64, without padding.
fn to_base64(bytes: &[u8]) -> String {
    base64url(bytes).replace('-', "+").replace('_', "/")
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains(['-', '_']) {
        return None;
    }
    from_base64url(&text.replace('+', "-").replace('/', "_"))
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
    fn a_password_fits_its_own_hash_only() {
        let phc = hash(&Counting, "correct horse").unwrap();
        assert!(
            phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$"),
            "{phc}"
        );
        assert!(verify(&phc, "correct horse"));
        assert!(!verify(&phc, "correct horse "));
        assert!(!verify(&phc, ""));
    }

    #[test]
    fn the_hash_of_another_program_is_understood() {
        // Made with the reference implementation's command line: argon2 of "password", salt "somesalt", -id -t 2
        // -k 65536 -p 1, as in its test suite.
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify(phc, "password"));
        assert!(!verify(phc, "Password"));
    }

    #[test]
    fn nothing_fits_the_dummy_and_it_costs_the_same() {
        assert!(is_readable(DUMMY_HASH));
        for guess in ["", "password", "lanyard-dummy-01"] {
            assert!(!verify(DUMMY_HASH, guess), "{guess}");
        }
    }

    #[test]
    fn a_hash_that_cannot_be_read_or_is_too_costly_fits_nothing() {
        for bad in [
            "",
            "password",
            "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXP",
            "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc$",
            "$argon2id$v=19$t=2,m=65536,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ] {
            assert!(!verify(bad, "password"), "{bad}");
        }
    }

    #[test]
    fn an_endless_password_is_refused() {
        let endless = "x".repeat(MAX_PASSWORD_BYTES + 1);
        assert_eq!(hash(&Counting, &endless), Err(PasswordTooLong));
        assert!(!verify(DUMMY_HASH, &endless));
    }
}
