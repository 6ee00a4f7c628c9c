//! The client library against an IdP, an authorization server and an MCP server in memory.
#![expect(
    clippy::as_conversions,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod denial;
mod discovery;
mod interactive;
mod managed;
mod reauthentication;
mod renewal;
#[cfg(feature = "rmcp")]
mod rmcp_wire;
mod step_up;
mod world;
