//! What provisioning clients write: filters and PATCH paths.

use lanyard_core::scim::document::Document;
use lanyard_core::scim::{patch, search};
use lanyard_protocol::scim::filter::{Filter, MAX_LENGTH};
use lanyard_protocol::scim::patch::{Op, Operation, PatchPath};
use lanyard_protocol::scim::schema::USERS;
use serde_json::{Value, json};

/// A filter. What is read is written so that it reads the same again, and is brought to conditions or refused.
pub fn scim_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    let written = filter.to_string();
    if written.len() <= MAX_LENGTH {
        assert_eq!(Filter::parse(&written).as_ref(), Ok(&filter), "{written}");
    }
    for refused in [search::users(&filter).err(), search::groups(&filter).err()]
        .into_iter()
        .flatten()
    {
        assert_eq!(refused.code(), "invalid_filter", "{written}");
    }
}

/// The path of an operation. What is read is written so that it reads the same again, and is applied or refused.
pub fn scim_patch_path(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(path) = PatchPath::parse(text) else { return };
    let written = path.to_string();
    if written.len() <= MAX_LENGTH {
        assert_eq!(PatchPath::parse(&written).as_ref(), Ok(&path), "{written}");
    }
    let person = json!({
        "userName": "ada", "emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "R&D"}
    });
    let Ok(document) = Document::read(&USERS, person) else {
        return;
    };
    for op in [Op::Add, Op::Replace, Op::Remove] {
        for value in [
            None,
            Some(json!("x")),
            Some(json!({"value": "x"})),
            Some(json!([{"value": "x"}])),
        ] {
            let operation = Operation {
                op,
                path: Some(path.clone()),
                value,
            };
            for strict in [false, true] {
                let Ok(after) = patch::apply(&USERS, document.clone(), std::slice::from_ref(&operation), strict) else {
                    continue;
                };
                let preferred = after
                    .elements("emails")
                    .iter()
                    .filter(|one| one.get("primary") == Some(&Value::Bool(true)));
                assert!(preferred.count() <= 1, "{written}");
                assert!(after.text("userName").is_some(), "{written}");
            }
        }
    }
}
