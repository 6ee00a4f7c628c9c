//! What the operations of Okta and Entra ID do to a person.

use lanyard_protocol::scim::patch::operations;
use lanyard_protocol::scim::schema::USERS;
use lanyard_protocol::scim::urn::ENTERPRISE_USER;
use serde_json::json;

use super::*;

fn document() -> Document {
    let body = json!({
        "userName": "ada@x", "active": true, "title": "Countess", "name": {"givenName": "Ada", "familyName": "L"},
        "emails": [{"value": "ada@x", "type": "work", "primary": true}, {"value": "home@x", "type": "home"}],
        ENTERPRISE_USER: {"department": "R&D"}
    });
    Document::read(&USERS, body).unwrap()
}

fn run(listed: Value, strict: bool) -> Result<Value, ScimDenial> {
    let operations = operations(json!({"Operations": listed})).unwrap();
    apply(&USERS, document(), &operations, strict).map(|document| json!(document))
}

fn patched(listed: Value) -> Value {
    run(listed.clone(), false).unwrap_or_else(|denial| panic!("{listed}: {denial}"))
}

#[test]
fn an_object_without_a_path_names_attributes_dotted_paths_and_urns_sc_09() {
    let after = patched(json!([{"op": "Replace", "value": {
        "id": "ignored", "groups": [], "nothing": 1, "active": "False", "name.familyName": "Lovelace",
        "emails[type eq \"home\"].value": "new@x",
        format!("{ENTERPRISE_USER}:department"): "Finance",
        "title": null
    }}]));
    assert_eq!(after["active"], false);
    assert_eq!(after["name"], json!({"givenName": "Ada", "familyName": "Lovelace"}));
    assert_eq!(after["emails"][1], json!({"value": "new@x", "type": "home"}));
    assert_eq!(after[ENTERPRISE_USER], json!({"department": "Finance"}));
    assert_eq!(after.get("title"), None);
    let after = patched(json!([{"op": "add", "value": {ENTERPRISE_USER: {"division": "D", "x": 1}}}]));
    assert_eq!(after[ENTERPRISE_USER], json!({"department": "R&D", "division": "D"}));
}

#[test]
fn a_filter_chooses_the_element_that_changes_sc_11() {
    let after = patched(json!([{"op": "replace", "path": "emails[type eq \"WORK\"].value", "value": "l@x"}]));
    assert_eq!(
        after["emails"][0],
        json!({"value": "l@x", "type": "work", "primary": true})
    );
    assert_eq!(after["emails"][1]["value"], "home@x");
}

#[test]
fn a_filter_that_meets_nothing_makes_the_element_unless_configured_otherwise_sc_11() {
    let add = json!([{"op": "Add", "path": "phoneNumbers[type eq \"work\" and primary eq true].value", "value": "+1"}]);
    assert_eq!(
        patched(add.clone())["phoneNumbers"],
        json!([{"type": "work", "primary": true, "value": "+1"}])
    );
    assert!(matches!(run(add, true), Err(ScimDenial::NoTarget(_))));
    let vague = json!([{"op": "replace", "path": "emails[type ne \"work\" and value co \"z\"].value", "value": "z"}]);
    assert!(matches!(run(vague, false), Err(ScimDenial::NoTarget(_))));
}

#[test]
fn the_enterprise_attributes_are_reached_by_their_urn_sc_11() {
    let at = |path: &str| format!("{ENTERPRISE_USER}:{path}");
    let after = patched(json!([
        {"op": "Replace", "path": at("department"), "value": "Finance"},
        {"op": "Add", "path": at("manager"), "value": "usr_9"},
        {"op": "Add", "path": at("employeeNumber"), "value": 7},
    ]));
    let meant = json!({"department": "Finance", "manager": {"value": "usr_9"}, "employeeNumber": "7"});
    assert_eq!(after[ENTERPRISE_USER], meant);
    let after = patched(json!([{"op": "remove", "path": at("department")}]));
    assert_eq!(after.get(ENTERPRISE_USER), None);
    let after = patched(json!([{"op": "add", "path": ENTERPRISE_USER, "value": {"costCenter": "1"}}]));
    assert_eq!(after[ENTERPRISE_USER], json!({"department": "R&D", "costCenter": "1"}));
}

#[test]
fn adding_what_is_there_changes_nothing_and_one_value_is_preferred() {
    let same = json!({"value": "home@x", "type": "home"});
    let after = patched(json!([{"op": "add", "path": "emails", "value": [same]}]));
    assert_eq!(after["emails"].as_array().unwrap().len(), 2);
    let new = json!({"value": "new@x", "primary": true});
    let after = patched(json!([{"op": "add", "path": "emails", "value": [new]}]));
    let preferred: Vec<_> = after["emails"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["primary"].clone())
        .collect();
    assert_eq!(preferred, [json!(false), json!(null), json!(true)]);
}

#[test]
fn parts_that_a_replacement_does_not_name_stay() {
    let after = patched(json!([{"op": "replace", "path": "name", "value": {"familyName": "Lovelace"}}]));
    assert_eq!(after["name"], json!({"givenName": "Ada", "familyName": "Lovelace"}));
    let after = patched(json!([{"op": "replace", "path": "emails", "value": [{"value": "only@x"}]}]));
    assert_eq!(after["emails"], json!([{"value": "only@x"}]));
}

#[test]
fn values_are_taken_away_in_each_form() {
    for (path, value, left) in [
        ("emails[type eq \"home\"]", json!(null), 1),
        ("emails", json!([{"value": "ada@x"}]), 1),
        ("emails[type eq \"nothing\"]", json!(null), 2),
    ] {
        let after = patched(json!([{"op": "Remove", "path": path, "value": value}]));
        assert_eq!(after["emails"].as_array().unwrap().len(), left, "{path}");
    }
    let after = patched(json!([{"op": "remove", "path": "emails"}, {"op": "remove", "path": "name.givenName"}]));
    assert_eq!(
        (after.get("emails"), &after["name"]),
        (None, &json!({"familyName": "L"}))
    );
    let after = patched(json!([{"op": "remove", "path": "emails[type eq \"work\"].primary"}]));
    assert_eq!(after["emails"][0], json!({"value": "ada@x", "type": "work"}));
}

#[test]
fn a_password_is_thrown_away_sc_18() {
    let after = patched(
        json!([{"op": "replace", "path": "password", "value": "secret"}, {"op": "add", "value": {"password": "secret"}}]),
    );
    assert_eq!(after, json!(document()));
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason_sc_17() {
    for (operation, code) in [
        (json!({"op": "replace", "path": "id", "value": "x"}), "mutability"),
        (
            json!({"op": "add", "path": "groups", "value": [{"value": "g"}]}),
            "mutability",
        ),
        (
            json!({"op": "replace", "path": "meta.created", "value": "x"}),
            "mutability",
        ),
        (json!({"op": "remove", "path": "userName"}), "mutability"),
        (json!({"op": "replace", "path": "userName"}), "mutability"),
        (json!({"op": "remove"}), "no_target"),
        (json!({"op": "replace", "path": "shoeSize", "value": 1}), "invalid_path"),
        (
            json!({"op": "replace", "path": "emails.shoe", "value": 1}),
            "invalid_path",
        ),
        (
            json!({"op": "replace", "path": "title[type eq \"x\"]", "value": 1}),
            "invalid_path",
        ),
        (
            json!({"op": "replace", "path": "emails[shoe eq \"x\"].value", "value": "x"}),
            "invalid_path",
        ),
        (json!({"op": "add", "path": "title"}), "invalid_value"),
        (
            json!({"op": "replace", "path": "active", "value": "no"}),
            "invalid_value",
        ),
        (json!({"op": "replace", "path": "title", "value": {}}), "invalid_value"),
        (json!({"op": "replace", "value": "x"}), "invalid_syntax"),
    ] {
        let denial = run(json!([operation]), false).unwrap_err();
        assert_eq!(denial.code(), code, "{operation}: {denial}");
    }
}

/// A person with so many addresses of so many bytes.
fn addresses(count: usize, length: usize) -> Document {
    let ims: Vec<_> = (0..count)
        .map(|n| json!({"value": format!("{n:03}{}", "A".repeat(length - 3)), "type": "x"}))
        .collect();
    let mut document = document();
    document.set(None, "ims", Some(json!(ims)));
    document
}

#[test]
fn a_patch_looks_at_so_much_and_no_more_sec_22() {
    let long = vec!["value co \"z\""; 60].join(" or ");
    let remove = json!({"op": "remove", "path": format!("ims[{long}]")});
    // In a value without a path there are as many paths as names.
    let names: Map<_, _> = (0..400)
        .map(|n| (format!("ims[value eq \"{n}\" or {long}].type"), json!("y")))
        .collect();
    let many: Vec<_> = (0..200).map(|n| json!(format!("{n}"))).collect();
    for hostile in [
        json!(vec![remove; 400]),
        json!([{"op": "replace", "value": names}]),
        json!(
            [
                vec![json!({"op": "remove", "path": "ims"})],
                vec![json!({"op": "add", "path": "ims", "value": many}); 60]
            ]
            .concat()
        ),
        json!(vec![json!({"op": "remove", "path": "ims", "value": many}); 60]),
        json!(vec![
            json!({"op": "replace", "path": "ims.display", "value": "x".repeat(8000)});
            60
        ]),
    ] {
        let operations = operations(json!({"Operations": hostile})).unwrap();
        let denial = apply(&USERS, addresses(200, 8 * 1024), &operations, false).unwrap_err();
        assert!(
            matches!(&denial, ScimDenial::TooMany(words) if words.contains("fewer in one request")),
            "{denial}"
        );
    }
}

#[test]
fn what_clients_send_is_far_from_the_most_work_sec_22() {
    let path = "ims[type eq \"x\" and value eq \"199A\"].display";
    let honest = vec![json!({"op": "replace", "path": path, "value": "x"}); 100];
    let operations = operations(json!({"Operations": honest})).unwrap();
    let after = apply(&USERS, addresses(200, 4), &operations, true).unwrap();
    assert_eq!(after.elements("ims")[199]["display"], "x");
}

#[test]
fn a_document_grows_to_its_limit_and_one_that_is_larger_can_still_change_sec_22() {
    let run = |document, operation: Value| {
        let operations = operations(json!({"Operations": [operation]})).unwrap();
        apply(&USERS, document, &operations, false)
    };
    let more: Vec<_> = (0..20).map(|n| json!(format!("{n}{}", "x".repeat(8000)))).collect();
    let add = json!({"op": "add", "path": "photos", "value": more});
    assert!(run(document(), add.clone()).is_ok());
    assert!(matches!(
        run(addresses(20, 8000), add.clone()),
        Err(ScimDenial::TooMany(_))
    ));
    let large = addresses(100, 8000);
    assert!(matches!(run(large.clone(), add), Err(ScimDenial::TooMany(_))));
    assert!(run(large.clone(), json!({"op": "remove", "path": "title"})).is_ok());
    let off = json!({"op": "replace", "path": "active", "value": false});
    let after = run(large, off).unwrap();
    assert_eq!(after.flag("active"), Some(false));
}
