//! The MCP gateway: a reverse proxy that protects Streamable HTTP MCP servers which cannot do it themselves.
//!
//! It verifies the access token, decides on method and tool, writes one audit event per call, and forwards a fresh
//! request with its own credentials. It never depends on the directory or the database: routes and revocations are
//! given to it ([`Gateway::replace_routes`](gateway::Gateway::replace_routes), [`feed`]).
//!
//! What a route's status means: `active` forwards; `staged` publishes its metadata and answers a good token with 403
//! without a challenge; `off` is 404 everywhere, like an address that never was.

mod admission;
mod answer;
pub mod audit;
pub mod body;
pub mod credentials;
mod decide;
pub mod delivery;
pub mod feed;
mod forward;
#[doc(hidden)]
pub mod fuzz;
pub mod gateway;
mod handles;
mod mcp;
mod proxy;
mod route;
mod session;
pub mod settings;
mod upstream;

pub use self::route::{RouteProblem, check_route};
