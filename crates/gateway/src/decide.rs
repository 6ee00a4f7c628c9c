//! Who may do what on a route (RS-GW-04, RS-TK-06).
//!
//! Owns the decision on method and tool, from values alone. Never looks at headers: what it reads is what is forwarded.

use lanyard_protocol::gateway::Route;
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::step_up::AuthenticationNeed;

use crate::mcp::message::{Message, MessageKind};
use crate::mcp::method;
use crate::mcp::version::Era;

/// The entry of a tool map that stands for every tool not named.
const EVERY_TOOL: &str = "*";

/// Why a message is not forwarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denial {
    /// The token lacks scopes; all that the operation needs are listed.
    Scope(ScopeSet),
    /// The tool is not mapped: refused whoever asks, and whether or not the server has it.
    UnmappedTool,
    /// The method does not exist in this revision.
    UnknownMethod,
}

impl Denial {
    /// The stable name for the audit log.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Scope(_) => "insufficient_scope",
            Self::UnmappedTool => "tool_not_mapped",
            Self::UnknownMethod => "method_unknown",
        }
    }
}

/// Decides on one message. `known` is every scope that means something on the route.
pub(crate) fn decide(
    route: &Route,
    known: &ScopeSet,
    held: Option<&ScopeSet>,
    era: Era,
    message: &Message<'_>,
) -> Result<(), Denial> {
    require_any(route, known, held)?;
    if message.kind == MessageKind::Response {
        return Ok(());
    }
    // What is called without an id is not answered and not recorded, and some server may do it all the same.
    if message.kind == MessageKind::Notification {
        let is_notification = message.method.starts_with("notifications/");
        return if is_notification {
            Ok(())
        } else {
            Err(Denial::UnknownMethod)
        };
    }
    if message.method == "tools/call" {
        let needed = message
            .name
            .as_deref()
            .and_then(|tool| needed_for(route, tool))
            .ok_or(Denial::UnmappedTool)?;
        return if covers(held, needed) {
            Ok(())
        } else {
            Err(Denial::Scope(needed.clone()))
        };
    }
    if era == Era::Stateless && method::is_removed(&message.method) {
        return Err(Denial::UnknownMethod);
    }
    if method::is_known(era, &message.method) {
        return Ok(());
    }
    // A method that we do not know could do anything, so it needs what an unnamed tool needs.
    let needed = route.tools.get(EVERY_TOOL).ok_or(Denial::UnknownMethod)?;
    if covers(held, needed) {
        Ok(())
    } else {
        Err(Denial::Scope(needed.clone()))
    }
}

/// The sign-in that a request asks for besides its scopes (SU-05): that of its tool, or of every tool not named.
pub(crate) fn authentication_needed<'a>(
    route: &'a Route,
    era: Era,
    message: &Message<'_>,
) -> Option<&'a AuthenticationNeed> {
    if route.authentication.is_empty() || message.kind != MessageKind::Request {
        return None;
    }
    let tool = if message.method == "tools/call" {
        let named = message.name.as_deref();
        named
            .filter(|tool| route.tools.contains_key(*tool))
            .unwrap_or(EVERY_TOOL)
    } else if method::is_known(era, &message.method) {
        return None;
    } else {
        EVERY_TOOL
    };
    route.authentication.get(tool)
}

/// A token needs some scope of the route for anything at all; a token without scopes has no privileges.
pub(crate) fn require_any(route: &Route, known: &ScopeSet, held: Option<&ScopeSet>) -> Result<(), Denial> {
    if known.is_empty() || held.is_some_and(|held| held.iter().any(|scope| known.contains(scope))) {
        return Ok(());
    }
    Err(Denial::Scope(if route.scopes.is_empty() {
        known.clone()
    } else {
        route.scopes.clone()
    }))
}

/// Whether a tool may be called with these scopes.
pub(crate) fn may_call(route: &Route, held: Option<&ScopeSet>, tool: &str) -> bool {
    needed_for(route, tool).is_some_and(|needed| covers(held, needed))
}

fn needed_for<'a>(route: &'a Route, tool: &str) -> Option<&'a ScopeSet> {
    // The entry "*" is a rule, not a tool of that name.
    route.tools.get(tool).or_else(|| route.tools.get(EVERY_TOOL))
}

fn covers(held: Option<&ScopeSet>, needed: &ScopeSet) -> bool {
    needed.is_empty() || held.is_some_and(|held| needed.is_subset(held))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn route(tools: serde_json::Value) -> Route {
        serde_json::from_value(json!({
            "name": "ledger", "resource": "https://h/mcp", "authorization_server": "https://ras",
            "upstream": "https://u/mcp", "tools": tools, "scopes": "read", "status": "active",
        }))
        .unwrap()
    }

    fn decided(tools: serde_json::Value, held: &str, era: Era, body: serde_json::Value) -> Result<(), Denial> {
        let route = route(tools);
        let known = route
            .tools
            .values()
            .fold(route.scopes.clone(), |all, scopes| all.union(scopes));
        let held = ScopeSet::parse(held).unwrap();
        let mut body = body;
        body["jsonrpc"] = json!("2.0");
        body["id"] = json!(1);
        let body = body.to_string();
        decide(
            &route,
            &known,
            Some(&held),
            era,
            &Message::read(body.as_bytes()).unwrap(),
        )
    }

    fn call(tool: &str) -> serde_json::Value {
        json!({"method": "tools/call", "params": {"name": tool}})
    }

    #[test]
    fn a_tool_that_is_not_mapped_is_refused_to_everyone_rs_gw_04() {
        let tools = json!({"a": "read"});
        assert_eq!(decided(tools.clone(), "read write", Era::Sessions, call("a")), Ok(()));
        assert_eq!(
            decided(tools.clone(), "read write", Era::Sessions, call("b")),
            Err(Denial::UnmappedTool)
        );
        assert_eq!(
            decided(tools, "read write", Era::Sessions, json!({"method": "tools/call"})),
            Err(Denial::UnmappedTool)
        );
    }

    #[test]
    fn all_missing_scopes_are_named_at_once_rs_ch_03() {
        let tools = json!({"pay": "read approve"});
        let all = ScopeSet::parse("approve read").unwrap();
        assert_eq!(
            decided(tools, "read", Era::Stateless, call("pay")),
            Err(Denial::Scope(all))
        );
    }

    #[test]
    fn what_a_tool_asks_of_a_sign_in_is_its_own_entry_or_that_of_every_tool_not_named_su_05() {
        let mut route = route(json!({"pay": "approve", "look": "read", "*": "read"}));
        let need = |max_age| AuthenticationNeed {
            acr_values: Vec::new(),
            max_age: Some(max_age),
        };
        route.authentication = [("pay".to_owned(), need(60)), ("*".to_owned(), need(600))].into();
        for (body, expected) in [
            (call("pay"), Some(60)),
            (call("look"), None),
            (call("other"), Some(600)),
            (json!({"method": "tools/list"}), None),
            (json!({"method": "vendor/thing"}), Some(600)),
        ] {
            let mut body = body;
            (body["jsonrpc"], body["id"]) = (json!("2.0"), json!(1));
            let body = body.to_string();
            let message = Message::read(body.as_bytes()).unwrap();
            let needed = authentication_needed(&route, Era::Sessions, &message);
            assert_eq!(needed.and_then(|need| need.max_age), expected, "{body}");
        }
    }

    #[test]
    fn the_entry_for_every_tool_maps_what_is_not_named() {
        let tools = json!({"pay": "approve", "*": "read"});
        assert_eq!(decided(tools.clone(), "read", Era::Sessions, call("other")), Ok(()));
        assert!(decided(tools.clone(), "read", Era::Sessions, call("pay")).is_err());
        assert_eq!(
            decided(tools, "read", Era::Sessions, json!({"method": "vendor/thing"})),
            Ok(())
        );
    }

    #[test]
    fn a_token_without_a_scope_of_the_route_can_do_nothing_rs_tk_06() {
        for held in ["", "foreign"] {
            let denial = decided(json!({"a": ""}), held, Era::Sessions, json!({"method": "tools/list"})).unwrap_err();
            assert_eq!(denial, Denial::Scope(ScopeSet::parse("read").unwrap()));
        }
    }

    #[test]
    fn removed_and_unknown_methods_do_not_exist_rs_w26_03() {
        for method in [
            "initialize",
            "ping",
            "logging/setLevel",
            "resources/subscribe",
            "vendor/thing",
            "tasks/get",
        ] {
            let denial = decided(json!({"a": "read"}), "read", Era::Stateless, json!({"method": method})).unwrap_err();
            assert_eq!(denial, Denial::UnknownMethod, "{method}");
        }
        assert_eq!(
            decided(json!({}), "read", Era::Sessions, json!({"method": "ping"})),
            Ok(())
        );
        assert_eq!(
            decided(json!({"*": "read"}), "read", Era::Stateless, json!({"method": "ping"})),
            Err(Denial::UnknownMethod)
        );
    }
}
