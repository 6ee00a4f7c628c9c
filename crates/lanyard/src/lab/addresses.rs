//! Where everything of a lab stands: one port base, always 127.0.0.1.

use lanyard_protocol::issuer::Issuer;
use std::net::{Ipv4Addr, SocketAddr};

/// The ports of a lab. Base 0 cannot be used: addresses are written into tokens before sockets are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Addresses {
    base: u16,
}

impl Addresses {
    /// Ports from `base` on; `None` when they would pass 65535.
    pub(crate) const fn new(base: u16) -> Option<Self> {
        if base == 0 || base > 65_500 {
            None
        } else {
            Some(Self { base })
        }
    }

    /// The issuer's socket.
    pub(crate) fn issuer(self) -> SocketAddr {
        self.at(0)
    }

    /// The RAS's socket.
    pub(crate) fn ras(self) -> SocketAddr {
        self.at(1)
    }

    /// The gateway's socket.
    pub(crate) fn gateway(self) -> SocketAddr {
        self.at(2)
    }

    /// The admin API's socket.
    pub(crate) fn admin(self) -> SocketAddr {
        self.at(3)
    }

    /// The metrics' socket.
    pub(crate) fn metrics(self) -> SocketAddr {
        self.at(4)
    }

    /// The socket of the n-th sample server.
    pub(crate) fn sample(self, n: usize) -> SocketAddr {
        self.at(u16::try_from(n).unwrap_or(0).saturating_add(5))
    }

    /// The issuer identifier of the IdP.
    ///
    /// # Errors
    /// Never for an address of this type.
    pub(crate) fn issuer_id(self) -> anyhow::Result<Issuer> {
        Ok(Issuer::parse(format!("http://{}", self.issuer()))?)
    }

    /// The issuer identifier of the RAS.
    ///
    /// # Errors
    /// Never for an address of this type.
    pub(crate) fn ras_id(self) -> anyhow::Result<Issuer> {
        Ok(Issuer::parse(format!("http://{}", self.ras()))?)
    }

    /// The MCP URL of a connector, which is its resource identifier too.
    pub(crate) fn mcp_url(self, connector: &str) -> String {
        format!("http://{}/{connector}/mcp", self.gateway())
    }

    fn at(self, offset: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.base.saturating_add(offset)).into()
    }
}
