//! Bodies that no honest client sends.

use axum::body::Body;
use http::Request;
use serde_json::json;

use super::world::{ENTERPRISE, Scim};

async fn send(scim: &Scim, method: &str, path: &str, content_type: &str, body: String) -> crate::support::Answer {
    let request = Request::builder()
        .method(method)
        .uri(format!("/scim/v2{path}"))
        .header("authorization", format!("Bearer {}", scim.token))
        .header("content-type", content_type)
        .body(Body::from(body))
        .unwrap();
    scim.send(request).await
}

#[tokio::test]
async fn other_media_types_are_refused_and_both_json_types_are_taken_sc_01() {
    let scim = Scim::new().await;
    for (n, content_type) in [
        "application/json",
        "application/scim+json",
        "Application/SCIM+json; charset=utf-8",
    ]
    .iter()
    .enumerate()
    {
        let body = json!({"userName": format!("u{n}")}).to_string();
        assert_eq!(
            send(&scim, "POST", "/Users", content_type, body).await.status.as_u16(),
            201
        );
    }
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        let answer = send(&scim, "POST", "/Users", content_type, "{}".to_owned()).await;
        scim.refused(&answer, (415, ""), "media_type");
    }
}

#[tokio::test]
async fn bodies_of_hostile_size_depth_and_spelling_are_refused_sec_22() {
    let scim = Scim::new().await;
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let nested = format!("{{\"userName\": \"a\", \"name\": {deep}}}");
    for (body, scim_type, reason) in [
        ("{".to_owned(), "invalidSyntax", "invalid_syntax"),
        ("[]".to_owned(), "invalidSyntax", "invalid_syntax"),
        ("\u{feff}{}".to_owned(), "invalidSyntax", "invalid_syntax"),
        (
            r#"{"userName": "a", "userName": "b"}"#.to_owned(),
            "invalidSyntax",
            "invalid_syntax",
        ),
        (
            r#"{"userName": "a", "USERNAME": "b"}"#.to_owned(),
            "invalidSyntax",
            "invalid_syntax",
        ),
        (nested, "invalidSyntax", "invalid_syntax"),
        ("{}".to_owned(), "invalidValue", "invalid_value"),
        (r#"{"userName": ""}"#.to_owned(), "invalidValue", "invalid_value"),
        (
            r#"{"userName": "two words"}"#.to_owned(),
            "invalidValue",
            "invalid_value",
        ),
        (
            json!({"userName": "x".repeat(129)}).to_string(),
            "invalidValue",
            "invalid_value",
        ),
        (
            json!({"userName": "a", "title": "x".repeat(9000)}).to_string(),
            "invalidValue",
            "invalid_value",
        ),
        (
            r#"{"userName": "a", "title": "\u0000"}"#.to_owned(),
            "invalidValue",
            "invalid_value",
        ),
        (
            r#"{"userName": "a", "active": "perhaps"}"#.to_owned(),
            "invalidValue",
            "invalid_value",
        ),
        (
            json!({"userName": "a", "emails": vec![json!({"value": "x"}); 201]}).to_string(),
            "tooMany",
            "too_many",
        ),
    ] {
        let answer = send(&scim, "POST", "/Users", "application/json", body).await;
        scim.refused(&answer, (400, scim_type), reason);
    }
    let large = json!({"userName": "a", "title": "x".repeat(1024 * 1024)}).to_string();
    let answer = send(&scim, "POST", "/Users", "application/json", large).await;
    scim.refused(&answer, (413, ""), "too_large");
    assert_eq!(scim.get("/Users").await["totalResults"], 0);
}

#[tokio::test]
async fn operations_beyond_the_limits_are_refused_sec_22() {
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let many = vec![json!({"op": "add", "path": "title", "value": "x"}); 1001];
    let answer = scim.patch(&path, json!(many)).await;
    scim.refused(&answer, (400, "tooMany"), "too_many");
    for operations in [
        json!([]),
        json!({}),
        json!([{"op": "move"}]),
        json!([{"op": "add", "path": 1}]),
    ] {
        let answer = scim.patch(&path, operations).await;
        scim.refused(&answer, (400, "invalidSyntax"), "invalid_syntax");
    }
    let long = format!("emails[{}].value", vec!["type eq \"x\""; 70].join(" or "));
    for bad in [long.as_str(), "emails[", "emails[type eq]", "((((((((("] {
        let answer = scim
            .patch(&path, json!([{"op": "add", "path": bad, "value": "x"}]))
            .await;
        scim.refused(&answer, (400, "invalidPath"), "invalid_path");
    }
    let group = scim.group("g", &[]).await;
    let members = vec![json!({"value": "usr_1"}); 50_001];
    let operations = json!([{"op": "add", "path": "members", "value": members}]);
    let answer = scim.patch(&format!("/Groups/{group}"), operations).await;
    scim.refused(&answer, (400, "tooMany"), "too_many");
}

#[tokio::test]
async fn a_filter_beyond_the_limits_is_refused_sec_22() {
    let scim = Scim::new().await;
    let chain = |n: usize| vec!["id%20pr"; n].join("%20or%20");
    scim.get(&format!("/Users?filter={}", chain(63))).await;
    for bad in [
        chain(64),
        format!("{}id%20pr{}", "(".repeat(17), ")".repeat(17)),
        format!("id%20eq%20%22{}%22", "x".repeat(9000)),
    ] {
        let answer = scim
            .ask("GET", &format!("/Users?filter={bad}"), serde_json::Value::Null)
            .await;
        scim.refused(&answer, (400, "invalidFilter"), "invalid_filter");
    }
    let answer = scim.ask("GET", "/Users?count=many", serde_json::Value::Null).await;
    scim.refused(&answer, (400, "invalidValue"), "invalid_value");
}

#[tokio::test]
async fn words_of_a_client_are_data_and_nothing_else() {
    let scim = Scim::new().await;
    let name = "'-drop-table-users;--@x";
    let body = json!({"userName": name, "displayName": "<script>alert(1)</script>"});
    scim.good(201, "POST", "/Users", body).await;
    let filter = format!("userName eq \"{name}\" or displayName co \"'; --\"");
    assert_eq!(
        scim.find("Users", &filter, "displayName").await,
        ["<script>alert(1)</script>"]
    );
}

#[tokio::test]
async fn a_small_body_does_not_become_a_large_tree_sec_22() {
    let scim = Scim::new().await;
    let junk = |one: &str, count: usize| {
        format!(
            r#"{{"userName":"x","displayName":"x","junk":[{}]}}"#,
            vec![one; count].join(",")
        )
    };
    for (path, body) in [
        ("/Groups", junk("[]", 5_500_000)),
        ("/Groups", junk(r#"{"a":0}"#, 131_072)),
        ("/Users", junk("[]", 16_384)),
        ("/Users/.search", junk("0", 16_384)),
    ] {
        let answer = send(&scim, "POST", path, "application/json", body).await;
        scim.refused(&answer, (400, "tooMany"), "too_many");
    }
    // As much as a group may name, with all that clients say about each: what is refused is who they are.
    let member = r#"{"value":"usr_1","display":"One","$ref":"https://x/Users/usr_1","type":"User"}"#;
    let body = format!(
        r#"{{"displayName":"x","members":[{}]}}"#,
        vec![member; 50_000].join(",")
    );
    let answer = send(&scim, "POST", "/Groups", "application/json", body).await;
    scim.refused(&answer, (400, "invalidValue"), "invalid_value");
}

#[tokio::test]
async fn a_member_in_two_spellings_is_refused_wherever_it_stands_sec_22() {
    let scim = Scim::new().await;
    let person = scim.person("mira").await;
    let (user, group) = (
        format!("/Users/{person}"),
        format!("/Groups/{}", scim.group("g", &[]).await),
    );
    for (path, operation) in [
        (
            &user,
            r#"{"op":"add","value":{"active":false,"Active":true}}"#.to_owned(),
        ),
        (
            &user,
            r#"{"op":"replace","path":"name","value":{"givenName":"a","GivenName":"b"}}"#.to_owned(),
        ),
        (
            &user,
            r#"{"op":"add","Op":"remove","path":"title","value":"x"}"#.to_owned(),
        ),
        (
            &user,
            r#"{"op":"add","path":"title","Path":"active","value":"x"}"#.to_owned(),
        ),
        (
            &user,
            format!(r#"{{"op":"add","value":{{"{ENTERPRISE}":{{"department":"a","Department":"b"}}}}}}"#),
        ),
        (
            &group,
            format!(r#"{{"op":"add","value":{{"members":[{{"value":"{person}"}}],"Members":[]}}}}"#),
        ),
    ] {
        let body = format!(r#"{{"Operations":[{operation}]}}"#);
        let answer = send(&scim, "PATCH", path, "application/json", body).await;
        scim.refused(&answer, (400, "invalidSyntax"), "invalid_syntax");
    }
    assert_eq!(scim.get(&user).await["active"], true);
}

#[tokio::test]
async fn a_patch_that_looks_at_too_much_is_refused_sec_22() {
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let value = |n: usize| json!({"value": format!("{n}{}", "x".repeat(1200))});
    let ims: Vec<_> = (0..200).map(value).collect();
    let filled = scim
        .patch(&path, json!([{"op": "add", "path": "ims", "value": ims}]))
        .await;
    assert_eq!(filled.status.as_u16(), 200, "{}", filled.text());
    let long = vec!["value co \"z\""; 60].join(" or ");
    let remove = json!({"op": "remove", "path": format!("ims[{long}]")});
    let answer = scim.patch(&path, json!(vec![remove; 400])).await;
    scim.refused(&answer, (400, "tooMany"), "too_many");
    // A document does not grow without end.
    let photos: Vec<_> = (0..10)
        .map(|n| json!({"value": format!("{n}{}", "x".repeat(8000))}))
        .collect();
    let answer = scim
        .patch(&path, json!([{"op": "add", "path": "photos", "value": photos}]))
        .await;
    scim.refused(&answer, (400, "tooMany"), "too_many");
}

#[tokio::test]
async fn an_id_that_is_no_text_is_answered_in_the_form_of_scim_sc_17() {
    let scim = Scim::new().await;
    for path in ["/Users/%FF", "/Groups/%ff%fe"] {
        for (method, body) in [
            ("GET", json!(null)),
            ("PUT", json!({"userName": "x", "displayName": "x"})),
            ("PATCH", json!({"Operations": [{"op": "remove", "path": "title"}]})),
            ("DELETE", json!(null)),
        ] {
            let answer = scim.ask(method, path, body.clone()).await;
            assert_eq!(answer.status.as_u16(), 404, "{method} {path}: {}", answer.text());
            assert_eq!(answer.header("content-type"), "application/scim+json");
            assert_eq!(answer.json()["status"], "404");
            let answer = scim.ask_as("none", method, path, body).await;
            assert_eq!(answer.status.as_u16(), 401, "{method} {path}");
        }
    }
}
