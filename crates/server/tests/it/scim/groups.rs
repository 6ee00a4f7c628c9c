//! Groups and who is in them.

use http::StatusCode;
use serde_json::{Value, json};

use super::world::{Scim, id};

async fn members(scim: &Scim, group: &str) -> Vec<String> {
    let shown = scim.get(&format!("/Groups/{group}")).await;
    let members = shown
        .get("members")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    members
        .iter()
        .map(|one| one["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_group_is_made_shown_with_its_members_and_found_sc_12() {
    let scim = Scim::new().await;
    let mira = scim.person("mira").await;
    let body = json!({"displayName": "Finance", "externalId": "g1", "members": [{"value": mira, "display": "mira"}]});
    let answer = scim.ask("POST", "/Groups", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let group = answer.json();
    let place = format!("https://login.northwind.example/scim/v2/Groups/{}", id(&group));
    assert_eq!(
        (answer.header("location"), answer.header("etag")),
        (place.as_str(), "W/\"1\"")
    );
    let member =
        json!({"value": mira, "type": "User", "$ref": format!("https://login.northwind.example/scim/v2/Users/{mira}")});
    assert_eq!(group["members"], json!([member]));
    let shown = scim
        .get(&format!("/Groups/{}?excludedAttributes=members", id(&group)))
        .await;
    assert_eq!((shown.get("members"), &shown["externalId"]), (None, &json!("g1")));
    for filter in [
        "displayName eq \"FINANCE\"".to_owned(),
        "externalId eq \"g1\"".to_owned(),
        format!("id eq \"{}\" and members eq \"{mira}\"", id(&group)),
        format!("members[value eq \"{mira}\"]"),
    ] {
        assert_eq!(
            scim.find("Groups", &filter, "displayName").await,
            ["Finance"],
            "{filter}"
        );
    }
    let person = scim.get(&format!("/Users/{mira}")).await;
    assert_eq!(
        (&person["groups"][0]["value"], &person["groups"][0]["display"]),
        (&group["id"], &json!("Finance"))
    );
    assert_eq!(
        scim.find("Users", &format!("groups.value eq \"{}\"", id(&group)), "id")
            .await,
        [mira]
    );
}

#[tokio::test]
async fn members_come_and_go_in_each_form_and_repeats_do_nothing_sc_12() {
    let scim = Scim::new().await;
    let (a, b, c) = (scim.person("a").await, scim.person("b").await, scim.person("c").await);
    let group = scim.group("g", &[]).await;
    let path = format!("/Groups/{group}");
    for (operations, left) in [
        (
            json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": a}]}]),
            vec![&a],
        ),
        (
            json!([{"op": "add", "path": "members", "value": [{"value": a}, {"value": b}]}]),
            vec![&a, &b],
        ),
        (
            json!([{"op": "remove", "path": format!("members[value eq \"{a}\"]")}]),
            vec![&b],
        ),
        (
            json!([{"op": "Remove", "path": "members", "value": [{"value": b}, {"value": a}]}]),
            vec![],
        ),
        (
            json!([{"op": "replace", "path": "members", "value": [{"value": c}, {"value": a}]}]),
            vec![&a, &c],
        ),
        (
            json!([{"op": "add", "value": {"members": [{"value": b}]}}]),
            vec![&a, &b, &c],
        ),
        (
            json!([{"op": "remove", "path": format!("members[value eq \"{c}\"]")}, {"op": "add", "path": "members", "value": [{"value": c}]}]),
            vec![&a, &b, &c],
        ),
        (
            json!([{"op": "replace", "value": {"id": "ignored", "displayName": "g"}}]),
            vec![&a, &b, &c],
        ),
        (json!([{"op": "remove", "path": "members"}]), vec![]),
    ] {
        let answer = scim.patch(&path, operations.clone()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{operations}: {}", answer.text());
        let mut left: Vec<String> = left.into_iter().cloned().collect();
        left.sort();
        assert_eq!(members(&scim, &group).await, left, "{operations}");
        let (before, version) = (scim.count(), scim.get(&path).await["meta"]["version"].clone());
        assert_eq!(
            scim.patch(&path, operations.clone()).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(scim.count(), before, "repeated: {operations}");
        assert_eq!(scim.get(&path).await["meta"]["version"], version);
    }
}

#[tokio::test]
async fn a_patch_shows_the_group_when_attributes_are_asked_for() {
    let scim = Scim::new().await;
    let path = format!("/Groups/{}", scim.group("g", &[]).await);
    let body = json!({"Operations": [{"op": "Replace", "path": "displayName", "value": "h"}]});
    let shown = scim
        .good(200, "PATCH", &format!("{path}?attributes=displayName"), body)
        .await;
    assert_eq!(shown["displayName"], "h");
}

#[tokio::test]
async fn a_group_is_renamed_and_replaced_sc_07_sc_12() {
    let scim = Scim::new().await;
    let a = scim.person("a").await;
    let path = format!("/Groups/{}", scim.group("g", &[]).await);
    let before = scim.count();
    let rename = json!([{"op": "replace", "value": {"id": "ignored", "displayName": "h"}}]);
    assert_eq!(scim.patch(&path, rename).await.status, StatusCode::NO_CONTENT);
    let event = scim.since(before).remove(0);
    assert_eq!(
        (
            event.kind.as_str(),
            &event.detail["before"]["name"],
            &event.detail["after"]["name"]
        ),
        ("directory.group.changed", &json!("g"), &json!("h"))
    );
    let body = json!({"displayName": "i", "externalId": "g1", "members": [{"value": a}]});
    let after = scim.good(200, "PUT", &path, body).await;
    assert_eq!(
        (
            &after["displayName"],
            &after["externalId"],
            &after["members"][0]["value"]
        ),
        (&json!("i"), &json!("g1"), &json!(a))
    );
    let after = scim.good(200, "PUT", &path, json!({"displayName": "i"})).await;
    assert_eq!((after.get("members"), after.get("externalId")), (None, None));
}

#[tokio::test]
async fn who_is_not_of_the_directory_cannot_be_a_member_sc_20() {
    let scim = Scim::new().await;
    let group = scim.group("g", &[]).await;
    let other = scim.directory("entra", json!({})).await;
    let theirs = id(&scim
        .ask_as(&other, "POST", "/Users", json!({"userName": "noah"}))
        .await
        .json());
    let alice = id(&scim.api.get("/users/alice").await);
    for member in [theirs.as_str(), alice.as_str(), "usr_nobody", "somebody"] {
        let answer = scim
            .patch(
                &format!("/Groups/{group}"),
                json!([{"op": "add", "path": "members", "value": [{"value": member}]}]),
            )
            .await;
        scim.refused(&answer, (400, "invalidValue"), "invalid_value");
        let answer = scim
            .ask(
                "POST",
                "/Groups",
                json!({"displayName": "h", "members": [{"value": member}]}),
            )
            .await;
        scim.refused(&answer, (400, "invalidValue"), "invalid_value");
    }
    assert_eq!(
        scim.find("Groups", "displayName eq \"h\"", "id").await,
        [""; 0],
        "nothing half done"
    );
}

#[tokio::test]
async fn people_whom_somebody_else_put_in_stay_and_are_not_shown_sc_20() {
    let scim = Scim::new().await;
    let a = scim.person("a").await;
    let group = scim.group("g", &[&a]).await;
    let put = scim.api.ask("PUT", "/groups/g/members/alice", json!({})).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text());
    assert_eq!(members(&scim, &group).await, [a]);
    scim.good(
        200,
        "PUT",
        &format!("/Groups/{group}"),
        json!({"displayName": "g", "members": []}),
    )
    .await;
    let left = scim.api.get("/groups/g/members").await;
    let names: Vec<_> = left["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["username"].clone())
        .collect();
    assert_eq!(names, [json!("alice")]);
}

#[tokio::test]
async fn a_group_name_is_taken_whatever_its_case_and_whoever_has_it() {
    let scim = Scim::new().await;
    let own = scim.group("Finance", &[]).await;
    let second = scim.group("second", &[]).await;
    for name in ["finance", "engineering"] {
        let answer = scim.ask("POST", "/Groups", json!({"displayName": name})).await;
        scim.refused(&answer, (409, "uniqueness"), "uniqueness");
        let answer = scim
            .ask("PUT", &format!("/Groups/{second}"), json!({"displayName": name}))
            .await;
        scim.refused(&answer, (409, "uniqueness"), "uniqueness");
    }
    scim.good(200, "PUT", &format!("/Groups/{own}"), json!({"displayName": "FINANCE"}))
        .await;
}

#[tokio::test]
async fn leaving_a_group_bites_at_the_next_exchange_sc_16() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let world = &scim.api.world;
    let alice = id(&scim.good(201, "POST", "/Users", json!({"userName": "alice"})).await);
    let before = scim.count();
    let group = id(&scim
        .good(
            201,
            "POST",
            "/Groups",
            json!({"displayName": "engineering", "members": [{"value": alice}]}),
        )
        .await);
    assert_eq!(
        scim.kinds(before),
        ["directory.group.adopted"],
        "alice was in it already"
    );
    let id_token = world.id_token("alice").await;
    world.exchange(&id_token, &[]).await.token();
    let before = scim.count();
    let gone = json!([{"op": "remove", "path": format!("members[value eq \"{alice}\"]")}]);
    assert_eq!(
        scim.patch(&format!("/Groups/{group}"), gone).await.status,
        StatusCode::NO_CONTENT
    );
    let event = scim.since(before).remove(0);
    assert_eq!(
        (event.kind.as_str(), event.subject.as_deref()),
        ("directory.membership.removed", Some(alice.as_str()))
    );
    let denied = world.exchange(&id_token, &[]).await;
    assert_eq!(denied.status.as_u16(), 400, "{}", denied.text());
    let back = json!([{"op": "Add", "path": "members", "value": [{"value": alice}]}]);
    scim.patch(&format!("/Groups/{group}"), back).await;
    world.exchange(&id_token, &[]).await.token();
}

#[tokio::test]
async fn a_removed_group_that_a_rule_names_stays_empty_and_the_administrators() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let carol = id(&scim.good(201, "POST", "/Users", json!({"userName": "carol"})).await);
    let group = id(&scim
        .good(
            201,
            "POST",
            "/Groups",
            json!({"displayName": "contractors", "members": [{"value": carol}]}),
        )
        .await);
    let before = scim.count();
    scim.good(204, "DELETE", &format!("/Groups/{group}"), Value::Null).await;
    assert_eq!(
        scim.kinds(before),
        ["directory.membership.removed", "directory.group.released"]
    );
    assert_eq!(
        scim.since(before)[1].detail["rules"],
        json!(["Contractors read Linear"])
    );
    assert_eq!(scim.api.get("/groups/contractors/members").await["items"], json!([]));
    assert_eq!(
        scim.ask("GET", &format!("/Groups/{group}"), Value::Null).await.status,
        StatusCode::NOT_FOUND
    );

    let own = scim.group("own", &[&carol]).await;
    scim.good(204, "DELETE", &format!("/Groups/{own}"), Value::Null).await;
    let names: Vec<_> = scim.api.get("/groups").await["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert!(!names.contains(&json!("own")), "{names:?}");
    let answer = scim.ask("DELETE", &format!("/Groups/{own}"), Value::Null).await;
    scim.refused(&answer, (404, ""), "not_found");
}

#[tokio::test]
async fn a_group_with_an_administrators_role_is_filled_by_a_directory_only_where_an_owner_allowed_it() {
    let scim = Scim::new().await;
    let a = scim.person("a").await;
    let group = scim.group("g", &[]).await;
    let give = |provisioned: bool| json!({"group": "g", "role": "operator", "provisioned": provisioned});
    let given = scim.api.ask("PUT", "/administrators", give(false)).await;
    assert_eq!(given.status.as_u16(), 200, "{}", given.text());
    let add = json!([{"op": "add", "path": "members", "value": [{"value": a}]}]);
    let answer = scim.patch(&format!("/Groups/{group}"), add.clone()).await;
    scim.refused(&answer, (403, ""), "out_of_reach");
    assert_eq!(
        scim.api.ask("PUT", "/administrators", give(true)).await.status.as_u16(),
        200
    );
    assert_eq!(
        scim.patch(&format!("/Groups/{group}"), add).await.status,
        StatusCode::NO_CONTENT
    );
    scim.good(204, "DELETE", &format!("/Groups/{group}"), Value::Null).await;
    assert_eq!(
        scim.api.world.company.last_event().0,
        "directory.group.released",
        "the role is not lost unseen"
    );
}

#[tokio::test]
async fn many_changes_are_one_event_with_counts_and_some_names() {
    let scim = Scim::new().await;
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(scim.person(&format!("p{n:02}")).await);
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let before = scim.count();
    scim.group("g", &all).await;
    let events = scim.since(before);
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[1].kind, "directory.membership.changed");
    assert_eq!(
        (&events[1].detail["added"], &events[1].detail["removed"]),
        (&json!(30), &json!(0))
    );
    assert_eq!(events[1].detail["added_people"].as_array().unwrap().len(), 20);
}
