//! A person at the sign-in page, without scripts: fills what the page asks for until it leads back to the client.

use std::io::{Read, Write};
use std::net::TcpStream;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use url::Url;

use bytes::Bytes;

/// Where the client waits; nobody follows it.
pub(crate) const CALLBACK: &str = "http://127.0.0.1/callback";
/// A PKCE verifier and its challenge (RFC 7636, appendix B).
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Pages between the request and the code, at most.
const PAGES: usize = 16;

/// Whether a GET is answered with 200.
pub(crate) fn answers(port: u16, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

/// Signs somebody in and redeems the code; the ID token. With an upstream provider the sign-in begins there.
pub(crate) async fn sign_in(
    port: u16,
    upstream: Option<&str>,
    client: (&str, &str),
    (name, password): (&str, &str),
) -> anyhow::Result<String> {
    let issuer = format!("http://127.0.0.1:{port}");
    let mut page = Url::parse(&format!("{issuer}/oauth2/authorize"))?;
    page.query_pairs_mut().extend_pairs([
        ("response_type", "code"),
        ("client_id", client.0),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("state", "s"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    if let Some(upstream) = upstream {
        let request = page.query().unwrap_or_default().to_owned();
        page = Url::parse(&format!("{issuer}/upstream/{upstream}/start"))?;
        page.query_pairs_mut().append_pair("request", &request);
    }
    let mut browser = Browser::new();
    let code = browser.until_code(page, name, password).await?;
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ])
        .finish();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", client.0, client.1)));
    let request = Request::post(format!("{issuer}/oauth2/token"))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(AUTHORIZATION, basic)
        .body(Full::new(Bytes::from(form)))?;
    let body = browser
        .http
        .request(request)
        .await?
        .into_body()
        .collect()
        .await?
        .to_bytes();
    let tokens: Value = serde_json::from_slice(&body)?;
    let id_token = tokens.get("id_token").and_then(Value::as_str);
    id_token
        .map(str::to_owned)
        .with_context(|| format!("no ID token: {tokens}"))
}

struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    /// By port, as if each server were a host of its own.
    cookies: Vec<(u16, String, String)>,
}

impl Browser {
    fn new() -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            cookies: Vec::new(),
        }
    }

    async fn until_code(&mut self, page: Url, name: &str, password: &str) -> anyhow::Result<String> {
        let mut at = page;
        let mut answer = self.send(&at, None).await?;
        for _ in 0..PAGES {
            if answer.status().is_redirection() {
                let location = answer.headers().get(LOCATION).context("no location")?.to_str()?;
                at = at.join(location)?;
                if at.as_str().starts_with(CALLBACK) {
                    let code = at.query_pairs().find(|(key, _)| key == "code");
                    return code.map(|(_, value)| value.into_owned()).context("no code");
                }
                answer = self.send(&at, None).await?;
                continue;
            }
            let text = String::from_utf8(answer.into_body().to_vec())?;
            let form = text
                .split_once("<form")
                .and_then(|(_, rest)| rest.split_once("</form>"));
            let (form, _) = form.with_context(|| format!("a page without a form: {text}"))?;
            at = at.join(&attribute(form, "action"))?;
            let mut filled = url::form_urlencoded::Serializer::new(String::new());
            for input in form.split("<input").skip(1) {
                let field = attribute(input, "name");
                let value = match field.as_str() {
                    "username" => name.to_owned(),
                    "password" => password.to_owned(),
                    _ => attribute(input, "value"),
                };
                filled.append_pair(&field, &value);
            }
            answer = self.send(&at, Some(filled.finish())).await?;
        }
        bail!("the sign-in did not come to an end")
    }

    async fn send(&mut self, url: &Url, form: Option<String>) -> anyhow::Result<Response<Bytes>> {
        let port = url.port().unwrap_or_default();
        let own = self.cookies.iter().filter(|(of, ..)| *of == port);
        let cookies: Vec<String> = own.map(|(_, name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().uri(url.as_str()).header(COOKIE, cookies.join("; "));
        if form.is_some() {
            request = request
                .method("POST")
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(ORIGIN, url.origin().ascii_serialization());
        }
        let body = Full::new(Bytes::from(form.unwrap_or_default()));
        let (parts, body) = self.http.request(request.body(body)?).await?.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(of, own, _)| *of != port || own != name);
                self.cookies.push((port, name.to_owned(), value.to_owned()));
            }
        }
        Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag
        .split_once(&format!("{name}=\""))
        .and_then(|(_, after)| after.split_once('"'));
    let value = value.map_or("", |(value, _)| value);
    value.replace("&#38;", "&").replace("&amp;", "&")
}
