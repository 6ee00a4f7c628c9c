//! Which identity provider a person belongs to, by the domain of what they typed: routing, never identity.

use url::Host;

use crate::store::StoreError;
use crate::store::upstream::UpstreamStore;
use crate::upstream::connection::Connection;

/// The domain of an address or of a user name that looks like one, in the form in which domains are stored.
pub fn domain_of(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    if local.is_empty() {
        return None;
    }
    parse_domain(domain)
}

/// A domain in lower case and ASCII, as in the DNS.
pub fn parse_domain(text: &str) -> Option<String> {
    match Host::parse(text.trim()) {
        Ok(Host::Domain(domain)) if domain.contains('.') => Some(domain.trim_end_matches('.').to_owned()),
        _ => None,
    }
}

/// The connection that is switched on for the domain of `text` (an address, a user name, or a bare domain).
///
/// # Errors
/// [`StoreError`].
pub fn find(tx: &mut dyn UpstreamStore, text: &str) -> Result<Option<Connection>, StoreError> {
    let domain = match text.contains('@') {
        true => domain_of(text),
        false => parse_domain(text),
    };
    match domain {
        Some(domain) => Ok(tx
            .find_connection_of_domain(&domain)?
            .filter(|connection| connection.enabled)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_what_follows_the_last_at_sign_in_lower_case() {
        assert_eq!(domain_of("Ada@Acme.Example").as_deref(), Some("acme.example"));
        assert_eq!(
            domain_of("\"a@b.example\"@acme.example").as_deref(),
            Some("acme.example")
        );
        assert_eq!(
            domain_of("ada@münchen.example").as_deref(),
            Some("xn--mnchen-3ya.example")
        );
    }

    #[test]
    fn what_is_no_address_has_no_domain() {
        for text in [
            "ada",
            "@acme.example",
            "ada@",
            "ada@127.0.0.1",
            "ada@localhost",
            "ada@a b.example",
        ] {
            assert_eq!(domain_of(text), None, "{text}");
        }
    }
}
