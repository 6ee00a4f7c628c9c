//! Messages of MCP clients: what the gateway decides on is what it hands on.

use lanyard_gateway::fuzz::rewritten;
use serde_json::Value;

/// A body. What is handed on says the same, and is handed on as it is from then on.
pub fn mcp_message(data: &[u8]) {
    let Some(out) = rewritten(data) else { return };
    let before: Option<Value> = serde_json::from_slice(data).ok();
    let after: Option<Value> = serde_json::from_slice(&out).ok();
    assert!(before.is_some(), "what was taken is JSON");
    assert!(after.is_some(), "what is handed on is JSON");
    assert_eq!(before, after);
    assert_eq!(rewritten(&out).as_ref(), Some(&out));
}
