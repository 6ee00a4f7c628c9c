//! What a gateway changes in an answer: tools that the caller may not use, the declaration of the extension, and who
//! may share a cached result (RS-GW-04, RS-W25-03, RS-W26-04, RS-W26-06).
//!
//! Owns those changes. Never touches anything else of an answer.

use std::str;

use lanyard_protocol::EMA_EXTENSION;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::members::{Members, Writer, text};
use super::message::REQUEST_STATE;
use crate::handles::HandleSeal;

/// Says whether the caller may use a tool.
pub(crate) type ToolFilter = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The changes to make in the result of one method.
#[derive(Default)]
pub(crate) struct Edit {
    /// Leave only these tools.
    pub(crate) tools: Option<ToolFilter>,
    /// Declare the extension in `capabilities.extensions`.
    pub(crate) declare: bool,
    /// Set `cacheScope` to `private`.
    pub(crate) private: bool,
    /// Bind `requestState` to the caller.
    pub(crate) handles: Option<HandleSeal>,
}

/// The answer was not JSON that we could change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotEditable;

impl Edit {
    pub(crate) fn is_needed(&self) -> bool {
        self.tools.is_some() || self.declare || self.private || self.handles.is_some()
    }

    /// Whether an answer that is too long to be read must not go on. Otherwise it may: sharing is also forbidden by an
    /// HTTP header, and a state without its seal is refused when it comes back.
    pub(crate) fn is_vital(&self) -> bool {
        self.tools.is_some() || self.declare
    }

    /// Whether a message may have something to change, seen from afar.
    fn concerns(&self, message: &str) -> bool {
        self.tools.is_some() || self.declare || self.private || message.contains(REQUEST_STATE)
    }

    /// Changes a JSON-RPC message; `None` when there is nothing to change in it.
    pub(crate) fn message(&self, message: &[u8]) -> Result<Option<Vec<u8>>, NotEditable> {
        let message = str::from_utf8(message).map_err(|_| NotEditable)?;
        if !self.concerns(message) {
            return Ok(None);
        }
        let members = Members::read(message).ok_or(NotEditable)?;
        let mut changed = false;
        let mut out = Writer::new(message.len() + 128);
        for (name, value) in &members.0 {
            match Members::read(value.get()) {
                Some(result) if name == "result" => {
                    changed = true;
                    out.raw(name, &self.result(&result)?);
                }
                _ => out.raw(name, value.get().as_bytes()),
            }
        }
        Ok(changed.then(|| out.finish()))
    }

    fn result(&self, result: &Members<'_>) -> Result<Vec<u8>, NotEditable> {
        let mut out = Writer::new(1024);
        let mut declared = false;
        for (name, value) in &result.0 {
            match name.as_ref() {
                "tools" => match &self.tools {
                    Some(may_use) => out.raw(name, &filtered(value, may_use)?),
                    None => out.raw(name, value.get().as_bytes()),
                },
                "capabilities" if self.declare => {
                    declared = true;
                    out.raw(name, &with_extension(value)?);
                }
                "cacheScope" if self.private => {}
                REQUEST_STATE => match (&self.handles, text(value)) {
                    (Some(handles), Some(state)) => out.text(name, &handles.seal(&state)),
                    _ => out.raw(name, value.get().as_bytes()),
                },
                _ => out.raw(name, value.get().as_bytes()),
            }
        }
        if self.declare && !declared {
            out.raw("capabilities", &extended(&Members::default()));
        }
        if self.private {
            out.text("cacheScope", "private");
        }
        Ok(out.finish())
    }
}

fn filtered(tools: &RawValue, may_use: &ToolFilter) -> Result<Vec<u8>, NotEditable> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: &'a RawValue,
    }
    let tools: Vec<&RawValue> = serde_json::from_str(tools.get()).map_err(|_| NotEditable)?;
    let mut out = vec![b'['];
    for tool in tools {
        let name = serde_json::from_str::<Named<'_>>(tool.get())
            .ok()
            .and_then(|tool| text(tool.name));
        if name.is_some_and(|name| may_use(&name)) {
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(tool.get().as_bytes());
        }
    }
    out.push(b']');
    Ok(out)
}

fn with_extension(capabilities: &RawValue) -> Result<Vec<u8>, NotEditable> {
    Ok(extended(&Members::read(capabilities.get()).ok_or(NotEditable)?))
}

fn extended(capabilities: &Members<'_>) -> Vec<u8> {
    let mut out = Writer::new(256);
    for (name, value) in capabilities.0.iter().filter(|(name, _)| name != "extensions") {
        out.raw(name, value.get().as_bytes());
    }
    let mut extensions = Writer::new(128);
    for (name, value) in capabilities.object("extensions").unwrap_or_default().0 {
        if name != EMA_EXTENSION {
            extensions.raw(&name, value.get().as_bytes());
        }
    }
    extensions.raw(EMA_EXTENSION, b"{}");
    out.raw("extensions", &extensions.finish());
    out.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn edited(edit: &Edit, message: &Value) -> Value {
        let out = edit.message(message.to_string().as_bytes()).unwrap().unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn only_tools_that_may_be_used_are_left_and_the_cursor_stays_rs_gw_04() {
        let edit = Edit {
            tools: Some(Box::new(|name| name == "read")),
            ..Edit::default()
        };
        let message = json!({"jsonrpc": "2.0", "id": 1, "result": {
            "tools": [{"name": "read", "inputSchema": {}}, {"name": "write"}, {"nameless": 1}, 7], "nextCursor": "c"}});
        assert_eq!(
            edited(&edit, &message)["result"],
            json!({"tools": [{"name": "read", "inputSchema": {}}], "nextCursor": "c"})
        );
    }

    #[test]
    fn the_extension_is_declared_beside_what_the_server_declares_rs_w26_04() {
        let edit = Edit {
            declare: true,
            ..Edit::default()
        };
        for (before, after) in [
            (json!({}), json!({"capabilities": {"extensions": {EMA_EXTENSION: {}}}})),
            (
                json!({"capabilities": {"tools": {}, "extensions": {"x/y": {"a": 1}, EMA_EXTENSION: {"forged": 1}}}}),
                json!({"capabilities": {"tools": {}, "extensions": {"x/y": {"a": 1}, EMA_EXTENSION: {}}}}),
            ),
        ] {
            assert_eq!(edited(&edit, &json!({"id": 1, "result": before}))["result"], after);
        }
    }

    #[test]
    fn a_result_that_depends_on_the_caller_is_private_rs_w26_06() {
        let edit = Edit {
            private: true,
            ..Edit::default()
        };
        for before in [json!({"cacheScope": "public", "ttlMs": 5}), json!({"ttlMs": 5})] {
            let after = edited(&edit, &json!({"id": 1, "result": before}));
            assert_eq!(after["result"], json!({"cacheScope": "private", "ttlMs": 5}));
        }
    }

    #[test]
    fn errors_and_notifications_pass_unchanged_and_garbage_is_named() {
        let edit = Edit {
            declare: true,
            private: true,
            tools: Some(Box::new(|_| false)),
            handles: None,
        };
        assert_eq!(edit.message(br#"{"id":1,"error":{"code":1}}"#), Ok(None));
        assert_eq!(edit.message(br#"{"method":"notifications/progress"}"#), Ok(None));
        assert_eq!(edit.message(b"<html>"), Err(NotEditable));
    }
}
