//! ID tokens for load tests: a session for each person is made in the lab process instead of typing a password.
//!
//! Lab only: `serve` has no such endpoint. Guarded by the lab's administrator token.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use lanyard_core::client::registration::Side;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::idp::sign_in::{Admission, admit};
use lanyard_core::keys::record::Ring;
use lanyard_core::session::record::Session;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::StoreExt;
use lanyard_core::store::page::PageRequest;
use lanyard_jose::digest::constant_time_eq;
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::id_token::{IdTokenClaims, TYP};
use lanyard_protocol::claims::time::{NumericDate, Subject};
use lanyard_protocol::client_id::ClientId;
use lanyard_server::oauth::basis::Basis;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

/// What minting needs.
#[derive(Clone)]
pub(crate) struct Mint {
    /// The lab's process.
    pub basis: Basis,
    /// Its IdP.
    pub settings: Arc<IdpSettings>,
    /// The lab's administrator token.
    pub admin_token: SecretString,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Client id at the IdP.
    client_id: String,
    /// People at most.
    count: usize,
    /// Life of the tokens in seconds.
    ttl: u64,
}

/// The router of the lab's own endpoint.
pub(crate) fn router(mint: Mint) -> Router {
    Router::new()
        .route("/id-tokens", post(handle))
        .with_state(Arc::new(mint))
}

async fn handle(State(mint): State<Arc<Mint>>, headers: HeaderMap, Query(wanted): Query<Wanted>) -> Response {
    let expected = format!("Bearer {}", mint.admin_token.expose_secret());
    let presented = headers
        .get(AUTHORIZATION)
        .map(|value| value.as_bytes().to_vec())
        .unwrap_or_default();
    if !constant_time_eq(expected.as_bytes(), &presented) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match mint.all(&wanted).await {
        Ok(lines) => Response::new(Body::from(lines)),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{error:#}")).into_response(),
    }
}

impl Mint {
    /// One token per active person, in the order of their user names, one per line.
    async fn all(&self, wanted: &Wanted) -> anyhow::Result<String> {
        let client_id = ClientId::parse(wanted.client_id.as_str())?;
        let id = client_id.clone();
        let client = self.basis.store.read(move |tx| tx.find_client(Side::Idp, &id)).await?;
        let client = client.with_context(|| format!("there is no client {client_id} at the issuer"))?;
        let ttl = Duration::from_secs(wanted.ttl.clamp(60, 86_400));
        let mut lines = String::new();
        let (mut made, mut after) = (0, None);
        while made < wanted.count {
            let page = PageRequest::new(after.clone(), 500);
            let people = self.basis.store.read(move |tx| tx.list_users(None, &page)).await?;
            let names: Vec<String> = people
                .items
                .into_iter()
                .filter(|user| user.is_active())
                .map(|user| user.username)
                .take(wanted.count - made)
                .collect();
            made += names.len();
            for session in self.sessions(names).await? {
                let subject = self.basis.vault.subject_for_client(&client, &session.user);
                lines.push_str(&self.token(&client_id, subject, &session, ttl)?);
                lines.push('\n');
            }
            match people.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        Ok(lines)
    }

    /// A session each, as a right password leads to; people of load tests may have none.
    async fn sessions(&self, names: Vec<String>) -> anyhow::Result<Vec<Session>> {
        let (cx, settings) = (self.basis.own_cx(), Arc::clone(&self.settings));
        let sessions = self.basis.store.write(move |tx| {
            let mut sessions = Vec::with_capacity(names.len());
            for name in names {
                if let Some(user) = tx.find_user_by_username(&name)? {
                    let how = Admission::local(&cx, Strength::Password, &["pwd"]);
                    sessions.push(admit(&cx, tx, &settings, user, how, None)?.session);
                }
            }
            Ok(sessions)
        });
        Ok(sessions.await?)
    }

    fn token(
        &self,
        client_id: &ClientId,
        subject: Subject,
        session: &Session,
        ttl: Duration,
    ) -> anyhow::Result<String> {
        let rings = self.basis.rings.snapshot();
        let Some(ring) = rings.get(Ring::Idp) else {
            bail!("the lab has no issuer")
        };
        let now = self.basis.now();
        let authentication = &session.authentication;
        let claims = IdTokenClaims {
            iss: self.settings.issuer.clone(),
            sub: subject,
            aud: OneOrMany::One(client_id.as_str().to_owned()),
            exp: NumericDate::from_seconds(now.plus(ttl).seconds()),
            iat: NumericDate::from_seconds(now.seconds()),
            nbf: None,
            auth_time: authentication.auth_time_claim(),
            nonce: None,
            acr: Some(authentication.acr_claim().to_owned()),
            amr: Some(authentication.amr.clone()),
            azp: None,
            at_hash: None,
            sid: Some(session.id.to_string()),
            jti: None,
            email: None,
            email_verified: None,
            name: None,
            preferred_username: None,
        };
        Ok(ring.active.sign(TYP, &claims)?)
    }
}
