//! Acts of an administrator: what they change, what the log says, what is never shown.

use lanyard_protocol::gateway::Revoked;
use lanyard_testkit::company::{ALICE, IDE, IDE_AT_RAS, IDP, LINEAR, PASSWORD};
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};
use crate::support::{claims, token_url};

#[tokio::test]
async fn a_change_is_recorded_with_before_and_after() {
    let api = Api::new().await;
    let mut connector = api.get("/connectors/linear").await;
    for field in ["id", "created_at", "updated_at"] {
        connector.as_object_mut().unwrap().remove(field);
    }
    connector["status"] = json!("staged");
    let before = api.count();
    let answer = api.ask("PUT", "/connectors/linear", connector.clone()).await.json();
    assert_eq!(answer["change"], "changed");
    let event = &api.since(before)[0];
    assert_eq!(
        (event.kind.as_str(), event.target.as_deref()),
        ("admin.connector.changed", Some("linear"))
    );
    assert_eq!(event.detail["before"]["status"], "active");
    assert_eq!(event.detail["after"]["status"], "staged");

    let before = api.count();
    let again = api.ask("PUT", "/connectors/linear", connector).await.json();
    assert_eq!(again["change"], "unchanged");
    assert_eq!(api.count(), before, "what is as wanted already is not written again");
}

#[tokio::test]
async fn a_record_can_be_written_back_as_it_was_shown() {
    let api = Api::new().await;
    for (show, write) in [
        ("/users/alice", "/users/alice"),
        ("/clients/idp/ide", "/clients/idp/ide"),
        ("/clients/ras/agent-at-ledger", "/clients/ras/agent-at-ledger"),
        ("/connectors/figma", "/connectors/figma"),
        ("/audiences", "/audiences"),
        ("/resources", "/resources"),
        ("/trusts", "/trusts"),
        ("/rules", "/rules"),
    ] {
        let mut record = api.get(show).await;
        if let Some(items) = record.get("items") {
            record = items[0].clone();
        }
        for field in ["created_at", "updated_at"] {
            record.as_object_mut().unwrap().remove(field);
        }
        if show != "/resources" {
            record.as_object_mut().unwrap().remove("id");
        }
        let answer = api.ask("PUT", write, record).await;
        assert_eq!(answer.json()["change"], "unchanged", "{show}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_refused_act_leaves_one_event_and_nothing_half_done() {
    let api = Api::new().await;
    let before = api.count();
    let spec = json!({"username": "erin", "groups": ["engineering", "no such group"], "password": "a long password"});
    let answer = api.ask("PUT", "/users/erin", spec).await;
    assert_eq!(refused(&answer), (404, "not_found".to_owned()));
    let events = api.since(before);
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (events[0].kind.as_str(), events[0].reason.as_deref()),
        ("admin.act.refused", Some("not_found"))
    );
    assert_eq!(api.ask("GET", "/users/erin", Value::Null).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_deactivation_answers_when_the_views_of_this_process_have_it_rv_03() {
    let api = Api::new().await;
    let answer = api.ask("POST", "/users/alice/deactivate", json!({})).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    assert_eq!(answer.json()["active"], false);
    let told = api.world.view.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|entry| matches!(entry.revoked, Revoked::Subject { .. })),
        "{told:?}"
    );
    let again = api.ask("GET", "/users/alice", Value::Null).await.json();
    assert_eq!(again["active"], false);
    let back = api.ask("POST", "/users/alice/reactivate", json!({})).await.json();
    assert_eq!(back["active"], true);
}

#[tokio::test]
async fn a_person_set_inactive_by_a_document_is_cut_off_the_same_way() {
    let api = Api::new().await;
    let spec = json!({"username": "alice", "active": false});
    assert_eq!(api.ask("PUT", "/users/alice", spec).await.json()["change"], "changed");
    assert!(!api.world.view.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_client_that_is_switched_off_loses_what_it_holds() {
    let api = Api::new().await;
    let id_jag = api.world.id_jag("alice").await;
    let answer = api
        .ask("POST", &format!("/clients/ras/{IDE_AT_RAS}/disable"), json!({}))
        .await;
    assert_eq!(answer.json()["enabled"], false, "{}", answer.text());
    let told = api.world.view.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|entry| matches!(&entry.revoked, Revoked::Client { client_id, .. } if client_id == IDE_AT_RAS))
    );
    assert_eq!(
        api.world.redeem(&id_jag).await.error(),
        (401, "invalid_client".to_owned())
    );

    let live = api.world.sign_in("alice").await;
    let answer = api.ask("POST", "/clients/idp/ide/disable", json!({})).await;
    assert_eq!(answer.json()["change"], "changed");
    let exchange = api.world.exchange(live["id_token"].as_str().unwrap(), &[]).await;
    assert_eq!(exchange.error(), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn a_new_password_ends_access_tokens_and_id_jags_before_the_answer_rv_03() {
    let reset = json!({"password": "a password that nobody else has"});
    let document = json!({"username": ALICE, "password": "another password that nobody has"});
    for (method, path, body) in [
        ("POST", format!("/users/{ALICE}/password"), reset),
        ("PUT", format!("/users/{ALICE}"), document),
    ] {
        let api = Api::new().await;
        let token = api.world.redeem(&api.world.id_jag(ALICE).await).await.token();
        let (in_hand, id_token) = (api.world.id_jag(ALICE).await, api.world.id_token(ALICE).await);
        let answer = api.ask(method, &path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        let told = api.world.view.0.lock().unwrap().clone();
        let subject_of = claims(&token)["sub"].clone();
        assert!(
            told.iter()
                .any(|entry| matches!(&entry.revoked, Revoked::Subject { subject, .. } if subject_of == *subject)),
            "{path}: {told:?}"
        );
        assert_eq!(
            api.world.redeem(&in_hand).await.error(),
            (400, "invalid_grant".to_owned())
        );
        api.world.assert_denied("ras.id_jag.denied", "cut_off");
        let exchange = api.world.exchange(&id_token, &[]).await;
        assert_eq!(exchange.error(), (400, "invalid_grant".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_client_that_is_switched_off_at_the_idp_loses_its_access_tokens_rv_03() {
    let api = Api::new().await;
    let id_jag = api.world.id_jag("alice").await;
    assert_eq!(api.world.redeem(&id_jag).await.status.as_u16(), 200);
    let answer = api.ask("POST", "/clients/idp/ide/disable", json!({})).await;
    assert_eq!(answer.json()["change"], "changed");
    assert_eq!(api.get("/grants").await["items"], json!([]));
    let told = api.world.view.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|entry| matches!(&entry.revoked, Revoked::Client { client_id, .. } if client_id == IDE_AT_RAS))
    );
}

#[tokio::test]
async fn a_client_that_is_switched_off_at_the_idp_redeems_no_id_jag_in_hand_and_has_no_refresh_token_again_rv_03() {
    for path in ["/clients/idp/ide/disable", "/clients/idp/ide"] {
        let api = Api::new().await;
        let tokens = api.world.sign_in(ALICE).await;
        let in_hand = api.world.id_jag(ALICE).await;
        let mut spec = document(&api, "/clients/idp/ide").await;
        spec["enabled"] = json!(false);
        let method = if path.ends_with("disable") { "POST" } else { "PUT" };
        let answer = api.ask(method, path, spec.clone()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        // The client is another record at the authorization server, and still on there.
        assert_eq!(
            api.world.redeem(&in_hand).await.error(),
            (400, "invalid_grant".to_owned()),
            "{path}"
        );
        api.world.assert_denied("ras.id_jag.denied", "cut_off");
        // Nothing comes back when the client does.
        spec["enabled"] = json!(true);
        let answer = api.ask("PUT", "/clients/idp/ide", spec).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let refreshed = api.world.post(&token_url(IDP), IDE, &fields).await;
        assert_eq!(refreshed.error(), (400, "invalid_grant".to_owned()), "{path}");
        api.world.assert_denied("idp.tokens.denied", "refresh_token_revoked");
    }
}

/// A record as it is written back.
async fn document(api: &Api, path: &str) -> Value {
    let mut spec = api.get(path).await;
    for own in ["id", "created_at", "updated_at"] {
        spec.as_object_mut().unwrap().remove(own);
    }
    spec
}

#[tokio::test]
async fn a_trust_that_allows_less_ends_the_tokens_that_stood_on_it_rv_03() {
    for (field, less) in [
        ("clients", json!(["another"])),
        ("resources", json!([])),
        ("scopes", json!("none.such")),
    ] {
        let api = Api::new().await;
        let id_jag = api.world.id_jag("alice").await;
        assert_eq!(api.world.redeem(&id_jag).await.status.as_u16(), 200);
        let mut spec = api.get("/trusts").await["items"][0].clone();
        for own in ["id", "created_at", "updated_at"] {
            spec.as_object_mut().unwrap().remove(own);
        }
        spec[field] = less;
        let answer = api.ask("PUT", "/trusts", spec).await;
        assert_eq!(answer.json()["change"], "changed", "{}", answer.text());
        assert_eq!(api.get("/grants").await["items"], json!([]), "{field}");
        assert!(!api.world.view.0.lock().unwrap().is_empty(), "{field}");
    }
}

#[tokio::test]
async fn a_key_that_is_removed_bites_before_the_answer_sec_17() {
    let api = Api::new().await;
    let old = api
        .world
        .basis
        .rings
        .snapshot()
        .ras
        .as_ref()
        .unwrap()
        .active
        .kid()
        .to_owned();
    let answer = api.ask("DELETE", &format!("/keys/{old}"), Value::Null).await.json();
    assert_eq!(answer["kid"], old.as_str());
    let rings = api.world.basis.rings.snapshot();
    let ring = rings.ras.as_ref().unwrap();
    assert_eq!(answer["signs_now"], ring.active.kid());
    assert!(!ring.published.contains(&old));
    let told = api.world.view.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|entry| matches!(&entry.revoked, Revoked::Key { kid, .. } if *kid == old))
    );
    let again = api.ask("DELETE", &format!("/keys/{old}"), Value::Null).await;
    assert_eq!(refused(&again), (422, "invalid".to_owned()));
}

#[tokio::test]
async fn a_rotation_publishes_the_new_key_at_once_and_signs_with_it_later() {
    let api = Api::new().await;
    let old = api
        .world
        .basis
        .rings
        .snapshot()
        .idp
        .as_ref()
        .unwrap()
        .active
        .kid()
        .to_owned();
    let answer = api
        .ask("POST", "/keys/rotate", json!({"ring": "idp", "algorithm": "EdDSA"}))
        .await
        .json();
    let rings = api.world.basis.rings.snapshot();
    let ring = rings.idp.as_ref().unwrap();
    assert_eq!(ring.active.kid(), old);
    assert!(ring.published.contains(answer["kid"].as_str().unwrap()));
    let answer = api
        .ask("POST", "/keys/rotate", json!({"ring": "ras", "algorithm": "HS256"}))
        .await;
    assert_eq!(refused(&answer), (422, "invalid".to_owned()));
}

#[tokio::test]
async fn a_withdrawn_trust_ends_the_tokens_that_stand_on_it_sec_18() {
    let api = Api::new().await;
    let id_jag = api.world.id_jag("alice").await;
    assert_eq!(api.world.redeem(&id_jag).await.status.as_u16(), 200);
    assert_eq!(api.get("/grants").await["items"].as_array().unwrap().len(), 1);
    let id = api.get("/trusts").await["items"][0]["id"].as_str().unwrap().to_owned();
    let before = api.count();
    let path = format!("/trusts/{id}");
    assert_eq!(api.ask("DELETE", &path, Value::Null).await.status.as_u16(), 200);
    let kinds: Vec<_> = api.since(before).into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["admin.trust.removed", "ras.issuer.cut_off"]);
    assert_eq!(api.get("/grants").await["items"], json!([]));
    let told = api.world.view.0.lock().unwrap().clone();
    assert!(
        told.iter()
            .any(|entry| matches!(entry.revoked, Revoked::Subject { .. })),
        "{told:?}"
    );
    let again = api.ask("DELETE", &path, Value::Null).await;
    assert_eq!(refused(&again), (404, "not_found".to_owned()));
}

#[tokio::test]
async fn secrets_and_passwords_are_never_shown_again_sec_10() {
    let api = Api::new().await;
    let added = api
        .ask("POST", &format!("/clients/ras/{IDE_AT_RAS}/secrets"), json!({}))
        .await
        .json();
    let secret = added["client_secret"].as_str().unwrap().to_owned();
    assert!(secret.len() >= 43, "256 bits or more");
    let chosen = "a chosen secret of more than 32 characters";
    let spec = json!({"side": "idp", "client_id": "chosen", "auth": "secret", "secret": chosen, "redirect_uris": []});
    assert_eq!(api.ask("PUT", "/clients/idp/chosen", spec).await.status.as_u16(), 200);
    let password = "the new password of erin";
    let spec = json!({"username": "erin", "password": password});
    assert_eq!(api.ask("PUT", "/users/erin", spec).await.status.as_u16(), 200);
    let token = api
        .ask("POST", "/tokens", json!({"name": "t", "role": "auditor"}))
        .await
        .json();
    let token = token["token"].as_str().unwrap().to_owned();

    let mut seen = String::new();
    for path in [
        "/users",
        "/users/erin",
        "/clients",
        "/clients/idp/chosen",
        "/tokens",
        "/audit?limit=1000",
        "/keys",
    ] {
        seen.push_str(&api.get(path).await.to_string());
    }
    seen.push_str(&api.ask("GET", "/audit/export", Value::Null).await.text());
    for hidden in [
        secret.as_str(),
        chosen,
        password,
        token.as_str(),
        PASSWORD,
        "$argon2",
        "secret_sha256",
    ] {
        assert!(!seen.contains(hidden), "{hidden} is shown");
    }
}

#[tokio::test]
async fn a_third_secret_is_refused_and_older_ones_can_be_given_an_end_idp_tk_04() {
    let api = Api::new().await;
    let path = format!("/clients/ras/{IDE_AT_RAS}/secrets");
    assert_eq!(api.ask("POST", &path, json!({})).await.status.as_u16(), 200);
    assert_eq!(
        refused(&api.ask("POST", &path, json!({})).await),
        (422, "invalid".to_owned())
    );
    let answer = api.ask("POST", &path, json!({"retire_others_after_seconds": 60})).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
}

#[tokio::test]
async fn what_is_in_the_path_and_in_the_document_must_agree() {
    let api = Api::new().await;
    for (path, spec) in [
        ("/users/erin", json!({"username": "frank"})),
        ("/groups/a", json!({"name": "b"})),
        (
            "/clients/ras/a",
            json!({"side": "idp", "client_id": "a", "auth": "native"}),
        ),
        (
            "/connectors/a",
            json!({"name": "b", "mcp_url": LINEAR, "scopes": [], "status": "off"}),
        ),
    ] {
        let answer = api.ask("PUT", path, spec).await;
        assert_eq!(refused(&answer), (422, "invalid".to_owned()), "{path}");
        assert!(answer.json()["field"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn a_group_that_a_rule_names_stays() {
    let api = Api::new().await;
    let answer = api.ask("DELETE", "/groups/engineering", Value::Null).await;
    assert_eq!(refused(&answer), (422, "invalid".to_owned()));
    assert!(
        answer.json()["message"]
            .as_str()
            .unwrap()
            .contains("Engineering uses every connector")
    );
}

#[tokio::test]
async fn members_are_added_and_removed_once() {
    let api = Api::new().await;
    let path = "/groups/engineering/members/carol";
    assert_eq!(api.ask("PUT", path, Value::Null).await.json()["change"], "created");
    assert_eq!(api.ask("PUT", path, Value::Null).await.json()["change"], "unchanged");
    let members = api.get("/groups/engineering/members").await;
    assert_eq!(members["items"].as_array().unwrap().len(), 3);
    assert_eq!(api.ask("DELETE", path, Value::Null).await.json()["change"], "removed");
    assert_eq!(api.ask("DELETE", path, Value::Null).await.json()["change"], "unchanged");
}

#[tokio::test]
async fn policy_is_tested_with_its_reasons() {
    let api = Api::new().await;
    let ask = async |user: &str, connector: &str| {
        api.ask(
            "POST",
            "/policy/test",
            json!({"user": user, "client": "ide", "connector": connector}),
        )
        .await
        .json()
    };
    let carol = ask("carol", "linear").await;
    assert_eq!(
        (carol["granted"].as_str(), carol["refused"].as_str()),
        (Some("linear.read"), Some("linear.write"))
    );
    assert!(
        carol["because"][0]
            .as_str()
            .unwrap()
            .contains("Contractors read Linear")
    );
    assert_eq!(ask("carol", "figma").await["allowed"], false);
    assert_eq!(ask("dave", "linear").await["allowed"], false);
    let answer = api
        .ask(
            "POST",
            "/policy/test",
            json!({"user": "x", "client": "ide", "connector": "linear"}),
        )
        .await;
    assert_eq!(refused(&answer), (404, "not_found".to_owned()));
}
