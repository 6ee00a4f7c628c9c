//! What the server offers, as data.
//!
//! Owns the lists. Never answers a call.

use rmcp::ErrorData;
use rmcp::model::{Prompt, Resource, ResourceTemplate, Tool};
use serde_json::{Value, json};

/// Everything that can be listed.
#[derive(Clone)]
pub(crate) struct Catalogue {
    pub(crate) tools: Vec<Tool>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) templates: Vec<ResourceTemplate>,
}

impl Catalogue {
    pub(crate) fn new() -> serde_json::Result<Self> {
        Ok(Self {
            tools: serde_json::from_value(tools())?,
            prompts: serde_json::from_value(prompts())?,
            resources: serde_json::from_value(json!([
                {"uri": "test://static-text", "name": "static-text", "description": "A text", "mimeType": "text/plain"},
                {"uri": "test://static-binary", "name": "static-binary", "description": "An image", "mimeType": "image/png"},
                {"uri": "test://watched-resource", "name": "watched-resource", "description": "Can be watched", "mimeType": "text/plain"},
            ]))?,
            templates: serde_json::from_value(json!([
                {"uriTemplate": "test://template/{id}/data", "name": "template", "description": "Data by id", "mimeType": "application/json"},
            ]))?,
        })
    }

    pub(crate) fn tool(&self, name: &str) -> Result<&Tool, ErrorData> {
        let unknown = || ErrorData::invalid_params(format!("there is no tool {name}"), None);
        self.tools.iter().find(|tool| tool.name == name).ok_or_else(unknown)
    }
}

fn tools() -> Value {
    let plain = [
        ("whoami", "Says who is calling, as the access token tells"),
        ("test_simple_text", "Returns a text"),
        ("test_image_content", "Returns an image"),
        ("test_audio_content", "Returns a sound"),
        ("test_embedded_resource", "Returns a resource"),
        ("test_multiple_content_types", "Returns a text, an image and a resource"),
        ("test_tool_with_logging", "Logs while it works"),
        ("test_logging_tool", "Logs when it is asked to"),
        ("test_tool_with_progress", "Tells how far it is"),
        ("test_error_handling", "Fails"),
        ("test_reconnection", "Takes a moment"),
        ("test_missing_capability", "Needs a client that can sample"),
        ("test_streaming_elicitation", "Asks the user within the answer"),
        ("test_elicitation_sep1034_defaults", "Asks the user, with defaults"),
        ("test_elicitation_sep1330_enums", "Asks the user to choose"),
        ("test_trigger_tool_change", "Says that the tools changed"),
        ("test_trigger_prompt_change", "Says that the prompts changed"),
        ("test_input_required_result_elicitation", "Needs an answer of the user"),
        ("test_input_required_result_sampling", "Needs an answer of the model"),
        ("test_input_required_result_list_roots", "Needs the roots"),
        (
            "test_input_required_result_request_state",
            "Needs a confirmation and keeps a state",
        ),
        (
            "test_input_required_result_multiple_inputs",
            "Needs three things at once",
        ),
        ("test_input_required_result_multi_round", "Needs two rounds"),
        (
            "test_input_required_result_tampered_state",
            "Keeps a state that must not be changed",
        ),
        (
            "test_input_required_result_capabilities",
            "Asks only for what the client can do",
        ),
    ];
    let mut tools: Vec<Value> = plain
        .into_iter()
        .map(|(name, description)| {
            json!({"name": name, "description": description, "inputSchema": {"type": "object", "properties": {}}})
        })
        .collect();
    tools.push(json!({
        "name": "test_sampling", "description": "Asks the client's model",
        "inputSchema": {"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"]},
    }));
    tools.push(json!({
        "name": "test_elicitation", "description": "Asks the user",
        "inputSchema": {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
    }));
    tools.push(json!({
        "name": "test_header_mirror", "description": "Has an argument that is mirrored in a header",
        "inputSchema": {"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "priority": {"type": "integer", "x-mcp-header": "Priority"},
        }},
    }));
    tools.push(json!({
        "name": "json_schema_2020_12_tool", "description": "Tool with JSON Schema 2020-12 features",
        "inputSchema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {
                "street": {"type": "string"}, "city": {"type": "string"}}}},
            "properties": {
                "name": {"type": "string"},
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": {"type": "string"},
                "email": {"type": "string"},
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": false,
        },
    }));
    Value::Array(tools)
}

fn prompts() -> Value {
    json!([
        {"name": "test_simple_prompt", "description": "A prompt"},
        {"name": "test_prompt_with_arguments", "description": "A prompt with arguments", "arguments": [
            {"name": "arg1", "description": "The first", "required": true},
            {"name": "arg2", "description": "The second", "required": true},
        ]},
        {"name": "test_prompt_with_embedded_resource", "description": "A prompt with a resource", "arguments": [
            {"name": "resourceUri", "description": "Which resource", "required": true},
        ]},
        {"name": "test_prompt_with_image", "description": "A prompt with an image"},
        {"name": "test_input_required_result_prompt", "description": "A prompt that needs an answer of the user"},
    ])
}
