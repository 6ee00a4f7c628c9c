//! `lanyard idp links`
//!
//! Owns the commands about who is linked to which account at a provider.

use serde_json::json;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, prompt, show};
use crate::ui::Ui;

/// Of which provider, and what.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LinksArgs {
    /// The identity provider
    name: String,
    #[command(subcommand)]
    command: Option<LinksCommand>,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum LinksCommand {
    /// List them
    List,
    /// Link a person
    Add {
        /// The person here, by user name
        user: String,
        /// The provider's identifier of the person; a dry sign-in of `lanyard idp test` shows it
        // Theirs may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        subject: String,
    },
    /// Remove a person's link, the memberships that the provider made for them, and their sessions
    Remove {
        /// The person here, by user name
        user: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(super) async fn run(client: &AdminClient, at: &AdminAt, args: LinksArgs, ui: &Ui) -> anyhow::Result<()> {
    let name = args.name.as_str();
    match args.command.unwrap_or(LinksCommand::List) {
        LinksCommand::List => {
            let items = client.list(&["identity-providers", name, "links"], &[]).await?;
            let columns = [
                ("USER", "username"),
                ("SUBJECT", "subject"),
                ("BY", "origin"),
                ("SINCE", "linked_at"),
                ("LAST SIGN-IN", "last_seen_at"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        LinksCommand::Add { user, subject } => {
            let asked = json!({ "subject": subject, "user": user });
            let answer = client.post(&["identity-providers", name, "links"], &asked).await?;
            if at.json {
                return ui.json(&answer);
            }
            let (who, whom) = (show::text(&answer, "username"), show::text(&answer, "subject"));
            ui.line(&format!("{who} is linked to {whom} of {name}"));
            Ok(())
        }
        LinksCommand::Remove { user, yes } => {
            prompt::confirm(
                &format!("Remove the link of {user} to {name} and end their sessions?"),
                yes,
                ui,
            )?;
            let answer = client
                .delete(&["identity-providers", name, "links", &user], &[])
                .await?;
            show::written(&answer, "link of", &user, at.json, ui)
        }
    }
}
