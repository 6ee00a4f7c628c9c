//! Which identity provider a person belongs to, by the domain of what they typed: routing, never identity.

use url::Host;

use crate::id::ConnectionId;
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

/// How somebody who must sign in may be led.
#[derive(Debug, Clone, PartialEq)]
pub enum Way {
    /// The form for user name and password, and whether there are other ways.
    Password {
        /// Whether a provider is offered too.
        others: bool,
    },
    /// Straight to this provider.
    Straight(Box<Connection>),
    /// The page of the ways, with these providers.
    Choose(Vec<Connection>),
}

/// What is known before a person has typed anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// A choice that the person made already.
    pub choice: Choice,
    /// Addresses, user names or domains that the client knows the person by, the best first.
    pub hints: Vec<String>,
    /// How the person signed in whose session is not enough any more.
    pub last: Option<Last>,
}

/// How somebody signed in before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Last {
    /// With a password or a passkey of ours.
    Here,
    /// At this provider.
    At(ConnectionId),
}

/// A choice of the person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// None yet.
    #[default]
    None,
    /// To see the ways: also where a default would be taken, so that nobody is kept out by a provider that is down.
    Page,
    /// User name and password: local accounts for an emergency.
    Password,
}

/// The providers that are switched on, by name.
///
/// # Errors
/// [`StoreError`].
pub fn offered(tx: &mut dyn UpstreamStore) -> Result<Vec<Connection>, StoreError> {
    let mut all = tx.list_connections()?;
    all.retain(|connection| connection.enabled);
    Ok(all)
}

/// How somebody who must sign in is led: as they chose; to the provider of the first hint that has one; as they signed in
/// last; to the default; else they choose. Without any provider there is only the password.
///
/// # Errors
/// [`StoreError`].
pub fn way(tx: &mut dyn UpstreamStore, asked: &Asked) -> Result<Way, StoreError> {
    let offered = offered(tx)?;
    if offered.is_empty() {
        return Ok(Way::Password { others: false });
    }
    match asked.choice {
        Choice::Password => return Ok(Way::Password { others: true }),
        Choice::Page => return Ok(Way::Choose(offered)),
        Choice::None => {}
    }
    for hint in &asked.hints {
        if let Some(connection) = find(tx, hint)? {
            return Ok(Way::Straight(Box::new(connection)));
        }
    }
    let again = match &asked.last {
        Some(Last::Here) => return Ok(Way::Password { others: true }),
        Some(Last::At(id)) => offered.iter().find(|connection| connection.id == *id),
        None => None,
    };
    Ok(
        match again.or_else(|| offered.iter().find(|connection| connection.is_default)) {
            Some(connection) => Way::Straight(Box::new(connection.clone())),
            None => Way::Choose(offered),
        },
    )
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
