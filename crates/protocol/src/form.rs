//! `application/x-www-form-urlencoded` bodies and query strings.
//!
//! Owns "each parameter once, within limits" (IDP-TK-01, SEC-22). Never interprets a parameter.

use std::fmt;

/// The largest form that is read, in bytes (SEC-22).
pub const MAX_FORM_BYTES: usize = 64 * 1024;
/// The most parameters in one form.
pub const MAX_PARAMETERS: usize = 64;

/// The parameters of one request in the order they were sent. Values are secret by default: not printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Decodes a form body.
    ///
    /// # Errors
    /// [`FormError`] when it is too large, has too many parameters or is not UTF-8 after decoding.
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        if body.len() > MAX_FORM_BYTES {
            return Err(FormError::TooLarge);
        }
        let mut pairs = Vec::new();
        for part in body.split(|b| *b == b'&').filter(|part| !part.is_empty()) {
            if pairs.len() == MAX_PARAMETERS {
                return Err(FormError::TooManyParameters);
            }
            let (name, value) = match part.iter().position(|b| *b == b'=') {
                Some(at) => part.split_at(at),
                None => (part, [].as_slice()),
            };
            let value = value.strip_prefix(b"=").unwrap_or(value);
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter that may appear at most once. An empty value counts as absent (RFC 6749, section 3.1).
    ///
    /// # Errors
    /// [`FormError::Repeated`] when it was sent more than once.
    pub fn once(&self, name: &'static str) -> Result<Option<&str>, FormError> {
        let mut values = self
            .0
            .iter()
            .filter(|(own, _)| own == name)
            .map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() {
            return Err(FormError::Repeated(name));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    /// Every non-empty value of a parameter that may be repeated (`resource`, RFC 8707, section 2).
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(own, value)| own == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// Whether the parameter was sent at all, even empty.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// The parameter names in order, repeated ones repeated.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Adds a parameter (for building a request).
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.push((name.to_owned(), value.into()));
        self
    }

    /// The encoded body.
    pub fn encode(&self) -> String {
        let mut out = String::new();
        for (name, value) in &self.0 {
            if !out.is_empty() {
                out.push('&');
            }
            out.push_str(&encode(name));
            out.push('=');
            out.push_str(&encode(value));
        }
        out
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Form-encodes one value (`+` for a space); also each half of Basic credentials (RFC 6749, section 2.3.1).
pub fn encode(value: &str) -> String {
    url::form_urlencoded::byte_serialize(value.as_bytes()).collect()
}

/// Decodes one form-encoded value strictly: every `%` needs two hexadecimal digits, the result must be UTF-8
/// without NUL.
///
/// # Errors
/// [`FormError::Encoding`].
pub fn decode(value: &[u8]) -> Result<String, FormError> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => {
                let high = rest
                    .next()
                    .and_then(|b| char::from(*b).to_digit(16))
                    .ok_or(FormError::Encoding)?;
                let low = rest
                    .next()
                    .and_then(|b| char::from(*b).to_digit(16))
                    .ok_or(FormError::Encoding)?;
                out.push(u8::try_from(high * 16 + low).map_err(|_| FormError::Encoding)?);
            }
            other => out.push(*other),
        }
    }
    // No parameter of any protocol here has a NUL, and not every store can hold one.
    if out.contains(&0) {
        return Err(FormError::Encoding);
    }
    String::from_utf8(out).map_err(|_| FormError::Encoding)
}

/// Why a form was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// More than [`MAX_FORM_BYTES`].
    #[error("the body is too large")]
    TooLarge,
    /// More than [`MAX_PARAMETERS`].
    #[error("there are too many parameters")]
    TooManyParameters,
    /// Not form encoding of UTF-8.
    #[error("the body is not form-encoded UTF-8")]
    Encoding,
    /// A parameter that may appear once appeared again.
    #[error("the parameter {0} appears more than once")]
    Repeated(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_encoded_reads_back(name in "[a-z_]{1,8}", value in "\\PC{0,40}") {
            let form = Form::default().with(&name, value);
            prop_assert_eq!(Form::parse(form.encode().as_bytes()).unwrap(), form);
        }

        #[test]
        fn no_body_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Form::parse(&body);
        }
    }

    #[test]
    fn a_repeated_parameter_is_refused_idp_tk_01() {
        let form = Form::parse(b"grant_type=a&grant_type=b").unwrap();
        assert_eq!(form.once("grant_type"), Err(FormError::Repeated("grant_type")));
    }

    #[test]
    fn half_an_escape_is_refused() {
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff", "a=b%00", "a%00=b", "a=\0"] {
            assert_eq!(Form::parse(bad.as_bytes()), Err(FormError::Encoding), "{bad}");
        }
    }

    #[test]
    fn values_are_not_printed() {
        let form = Form::parse(b"client_secret=hunter2").unwrap();
        assert!(!format!("{form:?}").contains("hunter2"));
    }
}
