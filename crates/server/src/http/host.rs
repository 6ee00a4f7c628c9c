//! Which names we answer to.
//!
//! Owns the comparison of `Host` with the hosts of our issuers, or with the names of a listener of our own people,
//! against DNS rebinding, and the choice between two issuers that share a listener. Never knows what lies behind a
//! router.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use lanyard_protocol::issuer::Issuer;
use tower::ServiceExt;

use crate::http::answer;

/// The authorities (`host` or `host:port`) that requests may name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// The authority of an issuer, with and without the default port.
    pub fn of(issuer: &Issuer) -> Self {
        let Ok(url) = url::Url::parse(issuer.as_str()) else {
            return Self::default();
        };
        let Some(host) = url.host_str() else {
            return Self::default();
        };
        let mut names = Vec::new();
        match url.port() {
            Some(port) => names.push(format!("{host}:{port}")),
            None => {
                names.push(host.to_owned());
                if let Some(port) = url.port_or_known_default() {
                    names.push(format!("{host}:{port}"));
                }
            }
        }
        Self(names)
    }

    /// Also these: names by which a terminating proxy calls us.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = String>) -> Self {
        self.0.extend(more);
        self
    }

    fn contain(&self, authority: &str) -> bool {
        self.0.iter().any(|own| own.eq_ignore_ascii_case(authority))
    }
}

/// Refuses requests for other hosts with 421 (RFC 9110, section 15.5.20).
fn only(router: Router, hosts: Hosts) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(hosts), check))
}

async fn check(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match authority(request.uri(), request.headers()) {
        Some(named) if hosts.contain(named) => next.run(request).await,
        _ => misdirected(),
    }
}

/// One router for a listener: chosen by Host, refusing every other host with 421. Rooms of the same hosts are merged
/// and told apart by path. Every public listener is built with it, also for one issuer.
pub fn by_host(rooms: Vec<(Hosts, Router)>) -> Router {
    let mut merged: Vec<(Hosts, Router)> = Vec::new();
    for (hosts, router) in rooms {
        match merged.iter().position(|(own, _)| *own == hosts) {
            Some(at) => {
                let (hosts, own) = merged.swap_remove(at);
                merged.push((hosts, own.merge(router)));
            }
            None => merged.push((hosts, router)),
        }
    }
    if let [_] = merged.as_slice() {
        let only_one = merged.pop();
        return only_one.map(|(hosts, router)| only(router, hosts)).unwrap_or_default();
    }
    let merged = Arc::new(merged);
    Router::new().fallback(move |request: Request| {
        let merged = Arc::clone(&merged);
        async move {
            let named = authority(request.uri(), request.headers());
            let room = named.and_then(|named| merged.iter().find(|(hosts, _)| hosts.contain(named)));
            match room {
                Some((_, router)) => match router.clone().oneshot(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                },
                None => misdirected(),
            }
        }
    })
}

/// A listener that our own people reach, such as the admin API: by a loopback address, `localhost`, the address it
/// listens on, or one of these names; every other host gets 421, and a page of another origin 403. Ports are not
/// compared: what a rebound name cannot have is one of these names (security, row 25).
pub fn private(router: Router, address: IpAddr, names: Vec<String>) -> Router {
    let own = Arc::new(PrivateNames { address, names });
    router.layer(middleware::from_fn_with_state(own, check_private))
}

struct PrivateNames {
    address: IpAddr,
    names: Vec<String>,
}

impl PrivateNames {
    fn contain(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            // An address in the place of a name cannot be rebound. Who listens on all of them is reached by each.
            Ok(ip) if ip.is_loopback() || ip == self.address || self.address.is_unspecified() => true,
            Ok(_) => self.names.iter().any(|own| own == host || own == bare),
            Err(_) => {
                host.eq_ignore_ascii_case("localhost") || self.names.iter().any(|own| own.eq_ignore_ascii_case(host))
            }
        }
    }

    fn contain_authority(&self, authority: &str) -> bool {
        authority
            .parse::<http::uri::Authority>()
            .is_ok_and(|authority| !authority.as_str().contains('@') && self.contain(authority.host()))
    }

    fn contain_origin(&self, origin: &str) -> bool {
        url::Url::parse(origin).is_ok_and(|origin| origin.host_str().is_some_and(|host| self.contain(host)))
    }
}

async fn check_private(State(own): State<Arc<PrivateNames>>, request: Request, next: Next) -> Response {
    if !authority(request.uri(), request.headers()).is_some_and(|named| own.contain_authority(named)) {
        return misdirected();
    }
    let mut origins = request.headers().get_all(http::header::ORIGIN).iter();
    if !origins.all(|origin| origin.to_str().is_ok_and(|origin| own.contain_origin(origin))) {
        return answer::text(StatusCode::FORBIDDEN, "pages of that origin may not ask here\n");
    }
    next.run(request).await
}

/// The authority of the request line (HTTP/2) or of exactly one `Host` header.
fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut given = headers.get_all(http::header::HOST).iter();
    match (given.next(), given.next()) {
        (None, _) => uri.authority().map(http::uri::Authority::as_str),
        (Some(host), None) => host.to_str().ok(),
        (Some(_), Some(_)) => None,
    }
}

fn misdirected() -> Response {
    answer::text(
        StatusCode::MISDIRECTED_REQUEST,
        "this server does not answer for that host\n",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(issuer: &str) -> Hosts {
        Hosts::of(&Issuer::parse(issuer).unwrap())
    }

    #[test]
    fn the_default_port_may_be_named_or_not() {
        let hosts = hosts("https://Login.example/t1");
        assert!(hosts.contain("login.example") && hosts.contain("LOGIN.example:443"));
        assert!(!hosts.contain("login.example:8443") && !hosts.contain("evil.example"));
    }

    #[test]
    fn another_port_on_loopback_is_another_host() {
        let hosts = hosts("http://127.0.0.1:4500");
        assert!(hosts.contain("127.0.0.1:4500"));
        assert!(!hosts.contain("127.0.0.1") && !hosts.contain("rebound.example:4500"));
    }

    #[test]
    fn a_private_listener_answers_to_addresses_and_configured_names_only() {
        let own = PrivateNames {
            address: IpAddr::from([10, 0, 0, 7]),
            names: vec!["admin.example".to_owned(), "192.0.2.9".to_owned()],
        };
        for good in [
            "127.0.0.1:4503",
            "127.8.8.8",
            "[::1]:4503",
            "LOCALHOST:1",
            "10.0.0.7:443",
            "Admin.example:9000",
            "192.0.2.9",
        ] {
            assert!(own.contain_authority(good), "{good}");
        }
        for bad in [
            "rebound.example:4503",
            "10.0.0.8",
            "localhost.evil.example",
            "user@127.0.0.1",
            "admin.example.",
            "",
            "127.0.0.1.evil.example",
        ] {
            assert!(!own.contain_authority(bad), "{bad}");
        }
        assert!(own.contain_origin("https://admin.example") && !own.contain_origin("null"));
        let everywhere = PrivateNames {
            address: IpAddr::from([0, 0, 0, 0]),
            names: Vec::new(),
        };
        assert!(everywhere.contain_authority("10.9.8.7:80") && !everywhere.contain_authority("rebound.example"));
    }

    #[test]
    fn two_host_headers_name_nobody() {
        let mut headers = HeaderMap::new();
        headers.append("host", "a.example".parse().unwrap());
        headers.append("host", "b.example".parse().unwrap());
        assert_eq!(authority(&Uri::from_static("/"), &headers), None);
    }
}
