//! The methods of the protocol.
//!
//! Owns which ones exist in which revision and what their messages are about. Never decides who may use them.

use super::version::Era;

/// The member of `params` that names what a request is about; mirrored in `Mcp-Name` (RS-W26-02).
pub(crate) fn subject_of(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" | "tasks/result" => Some("taskId"),
        _ => None,
    }
}

/// Whether 2026-07-28 demands `Mcp-Name` on this method.
pub(crate) fn needs_name_header(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get" | "resources/read")
}

/// Whether a method belongs to the revision, so that it is forwarded on a route without the entry `*`.
pub(crate) fn is_known(era: Era, method: &str) -> bool {
    let in_both = matches!(
        method,
        "tools/list"
            | "tools/call"
            | "prompts/list"
            | "prompts/get"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
            | "completion/complete"
    );
    in_both
        || match era {
            Era::Sessions => is_removed(method),
            Era::Stateless => matches!(method, "server/discover" | "subscriptions/listen"),
        }
}

/// Whether a method of 2025-11-25 is gone in 2026-07-28 (RS-W26-03).
pub(crate) fn is_removed(method: &str) -> bool {
    matches!(
        method,
        "initialize" | "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe"
    )
}

/// Whether the result carries `cacheScope` in 2026-07-28 (RS-W26-06).
pub(crate) fn is_cacheable(method: &str) -> bool {
    matches!(
        method,
        "server/discover"
            | "tools/list"
            | "prompts/list"
            | "resources/list"
            | "resources/templates/list"
            | "resources/read"
    )
}

/// Whether the result may ask the client to come back with a state (2026-07-28).
pub(crate) fn may_ask(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get" | "resources/read")
}
