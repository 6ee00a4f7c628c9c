//! Name resolution with every address checked (SEC-08).
//!
//! Owns the resolver that the HTTP client uses: it connects only to addresses that came through here.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::allow::Outbound;

/// What [`Lookup::lookup`] returns.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Turns a name into addresses. A trait so that tests can answer differently each time, as an attacker would.
pub trait Lookup: Send + Sync {
    /// All addresses of `name`.
    fn lookup(&self, name: &str) -> LookupFuture;
}

/// The resolver of the operating system.
pub(crate) struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> LookupFuture {
        let name = name.to_owned();
        Box::pin(async move {
            Ok(tokio::net::lookup_host((name, 0))
                .await?
                .map(|address| address.ip())
                .collect())
        })
    }
}

/// The resolver for one port: rules may depend on it, and the client does not tell it.
pub(crate) struct Checked {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) outbound: Arc<Outbound>,
    pub(crate) port: u16,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, outbound, port) = (Arc::clone(&self.lookup), Arc::clone(&self.outbound), self.port);
        Box::pin(async move {
            let name = name.as_str();
            let addresses = lookup.lookup(name).await?;
            for address in &addresses {
                // One bad address refuses the answer: honest names do not mix inside and outside.
                outbound.permits(Some(name), *address, port).map_err(Refused)?;
            }
            let addresses: Addrs = Box::new(addresses.into_iter().map(move |address| SocketAddr::new(address, port)));
            Ok(addresses)
        })
    }
}

/// An address that may not be reached; found again in the client's chain of errors.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) &'static str);
