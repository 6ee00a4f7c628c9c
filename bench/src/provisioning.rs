//! A provisioning client: the requests that a directory sends, and what they must be answered.

use anyhow::Context;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// Its connection to one directory.
pub(crate) struct Provisioning {
    http: Client<HttpConnector, Full<Bytes>>,
    base: String,
    bearer: String,
}

impl Provisioning {
    /// To the directory of this token.
    pub(crate) fn new(base: String, token: &str) -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            base,
            bearer: format!("Bearer {token}"),
        }
    }

    /// Makes a person as Entra ID and Okta do; their id.
    pub(crate) async fn person(&self, n: usize) -> anyhow::Result<String> {
        let body = json!({
            "schemas": [
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
            ],
            "userName": user_name(n), "externalId": external_id(n), "active": true,
            "displayName": format!("Given{n} Family{n}"),
            "name": { "givenName": format!("Given{n}"), "familyName": format!("Family{n}") },
            "emails": [{ "primary": true, "type": "work", "value": user_name(n) }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "employeeNumber": format!("{n}"), "department": "Engineering",
            },
        });
        let answer = self
            .send(Method::POST, "/Users", Some(&body), StatusCode::CREATED)
            .await?;
        id(&answer)
    }

    /// Makes a group without members; its id.
    pub(crate) async fn group(&self, name: &str) -> anyhow::Result<String> {
        let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name });
        let answer = self
            .send(Method::POST, "/Groups", Some(&body), StatusCode::CREATED)
            .await?;
        id(&answer)
    }

    /// Adds or removes members in one request.
    pub(crate) async fn members<'a>(
        &self,
        group: &str,
        op: &str,
        members: impl Iterator<Item = &'a String>,
    ) -> anyhow::Result<()> {
        let members: Vec<Value> = members.map(|id| json!({ "value": id })).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": op, "path": "members", "value": members }],
        });
        let path = format!("/Groups/{group}");
        self.send(Method::PATCH, &path, Some(&body), StatusCode::NO_CONTENT)
            .await?;
        Ok(())
    }

    /// Looks for the one that a filter names.
    pub(crate) async fn look_up(&self, resource: &str, filter: &str) -> anyhow::Result<()> {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let path = format!("/{resource}?filter={filter}");
        let answer = self.send(Method::GET, &path, None, StatusCode::OK).await?;
        anyhow::ensure!(answer.get("totalResults") == Some(&json!(1)), "{filter} found {answer}");
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>, good: StatusCode) -> anyhow::Result<Value> {
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(CONTENT_TYPE, "application/scim+json")
            .header(AUTHORIZATION, &self.bearer)
            .body(Full::new(Bytes::from(text)))?;
        let answer = self.http.request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        anyhow::ensure!(
            status == good,
            "{path} was answered {status} {}",
            String::from_utf8_lossy(&body)
        );
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

/// The name that a person signs in by at the directory.
pub(crate) fn user_name(n: usize) -> String {
    format!("given{n}.family{n}@example.com")
}

/// The directory's own id of a person.
pub(crate) fn external_id(n: usize) -> String {
    format!("00u{n:017}")
}

fn id(answer: &Value) -> anyhow::Result<String> {
    let id = answer.get("id").and_then(Value::as_str);
    id.map(str::to_owned).with_context(|| format!("no id: {answer}"))
}
