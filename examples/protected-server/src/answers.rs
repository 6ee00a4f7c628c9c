//! What simple tools, prompts and resources answer, as data.
//!
//! Owns the contents. Never asks the client for anything.

use rmcp::ErrorData;
use serde_json::{Value, json};

/// One red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// A WAV file without a sound.
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

pub(crate) fn text(text: impl AsRef<str>) -> Value {
    json!({"content": [{"type": "text", "text": text.as_ref()}]})
}

/// The result of a tool that needs nothing, if it is one.
pub(crate) fn tool(name: &str) -> Option<Value> {
    let image = json!({"type": "image", "data": PNG, "mimeType": "image/png"});
    Some(match name {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => json!({"content": [image]}),
        "test_audio_content" => json!({"content": [{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]}),
        "test_embedded_resource" => json!({"content": [{"type": "resource", "resource": {
            "uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content."}}]}),
        "test_multiple_content_types" => json!({"content": [
            {"type": "text", "text": "Multiple content types test:"},
            image,
            {"type": "resource", "resource": {"uri": "test://mixed-content-resource", "mimeType": "application/json",
                "text": r#"{"test":"data","value":123}"#}},
        ]}),
        "test_error_handling" => json!({"isError": true, "content": [
            {"type": "text", "text": "This tool intentionally returns an error for testing"}]}),
        "test_header_mirror" | "json_schema_2020_12_tool" => text("done"),
        _ => return None,
    })
}

/// The messages of a prompt that needs nothing but its arguments.
pub(crate) fn prompt(name: &str, argument: impl Fn(&str) -> Option<String>) -> Result<Value, ErrorData> {
    let needed = |name: &str| {
        argument(name).ok_or_else(|| ErrorData::invalid_params(format!("the argument {name} is missing"), None))
    };
    let says = |content: Value| json!({"role": "user", "content": content});
    let messages = match name {
        "test_simple_prompt" => json!([says(
            json!({"type": "text", "text": "This is a simple prompt for testing."})
        )]),
        "test_prompt_with_arguments" => {
            let text = format!(
                "Prompt with arguments: arg1='{}', arg2='{}'",
                needed("arg1")?,
                needed("arg2")?
            );
            json!([says(json!({"type": "text", "text": text}))])
        }
        "test_prompt_with_embedded_resource" => json!([
            says(
                json!({"type": "resource", "resource": {"uri": needed("resourceUri")?, "mimeType": "text/plain",
                "text": "Embedded resource content for testing."}})
            ),
            says(json!({"type": "text", "text": "Please process the embedded resource above."})),
        ]),
        "test_prompt_with_image" => json!([
            says(json!({"type": "image", "data": PNG, "mimeType": "image/png"})),
            says(json!({"type": "text", "text": "Please analyze the image above."})),
        ]),
        _ => return Err(ErrorData::invalid_params(format!("there is no prompt {name}"), None)),
    };
    Ok(json!({"messages": messages}))
}

/// The contents of a resource.
pub(crate) fn resource(uri: &str) -> Result<Value, ErrorData> {
    let contents = match uri {
        "test://static-text" => {
            json!({"uri": uri, "mimeType": "text/plain", "text": "This is the content of the static text resource."})
        }
        "test://static-binary" => json!({"uri": uri, "mimeType": "image/png", "blob": PNG}),
        "test://watched-resource" => json!({"uri": uri, "mimeType": "text/plain", "text": "Nothing happened yet."}),
        _ => {
            let id = uri
                .strip_prefix("test://template/")
                .and_then(|rest| rest.strip_suffix("/data"));
            let id = id.filter(|id| !id.is_empty() && !id.contains('/'));
            let Some(id) = id else {
                return Err(ErrorData::invalid_params(
                    "Resource not found",
                    Some(json!({"uri": uri})),
                ));
            };
            let text = json!({"id": id, "templateTest": true, "data": format!("Data for ID: {id}")}).to_string();
            json!({"uri": uri, "mimeType": "application/json", "text": text})
        }
    };
    Ok(json!({"contents": [contents]}))
}
