//! `lanyard trusts`
//!
//! Owns the administrator's commands about the issuers that our authorization server trusts.

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::TrustSpec;
use serde_json::Value;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, prompt, show};
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// Manage the issuers that the authorization server trusts
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TrustsArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: TrustsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum TrustsCommand {
    /// List trusted issuers
    List,
    /// Show one
    Show {
        /// Its id, or its issuer when that has one record
        which: String,
    },
    /// Make or change one from a document
    Set {
        /// TOML or JSON, `-` for stdin
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Remove one: tokens that stand on its word are dead
    Remove {
        /// Its id, or its issuer when that has one record
        which: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: TrustsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: TrustsCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        TrustsCommand::List => {
            let items = client.all(&["trusts"]).await?;
            let columns = [
                ("ISSUER", "issuer"),
                ("TENANT", "tenant"),
                ("KEYS FROM", "jwks_uri"),
                ("CLIENTS", "clients"),
                ("ENABLED", "enabled"),
                ("ID", "id"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        TrustsCommand::Show { which } => show::record(&find(&client, &which).await?, at.json, ui),
        TrustsCommand::Set { file } => {
            let spec = document::read::<TrustSpec>(&file)?;
            let answer = client.put(&["trusts"], &spec).await?;
            show::written(&answer, "trust", &show::text(&spec, "issuer"), at.json, ui)
        }
        TrustsCommand::Remove { which, yes } => {
            let found = find(&client, &which).await?;
            let issuer = show::text(&found, "issuer");
            prompt::confirm(&format!("Stop trusting {issuer}?"), yes, ui)?;
            let answer = client.delete(&["trusts", &show::text(&found, "id")], &[]).await?;
            show::written(&answer, "trust", &issuer, at.json, ui)
        }
    }
}

async fn find(client: &AdminClient, which: &str) -> anyhow::Result<Value> {
    let all = client.all(&["trusts"]).await?;
    let mut found = all
        .into_iter()
        .filter(|trust| show::text(trust, "id") == which || show::text(trust, "issuer") == which);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            let remedy = "Name it by its id; `lanyard trusts list` shows them.";
            Err(Ending::failed(&format!("{which} is trusted for several tenants."), Some(remedy)).into())
        }
        (None, _) => {
            let remedy = "`lanyard trusts list` shows them.";
            Err(Ending::failed(&format!("There is no trusted issuer {which}."), Some(remedy)).into())
        }
    }
}
