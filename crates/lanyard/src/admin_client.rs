//! The admin API as the administrator's commands call it.
//!
//! Owns where it is, the token, and what a refusal tells the person. Never decides anything: the server does.

pub(crate) mod at;
pub(crate) mod document;
pub(crate) mod expiry;
pub(crate) mod person;
pub(crate) mod prompt;
pub(crate) mod show;

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Method, StatusCode};
use lanyard_fetch::{AllowRule, Fetch, FetchError, FetchRequest, FetchResponse, HttpFetch, Outbound};
use lanyard_protocol::url_rules;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::admin_client::at::{AdminAt, Credential};
use crate::admin_client::person::SignIn;
use crate::client_config::outcome::{DENIED, Ending, NOT_SIGNED_IN};

/// The largest answer that is read: a whole audit export.
const MAX_ANSWER: usize = 1024 * 1024 * 1024;
/// How long an answer may take: a large document with many passwords takes minutes.
const PATIENCE: Duration = Duration::from_secs(900);
/// Items asked for at once.
const PAGE: &str = "1000";

/// The admin API of one deployment.
pub(crate) struct AdminClient {
    base: Url,
    opens: Opens,
    ca_file: Option<std::path::PathBuf>,
    fetch: HttpFetch,
}

/// What is sent to be let in.
enum Opens {
    Nothing,
    Token(SecretString),
    /// A person's sign-in, and its token once it is needed.
    Person(Box<SignIn>, tokio::sync::OnceCell<SecretString>),
}

/// The body of a refusal.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    message: String,
    #[serde(default)]
    field: Option<String>,
    #[serde(default)]
    request_id: Option<String>,
}

impl AdminClient {
    /// The API at the address that the arguments, the environment or `admin.toml` name, with what opens it.
    pub(crate) fn open(at: &AdminAt) -> anyhow::Result<Self> {
        let known = at.known()?;
        let ca_file = known.ca_file.as_deref();
        Ok(match known.credential {
            Credential::Token(token) => Self::new(&known.url, Some(token), ca_file)?,
            Credential::Person(person) => Self {
                opens: Opens::Person(person, tokio::sync::OnceCell::new()),
                ..Self::new(&known.url, None, ca_file)?
            },
        })
    }

    /// The API at `url`. Plain `http` is for this machine alone: the token would be readable on the way.
    pub(crate) fn new(
        url: &str,
        token: Option<SecretString>,
        ca_file: Option<&std::path::Path>,
    ) -> anyhow::Result<Self> {
        let usage = |happened: String| Ending {
            code: 2,
            happened,
            remedy: Some("Write it like https://lanyard.example.com:8003 or http://127.0.0.1:8003.".to_owned()),
            request_id: None,
        };
        let base = Url::parse(url).map_err(|_| usage(format!("{url:?} is no address of an admin API.")))?;
        if !matches!(base.scheme(), "http" | "https") || base.cannot_be_a_base() || base.host_str().is_none() {
            return Err(usage(format!("{url:?} is no http address.")).into());
        }
        let loopback = url_rules::is_loopback(&base);
        if base.scheme() == "http" && !loopback {
            let happened =
                format!("{url} is plain http to another machine: the administrator token would be readable.");
            return Err(usage(happened).into());
        }
        let fetch = door(&base, ca_file)?;
        Ok(Self {
            base,
            opens: token.map_or(Opens::Nothing, Opens::Token),
            ca_file: ca_file.map(std::path::Path::to_owned),
            fetch,
        })
    }

    /// The token to be sent, renewed when it is a person's and about to expire.
    async fn token(&self) -> anyhow::Result<Option<&SecretString>> {
        match &self.opens {
            Opens::Nothing => Ok(None),
            Opens::Token(token) => Ok(Some(token)),
            Opens::Person(person, token) => {
                let renewed = || person.access_token(self.ca_file.as_deref());
                token.get_or_try_init(renewed).await.map(Some)
            }
        }
    }

    /// The address, for people and for `admin.toml`.
    pub(crate) fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.send(Method::GET, path, query, None).await
    }

    /// Writes a document.
    pub(crate) async fn put(&self, path: &[&str], document: &Value) -> anyhow::Result<Value> {
        self.send(Method::PUT, path, &[], Some(document)).await
    }

    /// Does something.
    pub(crate) async fn post(&self, path: &[&str], document: &Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, &[], Some(document)).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.send(Method::DELETE, path, query, None).await
    }

    /// Every item of a list, page after page.
    pub(crate) async fn list(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut asked = query.to_vec();
            asked.push(("limit", PAGE));
            if let Some(after) = &after {
                asked.push(("after", after));
            }
            let mut page = self.get(path, &asked).await?;
            items.extend(taken(&mut page));
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    /// Every item of a list that has one page.
    pub(crate) async fn all(&self, path: &[&str]) -> anyhow::Result<Vec<Value>> {
        Ok(taken(&mut self.get(path, &[]).await?))
    }

    /// The bytes of an answer that is no single JSON document.
    pub(crate) async fn bytes(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<bytes::Bytes> {
        let answer = self.ask(Method::GET, path, query, None).await?;
        if answer.status == StatusCode::OK {
            Ok(answer.body)
        } else {
            Err(refused(&answer).into())
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        document: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let answer = self.ask(method, path, query, document).await?;
        if !answer.status.is_success() {
            return Err(refused(&answer).into());
        }
        serde_json::from_slice(&answer.body).map_err(|_| not_ours(self.url()).into())
    }

    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        document: Option<&Value>,
    ) -> anyhow::Result<FetchResponse> {
        check_names(path)?;
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["admin", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = FetchRequest::get(url);
        request.method = method;
        request.timeout = PATIENCE;
        request.max_body = MAX_ANSWER;
        if let Some(token) = self.token().await? {
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
                .map_err(|_| Ending::failed("The administrator token has characters that no token has.", None))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if let Some(document) = document {
            request.body = serde_json::to_vec(document)?;
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        self.fetch
            .fetch(request)
            .await
            .map_err(|error| unreachable(self.url(), &error).into())
    }
}

/// Names stand in the path: an empty one or a dot would make it the path of something else, such as of the whole list.
fn check_names(path: &[&str]) -> Result<(), Ending> {
    let wrong = match path.iter().find(|name| matches!(**name, "" | "." | "..")) {
        None => return Ok(()),
        Some(&"") => "A name is empty.".to_owned(),
        Some(name) => format!("{name} is no name."),
    };
    Err(Ending {
        code: 2,
        happened: wrong,
        remedy: Some("Give the name or the id; the command's `list` shows them.".to_owned()),
        request_id: None,
    })
}

/// The way to a host that an administrator named; it may be on a private network.
pub(crate) fn door(url: &Url, ca_file: Option<&std::path::Path>) -> anyhow::Result<HttpFetch> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let allow = AllowRule::parse(&format!("{host}:{port}")).into_iter().collect();
    let ca_files = ca_file.into_iter().map(std::path::Path::to_owned).collect();
    Ok(HttpFetch::new(&Outbound {
        development: url_rules::is_loopback(url),
        allow,
        ca_files,
    })?)
}

/// The items of a page.
fn taken(page: &mut Value) -> Vec<Value> {
    match page.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

/// An empty document.
pub(crate) fn nothing() -> Value {
    json!({})
}

fn unreachable(url: &str, error: &FetchError) -> Ending {
    let remedy = "Check the address and that `lanyard serve` runs there with an [admin] section; \
                  a certificate of your own authority needs --admin-ca-file.";
    Ending::failed(
        &format!("The admin API at {url} did not answer: {error}."),
        Some(remedy),
    )
}

fn not_ours(url: &str) -> Ending {
    Ending::failed(
        &format!("What answers at {url} is no admin API of Lanyard."),
        Some("Check --admin-url."),
    )
}

/// What the server said, for people.
fn refused(answer: &FetchResponse) -> Ending {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) else {
        let happened = format!("The server answered {} without a reason.", answer.status);
        return Ending::failed(&happened, Some("Check --admin-url, and the server's log."));
    };
    let remedy = match refusal.error.as_str() {
        "unauthenticated" => Some("Sign in with `lanyard admin login`, or name a token with --admin-token-file."),
        "not_permitted" => Some("An administrator of another role may; `lanyard admins list` shows who has which."),
        "out_of_reach" => Some("Ask an owner; `lanyard admins list` shows them."),
        "conflict" => Some("Read it again and repeat."),
        "temporarily_unavailable" | "too_many_attempts" => Some("Wait a moment, then try again."),
        "server_error" => Some("The server's log has the cause under the request id."),
        _ => None,
    };
    let mut happened = refusal.message;
    if let Some(field) = refusal.field.filter(|field| !happened.contains(field.as_str())) {
        happened = format!("{field}: {happened}");
    }
    let code = match refusal.error.as_str() {
        "unauthenticated" | "insufficient_user_authentication" => NOT_SIGNED_IN,
        "not_permitted" | "out_of_reach" | "no_role" => DENIED,
        _ => 1,
    };
    Ending {
        code,
        happened: sentence(happened),
        remedy: remedy.map(str::to_owned),
        request_id: refusal.request_id,
    }
}

fn sentence(mut text: String) -> String {
    if !text.ends_with('.') {
        text.push('.');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> Option<Ending> {
        lanyard_fetch::install_crypto_provider();
        AdminClient::new(url, None, None).err().map(|error| Ending::of(&error))
    }

    #[test]
    fn the_token_never_goes_to_another_machine_over_plain_http() {
        let ending = refusal("http://lanyard.example.com:8003").unwrap();
        assert_eq!(ending.code, 2);
        assert!(ending.happened.contains("plain http"), "{}", ending.happened);
        assert!(refusal("http://10.0.0.5:8003").is_some());
    }

    #[test]
    fn loopback_and_https_are_taken() {
        for url in [
            "http://127.0.0.1:8003",
            "https://lanyard.example.com",
            "https://10.0.0.5:8003",
            "https://[::1]:1/",
        ] {
            assert!(refusal(url).is_none(), "{url}");
        }
    }

    #[test]
    fn a_name_that_would_make_another_path_is_refused() {
        assert!(check_names(&["users", "kim", "sessions"]).is_ok());
        assert!(check_names(&["clients", "idp", "a.b", "..."]).is_ok());
        for name in ["", ".", ".."] {
            let told = check_names(&["users", "kim", "sessions", name]).unwrap_err();
            assert_eq!(told.code, 2, "{name}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_the_remedy_and_the_request() {
        let answer = FetchResponse {
            status: StatusCode::FORBIDDEN,
            headers: http::HeaderMap::new(),
            body:
                r#"{"error":"not_permitted","message":"the role auditor may not change anything","request_id":"req_1"}"#
                    .into(),
        };
        let ending = refused(&answer);
        assert_eq!(ending.happened, "the role auditor may not change anything.");
        assert!(ending.remedy.unwrap().contains("admins list"));
        assert_eq!(ending.request_id.as_deref(), Some("req_1"));
    }
}
