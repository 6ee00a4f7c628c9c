//! Rules about URLs that several wire types share.
//!
//! Owns "https, or http on a loopback literal". Never resolves names.

use url::{Host, Url};

/// Whether the host of `url` is a loopback address literal (`127.0.0.0/8`, `::1`) or `localhost`.
///
/// `localhost` counts because peers use it; Lanyard itself always writes `127.0.0.1`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}

/// Whether `url` may carry credentials: `https`, or `http` on loopback (HT-01, SEC-09).
pub fn is_protected(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

/// Whether `value` is a URL of the commonest form, which is right without asking the parser: `https` (or `http` on
/// `127.0.0.1`), a lower-case host name, a port at most, and a path of unreserved characters. `false` says nothing.
///
/// Identifiers are read several times in each request; most have this form.
pub(crate) fn is_common(value: &str) -> bool {
    let (rest, secure) = match (value.strip_prefix("https://"), value.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (None, Some(rest)) => (rest, false),
        (None, None) => return false,
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let host_is_common = if secure {
        is_common_name(host)
    } else {
        host == "127.0.0.1"
    };
    let port_is_common = !port.is_empty()
        && port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok();
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    value.len() <= 1024 && host_is_common && port_is_common && path.bytes().all(unreserved)
}

/// A name that is neither an address nor internationalised: labels of lower-case letters, digits and inner hyphens, the
/// last of which begins with a letter.
fn is_common_name(host: &str) -> bool {
    let label = |label: &str| {
        let bytes = label.as_bytes();
        let within = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        bytes.len() <= 63
            && bytes.iter().all(within)
            && bytes.first().is_some_and(|first| *first != b'-')
            && bytes.last().is_some_and(|last| *last != b'-')
            && bytes.get(2..4) != Some(b"--")
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= 253 && host.split('.').all(label) && last.starts_with(|first: char| first.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_write_is_common_and_what_needs_a_parser_is_not() {
        for common in [
            "https://login.example",
            "https://a-b.c1.example:8443/t1/",
            "http://127.0.0.1:4502/figma/mcp",
        ] {
            assert!(is_common(common), "{common}");
        }
        for other in [
            "https://",
            "https://u@a.example",
            "https://A.example",
            "https://1.2.3.4",
            "https://a.0x7f",
            "https://a.1",
            "https://xn--a.example",
            "https://a..example",
            "https://a.example:",
            "https://a.example:65536",
            "https://a.example/%41",
            "https://a.example/a b",
            "https://a.example?x",
            "https://a.example/#x",
            "http://login.example",
            "http://localhost",
            "https://[::1]/",
        ] {
            assert!(!is_common(other), "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        // Every common text means to the parser what it means here.
        #[test]
        fn the_parser_agrees(value in "https?://([a-z0-9.:@%A-Z\\[\\]-]{1,12}|127\\.0\\.0\\.1)(:[0-9]{0,6})?(/[a-z0-9./_~%?# -]{0,8})?") {
            if is_common(&value) {
                let url = Url::parse(&value).unwrap();
                prop_assert!(is_protected(&url));
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(url.query().is_none() && url.fragment().is_none());
                prop_assert!(!value.chars().any(|c| c.is_whitespace() || c.is_control()));
            }
        }
    }
}
