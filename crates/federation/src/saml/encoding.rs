//! How messages are carried: base64 in forms and tokens (SAML Bindings, section 3.5.4; RFC 8693, section 3; D-17).
//!
//! Owns the strict reading of it: one text for given bytes, but for alphabet and padding.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use lanyard_core::saml::defect::Defect;

use super::text::MAX_BYTES;

const EITHER_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, EITHER_PADDING);
const URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, EITHER_PADDING);

/// The longest base64 of a message that is read.
const MAX_ENCODED: usize = MAX_BYTES / 3 * 4 + 8;

/// Reads a token: base64url as RFC 8693 has it, or base64 as the ID-JAG draft shows it; padded or not.
///
/// # Errors
/// [`Defect::TooLarge`], [`Defect::Encoding`]: white space, both alphabets at once, stray bits at the end.
pub fn decode_token(text: &str) -> Result<Vec<u8>, Defect> {
    if text.len() > MAX_ENCODED {
        return Err(Defect::TooLarge(MAX_BYTES));
    }
    let engine = if text.contains(['-', '_']) { URL } else { PLAIN };
    engine
        .decode(text)
        .map_err(|_| Defect::Encoding("neither base64 nor base64url"))
}

/// Reads the `SAMLResponse` or `SAMLRequest` of a posted form: padded base64, in lines or not.
///
/// # Errors
/// [`Defect::TooLarge`], [`Defect::Encoding`].
pub fn decode_posted(text: &str) -> Result<Vec<u8>, Defect> {
    // A line break after each 76 characters.
    if text.len() > MAX_ENCODED + MAX_ENCODED / 32 {
        return Err(Defect::TooLarge(MAX_BYTES));
    }
    decode(text).ok_or(Defect::Encoding("not base64"))
}

/// Padded base64, with the white space that XML and forms have between its characters.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

/// Padded base64 in one line.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_alphabets_with_and_without_padding_are_read_d_17() {
        for text in ["-_8", "-_8=", "+/8", "+/8="] {
            assert_eq!(decode_token(text), Ok(vec![0xfb, 0xff]), "{text}");
        }
    }

    #[test]
    fn what_has_a_second_writing_is_refused_d_17() {
        for text in ["-/8", "+_8", "-_9", "+/9=", "-_8==", "-_\n8", " -_8", "-_8 ", "-"] {
            assert_eq!(
                decode_token(text),
                Err(Defect::Encoding("neither base64 nor base64url")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_posted_message_may_be_in_lines_and_has_one_alphabet() {
        assert_eq!(decode_posted("+/\r\n8=\n"), Ok(vec![0xfb, 0xff]));
        for text in ["-_8=", "+/8", "+/9=", "+\u{a0}/8="] {
            assert_eq!(decode_posted(text), Err(Defect::Encoding("not base64")), "{text}");
        }
    }

    #[test]
    fn endless_texts_are_refused_before_they_are_decoded_sec_22() {
        let endless = "A".repeat(MAX_ENCODED + 1);
        assert_eq!(decode_token(&endless), Err(Defect::TooLarge(MAX_BYTES)));
        let endless = "A".repeat(2 * MAX_ENCODED);
        assert_eq!(decode_posted(&endless), Err(Defect::TooLarge(MAX_BYTES)));
    }

    proptest! {
        #[test]
        fn bytes_read_back(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let text = encode(&bytes);
            prop_assert_eq!(decode_posted(&text), Ok(bytes.clone()));
            prop_assert_eq!(decode_token(&text), Ok(bytes.clone()));
            let url = text.replace('+', "-").replace('/', "_");
            prop_assert_eq!(decode_token(url.trim_end_matches('=')), Ok(bytes));
        }
    }
}
