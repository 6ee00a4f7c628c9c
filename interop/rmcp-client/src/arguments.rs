//! Arguments that fit a tool's input schema, so that any sample tool can be called.
//!
//! Owns nothing else. Never reads a schema further than its first type.

use rmcp::model::JsonObject;
use serde_json::{Value, json};

/// A value for every required property.
pub(crate) fn sample(schema: &JsonObject) -> JsonObject {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    names
        .map(|name| {
            let property = schema.get("properties").and_then(|all| all.get(name));
            (name.to_owned(), property.map_or(Value::Null, value))
        })
        .collect()
}

fn value(schema: &Value) -> Value {
    let given = [schema.get("default"), schema.get("const"), schema.pointer("/enum/0")];
    if let Some(given) = given.into_iter().flatten().next() {
        return given.clone();
    }
    let kind = schema.get("type");
    match kind.and_then(|kind| kind.get(0).unwrap_or(kind).as_str()) {
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => schema
            .as_object()
            .map_or(Value::Null, |object| Value::Object(sample(object))),
        _ => json!("sample"),
    }
}
