//! Hostile and mistaken requests at the admin API, paging, and its description.

use axum::body::Body;
use http::Request;
use lanyard_server::admin::openapi::description;
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};

async fn put(api: &Api, path: &str, body: impl Into<Body>) -> crate::support::Answer {
    let request = Request::put(format!("/admin/v1{path}")).header("authorization", format!("Bearer {}", api.owner));
    api.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read_to_its_end_sec_22() {
    let api = Api::new().await;
    let answer = put(&api, "/groups/a", vec![b' '; 1024 * 1024 + 1]).await;
    assert_eq!(refused(&answer), (413, "too_large".to_owned()));
    let request = Request::put("/admin/v1/groups/a").header("authorization", format!("Bearer {}", api.owner));
    let answer = api
        .send(
            request
                .header("content-length", "9999999999")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
    assert_eq!(refused(&answer), (413, "too_large".to_owned()));
    let answer = api
        .send(
            Request::post("/admin/v1/claim")
                .body(Body::from(vec![b' '; 5000]))
                .unwrap(),
        )
        .await;
    assert_eq!(answer.status.as_u16(), 400);
}

#[tokio::test]
async fn what_is_no_document_is_refused_and_changes_nothing_sec_22() {
    let api = Api::new().await;
    let before = api.count();
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "\"a\"",
        "{\"name\":\"a\",\"name\":\"a\"}",
        "{\"name\":\"a\",\"kind\":\"horde\"}",
        "{\"name\":7}",
        "{\"name\":\"a\"} x",
        "\u{feff}{}",
        deep.as_str(),
    ] {
        let answer = put(&api, "/groups/a", body.to_owned()).await;
        assert_eq!(refused(&answer), (400, "unreadable".to_owned()), "{body}");
    }
    let answer = put(&api, "/groups/a", vec![0xff, 0xfe]).await;
    assert_eq!(refused(&answer), (400, "unreadable".to_owned()));
    assert_eq!(api.count(), before);
}

#[tokio::test]
async fn an_unknown_or_missing_field_is_named() {
    let api = Api::new().await;
    let answer = put(&api, "/groups/a", r#"{"name":"a","colour":"red"}"#).await;
    assert_eq!(answer.json()["field"], "colour");
    let answer = put(&api, "/groups/a", "{}").await;
    assert_eq!(answer.json()["field"], "name");
    let answer = api
        .ask("POST", "/apply", json!({"users": [{"username": "a", "shoe_size": 4}]}))
        .await;
    assert_eq!(refused(&answer), (400, "unreadable".to_owned()));
    assert_eq!(answer.json()["field"], "shoe_size");
}

#[tokio::test]
async fn unknown_paths_methods_and_parameters_are_refused_in_json() {
    let api = Api::new().await;
    let answer = api.ask("GET", "/nothing/here", Value::Null).await;
    assert_eq!(refused(&answer), (404, "no_such_path".to_owned()));
    let answer = api.ask("PATCH", "/users/alice", Value::Null).await;
    assert_eq!(refused(&answer), (405, "no_such_method".to_owned()));
    for path in [
        "/users?limit=x",
        "/users?order=name",
        "/audit?since=yesterday",
        "/audiences?limit=x&issuer=%ff",
    ] {
        let method = if path.starts_with("/audiences") {
            "DELETE"
        } else {
            "GET"
        };
        let answer = api.ask(method, path, Value::Null).await;
        assert_eq!(refused(&answer), (400, "unreadable".to_owned()), "{path}");
    }
    let answer = api.ask("GET", "/users/%ff", Value::Null).await;
    assert_eq!(refused(&answer), (400, "unreadable".to_owned()));
}

#[tokio::test]
async fn a_name_may_hold_anything_that_a_segment_can_encode() {
    let api = Api::new().await;
    for name in ["a/b", "100 %", "\u{fc}ml\u{e4}ut", "a?b#c"] {
        let mut url = url::Url::parse("http://127.0.0.1").unwrap();
        url.path_segments_mut().unwrap().extend(["groups", name]);
        let answer = put(&api, url.path(), json!({"name": name}).to_string()).await;
        assert_eq!(answer.json()["name"], name, "{}", answer.text());
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_and_without_repetition() {
    let api = Api::new().await;
    let users: Vec<Value> = (0..7).map(|n| json!({"username": format!("person-{n}")})).collect();
    assert_eq!(
        api.ask("POST", "/apply", json!({"users": users})).await.status.as_u16(),
        200
    );
    let mut seen = Vec::new();
    let mut path = "/users?limit=3".to_owned();
    loop {
        let page = api.get(&path).await;
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|user| user["username"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/users?limit=3&after={}", lanyard_protocol::form::encode(next)),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!(seen.len(), 10);
    assert_eq!(seen, sorted);
    let found = api.get("/users?search=PERSON-3").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    for path in ["/users?limit=0", "/users?limit=4000000000"] {
        assert!(!api.get(path).await["items"].as_array().unwrap().is_empty(), "{path}");
    }
}

#[tokio::test]
async fn the_log_is_listed_newest_first_and_in_pages() {
    let api = Api::new().await;
    let mut sequence = Vec::new();
    let mut path = "/audit?limit=10".to_owned();
    loop {
        let page = api.get(&path).await;
        sequence.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| event["id"].as_str().unwrap().to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => path = format!("/audit?limit=10&after={next}"),
            None => break,
        }
    }
    let all: Vec<String> = api
        .world
        .company
        .events()
        .into_iter()
        .map(|stored| stored.event.id.to_string())
        .collect();
    assert_eq!(sequence, all);
    let found = api.get("/audit?kind=admin.connector.&outcome=granted").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "writes the golden file when asked to")]
fn the_description_is_the_committed_one() {
    let generated = format!("{}\n", serde_json::to_string_pretty(&description()).unwrap());
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    if std::env::var("LANYARD_UPDATE_OPENAPI").is_ok() {
        std::fs::write(path, &generated).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == generated,
        "crates/server/openapi.json is not what the code says; run this test with LANYARD_UPDATE_OPENAPI=1 and commit it"
    );
}

#[tokio::test]
async fn every_operation_that_is_described_is_served() {
    let api = Api::new().await;
    let document = description();
    let mut names = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            names.push(operation["operationId"].as_str().unwrap().to_owned());
            let path = path.trim_start_matches("/admin/v1").replace(['{', '}'], "");
            let answer = api.ask(&method.to_uppercase(), &path, Value::Null).await;
            if answer.status.as_u16() >= 400 {
                let code = refused(&answer).1;
                assert!(code != "no_such_path" && code != "no_such_method", "{method} {path}");
            }
        }
    }
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "an operationId stands twice");
    assert_eq!(document["openapi"], "3.1.0");
}
