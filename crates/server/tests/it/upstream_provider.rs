//! An OpenID provider in memory that can be made to lie, fail and change its keys.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, StatusCode};
use lanyard_fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::{at_hash, base64url, s256_challenge};
use lanyard_jose::key::SigningKey;
use lanyard_protocol::form::Form;
use serde_json::{Map, Value, json};
use url::Url;

/// The issuer, unless a test takes another.
pub(crate) const UPSTREAM: &str = "https://idp.corp.example";
/// Our client id there.
pub(crate) const CLIENT: &str = "lanyard-at-corp";
/// Our secret there: with characters that Basic must encode.
pub(crate) const SECRET: &str = "up:stream+secret/ö";
/// The access token beside every ID token.
const ACCESS_TOKEN: &str = "upstream-access-token";

/// How the provider signs an ID token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// With its key.
    Good,
    /// With a key that is not published, under the name of the one that is.
    OtherKey,
    /// Not at all: `alg: none`.
    None,
    /// With HMAC in its header, as an attacker who takes a public key for a secret.
    Hmac,
}

/// What a test may change.
pub(crate) struct Lies {
    /// Members of the metadata document; null removes one.
    pub(crate) metadata: Map<String, Value>,
    /// Claims of the ID token; null removes one.
    pub(crate) claims: Map<String, Value>,
    /// What userinfo says.
    pub(crate) userinfo: Value,
    /// Answers by the end of the path, instead of the right ones.
    pub(crate) answers: BTreeMap<&'static str, Result<FetchResponse, FetchError>>,
    /// How ID tokens are signed.
    pub(crate) signing: Signing,
    /// The `typ` of ID tokens.
    pub(crate) typ: &'static str,
    /// Whether the token answer has an ID token.
    pub(crate) id_token: bool,
    /// The key, published and signing.
    pub(crate) key: SigningKey,
    /// The key of the JWK set when another one is published than signs.
    pub(crate) published: Option<Value>,
}

/// The provider.
pub(crate) struct Provider {
    issuer: String,
    pub(crate) lies: Mutex<Lies>,
    seen: Mutex<Vec<(String, Option<Form>, HeaderMap)>>,
    authorization: Mutex<Form>,
    now: Box<dyn Fn() -> i64 + Send + Sync>,
}

impl Provider {
    pub(crate) fn new(issuer: &str, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            issuer: issuer.to_owned(),
            lies: Mutex::new(Lies {
                metadata: Map::new(),
                claims: Map::new(),
                userinfo: json!({"sub": "s-1"}),
                answers: BTreeMap::new(),
                signing: Signing::Good,
                typ: "JWT",
                id_token: true,
                key: SigningKey::generate(Algorithm::Es256).unwrap(),
                published: None,
            }),
            seen: Mutex::default(),
            authorization: Mutex::default(),
            now: Box::new(now),
        }
    }

    /// Lets the provider lie from now on.
    pub(crate) fn lie(&self, how: impl FnOnce(&mut Lies)) {
        how(&mut self.lies.lock().unwrap());
    }

    /// Every request so far, as the end of its path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen
            .lock()
            .unwrap()
            .iter()
            .map(|(path, ..)| path.clone())
            .collect()
    }

    /// The form and headers of the last token request.
    pub(crate) fn token_request(&self) -> (Form, HeaderMap) {
        let seen = self.seen.lock().unwrap();
        let (_, form, headers) = seen.iter().rev().find(|(path, ..)| path.ends_with("/token")).unwrap();
        (form.clone().unwrap(), headers.clone())
    }

    /// The person signs in at the address a browser was sent to; the query string with which it comes back.
    pub(crate) fn sign_in(&self, location: &str) -> String {
        let url = Url::parse(location).unwrap();
        assert!(
            location.starts_with(&format!("{}/authorize?", self.issuer)),
            "{location}"
        );
        let asked = Form::parse(url.query().unwrap().as_bytes()).unwrap();
        let state = asked.once("state").unwrap().unwrap().to_owned();
        *self.authorization.lock().unwrap() = asked;
        format!(
            "code=the-code&state={state}&iss={}",
            lanyard_protocol::form::encode(&self.issuer)
        )
    }

    /// A logout token of a session, with other claims; null removes one (Back-Channel Logout, section 2.4).
    pub(crate) fn logout_token(&self, changes: &Value) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let now = (self.now)();
        let good = json!({
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "sid": "up-1",
            "jti": format!("logout-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        });
        let lies = self.lies.lock().unwrap();
        signed(&lies, &changed(good, changes.as_object().unwrap()))
    }

    /// Its right discovery document.
    pub(crate) fn discovery(&self) -> FetchResponse {
        document(&self.metadata(&self.lies.lock().unwrap()))
    }

    fn answer(&self, request: &FetchRequest) -> Result<FetchResponse, FetchError> {
        let lies = self.lies.lock().unwrap();
        let path = request.url.path();
        if let Some((_, answer)) = lies.answers.iter().find(|(end, _)| path.ends_with(*end)) {
            return answer.clone();
        }
        match path {
            _ if path.ends_with("/.well-known/openid-configuration") => Ok(document(&self.metadata(&lies))),
            _ if path.ends_with("/keys") => Ok(document(&json!({"keys": [lies
                .published
                .clone()
                .unwrap_or_else(|| lies.key.public_jwk().to_value())]}))),
            _ if path.ends_with("/token") => Ok(self.token(&lies, request)),
            _ if path.ends_with("/userinfo") => Ok(document(&lies.userinfo)),
            _ => Ok(response(404, "text/html", "")),
        }
    }

    fn metadata(&self, lies: &Lies) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer.trim_end_matches('/'));
        let good = json!({
            "issuer": self.issuer,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"),
            "userinfo_endpoint": at("/userinfo"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
            "authorization_response_iss_parameter_supported": true,
        });
        changed(good, &lies.metadata)
    }

    fn token(&self, lies: &Lies, request: &FetchRequest) -> FetchResponse {
        let form = Form::parse(&request.body).unwrap();
        let asked = self.authorization.lock().unwrap();
        let once = |name| asked.once(name).unwrap().unwrap_or_default();
        let sent = |name| form.once(name).unwrap().unwrap_or_default();
        // A code that nobody gave, or another verifier or redirect URI than at the beginning.
        let fits = sent("code") == "the-code"
            && sent("redirect_uri") == once("redirect_uri")
            && s256_challenge(sent("code_verifier")) == once("code_challenge");
        if !knows(&form, &request.headers) {
            return with_status(
                401,
                &json!({"error": "invalid_client", "error_description": "<b>wrong</b>"}),
            );
        }
        if !fits {
            return with_status(400, &json!({"error": "invalid_grant"}));
        }
        let now = (self.now)();
        let claims = json!({
            "iss": self.issuer, "sub": "s-1", "aud": CLIENT, "exp": now + 300, "iat": now, "auth_time": now,
            "nonce": once("nonce"), "at_hash": at_hash(ACCESS_TOKEN), "preferred_username": "erin", "name": "Erin Example",
        });
        let claims = changed(claims, &lies.claims);
        let mut answer = json!({"access_token": ACCESS_TOKEN, "token_type": "Bearer", "expires_in": 300});
        if lies.id_token {
            answer["id_token"] = json!(signed(lies, &claims));
        }
        document(&answer)
    }
}

fn signed(lies: &Lies, claims: &Value) -> String {
    let by_hand = |header: Value, signature: &[u8]| {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.{}", part(&header), part(claims), base64url(signature))
    };
    match lies.signing {
        Signing::Good => lies.key.sign(lies.typ, claims).unwrap(),
        Signing::OtherKey => {
            let other = SigningKey::generate(Algorithm::Es256).unwrap();
            other.sign_with_kid(lies.typ, lies.key.kid(), claims).unwrap()
        }
        Signing::None => by_hand(json!({"alg": "none", "typ": "JWT"}), b""),
        Signing::Hmac => by_hand(json!({"alg": "HS256", "typ": "JWT", "kid": lies.key.kid()}), &[7; 32]),
    }
}

/// Whether the caller proved to be the client, in one of the three ways.
fn knows(form: &Form, headers: &HeaderMap) -> bool {
    let encoded = lanyard_protocol::form::encode;
    let basic = STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET)));
    let in_header = headers
        .get("authorization")
        .is_some_and(|value| value.to_str().unwrap() == format!("Basic {basic}"));
    let in_body = form.once("client_secret").unwrap() == Some(SECRET);
    in_header || in_body || form.has("client_assertion")
}

fn changed(mut value: Value, changes: &Map<String, Value>) -> Value {
    let members = value.as_object_mut().unwrap();
    for (name, change) in changes {
        match change {
            Value::Null => members.remove(name),
            other => members.insert(name.clone(), other.clone()),
        };
    }
    value
}

impl Fetch for Provider {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        let form = Form::parse(&request.body).ok().filter(|_| !request.body.is_empty());
        let seen = (request.url.path().to_owned(), form, request.headers.clone());
        self.seen.lock().unwrap().push(seen);
        Box::pin(async move { self.answer(&request) })
    }
}

pub(crate) fn response(status: u16, kind: &'static str, body: &str) -> FetchResponse {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(kind));
    FetchResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_owned().into(),
    }
}

pub(crate) fn with_status(status: u16, body: &Value) -> FetchResponse {
    response(status, "application/json", &body.to_string())
}

pub(crate) fn document(body: &Value) -> FetchResponse {
    with_status(200, body)
}
