//! Requests of the generator: both legs, and tool calls.

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::lab::Lab;

/// A generator's view of a lab.
pub(crate) struct Load {
    http: Client<HttpConnector, Full<Bytes>>,
    issuer: String,
    ras: String,
    audience: String,
    issuer_basic: String,
    ras_basic: String,
    /// The seven open connectors.
    pub(crate) resources: Vec<String>,
}

impl Load {
    /// The client `desk` of a lab.
    pub(crate) fn new(lab: &Lab) -> anyhow::Result<Self> {
        let client = lab
            .facts
            .pointer("/clients")
            .and_then(Value::as_array)
            .and_then(|clients| clients.iter().find(|client| client.get("name") == Some(&json!("desk"))))
            .context("the lab has no client desk")?;
        let basic = |side: &str| -> anyhow::Result<String> {
            let text = |name: &str| client.pointer(&format!("/{side}/{name}")).and_then(Value::as_str);
            let (id, secret) = (
                text("client_id").context("no id")?,
                text("client_secret").context("no secret")?,
            );
            let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            Ok(format!(
                "Basic {}",
                STANDARD.encode(format!("{}:{}", encode(id), encode(secret)))
            ))
        };
        let connectors = lab
            .facts
            .pointer("/connectors")
            .and_then(Value::as_array)
            .context("no connectors")?;
        let open = connectors
            .iter()
            .filter(|one| one.get("status") == Some(&json!("active")));
        let resources = open
            .filter_map(|one| one.get("resource")?.as_str().map(str::to_owned))
            .collect();
        Ok(Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            issuer: lab.fact("/issuer/token_endpoint")?.to_owned(),
            ras: lab.fact("/ras/token_endpoint")?.to_owned(),
            audience: lab.fact("/ras/url")?.to_owned(),
            issuer_basic: basic("idp")?,
            ras_basic: basic("ras")?,
            resources,
        })
    }

    /// One chain; the ID-JAG and the access token.
    pub(crate) async fn chain(&self, id_token: &str, resource: &str) -> anyhow::Result<(String, String)> {
        let form = encode(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
            ("audience", &self.audience),
            ("resource", resource),
            ("subject_token", id_token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ]);
        let id_jag = token(
            self.post(&self.issuer, &self.issuer_basic, form).await?,
            "oauth-id-jag+jwt",
        )?;
        let access = token(self.redeem(&id_jag).await?, "at+jwt")?;
        Ok((id_jag, access))
    }

    /// Leg 2 alone, for replays.
    pub(crate) async fn redeem(&self, id_jag: &str) -> anyhow::Result<(StatusCode, Value)> {
        let form = encode(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", id_jag),
        ]);
        self.post(&self.ras, &self.ras_basic, form).await
    }

    async fn post(&self, url: &str, basic: &str, form: String) -> anyhow::Result<(StatusCode, Value)> {
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, basic)
            .body(Full::new(Bytes::from(form)))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// One tool call through the gateway.
    pub(crate) async fn call(&self, url: &str, access_token: &str, tool: &str) -> anyhow::Result<()> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": { "query": "what was decided about the launch", "limit": 20 },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            } } });
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream")
            .header(AUTHORIZATION, format!("Bearer {access_token}"))
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .body(Full::new(Bytes::from(body.to_string())))?;
        let response = self.http.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status != StatusCode::OK || !body.starts_with(b"{") {
            bail!("a call answered {status}");
        }
        Ok(())
    }
}

/// The token of a good answer, whose header has the expected `typ`.
fn token((status, body): (StatusCode, Value), typ: &str) -> anyhow::Result<String> {
    let Some(token) = body
        .get("access_token")
        .and_then(Value::as_str)
        .filter(|_| status == StatusCode::OK)
    else {
        bail!("a token endpoint answered {status} {body}");
    };
    let header = token
        .split('.')
        .next()
        .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok())
        .unwrap_or_default();
    let header: Value = serde_json::from_slice(&header)?;
    anyhow::ensure!(
        header.get("typ").and_then(Value::as_str) == Some(typ),
        "a token of another type"
    );
    Ok(token.to_owned())
}

fn encode(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}
