//! `lanyard rules`
//!
//! Owns the administrator's commands about policy. Never evaluates a rule: the server does.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::RuleSpec;
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, prompt, show};
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// Manage the rules: who may reach what
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct RulesArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum RulesCommand {
    /// List rules
    List,
    /// Make or change a rule from a document
    Set {
        /// TOML or JSON, `-` for stdin
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Remove a rule
    Remove {
        /// Its title or id
        which: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Say what a person would be granted, and why
    Test {
        /// The person's user name
        #[arg(long)]
        user: String,
        /// The client's id at the issuer
        #[arg(long)]
        client: String,
        /// The connector's name
        #[arg(long)]
        connector: String,
        /// Space-separated; every scope of the connector when left out
        #[arg(long)]
        scopes: Option<String>,
        /// Assume a sign-in of this strength [default: the strongest]
        #[arg(long, value_parser = ["password", "multi_factor", "phishing_resistant"])]
        strength: Option<String>,
        /// Assume a sign-in of this age, as in 10m [default: made just now]
        #[arg(long)]
        age: Option<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: RulesArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: RulesCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        RulesCommand::List => {
            let items = client.all(&["rules"]).await?;
            let columns = [
                ("TITLE", "title"),
                ("EFFECT", "effect"),
                ("EVERYONE", "everyone"),
                ("GROUPS", "groups"),
                ("USERS", "users"),
                ("CONNECTORS", "connectors"),
                ("SCOPES", "scopes"),
                ("STRENGTH", "requires.strength"),
                ("MAX AGE", "requires.max_age"),
                ("ENABLED", "enabled"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        RulesCommand::Set { file } => {
            let spec = document::read::<RuleSpec>(&file)?;
            let answer = client.put(&["rules"], &spec).await?;
            show::written(&answer, "rule", &show::text(&spec, "title"), at.json, ui)
        }
        RulesCommand::Remove { which, yes } => {
            let all = client.all(&["rules"]).await?;
            let named = |rule: &&Value| show::text(rule, "title") == which || show::text(rule, "id") == which;
            let Some(found) = all.iter().find(named) else {
                let remedy = "`lanyard rules list` shows them.";
                return Err(Ending::failed(&format!("There is no rule {which}."), Some(remedy)).into());
            };
            prompt::confirm(&format!("Remove the rule {which}?"), yes, ui)?;
            let answer = client.delete(&["rules", &show::text(found, "id")], &[]).await?;
            show::written(&answer, "rule", &which, at.json, ui)
        }
        RulesCommand::Test {
            user,
            client: client_id,
            connector,
            scopes,
            strength,
            age,
        } => {
            let question = json!({
                "user": user, "client": client_id, "connector": connector, "scopes": scopes,
                "strength": strength, "age": age,
            });
            let answer = client.post(&["policy", "test"], &question).await?;
            told(&answer, at, ui)
        }
    }
}

fn told(answer: &Value, at: &AdminAt, ui: &Ui) -> anyhow::Result<()> {
    if at.json {
        return ui.json(answer);
    }
    let none = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
    ui.line(&format!("granted  {}", ui.strong(&none(show::text(answer, "granted")))));
    ui.line(&format!("refused  {}", none(show::text(answer, "refused"))));
    let step_up = answer.get("step_up").and_then(Value::as_array);
    for scope in step_up.into_iter().flatten() {
        let requires = [
            show::text(scope, "requires.strength"),
            show::text(scope, "requires.max_age"),
        ];
        let requires = requires.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
        ui.line(&format!(
            "step-up  {} ({})",
            show::text(scope, "scope"),
            requires.join(", ")
        ));
    }
    for sentence in answer.get("because").and_then(Value::as_array).into_iter().flatten() {
        ui.line(&format!("  - {}", plain(sentence.as_str().unwrap_or_default())));
    }
    Ok(())
}
