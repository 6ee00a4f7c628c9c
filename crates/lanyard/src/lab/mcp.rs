//! The smallest MCP caller: one stateless request of revision 2026-07-28 (Streamable HTTP).
//!
//! Owns one POST and its answer. `lanyard-client` is the library for everybody else.

use anyhow::Context;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method};
use lanyard_fetch::{Fetch, FetchRequest};
use lanyard_protocol::EMA_EXTENSION;
use serde_json::{Value, json};
use url::Url;

/// What a call led to.
#[derive(Debug)]
pub(crate) struct Answered {
    /// The HTTP status.
    pub status: u16,
    /// The JSON-RPC result.
    pub result: Option<Value>,
}

/// Sends one request with a bearer token.
///
/// # Errors
/// When nothing answers, or a good answer is no JSON-RPC.
pub(crate) async fn call(
    fetch: &dyn Fetch,
    url: &str,
    access_token: &str,
    method: &str,
    params: Value,
) -> anyhow::Result<Answered> {
    let mut params = params;
    if let Some(members) = params.as_object_mut() {
        members.insert(
            "_meta".to_owned(),
            json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "lanyard", "version": env!("CARGO_PKG_VERSION") },
                "io.modelcontextprotocol/clientCapabilities": { "extensions": { EMA_EXTENSION: {} } },
            }),
        );
    }
    let name = params.get("name").and_then(Value::as_str).map(str::to_owned);
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let mut request = FetchRequest::get(Url::parse(url)?);
    request.method = Method::POST;
    request.body = serde_json::to_vec(&body)?;
    request.max_body = 1024 * 1024;
    request = request
        .header(AUTHORIZATION, HeaderValue::try_from(format!("Bearer {access_token}"))?)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"))
        .header(
            HeaderName::from_static("mcp-protocol-version"),
            HeaderValue::from_static("2026-07-28"),
        )
        .header(HeaderName::from_static("mcp-method"), HeaderValue::try_from(method)?);
    if let Some(name) = name {
        request = request.header(HeaderName::from_static("mcp-name"), HeaderValue::try_from(name)?);
    }
    let response = fetch.fetch(request).await?;
    let status = response.status.as_u16();
    if !response.status.is_success() {
        return Ok(Answered { status, result: None });
    }
    let text = String::from_utf8_lossy(&response.body);
    let message = text
        .lines()
        .find_map(|line| line.strip_prefix("data:"))
        .unwrap_or(&text)
        .trim()
        .to_owned();
    let message: Value = serde_json::from_str(&message).context("the answer is no JSON-RPC message")?;
    Ok(Answered {
        status,
        result: message.get("result").cloned(),
    })
}
