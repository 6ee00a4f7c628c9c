//! Checking a token against its issuer's published keys.
//!
//! Owns the one outbound step of `inspect`: metadata and keys are fetched, the token is sent nowhere.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use lanyard_fetch::{Fetch, HttpFetch, JwksCache, MetadataCache};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::token::{AccessToken, IdJag, IdToken, Kind, Unverified};
use lanyard_jose::verify::{Audience, Expected, verify as verify_token};
use lanyard_protocol::issuer::Issuer;
use serde::Serialize;
use serde_json::Value;

use crate::client_config::{ClientFile, Places};
use crate::command::inspect::explain::TokenKind;

const ALGORITHMS: &[Algorithm] = &[
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// What is known about a token's truth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Verification {
    /// Nothing.
    NotAsked,
    /// Signature and times are right by the keys that the issuer publishes now.
    Good { issuer: String, kid: String },
    /// They are not, or it could not be found out.
    Failed { reason: String },
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => {
                f.write_str("Nothing. Anybody can write such a token; --verify checks it against the issuer's keys.")
            }
            Self::Good { issuer, kid } => write!(
                f,
                "Signature and times are right, by the key {kid} that {issuer} publishes. \
                 Whether it was revoked or used, and whether you should trust that issuer, is not known here."
            ),
            Self::Failed { reason } => write!(f, "Nothing: {reason}."),
        }
    }
}

/// Fetches the keys of the issuer that the token names, and checks.
pub(super) async fn verify(text: &str, kind: TokenKind, claims: &Value, now: i64, places: &Places) -> Verification {
    let checked = match kind {
        TokenKind::IdToken => check::<IdToken>(text, claims, now, places).await,
        TokenKind::IdJag => check::<IdJag>(text, claims, now, places).await,
        TokenKind::AccessToken => check::<AccessToken>(text, claims, now, places).await,
        TokenKind::ClientAssertion => Err(anyhow::anyhow!(
            "a client assertion is signed by the client, whose keys only the server knows"
        )),
        TokenKind::DpopProof | TokenKind::LogoutToken | TokenKind::SecurityEvent | TokenKind::Unknown => {
            Err(anyhow::anyhow!("tokens of this kind are not checked here"))
        }
    };
    checked.unwrap_or_else(|error| Verification::Failed {
        reason: format!("{error:#}"),
    })
}

async fn check<K: Kind>(text: &str, claims: &Value, now: i64, places: &Places) -> anyhow::Result<Verification> {
    let token = Unverified::<K>::parse(text)?;
    let issuer = Issuer::parse(token.issuer().unwrap_or_default())?;
    let outbound = ClientFile::load(places)?.outbound(issuer.is_plain_http())?;
    let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&outbound)?);
    let metadata = MetadataCache::new(Arc::clone(&fetch))
        .authorization_server(&issuer)
        .await;
    let metadata = metadata.with_context(|| format!("the metadata of {issuer} cannot be used"))?;
    let Some(jwks_uri) = metadata.jwks_uri.as_deref() else {
        bail!("{issuer} publishes no keys")
    };
    let keys = JwksCache::new(fetch)
        .keys(jwks_uri, token.kid())
        .await
        .context("the issuer's keys cannot be fetched")?;
    let audience = match claims.get("aud") {
        Some(Value::String(audience)) => audience.as_str(),
        Some(Value::Array(audiences)) => audiences.first().and_then(Value::as_str).unwrap_or_default(),
        _ => "",
    };
    let expected = Expected {
        issuer: issuer.as_str(),
        audience: Audience::Contains(audience),
        now,
        leeway: 30,
        algorithms: ALGORITHMS,
        max_lifetime: None,
    };
    let verified = verify_token(&token, &keys, &expected)?;
    Ok(Verification::Good {
        issuer: issuer.as_str().to_owned(),
        kid: verified.kid().to_owned(),
    })
}
