//! A company with a directory that provisions, and its requests.

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use lanyard_core::audit::event::AuditEvent;
use lanyard_server::http::peer::Peer;
use lanyard_server::scim::{self, ScimDeps};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;
use tower::ServiceExt;

use crate::admin_world::Api;
use crate::support::Answer;

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub(super) struct Scim {
    pub(super) api: Api,
    router: Router,
    /// Of the directory `okta`.
    pub(super) token: String,
}

impl Scim {
    pub(super) async fn new() -> Self {
        Self::with(json!({})).await
    }

    /// With settings of the directory.
    pub(super) async fn with(settings: Value) -> Self {
        let api = Api::new().await;
        let router = scim::router(ScimDeps {
            basis: api.world.basis.clone(),
            issuer: api.world.company.idp.issuer.clone(),
            cut_off: Arc::clone(&api.world.cut_off),
        });
        let mut scim = Self {
            api,
            router,
            token: String::new(),
        };
        scim.token = scim.directory("okta", settings).await;
        scim
    }

    /// Makes a directory; its token.
    pub(super) async fn directory(&self, name: &str, mut settings: Value) -> String {
        settings["name"] = json!(name);
        let made = self.api.ask("PUT", "/directories", settings).await;
        assert_eq!(made.status.as_u16(), 200, "{}", made.text());
        self.fresh_token(name).await
    }

    pub(super) async fn fresh_token(&self, directory: &str) -> String {
        let path = format!("/directories/{directory}/tokens");
        let made = self.api.ask("POST", &path, json!({"name": "test"})).await;
        assert_eq!(made.status.as_u16(), 200, "{}", made.text());
        made.json()["token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.ask_as(&self.token, method, path, body).await
    }

    /// A request with a token; `Value::Null` sends no body.
    pub(super) async fn ask_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/scim+json");
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        self.send(request.body(body).unwrap()).await
    }

    pub(super) async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(IpAddr::from([192, 0, 2, 7])));
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

    /// A request that must succeed with this status; its body.
    pub(super) async fn good(&self, status: u16, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.text());
        if answer.body.is_empty() {
            return Value::Null;
        }
        assert_eq!(answer.header("content-type"), "application/scim+json");
        answer.json()
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.good(200, "GET", path, Value::Null).await
    }

    /// A new person; their id.
    pub(super) async fn person(&self, name: &str) -> String {
        let body = json!({"schemas": [USER], "userName": name, "externalId": format!("ext-{name}")});
        id(&self.good(201, "POST", "/Users", body).await)
    }

    /// A new group; its id.
    pub(super) async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let body = json!({"displayName": name, "members": members});
        id(&self.good(201, "POST", "/Groups", body).await)
    }

    pub(super) async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({"schemas": [PATCH], "Operations": operations});
        self.ask("PATCH", path, body).await
    }

    /// The resources that a filter finds, by one of their texts.
    pub(super) async fn find(&self, endpoint: &str, filter: &str, text: &str) -> Vec<String> {
        let query = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect::<String>();
        let list = self.get(&format!("/{endpoint}?filter={query}")).await;
        let found = list["Resources"].as_array().unwrap();
        assert_eq!(list["totalResults"], found.len());
        found.iter().map(|one| one[text].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn count(&self) -> usize {
        self.api.count()
    }

    /// The kinds of the events since there were so many, oldest first.
    pub(super) fn kinds(&self, count: usize) -> Vec<String> {
        self.since(count).into_iter().map(|event| event.kind).collect()
    }

    pub(super) fn since(&self, count: usize) -> Vec<AuditEvent> {
        self.api.since(count)
    }

    /// The last event is the refusal of this answer, for this reason.
    #[track_caller]
    pub(super) fn refused(&self, answer: &Answer, (status, scim_type): (u16, &str), reason: &str) {
        let body = answer.json();
        assert_eq!(answer.status.as_u16(), status, "{body}");
        assert_eq!(answer.header("content-type"), "application/scim+json");
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body["scimType"].as_str().unwrap_or_default(), scim_type, "{body}");
        let event = self.api.world.company.events().remove(0).event;
        assert_eq!(
            (event.kind.as_str(), event.reason.as_deref()),
            ("directory.request.refused", Some(reason)),
            "{event:?}"
        );
        let detail = body["detail"].as_str().unwrap();
        assert!(detail.contains(event.request_id.as_str()), "{detail}");
        assert!(matches!(event.actor, lanyard_core::audit::event::Actor::Directory(_)));
    }
}

pub(super) fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap().to_owned()
}
