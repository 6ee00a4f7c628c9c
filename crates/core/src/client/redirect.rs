//! Redirect URIs (IDP-AU-03; RFC 8252, section 7.3).
//!
//! Owns the comparison with what is registered. Never redirects.

use crate::client::registration::Client;

/// Whether the client registered `uri`: byte for byte, except that the port of a loopback address literal may differ.
pub fn is_registered(client: &Client, uri: &str) -> bool {
    client.redirect_uris.iter().any(|registered| matches(registered, uri))
}

fn matches(registered: &str, uri: &str) -> bool {
    if registered == uri {
        return true;
    }
    match (loopback(registered), loopback(uri)) {
        (Some(own), Some(given)) => own == given,
        _ => false,
    }
}

/// A loopback URI without its port: (address, path and query); `None` for every other URI. A port must be 1 to 5
/// digits, so that nothing else can hide there.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let rest = uri.strip_prefix("http://")?;
    let (address, rest) = ["127.0.0.1", "[::1]"]
        .iter()
        .find_map(|address| Some((*address, rest.strip_prefix(address)?)))?;
    let rest = match rest.strip_prefix(':') {
        Some(after) => {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (port, rest) = after.split_at(end);
            port.parse::<u16>().ok()?;
            rest
        }
        None => rest,
    };
    let clean = rest.is_empty() || rest.starts_with('/') || rest.starts_with('?');
    (clean && !rest.contains('#')).then_some((address, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_literal_may_differ_idp_au_03() {
        let registered = "http://127.0.0.1/cb";
        for good in ["http://127.0.0.1/cb", "http://127.0.0.1:49711/cb"] {
            assert!(matches(registered, good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:49711/cb/extra",
            "http://127.0.0.1:49711/cb?x",
            "http://localhost:49711/cb",
            "https://127.0.0.1:49711/cb",
            "http://127.0.0.1:49711@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:99999/cb",
            "http://[::1]:1/cb",
        ] {
            assert!(!matches(registered, bad), "{bad}");
        }
    }

    #[test]
    fn another_uri_is_compared_byte_for_byte_idp_au_03() {
        assert!(matches("https://ide.example/cb", "https://ide.example/cb"));
        for bad in [
            "https://ide.example:443/cb",
            "https://ide.example/cb/",
            "https://IDE.example/cb",
        ] {
            assert!(!matches("https://ide.example/cb", bad), "{bad}");
        }
    }
}
