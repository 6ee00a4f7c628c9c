//! Where requests may go besides the open internet.
//!
//! Owns the operator's rules. Never opens what [`Reach::Never`] closes.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use url::Host;

use crate::address::{Reach, reach};

/// The outbound policy of this process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Whether loopback may be reached, also over plain `http` (SEC-09). Refused at start with a public listener.
    pub development: bool,
    /// Private networks and names that may be reached, over `https`.
    pub allow: Vec<AllowRule>,
    /// Files of PEM certificates trusted besides those of the platform.
    pub ca_files: Vec<PathBuf>,
}

impl Outbound {
    /// Whether a connection to `address` and `port` may be opened, found under `name` if it was not written as a
    /// literal. The error names the reason.
    pub(crate) fn permits(&self, name: Option<&str>, address: IpAddr, port: u16) -> Result<(), &'static str> {
        // A resolver that sends `localhost` elsewhere would carry plain http out of the machine (RFC 6761, 6.3).
        let local = name.is_some_and(|name| name.eq_ignore_ascii_case("localhost"));
        match reach(address) {
            Reach::Never => Err("a link-local, metadata or special-use address"),
            Reach::Public if !local => Ok(()),
            Reach::Loopback if self.development => Ok(()),
            Reach::Loopback | Reach::Private
                if !local && self.allow.iter().any(|rule| rule.covers(name, address, port)) =>
            {
                Ok(())
            }
            Reach::Loopback => Err("a loopback address"),
            Reach::Private => Err("a private address without an allow rule"),
            Reach::Public => Err("the name localhost with a public address"),
        }
    }
}

/// A private destination that may be reached: an address, a network or a host name, with a port or with any.
///
/// Written `10.0.0.5`, `10.0.0.0/8`, `10.0.0.5:8443`, `fd00::/8`, `[fd00::1]:443`, `idp.internal` or
/// `idp.internal:8443`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AllowRule {
    target: Target,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Network(IpNet),
    Name(String),
}

impl AllowRule {
    /// Parses a rule.
    ///
    /// # Errors
    /// [`InvalidAllowRule`].
    pub fn parse(text: &str) -> Result<Self, InvalidAllowRule> {
        if let Some(inner) = text.strip_prefix('[') {
            let (network, rest) = inner.split_once(']').ok_or(InvalidAllowRule)?;
            let network = network_of(network).ok_or(InvalidAllowRule)?;
            let port = match rest {
                "" => None,
                rest => Some(port_of(rest.strip_prefix(':').ok_or(InvalidAllowRule)?)?),
            };
            return Ok(Self {
                target: Target::Network(network),
                port,
            });
        }
        if let Some(network) = network_of(text) {
            return Ok(Self {
                target: Target::Network(network),
                port: None,
            });
        }
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port_of(port)?)),
            None => (text, None),
        };
        if let Some(network) = network_of(host) {
            return Ok(Self {
                target: Target::Network(network),
                port,
            });
        }
        match Host::parse(host) {
            Ok(Host::Domain(name)) if !name.contains(['*', '%']) => Ok(Self {
                target: Target::Name(name),
                port,
            }),
            _ => Err(InvalidAllowRule),
        }
    }

    fn covers(&self, name: Option<&str>, address: IpAddr, port: u16) -> bool {
        if self.port.is_some_and(|own| own != port) {
            return false;
        }
        match &self.target {
            Target::Network(network) => network.contains(&address),
            Target::Name(own) => name.is_some_and(|name| name.trim_end_matches('.').eq_ignore_ascii_case(own)),
        }
    }
}

impl TryFrom<String> for AllowRule {
    type Error = InvalidAllowRule;

    fn try_from(text: String) -> Result<Self, InvalidAllowRule> {
        Self::parse(&text)
    }
}

impl std::str::FromStr for AllowRule {
    type Err = InvalidAllowRule;

    fn from_str(text: &str) -> Result<Self, InvalidAllowRule> {
        Self::parse(text)
    }
}

impl From<AllowRule> for String {
    fn from(rule: AllowRule) -> Self {
        rule.to_string()
    }
}

impl fmt::Display for AllowRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.port) {
            (Target::Network(network), None) => write!(f, "{network}"),
            (Target::Network(network), Some(port)) => write!(f, "[{network}]:{port}"),
            (Target::Name(name), None) => f.write_str(name),
            (Target::Name(name), Some(port)) => write!(f, "{name}:{port}"),
        }
    }
}

fn network_of(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn port_of(text: &str) -> Result<u16, InvalidAllowRule> {
    text.parse().ok().filter(|port| *port != 0).ok_or(InvalidAllowRule)
}

/// The text is not an allow rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an allow rule: an address, a network or a host name is needed, with an optional port")]
pub struct InvalidAllowRule;

#[cfg(test)]
mod tests {
    use super::*;

    fn outbound(development: bool, rules: &[&str]) -> Outbound {
        let allow = rules.iter().map(|rule| AllowRule::parse(rule).unwrap()).collect();
        Outbound {
            development,
            allow,
            ca_files: Vec::new(),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn rules_read_back() {
        for text in [
            "10.0.0.5",
            "10.0.0.0/8",
            "10.0.0.5:8443",
            "fd00::/8",
            "[fd00::1]:443",
            "idp.internal",
            "idp.internal:8443",
        ] {
            let rule = AllowRule::parse(text).unwrap();
            assert_eq!(AllowRule::parse(&rule.to_string()), Ok(rule), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "*",
            "*.internal",
            "10.0.0.0/99",
            "a b",
            "host:0",
            "host:99999",
            "[::1",
            "http://x",
            "a:1:2",
        ] {
            assert_eq!(AllowRule::parse(text), Err(InvalidAllowRule), "{text}");
        }
    }

    #[test]
    fn private_addresses_need_a_rule_for_address_and_port() {
        assert!(outbound(false, &[]).permits(None, ip("10.0.0.5"), 443).is_err());
        assert!(outbound(true, &[]).permits(None, ip("10.0.0.5"), 443).is_err());
        assert!(
            outbound(false, &["10.0.0.0/8"])
                .permits(None, ip("10.0.0.5"), 443)
                .is_ok()
        );
        assert!(
            outbound(false, &["10.0.0.0/8:443"])
                .permits(None, ip("10.0.0.5"), 8443)
                .is_err()
        );
        assert!(
            outbound(false, &["idp.internal"])
                .permits(Some("idp.internal"), ip("10.0.0.5"), 443)
                .is_ok()
        );
        assert!(
            outbound(false, &["idp.internal"])
                .permits(Some("evil.example"), ip("10.0.0.5"), 443)
                .is_err()
        );
        assert!(
            outbound(false, &["idp.internal"])
                .permits(None, ip("10.0.0.5"), 443)
                .is_err()
        );
    }

    #[test]
    fn no_rule_opens_metadata_addresses() {
        let all = outbound(true, &["0.0.0.0/0", "::/0", "metadata.internal"]);
        for address in [
            "169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
        ] {
            assert!(
                all.permits(Some("metadata.internal"), ip(address), 80).is_err(),
                "{address}"
            );
        }
    }

    #[test]
    fn localhost_is_this_machine_or_nothing() {
        assert!(
            outbound(true, &[])
                .permits(Some("localhost"), ip("127.0.0.1"), 80)
                .is_ok()
        );
        assert!(
            outbound(true, &["0.0.0.0/0"])
                .permits(Some("localhost"), ip("8.8.8.8"), 80)
                .is_err()
        );
        assert!(
            outbound(true, &["0.0.0.0/0"])
                .permits(Some("LOCALHOST"), ip("10.0.0.1"), 80)
                .is_err()
        );
    }
}
