//! Tools and prompts that need something from the client before they can finish.
//!
//! Owns what is asked for, within the answer (2026-07-28) or by requests of the server (2025-11-25). State that goes
//! through the client is sealed and bound to the caller (RS-W26-07).

use rmcp::ErrorData;

use rmcp::model::{ClientCapabilities, InputRequiredResult, InputResponses, RequestStateCodec, SealOptions};
use serde_json::{Value, json};

use crate::answers::text;

/// A call that may be the second or third round of a conversation.
pub(crate) struct Round<'a> {
    pub(crate) responses: Option<&'a InputResponses>,
    pub(crate) state: Option<&'a str>,
    pub(crate) capabilities: Option<ClientCapabilities>,
    /// Who calls: a state sealed for one caller does not open for another.
    pub(crate) caller: &'a str,
    pub(crate) codec: &'a RequestStateCodec,
}

/// What a round ends with.
pub(crate) enum Step {
    Done(Value),
    Asks(InputRequiredResult),
}

impl Round<'_> {
    /// Plays one round of a tool; `None` when the tool needs no rounds.
    pub(crate) fn tool(&self, name: &str) -> Result<Option<Step>, ErrorData> {
        let Some(name) = name.strip_prefix("test_input_required_result_") else {
            if name == "test_streaming_elicitation" {
                return self.elicitation().map(Some);
            }
            return Ok(None);
        };
        match name {
            "elicitation" => self.elicitation(),
            "sampling" => self.one(
                "capital_question",
                sampling("What is the capital of France?", 100),
                |answer| format!("The model says: {}", answer["content"]),
            ),
            "list_roots" => self.one("client_roots", roots(), |answer| {
                format!("The roots are: {}", answer["roots"])
            }),
            "request_state" => self.with_state("confirm", ask("Please confirm", "ok", "boolean"), "state-ok"),
            "tampered_state" => self.with_state("confirm", ask("Please confirm", "ok", "boolean"), "state-ok"),
            "multiple_inputs" => self.multiple(),
            "multi_round" => self.two_rounds(),
            "capabilities" => self.what_the_client_can(),
            _ => return Ok(None),
        }
        .map(Some)
    }

    /// Plays one round of the prompt that asks.
    pub(crate) fn prompt(&self) -> Result<Step, ErrorData> {
        let question = ask("What context should the prompt use?", "context", "string");
        let Some(answer) = self.accepted("user_context", "context") else {
            return asks(&json!({"user_context": question}), None);
        };
        let text = format!("Use this context: {answer}");
        Ok(Step::Done(
            json!({"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}),
        ))
    }

    fn elicitation(&self) -> Result<Step, ErrorData> {
        let Some(name) = self.accepted("user_name", "name") else {
            return asks(&json!({"user_name": ask("What is your name?", "name", "string")}), None);
        };
        Ok(Step::Done(text(format!("Hello, {name}!"))))
    }

    fn one(&self, key: &str, question: Value, say: impl Fn(&Value) -> String) -> Result<Step, ErrorData> {
        match self.response(key) {
            Some(answer) => Ok(Step::Done(text(say(answer)))),
            None => asks(&json!({key: question}), None),
        }
    }

    fn with_state(&self, key: &str, question: Value, done: &str) -> Result<Step, ErrorData> {
        if let Some(state) = self.opened()?
            && self.response(key).is_some()
        {
            return Ok(Step::Done(text(format!("{done}: {state}"))));
        }
        asks(
            &json!({key: question}),
            Some(self.sealed("waiting for the confirmation")),
        )
    }

    fn multiple(&self) -> Result<Step, ErrorData> {
        let keys = ["user_name", "greeting", "client_roots"];
        if self.opened()?.is_some() && keys.iter().all(|key| self.response(key).is_some()) {
            return Ok(Step::Done(text("All three answers arrived.")));
        }
        let questions = json!({
            "user_name": ask("What is your name?", "name", "string"),
            "greeting": sampling("Generate a greeting", 50),
            "client_roots": roots(),
        });
        asks(&questions, Some(self.sealed("waiting for three answers")))
    }

    fn two_rounds(&self) -> Result<Step, ErrorData> {
        let state = self.opened()?;
        if let (Some("round two"), Some(color)) = (state.as_deref(), self.accepted("step2", "color")) {
            return Ok(Step::Done(text(format!("Done, the color is {color}."))));
        }
        if state.as_deref() == Some("round one") && self.response("step1").is_some() {
            let question = ask("Step 2: What is your favorite color?", "color", "string");
            return asks(&json!({"step2": question}), Some(self.sealed("round two")));
        }
        asks(
            &json!({"step1": ask("Step 1: What is your name?", "name", "string")}),
            Some(self.sealed("round one")),
        )
    }

    fn what_the_client_can(&self) -> Result<Step, ErrorData> {
        if self.responses.is_some_and(|responses| !responses.is_empty()) {
            return Ok(Step::Done(text("Thank you.")));
        }
        let can = serde_json::to_value(&self.capabilities).unwrap_or_default();
        let mut questions = json!({});
        if can["sampling"].is_object() {
            questions["greeting"] = sampling("Generate a greeting", 50);
        }
        if can["elicitation"].is_object() {
            questions["user_name"] = ask("What is your name?", "name", "string");
        }
        if can["roots"].is_object() {
            questions["client_roots"] = roots();
        }
        if questions.as_object().is_some_and(serde_json::Map::is_empty) {
            return Ok(Step::Done(text("There is nothing that this client can be asked.")));
        }
        asks(&questions, None)
    }

    fn response(&self, key: &str) -> Option<&Value> {
        self.responses?.get(key).filter(|answer| answer.is_object())
    }

    /// A field of a form that the user accepted.
    fn accepted(&self, key: &str, field: &str) -> Option<String> {
        let answer = self.response(key)?;
        (answer["action"] == "accept").then(|| answer["content"][field].as_str().map(str::to_owned))?
    }

    fn sealed(&self, state: &str) -> String {
        self.codec.seal_with(
            state.as_bytes(),
            &SealOptions::new().associated_data(self.caller.as_bytes()),
        )
    }

    fn opened(&self) -> Result<Option<String>, ErrorData> {
        let Some(sealed) = self.state else { return Ok(None) };
        let refused = || ErrorData::invalid_params("the request state is not valid", None);
        let state = self
            .codec
            .open_with(sealed, self.caller.as_bytes())
            .map_err(|_| refused())?;
        String::from_utf8(state).map(Some).map_err(|_| refused())
    }
}

/// A request for one field of a form.
fn ask(message: &str, field: &str, kind: &str) -> Value {
    let schema = json!({"type": "object", "properties": {field: {"type": kind}}, "required": [field]});
    json!({"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": schema}})
}

fn sampling(question: &str, max_tokens: u32) -> Value {
    json!({"method": "sampling/createMessage", "params": {
        "messages": [{"role": "user", "content": {"type": "text", "text": question}}], "maxTokens": max_tokens}})
}

fn roots() -> Value {
    json!({"method": "roots/list", "params": {}})
}

fn asks(questions: &Value, state: Option<String>) -> Result<Step, ErrorData> {
    let requests = serde_json::from_value(questions.clone())
        .map_err(|error| ErrorData::internal_error(format!("a question does not read: {error}"), None))?;
    Ok(Step::Asks(InputRequiredResult::new(Some(requests), state)))
}

/// The form with a default for every kind of field.
pub(crate) fn defaults_form() -> Value {
    json!({"mode": "form", "message": "Please check these values", "requestedSchema": {"type": "object", "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": true},
    }, "required": []}})
}

/// The form with every kind of choice.
pub(crate) fn choices_form() -> Value {
    let titled = |words: [&str; 3]| -> Value {
        (1..=3)
            .zip(words)
            .map(|(n, word)| json!({"const": format!("value{n}"), "title": word}))
            .collect()
    };
    let options = json!(["option1", "option2", "option3"]);
    json!({"mode": "form", "message": "Please choose", "requestedSchema": {"type": "object", "properties": {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"])},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled(["First Choice", "Second Choice", "Third Choice"])}},
    }, "required": []}})
}

/// The form of the plain question.
pub(crate) fn user_form(message: &str) -> Value {
    json!({"mode": "form", "message": message, "requestedSchema": {"type": "object", "properties": {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }, "required": ["username", "email"]}})
}
