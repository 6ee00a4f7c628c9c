//! Properties of PATCH: what a client repeats does nothing, and no operation breaks a document (SC-08, SC-12).

use lanyard_core::scim::document::Document;
use lanyard_core::scim::patch::apply;
use lanyard_protocol::scim::patch::{Op, Operation, PatchPath};
use lanyard_protocol::scim::schema::USERS;
use proptest::prelude::*;
use serde_json::{Value, json};

fn document() -> impl Strategy<Value = Document> {
    let email = ("[a-c]", prop_oneof![Just("work"), Just("home"), Just("other")]);
    prop::collection::vec(email, 0..4).prop_map(|emails| {
        let emails: Vec<Value> = emails
            .into_iter()
            .enumerate()
            .map(|(n, (value, kind))| json!({"value": value, "type": kind, "primary": n == 0}))
            .collect();
        let body = json!({"userName": "ada", "title": "x", "name": {"givenName": "Ada"}, "emails": emails});
        Document::read(&USERS, body).unwrap()
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let path = prop_oneof![
        Just("title"),
        Just("name"),
        Just("name.familyName"),
        Just("emails"),
        Just("emails.value"),
        Just("emails[type eq \"work\"]"),
        Just("emails[type eq \"work\"].value"),
        Just("emails[type eq \"home\" or value eq \"a\"].primary"),
        Just("emails[not (value eq \"b\")].display"),
        Just("phoneNumbers[type eq \"mobile\" and primary eq true].value"),
        Just("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"),
    ];
    let value = prop_oneof![
        Just(json!("a")),
        Just(json!(true)),
        Just(json!({"value": "b", "type": "work"})),
        Just(json!([{"value": "c", "primary": true}, {"value": "a"}])),
        Just(json!({"familyName": "L"})),
    ];
    let op = prop_oneof![Just(Op::Add), Just(Op::Replace), Just(Op::Remove)];
    (op, path, prop::option::of(value)).prop_map(|(op, path, value)| Operation {
        op,
        path: Some(PatchPath::parse(path).unwrap()),
        value,
    })
}

fn preferred(document: &Document, name: &str) -> usize {
    let is_preferred = |one: &&Value| one.get("primary") == Some(&Value::Bool(true));
    document.elements(name).iter().filter(is_preferred).count()
}

/// A filter on the very part that the operation changes chooses other elements the second time.
fn chooses_by_what_it_changes(operation: &Operation) -> bool {
    let path = operation.path.as_ref().unwrap();
    path.filter.is_some() && (path.part.is_none() || path.part.as_deref() == Some("value"))
}

proptest! {
    #[test]
    fn a_repeated_operation_does_nothing_sc_12(document in document(), operation in operation()) {
        prop_assume!(!chooses_by_what_it_changes(&operation));
        let once = apply(&USERS, document, std::slice::from_ref(&operation), false);
        prop_assume!(once.is_ok());
        let once = once.unwrap();
        let twice = apply(&USERS, once.clone(), std::slice::from_ref(&operation), false);
        prop_assert_eq!(twice, Ok(once));
    }

    #[test]
    fn whatever_is_done_one_value_at_most_is_preferred_and_the_name_stays_sc_08(
        document in document(),
        operations in prop::collection::vec(operation(), 1..6),
        strict: bool,
    ) {
        if let Ok(after) = apply(&USERS, document, &operations, strict) {
            prop_assert!(preferred(&after, "emails") <= 1 && preferred(&after, "phoneNumbers") <= 1);
            prop_assert_eq!(after.text("userName"), Some("ada"));
            // What is kept is in the form of its schema already.
            prop_assert_eq!(Document::read(&USERS, json!(after)), Ok(after));
        }
    }

    #[test]
    fn operations_are_done_in_their_order_sc_08(document in document(), one in operation(), two in operation()) {
        let both = apply(&USERS, document.clone(), &[one.clone(), two.clone()], false);
        let after = apply(&USERS, document, &[one], false).and_then(|after| apply(&USERS, after, &[two], false));
        prop_assert_eq!(both, after);
    }
}
