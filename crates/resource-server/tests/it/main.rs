//! The layer as a server author uses it: tokens signed here, a service behind it, no sockets.
#![expect(clippy::unwrap_used, reason = "test")]

mod layer;
mod tokens;
mod world;
