//! A request for every operation of the admin API that would succeed, and a company in which it does.

use lanyard_core::admin::sign_in;
use lanyard_core::client::registration::{KeyHolder, RegisteredKey, Side};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::company::{ALICE, CLI, FIGMA};
use serde_json::{Value, json};

use crate::admin_world::Api;

/// What an operation leaves in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Nothing: it only reads.
    Nothing,
    /// An event with what there is now.
    After,
    /// An event with what there was and what there is.
    Both,
    /// An event with what there was.
    Before,
    /// An event that is neither: calls that a gateway delivers.
    Told,
}

pub(crate) struct Sample {
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) leaves: Leaves,
}

/// What [`prepared`] made, where a path names it.
pub(crate) struct Known {
    token: String,
    trust: String,
    rule: String,
    kid: String,
    agent_kid: String,
    session: String,
    directory_token: String,
}

fn provider(name: &str) -> Value {
    json!({"name": name, "oidc": {"issuer": "https://idp.corp.example", "client_id": "lanyard", "client_secret": "s3cret"}})
}

/// A company with one of everything that an operation can be about.
pub(crate) async fn prepared() -> (Api, Known) {
    let api = Api::new().await;
    api.world.company.write(|cx, tx| sign_in::ensure_client(cx, tx));
    for (path, body) in [
        ("/groups/empty", json!({"name": "empty"})),
        (
            "/resources",
            json!({"id": "https://mcp.ledger.example/old", "scopes": "a"}),
        ),
        ("/audiences", json!({"issuer": "https://auth.old.example"})),
        ("/administrators", json!({"person": "carol", "role": "auditor"})),
        (
            "/agents/waiting",
            json!({"name": "waiting", "purpose": "Tests", "owners": ["alice", "carol"], "client": "agent"}),
        ),
        (
            "/agents/unwanted",
            json!({"name": "unwanted", "purpose": "Tests", "owners": ["alice"]}),
        ),
        (
            "/agents/working",
            json!({"name": "working", "purpose": "Tests", "owners": ["alice"], "status": "active"}),
        ),
        ("/identity-providers/corp", provider("corp")),
        ("/directories", json!({"name": "workday"})),
    ] {
        let answer = api.ask("PUT", path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text());
    }
    let mut staged = api.get("/connectors/figma").await;
    for field in ["id", "created_at", "updated_at"] {
        staged.as_object_mut().unwrap().remove(field);
    }
    staged["status"] = json!("staged");
    assert_eq!(api.ask("PUT", "/connectors/figma", staged).await.status.as_u16(), 200);
    let token = api
        .ask("POST", "/tokens", json!({"name": "old", "role": "auditor"}))
        .await
        .json();
    let (alice, cli) = (
        api.world.company.user(ALICE).id,
        api.world.company.client(Side::Idp, CLI).key,
    );
    let jwk = SigningKey::generate(Algorithm::Es256).unwrap().public_jwk();
    api.world.company.write(move |cx, tx| {
        tx.insert_client_key(&RegisteredKey {
            kid: "laptop".to_owned(),
            client: cli,
            jwk,
            holder: Some(KeyHolder::User(alice)),
            label: "laptop".to_owned(),
            created_at: cx.now,
            expires_at: None,
        })
    });
    let session = api.world.session(ALICE).as_str().to_owned();
    let link = json!({"subject": "00u1", "user": "alice"});
    let linked = api.ask("POST", "/identity-providers/corp/links", link).await;
    assert_eq!(linked.status.as_u16(), 200, "{}", linked.text());
    let directory_token = api
        .ask("POST", "/directories/workday/tokens", json!({"name": "first"}))
        .await
        .json();
    let first = |list: Value| list["items"][0]["id"].as_str().unwrap().to_owned();
    let ring = api.world.basis.rings.snapshot();
    let known = Known {
        session,
        directory_token: directory_token["id"].as_str().unwrap().to_owned(),
        token: token["id"].as_str().unwrap().to_owned(),
        trust: first(api.get("/trusts").await),
        rule: first(api.get("/rules").await),
        agent_kid: api.get("/agents/waiting").await["standing"]["keys"][0]["kid"]
            .as_str()
            .unwrap()
            .to_owned(),
        kid: ring.ras.as_ref().unwrap().active.kid().to_owned(),
    };
    (api, known)
}

/// The request for an operation, `template` below `/admin/v1`; `None` for one that nobody wrote a sample for.
pub(crate) fn sample(known: &Known, method: &str, template: &str) -> Option<Sample> {
    let made = |path: &str, body: Value, leaves| {
        Some(Sample {
            path: path.to_owned(),
            body,
            leaves,
        })
    };
    let read = |path: &str| made(path, Value::Null, Leaves::Nothing);
    let act = |path: &str, leaves| made(path, json!({}), leaves);
    let remove = |path: &str| made(path, Value::Null, Leaves::Before);
    let call = json!([{
        "gateway": "edge-1", "number": 1, "at": 1_795_000_000_000_000_i64, "request_id": "req_x",
        "connector": "linear", "decision": "allowed"
    }]);
    let jwk = || SigningKey::generate(Algorithm::Es256).unwrap().public_jwk().to_value();
    match (method, template) {
        ("GET", "/sign-in" | "/whoami" | "/users" | "/groups" | "/administrators" | "/agents") => read(template),
        ("GET", "/clients" | "/connectors" | "/audiences" | "/resources" | "/trusts" | "/rules") => read(template),
        ("GET", "/keys" | "/tokens" | "/grants" | "/audit" | "/audit/export") => read(template),
        ("GET", "/audit/checkpoint" | "/routes" | "/revocations") => read(template),
        ("GET", "/users/{username}") => read("/users/alice"),
        ("GET", "/users/{username}/sessions") => read("/users/alice/sessions"),
        ("DELETE", "/users/{username}/sessions") => remove("/users/alice/sessions"),
        ("DELETE", "/users/{username}/sessions/{id}") => remove(&format!("/users/alice/sessions/{}", known.session)),
        ("GET", "/identity-providers" | "/directories") => read(template),
        ("GET", "/identity-providers/{name}") => read("/identity-providers/corp"),
        ("GET", "/identity-providers/{name}/links") => read("/identity-providers/corp/links"),
        ("GET", "/identity-providers/{name}/metadata") => read("/identity-providers/corp/metadata"),
        ("POST", "/saml-metadata") => made(template, json!({"xml": "<none/>"}), Leaves::Nothing),
        ("GET", "/identity-providers/{name}/test/{id}") => read("/identity-providers/corp/test/x"),
        ("PUT", "/identity-providers/{name}") => made("/identity-providers/new", provider("new"), Leaves::After),
        ("DELETE", "/identity-providers/{name}") => remove("/identity-providers/corp"),
        ("POST", "/identity-providers/{name}/test") => act("/identity-providers/corp/test", Leaves::Nothing),
        ("POST", "/identity-providers/{name}/links") => {
            let link = json!({"subject": "00u2", "user": "carol"});
            made("/identity-providers/corp/links", link, Leaves::After)
        }
        ("DELETE", "/identity-providers/{name}/links/{username}") => remove("/identity-providers/corp/links/alice"),
        ("GET", "/directories/{name}/tokens") => read("/directories/workday/tokens"),
        ("PUT", "/directories") => made(template, json!({"name": "new"}), Leaves::After),
        ("DELETE", "/directories/{name}") => remove("/directories/workday"),
        ("POST", "/directories/{name}/tokens") => {
            made("/directories/workday/tokens", json!({"name": "next"}), Leaves::After)
        }
        ("DELETE", "/directories/{name}/tokens/{id}") => {
            remove(&format!("/directories/workday/tokens/{}", known.directory_token))
        }
        ("GET", "/users/{username}/factors") => read("/users/alice/factors"),
        ("GET", "/users/{username}/keys") => read("/users/alice/keys"),
        ("GET", "/groups/{name}/members") => read("/groups/engineering/members"),
        ("GET", "/agents/{name}") => read("/agents/waiting"),
        ("GET", "/clients/{side}/{client_id}") => read("/clients/idp/ide"),
        ("GET", "/connectors/{name}") => read("/connectors/linear"),
        ("POST", "/policy/test") => {
            let question = json!({"user": "alice", "client": "ide", "connector": "linear"});
            made(template, question, Leaves::Nothing)
        }
        ("PUT", "/users/{username}") => made("/users/erin", json!({"username": "erin"}), Leaves::After),
        ("POST", "/users/{username}/deactivate") => act("/users/alice/deactivate", Leaves::Both),
        ("POST", "/users/{username}/reactivate") => act("/users/dave/reactivate", Leaves::Both),
        ("POST", "/users/{username}/password") => {
            let password = json!({"password": "another long password"});
            made("/users/alice/password", password, Leaves::Both)
        }
        ("POST", "/users/{username}/sign-out") => act("/users/alice/sign-out", Leaves::Both),
        ("POST", "/users/{username}/factors/reset") => act("/users/alice/factors/reset", Leaves::Both),
        ("DELETE", "/users/{username}/keys/{kid}") => remove("/users/alice/keys/laptop"),
        ("PUT", "/groups/{name}") => made("/groups/new", json!({"name": "new"}), Leaves::After),
        ("DELETE", "/groups/{name}") => remove("/groups/empty"),
        ("PUT", "/groups/{name}/members/{username}") => act("/groups/engineering/members/carol", Leaves::After),
        ("DELETE", "/groups/{name}/members/{username}") => remove("/groups/engineering/members/alice"),
        ("PUT", "/administrators") => made(template, json!({"group": "empty", "role": "approver"}), Leaves::After),
        ("DELETE", "/administrators/{kind}/{name}") => remove("/administrators/people/carol"),
        ("PUT", "/agents/{name}") => {
            let spec = json!({"name": "waiting", "purpose": "Other tests"});
            made("/agents/waiting", spec, Leaves::Both)
        }
        ("DELETE", "/agents/{name}") => remove("/agents/waiting"),
        ("POST", "/agents/{name}/activate") => act("/agents/waiting/activate", Leaves::Both),
        ("POST", "/agents/{name}/deactivate") => act("/agents/unwanted/deactivate", Leaves::Both),
        ("POST", "/agents/{name}/suspend") => act("/agents/working/suspend", Leaves::Both),
        ("POST", "/agents/{name}/review") => act("/agents/working/review", Leaves::Both),
        ("PUT", "/agents/{name}/owners/{username}") => act("/agents/working/owners/carol", Leaves::Both),
        ("DELETE", "/agents/{name}/owners/{username}") => {
            made("/agents/waiting/owners/alice", Value::Null, Leaves::Both)
        }
        ("POST", "/agents/{name}/keys") => made("/agents/waiting/keys", json!({"jwk": jwk()}), Leaves::Both),
        ("DELETE", "/agents/{name}/keys/{kid}") => {
            let path = format!("/agents/waiting/keys/{}", known.agent_kid);
            made(&path, Value::Null, Leaves::Both)
        }
        ("PUT", "/clients/{side}/{client_id}") => {
            let spec = json!({"side": "idp", "client_id": "new", "auth": "native"});
            made("/clients/idp/new", spec, Leaves::After)
        }
        ("POST", "/clients/{side}/{client_id}/secrets") => act("/clients/ras/ide-at-ledger/secrets", Leaves::Both),
        ("POST", "/clients/{side}/{client_id}/disable") => act("/clients/ras/ide-at-ledger/disable", Leaves::Both),
        ("PUT", "/connectors/{name}") => {
            let spec = json!({"name": "new", "mcp_url": "https://mcp.ledger.example/new/mcp",
                              "scopes": [{"scope": "new.read"}]});
            made("/connectors/new", spec, Leaves::After)
        }
        ("DELETE", "/connectors/{name}") => remove("/connectors/linear"),
        ("POST", "/connectors/{name}/activate") => act("/connectors/figma/activate", Leaves::Both),
        ("PUT", "/audiences") => made(template, json!({"issuer": "https://auth.other.example"}), Leaves::After),
        ("DELETE", "/audiences") => remove("/audiences?issuer=https://auth.old.example"),
        ("PUT", "/resources") => {
            let spec = json!({"id": "https://mcp.ledger.example/new", "scopes": "a"});
            made(template, spec, Leaves::After)
        }
        ("DELETE", "/resources") => remove("/resources?id=https://mcp.ledger.example/old"),
        ("PUT", "/trusts") => {
            let keys = json!({"keys": [jwk()]});
            let spec =
                json!({"issuer": "https://idp.other.example", "jwks": keys, "clients": "all", "resources": [FIGMA]});
            made(template, spec, Leaves::After)
        }
        ("DELETE", "/trusts/{id}") => remove(&format!("/trusts/{}", known.trust)),
        ("PUT", "/rules") => {
            let spec =
                json!({"title": "New", "everyone": true, "clients": "all", "connectors": "all", "scopes": "all"});
            made(template, spec, Leaves::After)
        }
        ("DELETE", "/rules/{id}") => remove(&format!("/rules/{}", known.rule)),
        ("POST", "/keys/rotate") => made(template, json!({"ring": "ras"}), Leaves::After),
        ("DELETE", "/keys/{kid}") => made(&format!("/keys/{}", known.kid), Value::Null, Leaves::Both),
        ("POST", "/tokens") => made(template, json!({"name": "new", "role": "auditor"}), Leaves::After),
        ("DELETE", "/tokens/{id}") => remove(&format!("/tokens/{}", known.token)),
        ("POST", "/apply") => made(template, json!({"groups": [{"name": "new"}]}), Leaves::After),
        ("POST", "/calls") => made(template, call, Leaves::Told),
        ("POST", "/claim") => made(template, json!({"owner_token": "lny_owner_guess"}), Leaves::Nothing),
        _ => None,
    }
}
