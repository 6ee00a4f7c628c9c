//! The two wire revisions at one endpoint, and the header checks of the newer one (RS-W26-01 to 03, RS-WR-01).
//!
//! Owns how a request is told to be of one or the other. Never decides on permissions.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use lanyard_protocol::EMA_EXTENSION;
use serde_json::{Value, json};

use super::members::{self, Members};
use super::message::{Message, MessageKind};
use super::method;

/// The newest revision with sessions first.
const WITH_SESSIONS: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// The stateless revision.
pub(crate) const STATELESS: &str = "2026-07-28";

pub(crate) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(crate) const METHOD: HeaderName = HeaderName::from_static("mcp-method");
pub(crate) const NAME: HeaderName = HeaderName::from_static("mcp-name");

const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// Which rules a request follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// 2025-11-25 and before: `initialize`, sessions, standing streams.
    Sessions,
    /// 2026-07-28: every request stands alone.
    Stateless,
}

/// A request that breaks the rules of its revision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WireError {
    pub(crate) status: StatusCode,
    pub(crate) code: i32,
    pub(crate) message: &'static str,
    pub(crate) data: Option<Value>,
}

impl WireError {
    pub(crate) const fn new(code: i32, message: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message,
            data: None,
        }
    }

    /// The stable name for the audit log.
    pub(crate) const fn name(&self) -> &'static str {
        match self.code {
            -32020 => "header_mismatch",
            -32021 => "capability_missing",
            -32022 => "version_unsupported",
            -32602 => "meta_missing",
            -32601 => "method_unknown",
            _ => "malformed",
        }
    }
}

/// Finds out which revision a `POST` follows, and checks everything that the newer one demands of headers and `_meta`.
pub(crate) fn judge(headers: &HeaderMap, message: &Message<'_>) -> Result<Era, WireError> {
    let header = single(headers, &PROTOCOL_VERSION)?;
    let meta = match message.params.as_ref().and_then(|params| params.find("_meta")) {
        Some(meta) => Members::read(meta.get()).ok_or(WireError::new(-32602, "_meta is not an object"))?,
        None => Members::default(),
    };
    let version = match meta.find(META_VERSION) {
        Some(version) => Some(
            members::text(version).ok_or(WireError::new(-32602, "the protocol version in _meta is not a string"))?,
        ),
        None => None,
    };
    let Some(version) = version else {
        return without_meta(header, message);
    };
    let header = header.ok_or(WireError::new(-32020, "the MCP-Protocol-Version header is missing"))?;
    if header != version {
        return Err(WireError::new(-32020, "MCP-Protocol-Version does not match the body"));
    }
    if WITH_SESSIONS.contains(&version.as_ref()) {
        return Ok(Era::Sessions);
    }
    if version != STATELESS {
        return Err(unsupported(&version));
    }
    if message.kind == MessageKind::Request && !meta.find(META_CAPABILITIES).is_some_and(members::is_object) {
        return Err(WireError::new(-32602, "the client capabilities in _meta are missing"));
    }
    check_mirrored(headers, message)?;
    Ok(Era::Stateless)
}

/// Finds out which revision a `GET` or `DELETE` follows.
pub(crate) fn judge_bodiless(headers: &HeaderMap) -> Result<Era, WireError> {
    match single(headers, &PROTOCOL_VERSION)? {
        None => Ok(Era::Sessions),
        Some(version) if WITH_SESSIONS.contains(&version) => Ok(Era::Sessions),
        Some(STATELESS) => Ok(Era::Stateless),
        Some(version) => Err(unsupported(version)),
    }
}

/// Whether a request declares the extension (RS-W26-05). It proves nothing; it only tells an old client from a new one.
pub(crate) fn declares_extension(message: &Message<'_>) -> bool {
    let params = message.params.as_ref();
    let capabilities = if message.method == "initialize" {
        params.and_then(|params| params.object("capabilities"))
    } else {
        params
            .and_then(|params| params.object("_meta"))
            .and_then(|meta| meta.object(META_CAPABILITIES))
    };
    capabilities
        .and_then(|own| own.object("extensions"))
        .is_some_and(|own| own.find(EMA_EXTENSION).is_some())
}

/// The answer to a client that had to declare the extension.
pub(crate) fn extension_missing() -> WireError {
    let mut error = WireError::new(-32021, "client capability missing");
    error.data = Some(json!({ "requiredCapabilities": { "extensions": { EMA_EXTENSION: {} } } }));
    error
}

/// Writes a value into a header as the newer revision does: plain, or `=?base64?…?=` when it does not fit.
pub(crate) fn encode(value: &str) -> HeaderValue {
    let plain = !value.is_empty()
        && value.bytes().all(|b| (0x20..0x7f).contains(&b))
        && !value.starts_with(' ')
        && !value.ends_with(' ')
        && !value.starts_with("=?base64?");
    let text = if plain {
        value.to_owned()
    } else {
        format!("=?base64?{}?=", STANDARD.encode(value))
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn without_meta(header: Option<&str>, message: &Message<'_>) -> Result<Era, WireError> {
    // The handshake exists only in the older revisions, whatever a header says.
    if message.method == "initialize" {
        return Ok(Era::Sessions);
    }
    let missing = WireError::new(-32602, "the protocol version in _meta is missing");
    match header {
        _ if message.method == "server/discover" => Err(missing),
        None => Ok(Era::Sessions),
        Some(version) if WITH_SESSIONS.contains(&version) => Ok(Era::Sessions),
        Some(STATELESS) if message.kind == MessageKind::Request => Err(missing),
        Some(STATELESS) => Ok(Era::Stateless),
        Some(version) => Err(unsupported(version)),
    }
}

fn check_mirrored(headers: &HeaderMap, message: &Message<'_>) -> Result<(), WireError> {
    let method = single(headers, &METHOD)?.ok_or(WireError::new(-32020, "the Mcp-Method header is missing"))?;
    if method != message.method {
        return Err(WireError::new(-32020, "Mcp-Method does not match the body"));
    }
    if !method::needs_name_header(&message.method) {
        return Ok(());
    }
    let name = message
        .name
        .as_deref()
        .ok_or(WireError::new(-32602, "params does not name what the request is about"))?;
    let header = single(headers, &NAME)?.ok_or(WireError::new(-32020, "the Mcp-Name header is missing"))?;
    match decode(header) {
        Some(decoded) if decoded == name => Ok(()),
        _ => Err(WireError::new(-32020, "Mcp-Name does not match the body")),
    }
}

fn decode(value: &str) -> Option<Cow<'_, str>> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(value)),
    }
}

fn unsupported(requested: &str) -> WireError {
    let mut error = WireError::new(-32022, "protocol version not supported");
    let requested: String = requested.chars().take(64).collect();
    error.data =
        Some(json!({ "supported": [STATELESS, "2025-11-25", "2025-06-18", "2025-03-26"], "requested": requested }));
    error
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, WireError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(WireError::new(-32020, "a protocol header was sent several times"));
    }
    value
        .to_str()
        .map(|text| Some(text.trim()))
        .map_err(|_| WireError::new(-32020, "a protocol header is not ASCII"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn call(version: &str, name: &str) -> String {
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "_meta": {
            META_VERSION: version, META_CAPABILITIES: {}}}})
        .to_string()
    }

    fn code(pairs: &[(&str, &str)], body: &str) -> Result<Era, i32> {
        judge(&headers(pairs), &Message::read(body.as_bytes()).unwrap()).map_err(|error| error.code)
    }

    const OK: [(&str, &str); 3] = [
        ("mcp-protocol-version", STATELESS),
        ("mcp-method", "tools/call"),
        ("mcp-name", "safe"),
    ];

    #[test]
    fn headers_and_body_must_say_the_same_rs_w26_02() {
        assert_eq!(code(&OK, &call(STATELESS, "safe")), Ok(Era::Stateless));
        assert_eq!(code(&OK, &call(STATELESS, "drop_db")), Err(-32020));
        assert_eq!(code(&OK[..2], &call(STATELESS, "safe")), Err(-32020));
        assert_eq!(code(&OK[1..], &call(STATELESS, "safe")), Err(-32020));
        assert_eq!(code(&[OK[0], OK[2]], &call(STATELESS, "safe")), Err(-32020));
        assert_eq!(
            code(&[OK[0], OK[1], OK[2], OK[2]], &call(STATELESS, "safe")),
            Err(-32020)
        );
        assert_eq!(
            code(&[OK[0], ("mcp-method", "TOOLS/CALL"), OK[2]], &call(STATELESS, "safe")),
            Err(-32020)
        );
        let encoded = encode("dröp db");
        let encoded = [OK[0], OK[1], ("mcp-name", encoded.to_str().unwrap())];
        assert_eq!(code(&encoded, &call(STATELESS, "dröp db")), Ok(Era::Stateless));
        assert_eq!(code(&encoded, &call(STATELESS, "safe")), Err(-32020));
        assert_eq!(
            code(&[OK[0], OK[1], ("mcp-name", "=?base64?%%?=")], &call(STATELESS, "%%")),
            Err(-32020)
        );
    }

    #[test]
    fn the_stateless_revision_needs_its_meta_rs_w26_01() {
        let list = |meta: Value| {
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}).to_string()
        };
        let headers = [OK[0], ("mcp-method", "tools/list")];
        assert_eq!(
            code(&headers, &list(json!({META_VERSION: STATELESS, META_CAPABILITIES: {}}))),
            Ok(Era::Stateless)
        );
        assert_eq!(code(&headers, &list(json!({META_VERSION: STATELESS}))), Err(-32602));
        assert_eq!(code(&headers, &list(json!({META_CAPABILITIES: {}}))), Err(-32602));
        assert_eq!(
            code(&headers, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
            Err(-32602)
        );
        assert_eq!(
            code(&headers, &list(json!({META_VERSION: 1, META_CAPABILITIES: {}}))),
            Err(-32602)
        );
        assert_eq!(code(&headers, &list(json!(7))), Err(-32602));
    }

    #[test]
    fn an_unknown_version_is_named_and_the_known_ones_are_listed_rs_w26_03() {
        let headers = headers(&[("mcp-protocol-version", "2027-01-01"), OK[1], OK[2]]);
        let body = call("2027-01-01", "safe");
        let error = judge(&headers, &Message::read(body.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(error.code, -32022);
        let data = error.data.unwrap();
        assert_eq!(data["requested"], "2027-01-01");
        assert_eq!(data["supported"][0], STATELESS);
    }

    #[test]
    fn both_revisions_are_told_apart_at_one_endpoint_rs_wr_01() {
        let initialize = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
        let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
        assert_eq!(code(&[], initialize), Ok(Era::Sessions));
        assert_eq!(code(&[], list), Ok(Era::Sessions));
        assert_eq!(code(&[("mcp-protocol-version", "2025-11-25")], list), Ok(Era::Sessions));
        assert_eq!(code(&[("mcp-protocol-version", "1999-01-01")], list), Err(-32022));
        assert_eq!(
            code(&[], r#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#),
            Err(-32602)
        );
    }
}
