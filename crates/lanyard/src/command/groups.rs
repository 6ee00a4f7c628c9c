//! `lanyard groups`
//!
//! Owns the administrator's commands about groups and roles.

use std::process::ExitCode;

use serde_json::json;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, nothing, prompt, show};
use crate::ui::Ui;

/// Manage groups and roles
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GroupsArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: GroupsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum GroupsCommand {
    /// List groups and roles
    List,
    /// Make a group, or change its kind
    Set {
        /// Its name
        name: String,
        /// A role is a group of its own kind [default: as it is; a new one is a group]
        #[arg(long, value_parser = ["group", "role"])]
        kind: Option<String>,
    },
    /// Remove a group that no rule names
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// List the members, after adding and removing the ones named here
    Members {
        /// The group
        name: String,
        /// Put this person in; repeat it
        #[arg(long, value_name = "USER")]
        add: Vec<String>,
        /// Take this person out; repeat it
        #[arg(long, value_name = "USER")]
        remove: Vec<String>,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: GroupsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: GroupsCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        GroupsCommand::List => {
            let items = client.list(&["groups"], &[]).await?;
            show::list(items, &[("NAME", "name"), ("KIND", "kind"), ("ID", "id")], at.json, ui)
        }
        GroupsCommand::Set { name, kind } => {
            let kind = match kind {
                Some(kind) => kind,
                None => kind_of(&client, &name).await?,
            };
            let answer = client
                .put(&["groups", &name], &json!({ "name": name, "kind": kind }))
                .await?;
            show::written(&answer, "group", &name, at.json, ui)
        }
        GroupsCommand::Remove { name, yes } => {
            prompt::confirm(&format!("Remove the group {name}?"), yes, ui)?;
            let answer = client.delete(&["groups", &name], &[]).await?;
            show::written(&answer, "group", &name, at.json, ui)
        }
        GroupsCommand::Members { name, add, remove } => {
            for person in &add {
                client.put(&["groups", &name, "members", person], &nothing()).await?;
            }
            for person in &remove {
                client.delete(&["groups", &name, "members", person], &[]).await?;
            }
            let items = client.list(&["groups", &name, "members"], &[]).await?;
            let columns = [("USER", "username"), ("NAME", "display_name"), ("ACTIVE", "active")];
            show::list(items, &columns, at.json, ui)
        }
    }
}

/// The kind that a group has; a new one is a plain group.
async fn kind_of(client: &AdminClient, name: &str) -> anyhow::Result<String> {
    let known = client.list(&["groups"], &[]).await?;
    let own = known.iter().find(|one| show::text(one, "name") == name);
    Ok(own.map_or_else(|| "group".to_owned(), |one| show::text(one, "kind")))
}
