//! Which tools may be called and seen.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use crate::upstream::{Handler, plain, respond};
use crate::world::{World, message};

fn call(tool: &str) -> Value {
    message("tools/call", json!({"name": tool, "arguments": {"secret": "canary"}}))
}

#[tokio::test]
async fn a_tool_that_is_not_mapped_is_403_without_a_challenge_rs_gw_04() {
    let world = World::start(plain(), |_| {}).await;
    let all = world.token(|claims| claims["scope"] = json!("invoices.read invoices.approve"));
    let mapped_nowhere = world.post_as(&all, &call("drop_db"), &[]).await;
    let exists_nowhere = world.post_as(&all, &call("no_such_tool"), &[]).await;
    assert_eq!(mapped_nowhere.status, StatusCode::FORBIDDEN);
    assert_eq!(mapped_nowhere.challenge(), "");
    assert_eq!(mapped_nowhere.json()["error"], "access_denied");
    assert_eq!(mapped_nowhere.body, exists_nowhere.body, "SEC-23");
    assert!(world.upstream.requests().is_empty());
    assert_eq!(world.calls.last().decision, "tool_not_mapped");
}

#[tokio::test]
async fn a_call_without_an_id_is_not_a_notification_and_does_not_pass_unrecorded_rs_gw_06() {
    let world = World::start(plain(), |_| {}).await;
    for method in ["tools/call", "tools/list", "resources/read"] {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": {"name": "list_invoices", "arguments": {}}});
        let answer = world.post(&body, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{method}");
        assert_eq!(world.calls.last().decision, "method_unknown", "{method}");
    }
    assert!(world.upstream.requests().is_empty());
    let own = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    world.post(&own, &[]).await;
    assert_eq!(world.upstream.requests().len(), 1);
}

#[tokio::test]
async fn missing_scopes_are_all_named_in_one_challenge_rs_ch_03() {
    let world = World::start(plain(), |_| {}).await;
    let answer = world.post(&call("approve_invoice"), &[]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let expected = format!(
        r#"Bearer error="insufficient_scope", scope="invoices.approve invoices.read", resource_metadata="{}/.well-known/oauth-protected-resource/ledger/mcp""#,
        world.origin
    );
    assert!(answer.challenge().starts_with(&expected), "{}", answer.challenge());
    let more = world.token(|claims| claims["scope"] = json!("invoices.read invoices.approve"));
    assert_eq!(
        world.post_as(&more, &call("approve_invoice"), &[]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_tool_can_ask_for_a_stronger_sign_in_and_others_need_none_su_05() {
    let world = World::start(plain(), |route| {
        route["authentication"] = json!({"approve_invoice": {"acr_values": ["urn:x:mfa", "phr"], "max_age": 300}});
    })
    .await;
    let signed_in = |acr: &str, ago: i64| {
        let (scope, acr) = ("invoices.read invoices.approve", acr.to_owned());
        world.token(move |claims| {
            claims["auth_time"] = json!(claims["iat"].as_i64().unwrap() - ago);
            (claims["scope"], claims["acr"]) = (json!(scope), json!(acr));
        })
    };
    for weak in [signed_in("urn:x:pwd", 0), signed_in("phr", 400)] {
        let answer = world.post_as(&weak, &call("approve_invoice"), &[]).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let expected = r#"Bearer error="insufficient_user_authentication", error_description="this operation needs a stronger or more recent sign-in", acr_values="urn:x:mfa phr", max_age="300", resource_metadata=""#;
        assert!(answer.challenge().starts_with(expected), "{}", answer.challenge());
        assert_eq!(world.calls.last().decision, "insufficient_user_authentication");
        assert_eq!(
            world.post_as(&weak, &call("list_invoices"), &[]).await.status,
            StatusCode::OK
        );
    }
    let strong = signed_in("phr", 0);
    assert_eq!(
        world.post_as(&strong, &call("approve_invoice"), &[]).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_token_without_scopes_can_do_nothing_rs_tk_06() {
    let world = World::start(plain(), |_| {}).await;
    let poor = world.token(|claims| {
        claims.as_object_mut().unwrap().remove("scope");
    });
    for body in [
        message("ping", json!({})),
        message("tools/list", json!({})),
        call("list_invoices"),
    ] {
        let answer = world.post_as(&poor, &body, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(answer.challenge().contains(r#"scope="invoices.read""#));
    }
}

#[tokio::test]
async fn only_callable_tools_are_listed_rs_gw_04() {
    let world = World::start(plain(), |_| {}).await;
    let names = |answer: &crate::world::Answer| -> Vec<String> {
        let result = &answer.json()["result"];
        assert_eq!(result["nextCursor"], "2");
        result["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let narrow = world.post(&message("tools/list", json!({})), &[]).await;
    assert_eq!(names(&narrow), ["list_invoices"]);
    let wide = world.token(|claims| claims["scope"] = json!("invoices.read invoices.approve"));
    let wide = world
        .post_as(&wide, &message("tools/list", json!({"cursor": "1"})), &[])
        .await;
    assert_eq!(names(&wide), ["list_invoices", "approve_invoice"]);
}

#[tokio::test]
async fn a_list_that_comes_as_events_is_filtered_too_rs_gw_04() {
    let handler: Handler = Arc::new(|_| {
        let list = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"drop_db"},{"name":"list_invoices"}]}}"#;
        let body = format!(
            "id: 1\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}}\n\nid: 2\ndata: {list}\n\n"
        );
        respond(200, &[("content-type", "text/event-stream")], &body)
    });
    let world = World::start(handler, |_| {}).await;
    let answer = world.post(&message("tools/list", json!({})), &[]).await;
    assert!(answer.body.contains("notifications/progress"));
    assert!(
        answer.body.contains("list_invoices") && !answer.body.contains("drop_db"),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("id: 2\n"));
}

#[tokio::test]
async fn the_entry_for_every_tool_opens_what_is_not_named() {
    let world = World::start(plain(), |route| {
        route["tools"] = json!({"*": "invoices.read", "drop_db": "invoices.admin"})
    })
    .await;
    assert_eq!(world.post(&call("anything"), &[]).await.status, StatusCode::OK);
    assert_eq!(world.post(&call("drop_db"), &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        world.post(&message("vendor/thing", json!({})), &[]).await.status,
        StatusCode::OK
    );
    let listed = world.post(&message("tools/list", json!({})), &[]).await;
    assert_eq!(
        listed.json()["result"]["tools"],
        json!([{"name": "list_invoices"}, {"name": "approve_invoice"}])
    );
}

#[tokio::test]
async fn the_filter_can_be_switched_off_and_calls_stay_closed() {
    let world = World::start(plain(), |route| route["filter_tools"] = json!(false)).await;
    let listed = world.post(&message("tools/list", json!({})), &[]).await;
    assert_eq!(listed.json()["result"]["tools"].as_array().unwrap().len(), 3);
    assert_eq!(world.post(&call("drop_db"), &[]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_passed_on_unfiltered() {
    for body in [
        "<html>drop_db</html>",
        r#"{"jsonrpc":"2.0","id":7,"result":{"tools":{"name":"drop_db"}}}"#,
    ] {
        let handler: Handler = Arc::new(move |_| respond(200, &[("content-type", "application/json")], body));
        let world = World::start(handler, |_| {}).await;
        let answer = world.post(&message("tools/list", json!({})), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
        assert!(!answer.body.contains("drop_db"));
    }
}

#[tokio::test]
async fn bodies_with_two_meanings_are_refused_before_any_decision() {
    let world = World::start(plain(), |_| {}).await;
    let authorization = format!("Bearer {}", world.token(|_| {}));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_invoices","name":"drop_db"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_invoices","NAME":"drop_db"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","METHOD":"tools/call","params":{"name":"drop_db"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"drop_db"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"drop_db"}}"#,
    ] {
        let answer = world.send(http::Method::POST, "/ledger/mcp", &headers, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert!(world.upstream.requests().is_empty());
}

#[tokio::test]
async fn a_broad_scope_satisfies_a_narrow_need_rs_tk_06() {
    let world = World::start(plain(), |route| {
        route["implied_scopes"] = json!({"invoices.approve": "invoices.read"});
    })
    .await;
    let broad = world.token(|claims| claims["scope"] = json!("invoices.approve"));
    assert_eq!(
        world.post_as(&broad, &call("approve_invoice"), &[]).await.status,
        StatusCode::OK
    );
    let listed = world.post_as(&broad, &message("tools/list", json!({})), &[]).await;
    assert_eq!(listed.json()["result"]["tools"].as_array().unwrap().len(), 2);
    let narrow = world.post(&call("approve_invoice"), &[]).await;
    assert_eq!(narrow.status, StatusCode::FORBIDDEN);
}
