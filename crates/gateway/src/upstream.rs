//! The servers behind the gateway: which addresses are allowed, and the connection pool.
//!
//! Owns where a call may be forwarded to. Never chooses a route and never follows a redirect.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use lanyard_protocol::url_rules;
use tower::Service;
use url::{Host, Url};

/// Forwards requests over pooled connections.
#[derive(Clone)]
pub(crate) struct Upstream {
    client: Client<HttpsConnector<HttpConnector<CheckedNames>>, Full<Bytes>>,
    headers_within: Duration,
}

impl Upstream {
    pub(crate) fn new(tls: rustls::ClientConfig, connect_within: Duration, headers_within: Duration) -> Self {
        let mut http = HttpConnector::new_with_resolver(CheckedNames(GaiResolver::new()));
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(connect_within));
        let mut tls = tls;
        tls.alpn_protocols.clear();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .enable_http2()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(128)
            .build(connector);
        Self { client, headers_within }
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, UpstreamError> {
        match tokio::time::timeout(self.headers_within, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(UpstreamError::Unreachable(error)),
            Err(_) => Err(UpstreamError::Slow),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    #[error("the server behind the gateway could not be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("the server behind the gateway did not answer in time")]
    Slow,
}

/// Where the calls of a route go.
pub(crate) struct Target {
    pub(crate) uri: Uri,
    /// What HTTP/1 names the server by; absent where the connection may turn out to be HTTP/2, which has its own way.
    pub(crate) host: Option<HeaderValue>,
}

impl Target {
    fn new(url: &Url) -> Option<Self> {
        let uri = Uri::try_from(url.as_str()).ok()?;
        let authority = uri.authority()?.as_str();
        let host = match url.scheme() {
            "http" => Some(HeaderValue::from_str(authority).ok()?),
            _ => None,
        };
        Some(Self { host, uri })
    }
}

/// Checks the address of an upstream: `https`, or `http` on loopback, or `http` anywhere with `insecure`. Link-local
/// addresses, where clouds keep their metadata, stay closed (architecture, section 4).
///
/// # Errors
/// What is wrong, in words for the operator.
pub(crate) fn parse(address: &str, insecure: bool) -> Result<Target, &'static str> {
    let url = Url::parse(address).map_err(|_| "the upstream is not an absolute URL")?;
    match url.scheme() {
        "https" => {}
        "http" if insecure || url_rules::is_loopback(&url) => {}
        "http" => return Err("a plain http upstream off loopback needs insecure_upstream = true"),
        _ => return Err("the upstream is neither https nor http"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the upstream carries user information");
    }
    if url.fragment().is_some() {
        return Err("the upstream has a fragment");
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        Some(Host::Domain(_)) => None,
        None => return Err("the upstream has no host"),
    };
    if literal.is_some_and(is_closed) {
        return Err("the upstream's address is never a server");
    }
    Target::new(&url).ok_or("the upstream is not an absolute URL")
}

/// Addresses that are never a server behind a gateway: link-local, unspecified, multicast, broadcast.
fn is_closed(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified() || v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => {
            let cloud_metadata = v6.segments().starts_with(&[0xfd00, 0x0ec2]);
            v6.is_unicast_link_local() || v6.is_unspecified() || v6.is_multicast() || cloud_metadata
        }
    }
}

/// Resolves names and leaves out closed addresses, so that a name cannot lead where a literal may not.
#[derive(Clone)]
struct CheckedNames(GaiResolver);

impl Service<Name> for CheckedNames {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let found = self.0.call(name);
        Box::pin(async move {
            let open: Vec<SocketAddr> = found.await?.filter(|address| !is_closed(address.ip())).collect();
            if open.is_empty() {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, "no allowed address"));
            }
            Ok(open.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_off_loopback_needs_a_word_of_the_operator() {
        assert!(parse("http://127.0.0.1:9000/mcp", false).is_ok());
        assert!(parse("https://mcp.example/mcp", false).is_ok());
        assert!(parse("http://10.0.0.7/mcp", false).is_err());
        assert!(parse("http://10.0.0.7/mcp", true).is_ok());
    }

    #[test]
    fn the_server_is_named_as_its_address_has_it() {
        let host = |address| {
            parse(address, true)
                .unwrap()
                .host
                .map(|host| host.to_str().unwrap().to_owned())
        };
        assert_eq!(host("http://MCP.example:80/mcp").as_deref(), Some("mcp.example"));
        assert_eq!(host("http://mcp.example:8080/mcp").as_deref(), Some("mcp.example:8080"));
        assert_eq!(host("http://[::1]:9000").as_deref(), Some("[::1]:9000"));
        assert_eq!(host("https://mcp.example/mcp"), None);
    }

    #[test]
    fn addresses_that_are_never_a_server_stay_closed() {
        for bad in [
            "http://169.254.169.254/latest",
            "https://[fe80::1]/mcp",
            "https://[::ffff:169.254.169.254]/mcp",
            "https://[fd00:ec2::254]/mcp",
            "https://0.0.0.0/mcp",
            "ftp://h/mcp",
            "https://u:p@h/mcp",
            "/mcp",
        ] {
            assert!(parse(bad, true).is_err(), "{bad}");
        }
    }
}
