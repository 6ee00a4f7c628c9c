//! Both legs at one endpoint, with the least that is right.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use axum::extract::State;
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::audit::Audit;
use crate::key::{Key, Public};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const REDEEM: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ID_TOKEN_ISSUER: &str = "http://127.0.0.1:9100";
const CLIENT: &str = "bench-client";
const SECRET: &str = "bench-secret";

/// An ID token of the foreign issuer, good for two hours.
pub(crate) fn id_token(key: &Key, person: usize) -> anyhow::Result<String> {
    let at = now();
    key.sign(
        "JWT",
        &json!({
            "iss": ID_TOKEN_ISSUER, "sub": format!("user-{person}"), "aud": CLIENT, "iat": at, "exp": at + 7200,
            "auth_time": at, "email": format!("user-{person}@example.com"),
        }),
    )
}

/// What the server holds.
pub(crate) struct Floor {
    key: Key,
    own: Public,
    id_tokens: Public,
    random: SystemRandom,
    verified: Mutex<HashMap<[u8; 32], (String, u64)>>,
    used: Mutex<HashMap<[u8; 32], u64>>,
    audit: Audit,
}

#[derive(Deserialize)]
pub(crate) struct Asked {
    grant_type: String,
    #[serde(default)]
    subject_token: String,
    #[serde(default)]
    audience: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    assertion: String,
}

#[derive(Deserialize)]
struct Subject {
    sub: String,
    exp: u64,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    resource: String,
    client_id: String,
    scope: String,
    jti: String,
    iat: u64,
    exp: u64,
}

type Answer = (StatusCode, Json<Value>);

impl Floor {
    pub(crate) fn new(id_tokens: &[u8], audit: Audit) -> anyhow::Result<Arc<Self>> {
        let key = Key::generate()?;
        Ok(Arc::new(Self {
            own: Public::parse(&key.public())?,
            key,
            id_tokens: Public::parse(id_tokens)?,
            random: SystemRandom::new(),
            verified: Mutex::default(),
            used: Mutex::default(),
            audit,
        }))
    }

    fn jti(&self) -> anyhow::Result<String> {
        let mut bytes = [0_u8; 16];
        self.random.fill(&mut bytes).map_err(|_| anyhow::anyhow!("no random"))?;
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Who an ID token is about; its signature is looked at once.
    fn subject(&self, token: &str) -> Option<String> {
        let hash = sha256(token.as_bytes());
        let known = self
            .verified
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&hash)
            .cloned();
        if let Some((sub, exp)) = known {
            return (exp > now()).then_some(sub);
        }
        let Subject { sub, exp } = self
            .id_tokens
            .verify(token)
            .filter(|subject: &Subject| subject.exp > now())?;
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.insert(hash, (sub.clone(), exp));
        Some(sub)
    }

    async fn exchange(&self, asked: Asked) -> anyhow::Result<Answer> {
        let Some(sub) = self.subject(&asked.subject_token) else {
            return Ok(refuse("subject_token"));
        };
        let at = now();
        let claims = Claims {
            iss: "http://floor".to_owned(),
            sub,
            aud: asked.audience,
            resource: asked.resource,
            client_id: CLIENT.to_owned(),
            scope: asked.scope,
            jti: self.jti()?,
            iat: at,
            exp: at + 300,
        };
        self.record("id_jag.issued", &claims).await?;
        let token = self.key.sign("oauth-id-jag+jwt", &claims)?;
        Ok((
            StatusCode::OK,
            Json(json!({
                "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag", "access_token": token,
                "token_type": "N_A", "scope": claims.scope, "expires_in": 300,
            })),
        ))
    }

    async fn redeem(&self, asked: Asked) -> anyhow::Result<Answer> {
        let at = now();
        let granted = self
            .own
            .verify(&asked.assertion)
            .filter(|claims: &Claims| claims.exp > at);
        let Some(granted) = granted else {
            return Ok(refuse("assertion"));
        };
        let hash = sha256(format!("{}\n{}", granted.iss, granted.jti).as_bytes());
        let before = self
            .used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(hash, granted.exp);
        if before.is_some() {
            return Ok(refuse("replayed"));
        }
        let claims = Claims {
            aud: granted.resource.clone(),
            jti: self.jti()?,
            iat: at,
            exp: at + 600,
            ..granted
        };
        self.record("access_token.issued", &claims).await?;
        let token = self.key.sign("at+jwt", &claims)?;
        Ok((
            StatusCode::OK,
            Json(json!({
                "access_token": token, "token_type": "Bearer", "scope": claims.scope, "expires_in": 600,
            })),
        ))
    }

    async fn record(&self, kind: &str, claims: &Claims) -> anyhow::Result<()> {
        let event = json!({
            "time": claims.iat, "event": kind, "decision": "permit", "sub": claims.sub, "client_id": claims.client_id,
            "resource": claims.resource, "scope": claims.scope, "jti": claims.jti, "policy": "p-1",
            "reason": "group:engineering", "ip": "10.0.0.1", "request_id": claims.jti,
        });
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        self.audit.record(line).await
    }
}

/// `POST /token`
pub(crate) async fn answer(State(floor): State<Arc<Floor>>, headers: HeaderMap, Form(asked): Form<Asked>) -> Answer {
    let basic = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let pair = basic.and_then(|pair| String::from_utf8(STANDARD.decode(pair).ok()?).ok());
    if pair.as_deref().and_then(|pair| pair.split_once(':')) != Some((CLIENT, SECRET)) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"})));
    }
    let answered = match asked.grant_type.as_str() {
        EXCHANGE => floor.exchange(asked).await,
        REDEEM => floor.redeem(asked).await,
        _ => {
            return (
                StatusCode::BAD_REQUEST,
                Json(json!({"error": "unsupported_grant_type"})),
            );
        }
    };
    answered.unwrap_or_else(|error| {
        eprintln!("floor: {error:#}");
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            Json(json!({"error": "server_error"})),
        )
    })
}

fn refuse(why: &str) -> Answer {
    let body = json!({"error": "invalid_grant", "error_description": why});
    (StatusCode::BAD_REQUEST, Json(body))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

#[expect(clippy::disallowed_methods, reason = "a yardstick has no clock to be given")]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
