//! [`Fetch`] over HTTP/1.1 and TLS.
//!
//! Owns the checks of a single request (SEC-08): scheme, address, redirect, deadline, size. No proxy from the
//! environment, no cookies, no retries, no compression.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use lanyard_protocol::url_rules;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use rustls::ClientConfig;
use url::{Host, Url};

use crate::allow::Outbound;
use crate::error::FetchError;
use crate::lookup::{Checked, Lookup, Refused, SystemLookup};
use crate::request::{Fetch, FetchFuture, FetchRequest, FetchResponse};
use crate::tls;

/// Connections are kept for one client per port; beyond this many ports all are dropped.
const MAX_PORTS: usize = 64;

/// Outbound HTTP under a policy.
pub struct HttpFetch {
    outbound: Arc<Outbound>,
    tls: ClientConfig,
    lookup: Arc<dyn Lookup>,
    /// The resolver of a client must know the port (see [`Checked`]), so that there is a client for each.
    clients: Mutex<HashMap<u16, Client>>,
}

impl HttpFetch {
    /// Outbound HTTP with the resolver of the operating system.
    ///
    /// # Errors
    /// [`FetchError::Configuration`] when a CA file cannot be read or there is no root at all.
    pub fn new(outbound: &Outbound) -> Result<Self, FetchError> {
        Self::with_lookup(outbound, Arc::new(SystemLookup))
    }

    /// Outbound HTTP with another resolver; its answers are checked in the same way.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_lookup(outbound: &Outbound, lookup: Arc<dyn Lookup>) -> Result<Self, FetchError> {
        let tls = tls::client_config(outbound)?;
        Ok(Self {
            outbound: Arc::new(outbound.clone()),
            tls,
            lookup,
            clients: Mutex::default(),
        })
    }

    /// The port to connect to, after every check that needs no resolver.
    fn check(&self, url: &Url) -> Result<u16, FetchError> {
        match url.scheme() {
            "https" => {}
            "http" if self.outbound.development && url_rules::is_loopback(url) => {}
            "http" => return Err(FetchError::Forbidden("plain http")),
            _ => return Err(FetchError::Forbidden("another scheme than https")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::Forbidden("user information in the URL"));
        }
        let port = url.port_or_known_default().ok_or(FetchError::Forbidden("no port"))?;
        // The client does not ask its resolver about literals.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(FetchError::Forbidden("no host")),
        };
        if let Some(address) = literal {
            self.outbound
                .permits(None, address, port)
                .map_err(FetchError::Forbidden)?;
        }
        Ok(port)
    }

    fn client(&self, port: u16) -> Result<Client, FetchError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&port) {
            return Ok(client.clone());
        }
        let resolver = Checked {
            lookup: Arc::clone(&self.lookup),
            outbound: Arc::clone(&self.outbound),
            port,
        };
        let client = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Arc::new(resolver))
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .pool_idle_timeout(Duration::from_secs(30))
            .user_agent(concat!("lanyard/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|_| FetchError::Configuration("the HTTP client cannot be built".to_owned()))?;
        if clients.len() >= MAX_PORTS {
            clients.clear();
        }
        clients.insert(port, client.clone());
        Ok(client)
    }

    async fn send(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        let port = self.check(&request.url)?;
        let show_redirects = request.show_redirects;
        let mut outgoing = self
            .client(port)?
            .request(request.method, request.url)
            .headers(request.headers);
        if !request.body.is_empty() {
            outgoing = outgoing.body(request.body);
        }
        let answer = outgoing.send().await.map_err(|error| cause(&error))?;
        if answer.status().is_redirection() && !show_redirects {
            return Err(FetchError::Forbidden("a redirect"));
        }
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(FetchResponse {
            status,
            headers,
            body: read(answer, request.max_body).await?,
        })
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        Box::pin(async move {
            let deadline = request.timeout;
            tokio::time::timeout(deadline, self.send(request))
                .await
                .unwrap_or(Err(FetchError::Timeout))
        })
    }
}

impl std::fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpFetch")
            .field("outbound", &self.outbound)
            .finish_non_exhaustive()
    }
}

/// Reads to the end or to the limit, whichever comes first; what was announced as too large is not read at all.
async fn read(mut answer: Response, limit: usize) -> Result<Bytes, FetchError> {
    let announced = answer
        .content_length()
        .map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced > limit {
        return Err(FetchError::TooLarge);
    }
    let mut body = BytesMut::with_capacity(announced.min(limit));
    while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The reason behind the client's error. Its text is dropped: it may quote the other side.
fn cause(error: &reqwest::Error) -> FetchError {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = next {
        if let Some(found) = known(current) {
            return found;
        }
        // The source of an io::Error skips the error it wraps.
        next = match current.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    if error.is_timeout() {
        FetchError::Timeout
    } else {
        FetchError::Unreachable
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<FetchError> {
    if let Some(Refused(reason)) = error.downcast_ref() {
        return Some(FetchError::Forbidden(reason));
    }
    error.downcast_ref::<rustls::Error>().map(|_| FetchError::Tls)
}
