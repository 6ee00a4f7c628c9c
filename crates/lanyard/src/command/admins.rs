//! `lanyard admins`
//!
//! Owns the commands about who has which role. Never decides who may give one: the server does.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, prompt, show};
use crate::client_config::outcome::plain;
use crate::ui::Ui;

/// Say who administers
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AdminsArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: AdminsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum AdminsCommand {
    /// List who has a role, people and groups
    List,
    /// Give a role to a person or a group, or another one than before
    Grant {
        #[command(flatten)]
        whom: Whom,
        /// What they may do
        #[arg(long, value_parser = ["owner", "operator", "approver", "auditor"])]
        role: String,
        /// For a group: directories (SCIM) and identity providers may change who is in it
        #[arg(long, requires = "group")]
        provisioned: bool,
    },
    /// Take a role back
    Revoke {
        #[command(flatten)]
        whom: Whom,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The person, by user name
    username: Option<String>,
    /// Everybody in this group or role of the directory
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
}

impl Whom {
    /// The segment of the path, and the name.
    fn path(&self) -> (&'static str, &str) {
        match &self.group {
            Some(group) => ("groups", group),
            None => ("people", self.username.as_deref().unwrap_or_default()),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: AdminsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: AdminsCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        AdminsCommand::List => {
            let items = client.all(&["administrators"]).await?;
            if at.json {
                return ui.json(&json!({ "items": items }));
            }
            if items.is_empty() {
                ui.note("Nobody has a role yet; `lanyard admins grant` gives one.");
                return Ok(());
            }
            let rows = items.iter().map(row).collect();
            ui.table(&["WHO", "ROLE", "ACTS AS THAT"], rows);
            Ok(())
        }
        AdminsCommand::Grant {
            whom,
            role,
            provisioned,
        } => {
            let spec = json!({
                "person": whom.username, "group": whom.group, "role": role, "provisioned": provisioned
            });
            let answer = client.put(&["administrators"], &spec).await?;
            show::written(&answer, "administrator", whom.path().1, at.json, ui)
        }
        AdminsCommand::Revoke { whom, yes } => {
            let (kind, name) = whom.path();
            prompt::confirm(&format!("Take the role of {} back?", plain(name)), yes, ui)?;
            let answer = client.delete(&["administrators", kind, name], &[]).await?;
            show::written(&answer, "administrator", name, at.json, ui)
        }
    }
}

/// A grant as one line. Whoever is deactivated is named as such: their role is of no use to them.
fn row(item: &Value) -> Vec<String> {
    let who = match item.get("group") {
        Some(Value::String(group)) => format!("group {}", plain(group)),
        _ => show::text(item, "person"),
    };
    let provisioned = item.get("provisioned").and_then(Value::as_bool) == Some(true);
    let people = item.get("people").and_then(Value::as_array).map(Vec::as_slice);
    let named = people.unwrap_or_default().iter().map(|person| {
        let name = show::text(person, "username");
        match person.get("active").and_then(Value::as_bool) {
            Some(false) => format!("{name} (deactivated)"),
            _ => name,
        }
    });
    let named = named.collect::<Vec<_>>().join(", ");
    vec![
        if provisioned {
            format!("{who} (provisioned)")
        } else {
            who
        },
        show::text(item, "role"),
        if named.is_empty() { "nobody".to_owned() } else { named },
    ]
}
