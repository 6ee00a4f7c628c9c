//! `lanyard idp`
//!
//! Owns the administrator's commands about upstream identity providers. Never shows a credential.

mod add;
mod links;
mod register;
mod test;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use lanyard_core::admin::spec::connection::ConnectionSpec;
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, prompt, show};
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// Manage identity providers: Okta, Entra ID, Google, Ping, Keycloak, others by OpenID Connect or SAML
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct IdpArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: IdpCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum IdpCommand {
    /// Add an identity provider, and say what to register there
    Add(Box<add::AddArgs>),
    /// List identity providers
    List,
    /// Show one, and what to register there
    Show {
        /// Its name
        name: String,
    },
    /// Look at one: discovery, keys, clock, credential; then a dry sign-in in your browser
    Test(test::TestArgs),
    /// Print our metadata for a SAML provider
    Metadata {
        /// Its name
        name: String,
    },
    /// Give one a new credential, or import its SAML metadata again
    Update(update::UpdateArgs),
    /// Make or change one from a document
    Set {
        /// TOML or JSON, `-` for stdin; `client_secret_file` names a file with the secret
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Let people sign in by it
    Enable {
        /// Its name
        name: String,
    },
    /// Switch it off; the sessions that it began end
    Disable {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Remove it with its links, the memberships it made and the sessions it began; people stay
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// The people who are linked to their accounts there
    Links(links::LinksArgs),
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: IdpArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: IdpCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        IdpCommand::Add(args) => add::run(&client, at, &args, ui).await,
        IdpCommand::List => {
            let items = client.all(&["identity-providers"]).await?;
            list(items, at, ui)
        }
        IdpCommand::Show { name } => {
            let mut record = find(&client, &name).await?;
            if !at.json
                && let Some(members) = record.as_object_mut()
            {
                // Told with everything else that is registered there.
                members.remove("redirect_uri");
            }
            show::record(&record, at.json, ui)?;
            if !at.json {
                register::tell(&record, |line| ui.note(line), ui);
            }
            Ok(())
        }
        IdpCommand::Test(args) => test::run(&client, at, &args, ui).await,
        IdpCommand::Metadata { name } => metadata(&client, at, &name, ui).await,
        IdpCommand::Update(args) => update::run(&client, at, &args, ui).await,
        IdpCommand::Set { file } => {
            let spec = document::read::<ConnectionSpec>(&file)?;
            let name = show::text(&spec, "name");
            let answer = client.put(&["identity-providers", &name], &spec).await?;
            show::written(&answer, "identity provider", &name, at.json, ui)
        }
        IdpCommand::Enable { name } => switch(&client, at, &name, true, ui).await,
        IdpCommand::Disable { name, yes } => {
            let question = format!("Switch {name} off and end the sessions that it began?");
            prompt::confirm(&question, yes, ui)?;
            switch(&client, at, &name, false, ui).await
        }
        IdpCommand::Remove { name, yes } => {
            let question = format!("Remove {name} with its links and the sessions that it began?");
            prompt::confirm(&question, yes, ui)?;
            let answer = client.delete(&["identity-providers", &name], &[]).await?;
            show::written(&answer, "identity provider", &name, at.json, ui)
        }
        IdpCommand::Links(args) => links::run(&client, at, args, ui).await,
    }
}

fn list(items: Vec<Value>, at: &AdminAt, ui: &Ui) -> anyhow::Result<()> {
    if at.json {
        return ui.json(&json!({ "items": items }));
    }
    let rows: Vec<Value> = items
        .into_iter()
        .map(|mut item| {
            let kind = if item.get("saml").is_some() { "SAML" } else { "OpenID" };
            let issuer = ["oidc.issuer", "saml.entity_id"]
                .map(|path| show::text(&item, path))
                .concat();
            if let Some(members) = item.as_object_mut() {
                members.insert("kind".to_owned(), json!(kind));
                members.insert("who".to_owned(), json!(issuer));
            }
            item
        })
        .collect();
    let columns = [
        ("NAME", "name"),
        ("TITLE", "title"),
        ("KIND", "kind"),
        ("PROVIDER", "who"),
        ("DOMAINS", "domains"),
        ("DEFAULT", "default"),
        ("ENABLED", "enabled"),
    ];
    show::list(rows, &columns, false, ui)
}

/// One connection.
async fn find(client: &AdminClient, name: &str) -> anyhow::Result<Value> {
    client.get(&["identity-providers", name], &[]).await
}

/// One connection as a document that may be changed and written back.
async fn editable(client: &AdminClient, name: &str) -> anyhow::Result<Value> {
    let mut record = find(client, name).await?;
    if let Some(members) = record.as_object_mut() {
        for field in show::SERVER_FIELDS {
            members.remove(field);
        }
    }
    Ok(record)
}

async fn switch(client: &AdminClient, at: &AdminAt, name: &str, on: bool, ui: &Ui) -> anyhow::Result<()> {
    let mut spec = editable(client, name).await?;
    if let Some(members) = spec.as_object_mut() {
        members.insert("enabled".to_owned(), json!(on));
    }
    let answer = client.put(&["identity-providers", name], &spec).await?;
    if at.json {
        return ui.json(&answer);
    }
    let (now, was) = if on {
        ("on", "already on")
    } else {
        ("off", "already off")
    };
    let unchanged = answer.get("change").and_then(Value::as_str) == Some("unchanged");
    ui.line(&format!(
        "identity provider {name}: {}",
        if unchanged { was } else { now }
    ));
    Ok(())
}

async fn metadata(client: &AdminClient, at: &AdminAt, name: &str, ui: &Ui) -> anyhow::Result<()> {
    let bytes = client.bytes(&["identity-providers", name, "metadata"], &[]).await?;
    let xml = String::from_utf8_lossy(&bytes);
    if at.json {
        let record = find(client, name).await?;
        return ui.json(&json!({ "metadata": xml, "at_provider": record.get("at_provider") }));
    }
    ui.line(xml.trim_end());
    Ok(())
}

/// The settings that a metadata document pins: a file that is sent along, or an address that the server asks.
async fn imported(client: &AdminClient, place: &str, entity_id: Option<&str>) -> anyhow::Result<Value> {
    let asked = if place.starts_with("https://") || place.starts_with("http://") {
        json!({ "url": place, "entity_id": entity_id })
    } else {
        json!({ "xml": text_of(place, "metadata")?, "entity_id": entity_id })
    };
    client.post(&["saml-metadata"], &asked).await
}

fn text_of(place: &str, what: &str) -> anyhow::Result<String> {
    std::fs::read_to_string(place).map_err(|error| {
        let happened = format!("The {what} file {place} cannot be read: {error}.");
        Ending::failed(&happened, Some("Name a file, or an address that begins with https://.")).into()
    })
}

/// A client secret out of a file that only its owner reads, or from stdin.
fn secret_of(file: &std::path::Path) -> anyhow::Result<String> {
    let text = if file == std::path::Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock())?
    } else {
        String::from_utf8(crate::runtime::private_file::read(file)?)?
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
