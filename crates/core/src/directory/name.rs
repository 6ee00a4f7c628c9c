//! What can name a person or a group.
//!
//! Owns the rule that two names that look alike are not told apart by what nobody sees. Never looks anything up.

use crate::admin::denial::AdminDenial;

/// The longest name, in characters.
const LONGEST: usize = 128;

/// Whether a text can name a group: 1 to 128 characters, no blank at an end, nothing that is not seen.
pub fn is_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=LONGEST).contains(&length) && text.trim() == text && !text.chars().any(is_hidden)
}

/// The same for administrators, who are told what is wrong.
///
/// # Errors
/// [`AdminDenial::Invalid`] of `name`.
pub(crate) fn check_group_name(text: &str) -> Result<(), AdminDenial> {
    if is_name(text) {
        Ok(())
    } else {
        Err(AdminDenial::invalid(
            "name",
            "use 1 to 128 characters, none of them hidden",
        ))
    }
}

/// Whether nobody sees a character: controls, and what changes the direction, joins or breaks without being a letter
/// (Unicode's categories Cc and Cf, as far as they are used to deceive).
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_another_by_hidden_characters_is_none() {
        for good in ["owners", "Owners of the Zoo", "日本", "å"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            " owners",
            "owners\u{200b}",
            "\u{202e}srenwo",
            "own\u{ad}ers",
            "a\nb",
            "\u{feff}a",
        ] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(!is_name(&"x".repeat(129)));
    }
}
