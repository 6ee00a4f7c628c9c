//! Which passwords may be set: long enough, not the person's own name, and none that guessers try first.
//!
//! Owns the rules and the list of common passwords (assets/common-passwords.LICENSE says whose it is). Never hashes.

use lanyard_jose::digest::sha256;

use crate::session::password::MAX_PASSWORD_BYTES;

/// The first four bytes of SHA-256 of each common password in lower case, sorted. A password that is not on the list
/// is taken for one with a probability below one in 200,000.
const COMMON: &[u8] = include_bytes!("../../assets/common-passwords.bin");
/// So much around a common word does not help: `Password2027!`.
const DECORATION: usize = 8;
/// So many characters must be left when the person's own names are taken out.
const LEFT_WITHOUT_NAMES: usize = 8;
/// Names shorter than this say nothing when they stand in a password.
const SHORTEST_NAME: usize = 3;
/// Runs of neighbours that are easy to type; each also backwards.
const RUNS: [&str; 6] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "qwertzuiop",
    "asdfghjkl",
    "zxcvbnm",
];
/// A run counts from this length.
const SHORTEST_RUN: usize = 4;

/// The length that NIST SP 800-63B asks of a password that stands alone, less what we can expect of people.
pub const DEFAULT_MIN_LENGTH: usize = 12;

/// What a new password must be like in this deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRules {
    /// Characters at least.
    pub min_length: usize,
    /// Words that everybody here would try: the organisation's name.
    pub house_words: Vec<String>,
}

impl Default for PasswordRules {
    fn default() -> Self {
        Self {
            min_length: DEFAULT_MIN_LENGTH,
            house_words: Vec::new(),
        }
    }
}

/// Why a password may not be set. The text is for whoever chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordDenial {
    /// Too few characters.
    #[error("it is too short: use at least {0} characters; four unrelated words are long and easy to remember")]
    TooShort(usize),
    /// More than is read.
    #[error("it is too long: use at most 1024 bytes")]
    TooLong,
    /// The names of the person or the organisation and little else.
    #[error("it is made of your own name or your organisation's: others would try that first")]
    OwnName,
    /// On the list, as it is or with a little around it.
    #[error("it is a well-known password or close to one: others would try it")]
    Common,
    /// The same again and again, or keys in a row.
    #[error("it repeats itself or follows the keyboard: others would try that")]
    Simple,
    /// The one that is to be replaced.
    #[error("it is the password that you have already")]
    Unchanged,
}

impl PasswordDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort(_) => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::OwnName => "password_own_name",
            Self::Common => "password_common",
            Self::Simple => "password_simple",
            Self::Unchanged => "password_unchanged",
        }
    }
}

impl PasswordRules {
    /// Whether somebody who is known by `names` (user name, e-mail address, display name) may have this password.
    ///
    /// # Errors
    /// [`PasswordDenial`].
    pub fn check(&self, password: &str, names: &[&str]) -> Result<(), PasswordDenial> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(PasswordDenial::TooLong);
        }
        if password.chars().count() < self.min_length {
            return Err(PasswordDenial::TooShort(self.min_length));
        }
        let folded = password.to_lowercase();
        if is_simple(&folded) {
            return Err(PasswordDenial::Simple);
        }
        if is_known(&folded) || is_decorated(&folded) {
            return Err(PasswordDenial::Common);
        }
        let house = self.house_words.iter().map(String::as_str);
        let mut words: Vec<String> = names.iter().copied().chain(house).flat_map(words).collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut rest = folded.clone();
        for word in &words {
            rest = rest.replace(word.as_str(), "");
        }
        if rest != folded && rest.chars().filter(|c| c.is_alphanumeric()).count() < LEFT_WITHOUT_NAMES {
            return Err(PasswordDenial::OwnName);
        }
        Ok(())
    }
}

/// A name and its parts, as they may stand in a password.
fn words(name: &str) -> Vec<String> {
    let folded = name.to_lowercase();
    let local = folded.split('@').next().unwrap_or_default().to_owned();
    let parts = folded.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let mut words: Vec<String> = parts.chain([local, folded.clone()]).collect();
    words.retain(|word| word.chars().count() >= SHORTEST_NAME);
    words
}

fn is_common(word: &str) -> bool {
    let hash = sha256(word.as_bytes());
    let (entries, _) = COMMON.as_chunks::<4>();
    hash.first_chunk::<4>()
        .is_some_and(|wanted| entries.binary_search(wanted).is_ok())
}

fn is_known(word: &str) -> bool {
    is_common(word) || is_common(&plain_letters(word))
}

/// A common word with digits and signs around it that anybody would put there.
fn is_decorated(folded: &str) -> bool {
    let letter = |c: char| c.is_alphabetic();
    let word = folded.trim_matches(|c: char| !letter(c));
    let around = folded.chars().count().saturating_sub(word.chars().count());
    around > 0 && word.chars().count() >= SHORTEST_NAME && around <= decoration(folded) && is_known(word)
}

/// Digits in a row decorate no better when there are more of them.
fn decoration(folded: &str) -> usize {
    let digits: String = folded.chars().filter(char::is_ascii_digit).collect();
    if digits.len() > DECORATION && in_runs(&digits) == digits.len() {
        usize::MAX
    } else {
        DECORATION
    }
}

/// Letters in place of the signs that stand for them.
fn plain_letters(folded: &str) -> String {
    let letters = folded.chars().map(|c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    });
    letters.collect()
}

/// One piece again and again, hardly any different characters, or runs of neighbours and little else.
fn is_simple(folded: &str) -> bool {
    let characters: Vec<char> = folded.chars().collect();
    let mut different = characters.clone();
    different.sort_unstable();
    different.dedup();
    let length = characters.len();
    let repeats = (1..=length / 2).any(|piece| {
        let mut pairs = characters.iter().zip(characters.iter().skip(piece));
        pairs.all(|(one, next)| one == next)
    });
    let runs = in_runs(folded);
    different.len() < 5 || repeats || (runs > 0 && length.saturating_sub(runs) < SHORTEST_RUN)
}

/// How many characters stand in runs.
fn in_runs(text: &str) -> usize {
    let characters: Vec<char> = text.chars().collect();
    let mut counted = 0;
    let mut rest = characters.as_slice();
    while let Some((_, after)) = rest.split_first() {
        let run = longest_run(rest);
        if run >= SHORTEST_RUN {
            counted += run;
            rest = rest.get(run..).unwrap_or_default();
        } else {
            rest = after;
        }
    }
    counted
}

/// The longest run that begins here.
fn longest_run(characters: &[char]) -> usize {
    let follow = |run: &[char]| {
        let starts = (0..run.len()).filter_map(|at| run.get(at..));
        let lengths = starts.map(|from| from.iter().zip(characters).take_while(|(a, b)| a == b).count());
        lengths.max().unwrap_or(0)
    };
    let both = RUNS.iter().flat_map(|run| {
        let forwards: Vec<char> = run.chars().collect();
        let backwards: Vec<char> = run.chars().rev().collect();
        [follow(&forwards), follow(&backwards)]
    });
    both.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["alice.example", "alice@northwind.example", "Alice Example"];

    fn rules() -> PasswordRules {
        PasswordRules {
            house_words: vec!["Northwind Ltd".to_owned()],
            ..PasswordRules::default()
        }
    }

    fn refused(password: &str) -> Option<&'static str> {
        rules().check(password, &NAMES).err().map(PasswordDenial::code)
    }

    #[test]
    fn long_and_unknown_passwords_may_be_set() {
        for good in [
            "correct horse battery staple",
            "vT7#pq!9Lm2x",
            "the password of alice here",
            "Northwind has nice coffee machines",
            "пароль из четырёх слов",
            "dragonfly over the pond",
            "tulip 4711 garage",
        ] {
            assert_eq!(refused(good), None, "{good}");
        }
    }

    #[test]
    fn a_short_password_is_refused_with_the_length_that_is_needed() {
        let denial = rules().check("vT7#pq!9Lm2", &NAMES).unwrap_err();
        assert_eq!(denial, PasswordDenial::TooShort(12));
        assert!(denial.to_string().contains("at least 12 characters"));
        // Characters are counted, not bytes.
        assert_eq!(refused("пароль из 4"), Some("password_too_short"));
        assert_eq!(refused(&"x1y2z3".repeat(200)), Some("password_too_long"));
    }

    #[test]
    fn a_well_known_password_is_refused_also_with_decoration() {
        for bad in [
            "Password2027!",
            "P@ssw0rd2027",
            "!!Sunshine!!77",
            "football12345678",
            "1q2w3e4r5t6y",
        ] {
            let told = refused(bad);
            assert!(
                told == Some("password_common") || told == Some("password_simple"),
                "{bad}: {told:?}"
            );
        }
        assert!(is_common("password") && is_common("123456") && !is_common("correct horse battery staple"));
    }

    #[test]
    fn repetition_and_rows_of_keys_are_refused() {
        for bad in [
            "aaaaaaaaaaaaaa",
            "abcabcabcabcab",
            "qwertyuiop123456",
            "abcdefghijklmnop",
            "098765432109",
            "xyxyxyxyxyxyxy",
            "zxcvbnmasdfghjkl",
        ] {
            assert_eq!(refused(bad), Some("password_simple"), "{bad}");
        }
    }

    #[test]
    fn the_persons_and_the_organisations_names_are_refused() {
        for bad in [
            "AliceExample77",
            "alice.example!",
            "Northwind-Alice1",
            "example northwind",
        ] {
            assert_eq!(refused(bad), Some("password_own_name"), "{bad}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_whole() {
        let (entries, rest) = COMMON.as_chunks::<4>();
        assert!(rest.is_empty() && entries.len() > 19_000);
        assert!(entries.is_sorted());
    }
}
