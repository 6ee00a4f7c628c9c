//! What the provisioning clients of Okta and Entra ID send, in their order, played against the router.
//!
//! The sequences were written from their documentation. Each step names what is sent and what of the answer they need.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::world::Scim;

/// `{{name}}` stands for what an earlier answer had.
fn filled(value: &Value, kept: &Map<String, Value>) -> Value {
    let text = kept.iter().fold(value.to_string(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value.as_str().unwrap())
    });
    serde_json::from_str(&text).unwrap()
}

async fn play(sequence: &str) {
    let steps: Vec<Value> = serde_json::from_str(sequence).unwrap();
    let scim = Scim::new().await;
    let mut kept = Map::new();
    for (n, step) in steps.iter().enumerate() {
        let step = filled(step, &kept);
        let what = format!("step {}: {}", n + 1, step["why"]);
        let (method, path) = (step["method"].as_str().unwrap(), step["path"].as_str().unwrap());
        let answer = scim.ask(method, path, step["body"].clone()).await;
        assert_eq!(
            Some(u64::from(answer.status.as_u16())),
            step["status"].as_u64(),
            "{what}: {}",
            answer.text()
        );
        let body = if answer.body.is_empty() {
            Value::Null
        } else {
            answer.json()
        };
        for (pointer, wanted) in step["has"].as_object().into_iter().flatten() {
            assert_eq!(body.pointer(pointer), Some(wanted), "{what}: {pointer} of {body}");
        }
        for pointer in step["lacks"].as_array().into_iter().flatten() {
            assert_eq!(body.pointer(pointer.as_str().unwrap()), None, "{what}");
        }
        for (name, pointer) in step["keep"].as_object().into_iter().flatten() {
            let value = body
                .pointer(pointer.as_str().unwrap())
                .unwrap_or_else(|| panic!("{what}: {body}"));
            kept.insert(name.clone(), value.clone());
        }
    }
    assert_eq!(scim.ask("GET", "/Users", json!(null)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_requests_of_okta_for_applications_of_its_catalogue_are_understood_sc_09_sc_12() {
    play(include_str!("recorded/okta-catalogue.json")).await;
}

#[tokio::test]
async fn the_requests_of_okta_for_applications_made_by_its_wizard_are_understood_sc_07() {
    play(include_str!("recorded/okta-wizard.json")).await;
}

#[tokio::test]
async fn the_requests_of_entra_id_are_understood_sc_08_sc_10_sc_11() {
    play(include_str!("recorded/entra.json")).await;
}

#[tokio::test]
async fn the_requests_of_entra_id_with_its_compliance_flag_are_understood_sc_09_sc_12() {
    play(include_str!("recorded/entra-aadoptscim062020.json")).await;
}
