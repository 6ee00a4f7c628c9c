//! A resource, its authorization server's key, and a service that says who called.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::{JwkSet, KeySet};
use lanyard_jose::key::SigningKey;
use lanyard_jose::token::{AccessToken, Verified};
use lanyard_jose::verify::AccessTokenCache;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;
use lanyard_resource_server::clock::Clock;
use lanyard_resource_server::keys::StaticKeys;
use lanyard_resource_server::layer::ProtectLayer;
use lanyard_resource_server::resource::ProtectedResource;
use lanyard_resource_server::revocation::RevocationList;
use lanyard_resource_server::verifier::{Verifier, VerifierParts};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

pub(crate) const NOW: i64 = 1_789_387_200;
pub(crate) const ISSUER: &str = "https://auth.ledger.example";
pub(crate) const RESOURCE: &str = "https://mcp.ledger.example/mcp";
pub(crate) const METADATA: &str = "https://mcp.ledger.example/.well-known/oauth-protected-resource/mcp";

pub(crate) struct World {
    pub(crate) key: SigningKey,
    pub(crate) keys: StaticKeys,
    pub(crate) revocations: Arc<RevocationList>,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) layer: ProtectLayer,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) challenge: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let now = Arc::new(AtomicI64::new(NOW));
        let clock: Clock = {
            let now = Arc::clone(&now);
            Arc::new(move || now.load(Ordering::Relaxed))
        };
        let keys = StaticKeys::new(Issuer::parse(ISSUER).unwrap(), key_set(&key));
        let revocations = Arc::new(RevocationList::local(clock.clone()));
        let resource = ProtectedResource::new(ResourceId::parse(RESOURCE).unwrap(), Issuer::parse(ISSUER).unwrap())
            .with_scopes(&ScopeSet::parse("invoices.read").unwrap());
        let parts = VerifierParts {
            keys: Arc::new(keys.clone()),
            revocations: revocations.clone(),
            tokens: AccessTokenCache::new(100),
            clock,
        };
        let layer =
            ProtectLayer::new(Verifier::new(resource, parts)).require(ScopeSet::parse("invoices.read").unwrap());
        Self {
            key,
            keys,
            revocations,
            now,
            layer,
        }
    }

    pub(crate) fn claims(&self) -> Value {
        json!({
            "iss": ISSUER, "sub": "acct_88213", "aud": RESOURCE, "client_id": "ide-at-ledger-77", "jti": "at-1",
            "iat": NOW, "exp": NOW + 600, "scope": "invoices.read",
        })
    }

    pub(crate) fn token(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims();
        change(&mut claims);
        self.key.sign("at+jwt", &claims).unwrap()
    }

    pub(crate) async fn get(&self, uri: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(()).unwrap()).await
    }

    pub(crate) async fn send(&self, request: Request<()>) -> Answer {
        let service = tower::service_fn(|request: Request<()>| async move {
            let caller = request.extensions().get::<Verified<AccessToken>>().unwrap();
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(caller.sub.as_str().to_owned()))))
        });
        let response = self.layer.layer(service).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let challenge = head
            .headers
            .get("www-authenticate")
            .map(|value| value.to_str().unwrap().to_owned());
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: head.status,
            challenge: challenge.unwrap_or_default(),
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn with_token(&self, token: &str) -> Answer {
        self.get(RESOURCE, &[("authorization", &format!("Bearer {token}"))])
            .await
    }
}

pub(crate) fn key_set(key: &SigningKey) -> KeySet {
    KeySet::from_jwks(&JwkSet {
        keys: vec![key.public_jwk()],
    })
}
