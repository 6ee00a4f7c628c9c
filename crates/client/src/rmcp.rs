//! The adapter to `rmcp`: tokens for its HTTP client, and an HTTP client over [`lanyard_fetch::Fetch`].
//!
//! Owns how challenges become tokens and the declaration of the extension. Never speaks MCP itself.

pub mod authorized;
pub mod over_fetch;

use lanyard_protocol::EMA_EXTENSION;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, JsonObject, ProtocolVersion};
use rmcp::service::ClientLifecycleMode;

/// What a client says of itself, with Enterprise-Managed Authorization declared. `rmcp` sends it in `initialize` on
/// the 2025-11-25 wire and with every request on the 2026-07-28 wire (CL-WR-01).
pub fn client_info(name: &str, version: &str) -> ClientConfig {
    let mut capabilities = ClientCapabilities::default();
    declare(&mut capabilities);
    ClientConfig::new(capabilities, Implementation::new(name, version))
}

/// Declares Enterprise-Managed Authorization among the capabilities of a client (CL-WR-01).
pub fn declare(capabilities: &mut ClientCapabilities) {
    capabilities
        .extensions
        .get_or_insert_default()
        .insert(EMA_EXTENSION.to_owned(), JsonObject::new());
}

/// Tries the 2026-07-28 wire first and falls back to `initialize` (CL-WR-02).
pub fn either_wire() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    }
}
