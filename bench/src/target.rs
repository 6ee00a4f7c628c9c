//! A server that takes both legs, and the requests that it is sent.

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

/// Where a generator sends what.
pub(crate) struct Target {
    /// In figures.
    pub(crate) name: String,
    /// Whose CPU counts.
    pub(crate) pid: u32,
    http: Client<HttpConnector, Full<Bytes>>,
    issuer: String,
    ras: String,
    issuer_basic: String,
    ras_basic: String,
    /// Audience and resource of each connector.
    pub(crate) connectors: Vec<(String, String)>,
    /// What is asked for; left out where the server knows by itself.
    scope: Option<&'static str>,
}

/// Endpoints and credentials.
pub(crate) struct Endpoints<'a> {
    /// The token endpoint of the issuer.
    pub(crate) issuer: &'a str,
    /// The token endpoint of the authorization server.
    pub(crate) ras: &'a str,
    /// Client id and secret at the issuer.
    pub(crate) at_issuer: (&'a str, &'a str),
    /// The same at the authorization server.
    pub(crate) at_ras: (&'a str, &'a str),
}

impl Target {
    /// A server with these endpoints.
    pub(crate) fn new(
        name: impl Into<String>,
        pid: u32,
        endpoints: &Endpoints<'_>,
        connectors: Vec<(String, String)>,
        scope: Option<&'static str>,
    ) -> Self {
        Self {
            name: name.into(),
            pid,
            http: Client::builder(TokioExecutor::new()).build_http(),
            issuer: endpoints.issuer.to_owned(),
            ras: endpoints.ras.to_owned(),
            issuer_basic: basic(endpoints.at_issuer),
            ras_basic: basic(endpoints.at_ras),
            connectors,
            scope,
        }
    }

    /// One chain; the ID-JAG and the access token.
    pub(crate) async fn chain(&self, id_token: &str, connector: usize) -> anyhow::Result<(String, String)> {
        let (audience, resource) = self.connectors.get(connector).context("no such connector")?;
        let mut fields = vec![
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag"),
            ("audience", audience.as_str()),
            ("resource", resource.as_str()),
            ("subject_token", id_token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ];
        fields.extend(self.scope.map(|scope| ("scope", scope)));
        let answer = self.post(&self.issuer, &self.issuer_basic, encode(&fields)).await?;
        let id_jag = token(answer, "oauth-id-jag+jwt")?;
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

/// HTTP Basic as RFC 6749 wants it: both parts form-encoded first.
fn basic((id, secret): (&str, &str)) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!(
        "Basic {}",
        STANDARD.encode(format!("{}:{}", encode(id), encode(secret)))
    )
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
