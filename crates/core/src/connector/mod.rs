//! Connectors: approved MCP servers, as the IdP's catalogue and the gateway know them.

pub mod record;
pub mod route;
