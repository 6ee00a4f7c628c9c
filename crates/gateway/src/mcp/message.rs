//! One JSON-RPC message from a client: read once, decided on, written anew (security, row 27).
//!
//! Owns what counts as a message. Never knows versions or permissions.

use std::borrow::Cow;
use std::str;

use lanyard_protocol::json;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::members::{self, Members, Writer};
use super::method;

/// The member in which a client brings a state back (2026-07-28).
pub(crate) const REQUEST_STATE: &str = "requestState";

/// A message that reads in exactly one way.
pub(crate) struct Message<'a> {
    pub(crate) kind: MessageKind,
    /// As it was written: a string or a number. Absent on notifications.
    pub(crate) id: Option<&'a RawValue>,
    /// Empty on responses.
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<Members<'a>>,
    /// The tool, prompt, resource or task that the message is about.
    pub(crate) name: Option<Cow<'a, str>>,
    /// What the server behind gave the client to bring back; replaced by what it made, once that was checked.
    pub(crate) state: Option<Cow<'a, str>>,
    outcome: Option<(&'static str, &'a RawValue)>,
    length: usize,
}

/// The members that JSON-RPC knows; a `null` is present.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Envelope<'a> {
    #[serde(borrow, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    params: Option<Members<'a>>,
    #[serde(borrow, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Request,
    Notification,
    /// The answer to a request of the server.
    Response,
}

/// Why a body is not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Not strict JSON: JSON-RPC `-32700`.
    Syntax,
    /// JSON, but not one message that every reader reads alike: JSON-RPC `-32600`.
    Shape(&'static str),
}

impl<'a> Message<'a> {
    /// Reads a body.
    ///
    /// Some readers take member names without regard to case. A name that differs from one we decide on only in case
    /// is therefore refused, as are members that JSON-RPC does not know.
    pub(crate) fn read(body: &'a [u8]) -> Result<Self, Unreadable> {
        let text = str::from_utf8(body).map_err(|_| Unreadable::Syntax)?;
        json::check_str(text).map_err(|_| Unreadable::Syntax)?;
        let Envelope {
            jsonrpc,
            id,
            method,
            params,
            result,
            error,
        } = serde_json::from_str(text).map_err(|_| Unreadable::Shape(no_envelope(text)))?;
        if jsonrpc.and_then(members::text).as_deref() != Some("2.0") {
            return Err(Unreadable::Shape("the message is not JSON-RPC 2.0"));
        }
        if id.is_some_and(|id| !is_id(id)) {
            return Err(Unreadable::Shape("the id is neither a string nor a number"));
        }
        let mut message = Self {
            kind: MessageKind::Request,
            id,
            method: Cow::Borrowed(""),
            params: None,
            name: None,
            state: None,
            outcome: None,
            length: body.len(),
        };
        let outcome = match (method, result, error) {
            (Some(method), None, None) => {
                message.read_call(method, params)?;
                return Ok(message);
            }
            (None, Some(result), None) => ("result", result),
            (None, None, Some(error)) => ("error", error),
            _ => {
                return Err(Unreadable::Shape(
                    "the message is not one request, notification or response",
                ));
            }
        };
        if id.is_none() || params.is_some() {
            return Err(Unreadable::Shape("the response is not well-formed"));
        }
        message.kind = MessageKind::Response;
        message.outcome = Some(outcome);
        Ok(message)
    }

    fn read_call(&mut self, method: &'a RawValue, params: Option<Members<'a>>) -> Result<(), Unreadable> {
        self.method = members::text(method)
            .filter(|method| !method.is_empty() && method.len() <= 256)
            .ok_or(Unreadable::Shape("the method is not a name"))?;
        if self.id.is_none() {
            self.kind = MessageKind::Notification;
        }
        let Some(params) = params else {
            return Ok(());
        };
        let subject = method::subject_of(&self.method);
        for decided in subject.into_iter().chain(["_meta", REQUEST_STATE]) {
            if params
                .0
                .iter()
                .any(|(name, _)| name != decided && folds_to(name, decided))
            {
                return Err(Unreadable::Shape("a member of params can be read in two ways"));
            }
        }
        self.name = subject.and_then(|subject| params.text(subject));
        self.state = match params.find(REQUEST_STATE) {
            Some(state) => Some(members::text(state).ok_or(Unreadable::Shape("the request state is not a string"))?),
            None => None,
        };
        self.params = Some(params);
        Ok(())
    }

    /// The message in our own words: what the server behind gets is what was decided on.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = Writer::new(self.length + 64);
        out.text("jsonrpc", "2.0");
        if let Some(id) = self.id {
            out.raw("id", id.get().as_bytes());
        }
        if let Some((name, value)) = self.outcome {
            out.raw(name, value.get().as_bytes());
            return out.finish();
        }
        out.text("method", &self.method);
        if let Some(params) = &self.params {
            let subject = method::subject_of(&self.method);
            let mut inner = Writer::new(self.length);
            for (name, value) in &params.0 {
                match (&self.name, &self.state) {
                    (Some(text), _) if subject == Some(name.as_ref()) => inner.text(name, text),
                    (_, Some(state)) if name == REQUEST_STATE => inner.text(name, state),
                    _ => inner.raw(name, value.get().as_bytes()),
                }
            }
            out.raw("params", &inner.finish());
        }
        out.finish()
    }
}

/// Whether a reader that ignores case could take one name for the other. Two letters outside ASCII fold into it.
fn folds_to(name: &str, decided: &str) -> bool {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).eq(decided.chars().map(fold))
}

/// Why strict JSON is no envelope.
fn no_envelope(text: &str) -> &'static str {
    match text.trim_start().chars().next() {
        Some('{') => {}
        Some('[') => return "batches are not supported",
        _ => return "the message is not an object",
    }
    let params = Members::read(text).and_then(|members| members.find("params"));
    match params {
        Some(params) if !members::is_object(params) => "params is not an object",
        _ => "the message has a member that JSON-RPC does not know",
    }
}

fn is_id(id: &RawValue) -> bool {
    id.get()
        .starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit())
        && id.get().len() <= 512
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Message<'_>, Unreadable> {
        Message::read(body.as_bytes())
    }

    #[test]
    fn what_is_forwarded_is_what_was_read() {
        let body = r#" {"id": 7, "params" : {"n\u0061me":"t\u006fol","arguments":{"n":12345678901234567890123,"f":1.50}},
                        "method":"tools/call","jsonrpc":"2.0"} "#;
        let message = read(body).unwrap();
        assert_eq!(message.name.as_deref(), Some("tool"));
        assert_eq!(
            String::from_utf8(message.write()).unwrap(),
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"tool","arguments":{"n":12345678901234567890123,"f":1.50}}}"#
        );
    }

    #[test]
    fn bodies_that_two_readers_could_read_differently_are_refused() {
        for bad in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_META":{}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","reque\u017ftState":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":"\ud800"}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}{"jsonrpc":"2.0","id":2,"method":"tools/call"}"#,
            "\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [
            "",
            "null",
            "[]",
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#,
            r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":{},"method":"tools/list"}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":""}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","result":{}}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn responses_and_notifications_are_told_apart() {
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#).unwrap().kind,
            MessageKind::Response
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
                .unwrap()
                .kind,
            MessageKind::Notification
        );
    }
}
