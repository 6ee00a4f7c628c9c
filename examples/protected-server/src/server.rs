//! The MCP server.
//!
//! Owns what each method does. Who calls, it reads from the extensions that the protecting layer filled.
#![expect(
    deprecated,
    reason = "the older revision is served too: logging, sampling, resource subscriptions"
)]

use std::sync::Arc;
use std::time::Duration;

use lanyard_jose::random::{Random, SystemRandom};
use lanyard_jose::token::{AccessToken, Verified};
use rmcp::model::*;
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::answers::{self, text};
use crate::catalogue::Catalogue;
use crate::inputs::{Round, Step, choices_form, defaults_form, user_form};

const MOMENT: Duration = Duration::from_millis(50);

/// The server; clones share everything.
#[derive(Clone)]
pub(crate) struct Server {
    catalogue: Arc<Catalogue>,
    codec: Arc<RequestStateCodec>,
    changes: broadcast::Sender<Change>,
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Tools,
    Prompts,
}

impl Server {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let mut key = [0; 32];
        SystemRandom.fill(&mut key);
        Ok(Self {
            catalogue: Arc::new(Catalogue::new()?),
            codec: Arc::new(RequestStateCodec::try_new(key)?),
            changes: broadcast::Sender::new(16),
        })
    }

    fn round<'a>(
        &'a self,
        responses: Option<&'a InputResponses>,
        state: Option<&'a str>,
        context: &RequestContext<RoleServer>,
        caller: &'a str,
    ) -> Round<'a> {
        Round {
            responses,
            state,
            capabilities: context.client_capabilities(),
            caller,
            codec: &self.codec,
        }
    }

    async fn run(
        &self,
        name: &str,
        arguments: &Value,
        context: &RequestContext<RoleServer>,
    ) -> Result<Value, ErrorData> {
        let peer = &context.peer;
        match name {
            "whoami" => Ok(text(caller(context))),
            "test_tool_with_logging" => {
                for step in [
                    "Tool execution started",
                    "Tool processing data",
                    "Tool execution completed",
                ] {
                    log(context, step).await?;
                    tokio::time::sleep(MOMENT).await;
                }
                Ok(text("Logged three times."))
            }
            "test_logging_tool" => {
                if context.meta.log_level().is_some() {
                    log(context, "Asked to log").await?;
                }
                Ok(text("Done."))
            }
            "test_tool_with_progress" => {
                for progress in [0, 50, 100] {
                    if let Some(token) = context.meta.get_progress_token() {
                        let progress = json!({"progressToken": token, "progress": progress, "total": 100});
                        peer.notify_progress(model(progress)?).await.map_err(failed)?;
                    }
                    tokio::time::sleep(MOMENT).await;
                }
                Ok(text("Done."))
            }
            "test_reconnection" => {
                tokio::time::sleep(MOMENT).await;
                Ok(text("Still here."))
            }
            "test_missing_capability" => {
                let sampling = context.client_capabilities().is_some_and(|own| own.sampling.is_some());
                if !sampling {
                    let needed = model(json!({"sampling": {}}))?;
                    return Err(ErrorData::missing_required_client_capability(needed));
                }
                Ok(text("The client can sample."))
            }
            "test_trigger_tool_change" | "test_trigger_prompt_change" => {
                let change = if name.contains("tool") {
                    Change::Tools
                } else {
                    Change::Prompts
                };
                // Nobody may be listening.
                let _ = self.changes.send(change);
                Ok(text("Announced."))
            }
            "test_sampling" => {
                let question = arguments["prompt"].as_str().unwrap_or_default();
                let request = json!({"maxTokens": 100,
                    "messages": [{"role": "user", "content": {"type": "text", "text": question}}]});
                let answer = peer.create_message(model(request)?).await.map_err(failed)?;
                let answer = serde_json::to_value(answer).unwrap_or_default();
                Ok(text(format!(
                    "LLM response: {}",
                    answer["content"]["text"].as_str().unwrap_or_default()
                )))
            }
            "test_elicitation" => {
                let form = user_form(arguments["message"].as_str().unwrap_or_default());
                Ok(text(format!("User response: {}", elicit(context, form).await?)))
            }
            "test_elicitation_sep1034_defaults" => Ok(text(format!(
                "Elicitation completed: {}",
                elicit(context, defaults_form()).await?
            ))),
            "test_elicitation_sep1330_enums" => Ok(text(format!(
                "Elicitation completed: {}",
                elicit(context, choices_form()).await?
            ))),
            _ => answers::tool(name).ok_or_else(|| ErrorData::invalid_params(format!("there is no tool {name}"), None)),
        }
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = json!({
            "tools": {"listChanged": true}, "prompts": {"listChanged": true},
            "resources": {"subscribe": true, "listChanged": true}, "completions": {}, "logging": {},
        });
        let mut info = ServerConfig::new(serde_json::from_value(capabilities).unwrap_or_default());
        info.server_info = Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        info
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        model(
            json!({"tools": self.catalogue.tools, "ttlMs": 60_000, "cacheScope": "private", "resultType": "complete"}),
        )
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.catalogue.tool(name).ok().cloned()
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.catalogue.tool(&request.name)?;
        let caller = caller(&context);
        let round = self.round(
            request.input_responses.as_ref(),
            request.request_state.as_deref(),
            &context,
            &caller,
        );
        let result = match round.tool(&request.name)? {
            Some(Step::Asks(asks)) => return Ok(asks.into()),
            Some(Step::Done(result)) => result,
            None => {
                let arguments = request.arguments.map(Value::Object).unwrap_or_default();
                self.run(&request.name, &arguments, &context).await?
            }
        };
        let mut result: CallToolResult = model(result)?;
        result.result_type = Some(ResultType::COMPLETE);
        Ok(result.into())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        model(
            json!({"prompts": self.catalogue.prompts, "ttlMs": 60_000, "cacheScope": "private", "resultType": "complete"}),
        )
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let result = if request.name == "test_input_required_result_prompt" {
            let caller = caller(&context);
            let round = self.round(
                request.input_responses.as_ref(),
                request.request_state.as_deref(),
                &context,
                &caller,
            );
            match round.prompt()? {
                Step::Asks(asks) => return Ok(asks.into()),
                Step::Done(result) => result,
            }
        } else {
            let arguments = serde_json::to_value(&request.arguments).unwrap_or_default();
            answers::prompt(&request.name, |name| arguments[name].as_str().map(str::to_owned))?
        };
        let mut result: GetPromptResult = model(result)?;
        result.result_type = Some(ResultType::COMPLETE);
        Ok(result.into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        model(
            json!({"resources": self.catalogue.resources, "ttlMs": 60_000, "cacheScope": "private", "resultType": "complete"}),
        )
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let templates = &self.catalogue.templates;
        model(
            json!({"resourceTemplates": templates, "ttlMs": 60_000, "cacheScope": "private", "resultType": "complete"}),
        )
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let mut contents = answers::resource(&request.uri)?;
        contents["ttlMs"] = json!(60_000);
        contents["cacheScope"] = json!("private");
        contents["resultType"] = json!("complete");
        Ok(model::<ReadResourceResult>(contents)?.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let typed = request.argument.value;
        let fitting: Vec<&str> = ["paris", "park", "party"]
            .into_iter()
            .filter(|word| word.starts_with(&typed))
            .collect();
        let completion = json!({"total": fitting.len(), "values": fitting, "hasMore": false});
        model(json!({"completion": completion, "resultType": "complete"}))
    }

    async fn set_level(&self, _: SetLevelRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn subscribe(&self, _: SubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(&self, _: UnsubscribeRequestParams, _: RequestContext<RoleServer>) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let mut changes = self.changes.subscribe();
        loop {
            let change = tokio::select! {
                change = changes.recv() => change,
                () = context.cancelled() => return Ok(()),
            };
            let (accepted, sink) = (context.accepted(), context.sink());
            let sent = match change {
                Ok(Change::Tools) if accepted.tools_list_changed == Some(true) => sink.notify_tool_list_changed().await,
                Ok(Change::Prompts) if accepted.prompts_list_changed == Some(true) => {
                    sink.notify_prompt_list_changed().await
                }
                Ok(_) => Ok(()),
                Err(_) => return Ok(()),
            };
            if sent.is_err() {
                return Ok(());
            }
        }
    }
}

/// Who calls: the account and client of the access token, or nobody when the server runs bare.
fn caller(context: &RequestContext<RoleServer>) -> String {
    let token = context
        .extensions
        .get::<http::request::Parts>()
        .and_then(|parts| parts.extensions.get::<Verified<AccessToken>>());
    match token {
        Some(token) => format!("{} through {} at {}", token.sub, token.client_id, token.iss),
        None => "nobody in particular".to_owned(),
    }
}

async fn log(context: &RequestContext<RoleServer>, message: &str) -> Result<(), ErrorData> {
    let notification = json!({"level": "info", "logger": "example", "data": message});
    context
        .peer
        .notify_logging_message(model(notification)?)
        .await
        .map_err(failed)
}

async fn elicit(context: &RequestContext<RoleServer>, form: Value) -> Result<String, ErrorData> {
    let answer = context.peer.create_elicitation(model(form)?).await.map_err(failed)?;
    let answer = serde_json::to_value(answer).unwrap_or_default();
    Ok(format!(
        "action={}, content={}",
        answer["action"].as_str().unwrap_or_default(),
        answer["content"]
    ))
}

/// A type of `rmcp` from its JSON.
fn model<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value).map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

fn failed(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
