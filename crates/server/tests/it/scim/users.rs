//! People: made, found, replaced, changed, cut off, removed.

use http::StatusCode;
use lanyard_protocol::gateway::Revoked;
use serde_json::{Value, json};

use super::world::{ENTERPRISE, Scim, USER, id};
use crate::support::token_url;

#[tokio::test]
async fn a_person_is_made_with_a_place_a_version_and_no_password_sc_06_sc_18() {
    let scim = Scim::new().await;
    let before = scim.count();
    let body = json!({
        "schemas": [USER, ENTERPRISE], "userName": "Mira@Northwind.example", "externalId": "00u1", "password": "hunter2hunter2",
        "name": {"givenName": "Mira", "familyName": "Okafor"}, "active": true, "groups": [],
        "emails": [{"value": "mira@northwind.example", "type": "work", "primary": true}],
        ENTERPRISE: {"department": "Finance"},
    });
    let answer = scim.ask("POST", "/Users", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    let made = answer.json();
    let id = id(&made);
    let place = format!("https://login.northwind.example/scim/v2/Users/{id}");
    assert_eq!(answer.header("location"), place);
    assert_eq!(answer.header("etag"), "W/\"1\"");
    assert_eq!(made["meta"]["location"], place);
    assert_eq!(
        (&made["meta"]["resourceType"], &made["meta"]["version"]),
        (&json!("User"), &json!("W/\"1\""))
    );
    assert_eq!(
        (&made["userName"], &made["active"]),
        (&json!("Mira@Northwind.example"), &json!(true))
    );
    assert_eq!(made["schemas"], json!([USER, ENTERPRISE]));
    assert!(!answer.text().contains("hunter2"));
    assert_eq!(scim.get(&format!("/Users/{id}")).await, made);
    let events = scim.since(before);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0].kind, "directory.user.created");
    assert_eq!(events[0].subject.as_deref(), Some(id.as_str()));
    assert_eq!(events[0].detail["after"]["username"], "mira@northwind.example");
    assert_eq!(events[0].detail["after"]["external_id"], "00u1");
    assert!(!format!("{events:?}").contains("hunter2"));
    let user = scim.api.get(&format!("/users/{id}")).await;
    assert_eq!(
        (&user["display_name"], &user["email"]),
        (&json!("Mira Okafor"), &json!("mira@northwind.example"))
    );
}

#[tokio::test]
async fn a_user_name_is_taken_whatever_its_case_and_whoever_has_it_sc_06_sc_20() {
    let scim = Scim::new().await;
    scim.person("a@x").await;
    for name in ["A@X", "a@x", "alice"] {
        let answer = scim.ask("POST", "/Users", json!({"userName": name})).await;
        scim.refused(&answer, (409, "uniqueness"), "uniqueness");
        assert!(answer.text().contains("userName is taken"));
    }
    let answer = scim
        .ask("POST", "/Users", json!({"userName": "b@x", "externalId": "ext-a@x"}))
        .await;
    scim.refused(&answer, (409, "uniqueness"), "uniqueness");
}

#[tokio::test]
async fn two_directories_may_use_the_same_external_id_and_see_their_own_sc_20() {
    let scim = Scim::new().await;
    let other = scim.directory("entra", json!({})).await;
    let own = scim.person("mira").await;
    let body = json!({"userName": "noah", "externalId": "ext-mira"});
    let theirs = scim.ask_as(&other, "POST", "/Users", body).await;
    assert_eq!(theirs.status, StatusCode::CREATED, "{}", theirs.text());
    let theirs = id(&theirs.json());
    assert_eq!(
        scim.find("Users", "externalId eq \"ext-mira\"", "id").await,
        [own.as_str()]
    );
    for method in ["GET", "DELETE"] {
        let answer = scim.ask(method, &format!("/Users/{theirs}"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let answer = scim
        .patch(
            &format!("/Users/{theirs}"),
            json!([{"op": "replace", "value": {"active": false}}]),
        )
        .await;
    scim.refused(&answer, (404, ""), "not_found");
    let answer = scim
        .ask("PUT", &format!("/Users/{theirs}"), json!({"userName": "noah"}))
        .await;
    scim.refused(&answer, (404, ""), "not_found");
    assert_eq!(scim.api.get(&format!("/users/{theirs}")).await["active"], true);
    assert_eq!(scim.get("/Users").await["totalResults"], 1);
}

#[tokio::test]
async fn a_directory_adopts_the_administrators_people_only_where_it_may_sc_20() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let alice = id(&scim.api.get("/users/alice").await);
    let before = scim.count();
    let body = json!({"userName": "Alice", "externalId": "00u9", "displayName": "Alice of Okta"});
    let adopted = scim.good(201, "POST", "/Users", body).await;
    assert_eq!(id(&adopted), alice);
    let event = &scim.since(before)[0];
    assert_eq!(event.kind, "directory.user.adopted");
    assert_eq!(event.detail["before"]["display_name"], "Alice Example");
    assert_eq!(event.detail["after"]["display_name"], "Alice of Okta");
    let other = scim.directory("entra", json!({"adopt_by_user_name": true})).await;
    let answer = scim
        .ask_as(&other, "POST", "/Users", json!({"userName": "alice"}))
        .await;
    scim.refused(&answer, (409, "uniqueness"), "uniqueness");
}

#[tokio::test]
async fn no_directory_adopts_an_administrator() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let given = scim
        .api
        .ask("PUT", "/administrators", json!({"person": "alice", "role": "auditor"}))
        .await;
    assert_eq!(given.status.as_u16(), 200, "{}", given.text());
    let answer = scim.ask("POST", "/Users", json!({"userName": "alice"})).await;
    scim.refused(&answer, (403, ""), "out_of_reach");
}

#[tokio::test]
async fn a_replacement_ignores_what_is_the_servers_and_clears_what_is_left_out_sc_07() {
    let scim = Scim::new().await;
    let made = scim
        .good(
            201,
            "POST",
            "/Users",
            json!({"userName": "mira", "title": "x", "nickName": "m"}),
        )
        .await;
    let path = format!("/Users/{}", id(&made));
    let body = json!({
        "schemas": [USER], "id": "usr_other", "meta": {"version": "9"}, "groups": [{"value": "grp_1"}], "shoeSize": 4,
        "userName": "mira.okafor", "title": "y",
    });
    let after = scim.good(200, "PUT", &path, body).await;
    assert_eq!((id(&after), &after["title"]), (id(&made), &json!("y")));
    assert_eq!(
        (&after["userName"], &after["meta"]["version"]),
        (&json!("mira.okafor"), &json!("W/\"2\""))
    );
    assert_eq!(
        (after.get("nickName"), after.get("groups"), after.get("shoeSize")),
        (None, None, None)
    );
    assert_eq!(after["active"], true);
    let before = scim.count();
    let again = scim
        .good(200, "PUT", &path, json!({"userName": "mira.okafor", "title": "y"}))
        .await;
    assert_eq!(
        (again, scim.count()),
        (after, before),
        "what is as wanted is not written"
    );
}

#[tokio::test]
async fn a_change_is_recorded_with_before_and_after_and_nothing_else() {
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let before = scim.count();
    let operations = json!([{"op": "Add", "path": "title", "value": "Head"}, {"op": "replace", "path": "displayName", "value": "M"}]);
    assert_eq!(scim.patch(&path, operations).await.status, StatusCode::OK);
    let event = scim.since(before).remove(0);
    assert_eq!(event.kind, "directory.user.changed");
    assert_eq!(
        event.detail["before"],
        json!({"display_name": "mira", "attributes": {}})
    );
    assert_eq!(
        event.detail["after"],
        json!({"display_name": "M", "attributes": {"displayName": "M", "title": "Head"}})
    );
}

#[tokio::test]
async fn a_patch_is_done_whole_or_not_at_all_sc_08() {
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let before = scim.get(&path).await;
    let operations = json!([
        {"op": "Replace", "path": "title", "value": "changed"},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "Replace", "path": "shoeSize", "value": 44},
    ]);
    let answer = scim.patch(&path, operations).await;
    scim.refused(&answer, (400, "invalidPath"), "invalid_path");
    assert_eq!(scim.get(&path).await, before);
}

#[tokio::test]
async fn each_way_to_say_inactive_ends_everything_before_the_answer_sc_10_sc_14() {
    for operation in [
        json!({"op": "replace", "value": {"active": false}}),
        json!({"op": "Replace", "path": "active", "value": "False"}),
        json!({"op": "Replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:active", "value": "FALSE"}),
        json!({"op": "add", "value": {"ACTIVE": "false"}}),
    ] {
        let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
        let world = &scim.api.world;
        let made = scim.good(201, "POST", "/Users", json!({"userName": "alice"})).await;
        let tokens = world.sign_in("alice").await;
        let id_token = tokens["id_token"].as_str().unwrap();
        world.redeem(&world.exchange(id_token, &[]).await.token()).await.token();
        let answer = scim.patch(&format!("/Users/{}", id(&made)), json!([operation])).await;
        assert_eq!(answer.json()["active"], false, "{operation}: {}", answer.text());
        let told = world.view.0.lock().unwrap().clone();
        assert!(
            told.iter()
                .any(|entry| matches!(entry.revoked, Revoked::Subject { .. })),
            "{operation}: the views were not told before the answer"
        );
        assert_eq!(world.exchange(id_token, &[]).await.error().1, "invalid_grant");
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        let issuer = lanyard_testkit::company::IDP;
        assert_eq!(
            world.post(&token_url(issuer), "ide", &fields).await.error().1,
            "invalid_grant"
        );
    }
}

#[tokio::test]
async fn taking_active_away_cuts_off_and_shows_none_until_it_is_said_again_sc_14() {
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let remove = json!([{"op": "remove", "path": "active"}]);
    let answer = scim.patch(&path, remove.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json().get("active"), None);
    assert_eq!(scim.get(&path).await.get("active"), None);
    assert_eq!(scim.api.get("/users/mira").await["active"], false);
    let version = scim.get(&path).await["meta"]["version"].clone();
    assert_eq!(scim.patch(&path, remove).await.status, StatusCode::OK);
    assert_eq!(scim.get(&path).await["meta"]["version"], version, "nothing changed");
    let again = json!([{"op": "add", "path": "active", "value": true}]);
    assert_eq!(scim.patch(&path, again).await.json()["active"], true);
    assert_eq!(scim.api.get("/users/mira").await["active"], true);
}

#[tokio::test]
async fn a_replacement_and_a_new_record_deactivate_as_well_sc_07_sc_13() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let before = scim.count();
    let after = scim
        .good(
            200,
            "PUT",
            &path,
            json!({"userName": "mira", "externalId": "ext-mira", "active": false}),
        )
        .await;
    assert_eq!(after["active"], false);
    assert_eq!(scim.kinds(before)[0], "directory.user.deactivated");
    assert_eq!(scim.get(&path).await["active"], false);
    let adopted = scim
        .good(201, "POST", "/Users", json!({"userName": "carol", "active": false}))
        .await;
    assert_eq!(adopted["active"], false);
    assert_eq!(scim.api.get("/users/carol").await["active"], false);
    let made = scim
        .good(201, "POST", "/Users", json!({"userName": "new", "active": "false"}))
        .await;
    assert_eq!(made["active"], false);
}

#[tokio::test]
async fn a_directory_does_not_bring_back_whom_an_administrator_cut_off() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let made = scim.good(201, "POST", "/Users", json!({"userName": "alice"})).await;
    let path = format!("/Users/{}", id(&made));
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    let on = json!([{"op": "replace", "path": "active", "value": true}]);
    // Also of somebody whom the directory had switched off already.
    for switched_off_before in [false, true] {
        if switched_off_before {
            scim.patch(&path, off.clone()).await;
        }
        scim.api.ask("POST", "/users/alice/deactivate", json!({})).await.json();
        let before = scim.count();
        for _ in 0..2 {
            assert_eq!(scim.patch(&path, on.clone()).await.json()["active"], false);
        }
        let whole = json!({"userName": "alice", "active": true});
        assert_eq!(scim.good(200, "PUT", &path, whole).await["active"], false);
        assert_eq!(scim.kinds(before), ["directory.user.reactivation_withheld"; 3]);
        assert_eq!(scim.api.get("/users/alice").await["active"], false);
        scim.api.ask("POST", "/users/alice/reactivate", json!({})).await.json();
        assert_eq!(scim.get(&path).await["active"], true);
    }
    // The same by a whole record, of somebody whom the directory had switched off already.
    scim.patch(&path, off.clone()).await;
    let record = |active: bool| json!({"username": "alice", "active": active});
    assert_eq!(
        scim.api.ask("PUT", "/users/alice", record(false)).await.json()["change"],
        "changed"
    );
    assert_eq!(
        scim.api.ask("PUT", "/users/alice", record(false)).await.json()["change"],
        "unchanged"
    );
    assert_eq!(scim.patch(&path, on.clone()).await.json()["active"], false);
    assert_eq!(
        scim.api.ask("PUT", "/users/alice", record(true)).await.json()["change"],
        "changed"
    );
    // From then on the directory speaks for the person again.
    for (patch, active) in [(off, false), (on, true)] {
        assert_eq!(scim.patch(&path, patch).await.json()["active"], active);
    }
}

#[tokio::test]
async fn whom_an_administrator_cut_off_stays_so_when_the_directory_deletes_them() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let path = format!("/Users/{}", scim.person("leaver").await);
    scim.api.ask("POST", "/users/leaver/deactivate", json!({})).await.json();
    assert_eq!(
        scim.ask("DELETE", &path, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(scim.ask("GET", &path, Value::Null).await.status, StatusCode::NOT_FOUND);
    // Name and links are still theirs, so no sign-in makes somebody new of them.
    assert_eq!(scim.api.get("/users/leaver").await["active"], false);
    let again = json!({"userName": "leaver", "active": true});
    let again = scim.good(201, "POST", "/Users", again).await;
    assert_eq!(
        (&again["active"], format!("/Users/{}", id(&again))),
        (&json!(false), path)
    );
}

#[tokio::test]
async fn a_group_has_a_new_version_when_a_member_is_removed_sc_19() {
    let scim = Scim::new().await;
    let person = scim.person("mira").await;
    let group = json!({"displayName": "Finance", "members": [{"value": person}]});
    let group = format!("/Groups/{}", id(&scim.good(201, "POST", "/Groups", group).await));
    let version = |group: &Value| group["meta"]["version"].as_str().unwrap().to_owned();
    let before = version(&scim.get(&group).await);
    scim.ask("DELETE", &format!("/Users/{person}"), Value::Null).await;
    let after = scim.get(&group).await;
    assert_ne!(version(&after), before);
    assert!(after.get("members").is_none(), "{after}");
}

#[tokio::test]
async fn nobody_is_named_as_the_id_of_somebody_sc_13() {
    let scim = Scim::new().await;
    let person = scim.person("mira").await;
    for name in [person.clone(), person.to_uppercase()] {
        let answer = scim.ask("POST", "/Users", json!({"userName": name})).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let answer = scim.ask("DELETE", &format!("/Users/{person}"), Value::Null).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn reactivation_brings_nothing_back_sc_14() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let world = &scim.api.world;
    let path = format!(
        "/Users/{}",
        id(&scim.good(201, "POST", "/Users", json!({"userName": "alice"})).await)
    );
    let tokens = world.sign_in("alice").await;
    world.company.clock.advance(std::time::Duration::from_secs(1));
    for (active, kind) in [
        (false, "directory.user.deactivated"),
        (true, "directory.user.reactivated"),
    ] {
        let before = scim.count();
        let answer = scim
            .patch(&path, json!([{"op": "replace", "path": "active", "value": active}]))
            .await;
        assert_eq!(answer.json()["active"], active);
        assert!(scim.kinds(before).contains(&kind.to_owned()));
    }
    let id_token = tokens["id_token"].as_str().unwrap();
    assert_eq!(world.exchange(id_token, &[]).await.error().1, "invalid_grant");
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    let issuer = lanyard_testkit::company::IDP;
    assert_eq!(
        world.post(&token_url(issuer), "ide", &fields).await.error().1,
        "invalid_grant"
    );
    world.company.clock.advance(std::time::Duration::from_secs(1));
    let fresh = world.id_token("alice").await;
    world.exchange(&fresh, &[]).await.token();
}

#[tokio::test]
async fn a_removed_person_is_gone_cut_off_and_their_name_is_free_sc_13_sc_14() {
    let scim = Scim::with(json!({"adopt_by_user_name": true})).await;
    let world = &scim.api.world;
    let alice = id(&scim.good(201, "POST", "/Users", json!({"userName": "alice"})).await);
    let id_token = world.id_token("alice").await;
    let before = scim.count();
    assert_eq!(
        scim.good(204, "DELETE", &format!("/Users/{alice}"), Value::Null).await,
        Value::Null
    );
    let kinds = scim.kinds(before);
    assert!(kinds.contains(&"directory.user.deactivated".to_owned()), "{kinds:?}");
    assert!(kinds.contains(&"directory.user.removed".to_owned()), "{kinds:?}");
    assert_eq!(world.exchange(&id_token, &[]).await.error().1, "invalid_grant");
    for method in ["GET", "DELETE"] {
        let answer = scim.ask(method, &format!("/Users/{alice}"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
    assert_eq!(scim.find("Users", "userName eq \"alice\"", "id").await, [""; 0]);
    let shown = scim.api.get(&format!("/users/{alice}")).await;
    assert_eq!(
        (&shown["active"], &shown["email"], &shown["groups"]),
        (&json!(false), &Value::Null, &json!([]))
    );
    let again = scim.person("alice").await;
    assert_ne!(again, alice, "an id is never given again");
}

#[tokio::test]
async fn a_search_without_a_hit_is_a_list_and_no_error_sc_04() {
    let scim = Scim::new().await;
    scim.person("mira").await;
    let guid = "userName%20eq%20%222f1ee8b8-9f7c-4e2b-8e62-8c0c5b3d9a11%22";
    let list = scim.get(&format!("/Users?filter={guid}")).await;
    assert_eq!(
        list,
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0, "startIndex": 1,
            "itemsPerPage": 0, "Resources": []})
    );
}

#[tokio::test]
async fn pages_are_counted_from_one_and_count_may_be_nothing_sc_05() {
    let scim = Scim::new().await;
    for name in ["a", "b", "c"] {
        scim.person(name).await;
    }
    let names = |list: &Value| -> Vec<String> {
        let found = list["Resources"].as_array().unwrap();
        found
            .iter()
            .map(|one| one["userName"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = scim.get("/Users?startIndex=1&count=2").await;
    assert_eq!((&first["totalResults"], &first["itemsPerPage"]), (&json!(3), &json!(2)));
    let second = scim.get("/Users?startIndex=3&count=2&attributes=userName").await;
    assert_eq!((&second["startIndex"], &second["itemsPerPage"]), (&json!(3), &json!(1)));
    let mut all = [names(&first), names(&second)].concat();
    all.sort();
    assert_eq!(all, ["a", "b", "c"]);
    assert_eq!(
        second["Resources"][0].as_object().unwrap().len(),
        3,
        "schemas, id and userName"
    );
    let none = scim.get("/Users?count=0").await;
    assert_eq!((&none["totalResults"], &none["Resources"]), (&json!(3), &json!([])));
    let body = json!({"filter": "userName sw \"B\"", "startIndex": 1, "count": 10, "attributes": ["userName"]});
    assert_eq!(names(&scim.good(200, "POST", "/Users/.search", body).await), ["b"]);
}

#[tokio::test]
async fn the_filters_of_okta_and_entra_find_a_person_sc_03() {
    let scim = Scim::new().await;
    let body = json!({
        "userName": "Mira@x", "externalId": "00u1", "displayName": "Mira Okafor",
        "emails": [{"value": "Mira@work", "type": "work"}, {"value": "m@home", "type": "home"}],
    });
    let mira = id(&scim.good(201, "POST", "/Users", body).await);
    scim.person("noah").await;
    for filter in [
        "userName eq \"mira@X\"",
        "USERNAME Eq \"mira@x\"",
        "externalId eq \"00u1\"",
        "emails.value eq \"mira@WORK\"",
        "emails[type eq \"work\"].value eq \"mira@work\"",
        "emails[type eq \"work\" and value co \"@work\"]",
        "displayName co \"okafor\"",
        "userName sw \"mi\" and active eq true",
        "externalId eq \"nobody\" or userName eq \"mira@x\"",
        "displayName pr",
        "not (userName eq \"noah\")",
    ] {
        assert_eq!(scim.find("Users", filter, "id").await, [mira.as_str()], "{filter}");
    }
    let filter = format!("id eq \"{mira}\"");
    assert_eq!(scim.find("Users", &filter, "id").await, [mira.as_str()]);
}

#[tokio::test]
async fn a_filter_that_cannot_be_used_is_refused_sc_03() {
    let scim = Scim::new().await;
    for filter in [
        "userName",
        "title%20eq%20%22x%22",
        "userName%20eq%20x",
        "shoe%20pr",
        "active%20gt%20true",
    ] {
        let answer = scim.ask("GET", &format!("/Users?filter={filter}"), Value::Null).await;
        scim.refused(&answer, (400, "invalidFilter"), "invalid_filter");
    }
}

#[tokio::test]
async fn a_change_of_what_the_client_did_not_see_is_refused_sc_19() {
    let scim = Scim::new().await;
    let path = format!("/scim/v2/Users/{}", scim.person("mira").await);
    let request = |method: &str, name: &str, tag: &str, body: &str| {
        http::Request::builder()
            .method(method)
            .uri(&path)
            .header("authorization", format!("Bearer {}", scim.token))
            .header(name, tag)
            .body(axum::body::Body::from(body.to_owned()))
            .unwrap()
    };
    let put = r#"{"userName": "mira", "title": "x"}"#;
    let patch = r#"{"Operations": [{"op": "add", "path": "title", "value": "y"}]}"#;
    for (method, body) in [("PUT", put), ("PATCH", patch), ("DELETE", "")] {
        let answer = scim.send(request(method, "if-match", "W/\"7\"", body)).await;
        scim.refused(&answer, (412, ""), "version_mismatch");
    }
    let answer = scim.send(request("PUT", "if-match", "W/\"1\"", put)).await;
    assert_eq!((answer.status, answer.header("etag")), (StatusCode::OK, "W/\"2\""));
    // Groups change without their members' version.
    let answer = scim.send(request("GET", "if-none-match", "W/\"2\"", "")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let without = format!("{path}?excludedAttributes=groups");
    for (tag, expected) in [("W/\"2\"", StatusCode::NOT_MODIFIED), ("W/\"1\"", StatusCode::OK)] {
        let mut request = request("GET", "if-none-match", tag, "");
        *request.uri_mut() = without.parse().unwrap();
        let answer = scim.send(request).await;
        assert_eq!((answer.status, answer.body.is_empty()), (expected, tag == "W/\"2\""));
    }
    assert_eq!(
        scim.send(request("PATCH", "if-match", "*", patch)).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_path_that_meets_nothing_is_refused_where_it_is_configured_so_sc_11() {
    let add = json!([{"op": "Add", "path": "emails[type eq \"work\"].value", "value": "m@x"}]);
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    let after = scim.patch(&path, add.clone()).await.json();
    assert_eq!(after["emails"], json!([{"type": "work", "value": "m@x"}]));
    let strict = Scim::with(json!({"strict_paths": true})).await;
    let path = format!("/Users/{}", strict.person("mira").await);
    let answer = strict.patch(&path, add).await;
    strict.refused(&answer, (400, "noTarget"), "no_target");
}

#[tokio::test]
async fn what_is_the_servers_cannot_be_changed_sc_18() {
    let scim = Scim::new().await;
    let path = format!("/Users/{}", scim.person("mira").await);
    for operation in [
        json!({"op": "replace", "path": "id", "value": "usr_1"}),
        json!({"op": "add", "path": "groups", "value": [{"value": "grp_1"}]}),
        json!({"op": "remove", "path": "userName"}),
    ] {
        let answer = scim.patch(&path, json!([operation])).await;
        scim.refused(&answer, (400, "mutability"), "mutability");
    }
}

#[tokio::test]
async fn an_administrators_change_shows_at_the_directory() {
    let scim = Scim::new().await;
    let mira = scim.person("mira").await;
    scim.api.ask("POST", "/users/mira/deactivate", json!({})).await;
    let shown = scim.get(&format!("/Users/{mira}")).await;
    assert_eq!(
        (&shown["active"], &shown["meta"]["version"]),
        (&json!(false), &json!("W/\"2\""))
    );
    assert_eq!(scim.find("Users", "active eq false", "id").await, [mira]);
}
