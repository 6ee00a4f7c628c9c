//! One-time codes from an app (RFC 6238): six digits of SHA-1, thirty seconds, one step of tolerance to each side.
//!
//! Owns making and checking codes. Never remembers which ones were used: the replay store does.

use lanyard_jose::random::Random;
use totp_rs::{Builder, Secret, Totp};

/// Bytes of a secret: the length of SHA-1's output (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
/// Seconds of a step (RFC 6238, section 5.2).
pub const STEP_SECONDS: i64 = 30;
/// Steps of tolerance to each side: clocks of telephones differ, and people type slowly.
const SKEW: u16 = 1;

/// A fresh secret.
pub fn generate(random: &dyn Random) -> Vec<u8> {
    let mut secret = vec![0; SECRET_BYTES];
    random.fill(&mut secret);
    secret
}

/// The step whose code was typed, if it is the present one or a neighbour. `seconds` is the present time since 1970.
/// Blanks do not matter: apps show codes in two groups.
pub fn check(secret: &[u8], typed: &str, seconds: i64) -> Option<u64> {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    totp(secret)?.check(&digits, u64::try_from(seconds).ok()?)
}

/// The code of this instant: for tests and for nothing else.
pub fn code(secret: &[u8], seconds: i64) -> Option<String> {
    Some(totp(secret)?.generate(u64::try_from(seconds).ok()?).to_string())
}

/// The secret as people type it into an app: base32 in groups of four.
pub fn shown(secret: &[u8]) -> String {
    let text = base32(secret);
    let groups: Vec<String> = text
        .chars()
        .collect::<Vec<_>>()
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    groups.join(" ")
}

/// What the QR code says, as apps read it (the key URI format that they have in common).
pub fn uri(secret: &[u8], issuer: &str, account: &str) -> String {
    let (issuer, account) = (escaped(issuer), escaped(account));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}",
        base32(secret)
    )
}

fn totp(secret: &[u8]) -> Option<Totp> {
    let builder = Builder::new().with_secret(Secret::from(secret));
    builder
        .with_digits(6)
        .with_skew(SKEW)
        .with_step_duration(30)
        .build()
        .ok()
}

fn base32(secret: &[u8]) -> String {
    Secret::from(secret).to_base32()
}

/// Everything but letters, digits and `-._~` in percent signs: some apps do not read `+` as a blank.
fn escaped(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        // The appendix has eight digits; ours are the last six.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(super::code(SECRET, seconds).as_deref(), Some(code));
            assert_eq!(check(SECRET, code, seconds), u64::try_from(seconds / 30).ok());
        }
    }

    #[test]
    fn one_step_to_each_side_is_accepted_and_named_and_two_are_not() {
        let at = |seconds| check(SECRET, "287082", seconds);
        assert_eq!(at(59), Some(1));
        assert_eq!(at(0), Some(1), "the next step's code");
        assert_eq!(at(89), Some(1), "the step before");
        assert_eq!(at(90), None);
        assert_eq!(check(SECRET, "287 082", 59), Some(1));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for bad in ["", "28708", "2870822", "+87082", "abcdef", "２８７０８２", "-87082"] {
            assert_eq!(check(SECRET, bad, 59), None, "{bad:?}");
        }
        assert_eq!(check(SECRET, "287082", -5), None);
        assert_eq!(check(b"", "287082", 59), None);
    }

    #[test]
    fn the_uri_holds_secret_issuer_and_account_escaped() {
        assert_eq!(
            uri(SECRET, "Northwind & Co", "alice@northwind.example"),
            "otpauth://totp/Northwind%20%26%20Co:alice%40northwind.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Northwind%20%26%20Co"
        );
        assert_eq!(shown(SECRET), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
