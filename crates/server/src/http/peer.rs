//! Who is calling, by address.
//!
//! Owns the rule which hop is believed. Never decides anything by an address alone.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::HeaderMap;
use http::request::Parts;
use ipnet::IpNet;

/// The address at the other end of the connection, put into the request's extensions by the listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Reverse proxies whose `X-Forwarded-For` is believed. Empty: nobody's is.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// These networks are ours.
    pub const fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// The client's address: the connection's peer, or behind trusted proxies the last hop that is not one of them.
    pub fn client(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = connection(parts)?;
        if self.0.is_empty() || !self.trusts(peer) {
            return Some(peer);
        }
        Some(self.forwarded(&parts.headers).unwrap_or(peer))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Reads from the right: what stands further left was written by somebody we do not know.
    fn forwarded(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let mut hops = Vec::new();
        for value in headers.get_all("x-forwarded-for") {
            for hop in value.to_str().ok()?.split(',') {
                hops.push(hop.trim().parse::<IpAddr>().ok()?);
            }
        }
        let outermost = hops.first().copied();
        hops.into_iter().rev().find(|hop| !self.trusts(*hop)).or(outermost)
    }
}

fn connection(parts: &Parts) -> Option<IpAddr> {
    if let Some(Peer(address)) = parts.extensions.get::<Peer>() {
        return Some(address.to_canonical());
    }
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(address)| address.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(peer: &str, forwarded: &[&str]) -> Parts {
        let mut request = http::Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(peer.parse().unwrap()));
        parts
    }

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()])
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn without_trusted_proxies_nobody_can_claim_an_address() {
        assert_eq!(
            TrustedProxies::default().client(&parts("192.0.2.1", &["1.1.1.1"])),
            address("192.0.2.1")
        );
    }

    #[test]
    fn a_stranger_cannot_claim_an_address() {
        assert_eq!(
            proxies().client(&parts("192.0.2.1", &["1.1.1.1"])),
            address("192.0.2.1")
        );
    }

    #[test]
    fn behind_a_proxy_the_last_hop_that_is_not_a_proxy_counts() {
        let given = parts("10.0.0.1", &["6.6.6.6, 203.0.113.9", "10.9.9.9"]);
        assert_eq!(proxies().client(&given), address("203.0.113.9"));
    }

    #[test]
    fn an_unreadable_chain_falls_back_to_the_proxy() {
        assert_eq!(proxies().client(&parts("10.0.0.1", &["unknown"])), address("10.0.0.1"));
    }
}
