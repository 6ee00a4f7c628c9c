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
