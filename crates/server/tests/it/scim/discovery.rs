//! What the server says of itself.

use http::StatusCode;
use serde_json::{Value, json};

use super::world::{ENTERPRISE, Scim, USER};

#[tokio::test]
async fn what_is_off_is_declared_off_sc_19() {
    let scim = Scim::new().await;
    let config = scim.get("/ServiceProviderConfig").await;
    for (feature, supported) in [
        ("patch", true),
        ("filter", true),
        ("etag", true),
        ("bulk", false),
        ("sort", false),
        ("changePassword", false),
    ] {
        assert_eq!(config[feature]["supported"], supported, "{feature}");
    }
    assert_eq!(config["filter"]["maxResults"], 200);
    for (method, path) in [("POST", "/Bulk"), ("GET", "/Me"), ("POST", "/.search")] {
        let answer = scim.ask(method, path, json!({})).await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (StatusCode::NOT_IMPLEMENTED, &json!("501")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn resource_types_and_schemas_are_listed_and_found_sc_01() {
    let scim = Scim::new().await;
    let types = scim.get("/ResourceTypes").await;
    assert_eq!(types["totalResults"], 2);
    let user = scim.get("/ResourceTypes/User").await;
    assert_eq!((&user["endpoint"], &user["schema"]), (&json!("/Users"), &json!(USER)));
    assert_eq!(
        user["schemaExtensions"],
        json!([{"schema": ENTERPRISE, "required": false}])
    );
    let schemas = scim.get("/Schemas").await;
    assert_eq!(schemas["totalResults"], 3);
    let schema = scim.get(&format!("/Schemas/{USER}")).await;
    let password = schema["attributes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "password")
        .unwrap();
    assert_eq!(
        (&password["mutability"], &password["returned"]),
        (&json!("writeOnly"), &json!("never"))
    );
    for path in ["/ResourceTypes/Robot", "/Schemas/urn:x", "/nothing"] {
        let answer = scim.ask("GET", path, Value::Null).await;
        assert_eq!(
            (answer.status, &answer.json()["status"]),
            (StatusCode::NOT_FOUND, &json!("404")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn discovery_takes_no_filter_and_no_changes_sc_01() {
    let scim = Scim::new().await;
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        let answer = scim.ask("GET", &format!("{path}?filter=id%20pr"), Value::Null).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = scim.ask(method, path, json!({})).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        }
    }
}
