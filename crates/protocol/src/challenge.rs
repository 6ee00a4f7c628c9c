//! `WWW-Authenticate` challenges (RFC 9110, section 11.6.1; RFC 6750, section 3; RFC 9728, section 5.1; RFC 9470, section 3).
//!
//! Owns writing and reading them. Never decides when one is sent.

use std::fmt;

/// One challenge: a scheme and its parameters in order. Parameter names are lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme, `Bearer`.
    pub scheme: String,
    /// Names and unquoted values.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A `Bearer` challenge without parameters.
    pub fn bearer() -> Self {
        Self {
            scheme: "Bearer".to_owned(),
            parameters: Vec::new(),
        }
    }

    /// Adds a parameter. The value is reduced to printable ASCII without `"` and `\` (RS-CH-05).
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let clean: String = value
            .chars()
            .filter(|c| matches!(c, ' '..='~') && *c != '"' && *c != '\\')
            .collect();
        self.parameters.push((name.to_owned(), clean));
        self
    }

    /// The first value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// Reads every challenge of one header value. What cannot be read ends the list: challenges are hints.
    pub fn parse_all(header: &str) -> Vec<Self> {
        Reader { rest: header }.challenges()
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        for (n, (name, value)) in self.parameters.iter().enumerate() {
            let separator = if n == 0 { " " } else { ", " };
            write!(f, "{separator}{name}=\"{value}\"")?;
        }
        Ok(())
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn challenges(mut self) -> Vec<Challenge> {
        let mut found: Vec<Challenge> = Vec::new();
        loop {
            self.skip_commas();
            let Some(token) = self.token() else { return found };
            let after = self.rest.trim_start_matches([' ', '\t']);
            // `name=value` continues the challenge; a lone token starts another one.
            if let Some(value) = after.strip_prefix('=').filter(|value| !value.starts_with('=')) {
                self.rest = value.trim_start_matches([' ', '\t']);
                let Some(value) = self.value() else { return found };
                match found.last_mut() {
                    Some(challenge) => challenge.parameters.push((token.to_ascii_lowercase(), value)),
                    None => return found,
                }
            } else {
                found.push(Challenge {
                    scheme: token.to_owned(),
                    parameters: Vec::new(),
                });
            }
        }
    }

    fn skip_commas(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }

    fn token(&mut self) -> Option<&'a str> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
        let end = self.rest.find(|c| !is_token(c)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    fn value(&mut self) -> Option<String> {
        let Some(quoted) = self.rest.strip_prefix('"') else {
            return self.token().map(str::to_owned);
        };
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.rest = quoted.get(at + 1..)?;
                    return Some(value);
                }
                '\\' => value.push(chars.next()?.1),
                other => value.push(other),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_header_makes_the_reader_panic_or_hang(header in "\\PC{0,120}") {
            let _ = Challenge::parse_all(&header);
        }

        #[test]
        fn what_is_written_reads_back(value in "[ -~]{0,30}") {
            let challenge = Challenge::bearer().with("scope", &value).with("error", "x");
            prop_assert_eq!(Challenge::parse_all(&challenge.to_string()), vec![challenge]);
        }
    }

    #[test]
    fn several_challenges_in_one_header_are_told_apart() {
        let all = Challenge::parse_all(r#"DPoP algs="ES256", Bearer resource_metadata="https://h/x, y", scope=a"#);
        assert_eq!(all.len(), 2);
        assert_eq!(all[1].parameter("resource_metadata"), Some("https://h/x, y"));
        assert_eq!(all[1].parameter("scope"), Some("a"));
    }

    #[test]
    fn a_quote_in_a_value_cannot_break_out_rs_ch_05() {
        let text = Challenge::bearer()
            .with("error_description", "a\", scope=\"admin\r\nX: y")
            .to_string();
        assert_eq!(text, r#"Bearer error_description="a, scope=adminX: y""#);
    }
}
