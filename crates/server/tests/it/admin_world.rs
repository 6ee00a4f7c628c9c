//! The admin API of a healthy company, and its administrators.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::admin::token::AdminRole;
use lanyard_core::admin::tokens;
use lanyard_core::audit::event::AuditEvent;
use lanyard_core::clock::Timestamp;
use lanyard_core::keys::rotation::RotationSettings;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::strength::Strength;
use lanyard_server::admin::{self, AdminDeps, Upstreams};
use lanyard_server::http::peer::Peer;
use secrecy::ExposeSecret;
use serde_json::Value;
use tower::ServiceExt;

use crate::support::{Answer, World};
use crate::upstream_world::Front;

pub(crate) struct Api {
    pub(crate) world: Arc<World>,
    pub(crate) owner: String,
    router: Router,
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::asking(None).await
    }

    /// An API that asks administrators who are people for a strength.
    pub(crate) async fn asking(strength: Option<Strength>) -> Self {
        Self::of(Arc::new(World::new().await), None, strength)
    }

    /// The admin API of a company with an identity provider in front of it.
    pub(crate) fn over(front: &Front) -> Self {
        let upstream = Upstreams {
            providers: front.providers.clone(),
            settings: Arc::new(front.world.company.idp.clone()),
        };
        Self::of(Arc::clone(&front.world), Some(upstream), None)
    }

    fn of(world: Arc<World>, upstream: Option<Upstreams>, strength: Option<Strength>) -> Self {
        let company = &world.company;
        let deployment = Deployment {
            idp: Some(company.idp.issuer.clone()),
            ras: Some(company.ras.issuer.clone()),
        };
        let router = admin::router(AdminDeps {
            people: Arc::default(),
            basis: world.basis.clone(),
            deployment: Arc::new(deployment),
            policy: Arc::clone(&company.policy),
            document_bytes: 64 << 20,
            cut_off: Arc::clone(&world.cut_off),
            passwords: lanyard_testkit::passwords::passwords(Arc::clone(&company.random)),
            strength,
            rotation: RotationSettings::default(),
            gateway_url: None,
            upstream,
        });
        let mut api = Self {
            world,
            owner: String::new(),
            router,
        };
        api.owner = api.token(AdminRole::Owner, None);
        api
    }

    /// A fresh token of this role.
    pub(crate) fn token(&self, role: AdminRole, expires_at: Option<Timestamp>) -> String {
        let admin = self.world.company.admin.clone();
        let made = self
            .world
            .company
            .write(move |cx, tx| tokens::create(cx, tx, &admin, ("test", role, expires_at)));
        match made {
            Outcome::Granted((_, secret)) => secret.expose_secret().to_owned(),
            Outcome::Denied(denial) => panic!("{denial}"),
        }
    }

    /// A request as the owner.
    pub(crate) async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask_as(&self.owner, method, path, body).await
    }

    /// A request with a token; `Value::Null` sends no body.
    pub(crate) async fn ask_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder().method(method).uri(format!("/admin/v1{path}"));
        self.send(
            request
                .header("authorization", format!("Bearer {token}"))
                .body(body)
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, Value::Null).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(IpAddr::from([192, 0, 2, 1])));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// How many events there are.
    pub(crate) fn count(&self) -> usize {
        self.world.company.events().len()
    }

    /// The events since there were so many, oldest first.
    pub(crate) fn since(&self, count: usize) -> Vec<AuditEvent> {
        let mut events = self.world.company.events();
        events.truncate(events.len() - count);
        events.reverse();
        events.into_iter().map(|stored| stored.event).collect()
    }
}

/// Status and code of a refusal, whose shape is checked on the way.
#[track_caller]
pub(crate) fn refused(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert!(
        body["message"].as_str().is_some_and(|message| !message.is_empty()),
        "{body}"
    );
    assert!(
        body["request_id"].as_str().is_some_and(|id| id.starts_with("req_")),
        "{body}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    (answer.status.as_u16(), body["error"].as_str().unwrap().to_owned())
}
