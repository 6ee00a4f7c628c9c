//! `lanyard agents`
//!
//! Owns the commands about programs that act for people. A private key that is made here stays on this machine.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use lanyard_core::admin::spec::AgentSpec;
use lanyard_core::clock::Clock as _;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, expiry, nothing, prompt, show};
use crate::client_config::outcome::{Ending, plain};
use crate::runtime::clock::SystemClock;
use crate::runtime::private_file;
use crate::ui::Ui;

/// Manage agents: programs that act for people
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AgentsArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: AgentsCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum AgentsCommand {
    /// List agents, what to look at, and clients that are not registered as agents
    List,
    /// Show an agent
    Show {
        /// Its name
        name: String,
    },
    /// Register an agent; it waits for approval
    Add(AddArgs),
    /// Make or change an agent from a document
    Set {
        /// TOML or JSON, `-` for stdin
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Approve a staged agent, or let another one act again
    Activate {
        /// Its name
        name: String,
    },
    /// Take an agent out of use, or turn a staged one down; its tokens are dead
    Deactivate {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Stop an agent; its tokens are dead
    Suspend {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Confirm that an agent is still needed as it is
    Review {
        /// Its name
        name: String,
    },
    /// The people who answer for an agent
    #[command(subcommand)]
    Owner(OwnerCommand),
    /// The public keys of an agent
    #[command(subcommand)]
    Key(KeyCommand),
    /// Remove an agent that does not act; its client is switched off
    Remove {
        /// Its name
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct AddArgs {
    /// Short and unique: lower-case letters, digits and -
    name: String,
    /// What it is for: whoever approves it reads this
    #[arg(long, value_name = "TEXT")]
    purpose: String,
    /// Somebody who answers for it, by user name; repeat it, two are advised
    #[arg(long, value_name = "USER", required = true)]
    owner: Vec<String>,
    /// The name for people
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Who makes it
    #[arg(long, value_name = "TEXT")]
    vendor: Option<String>,
    /// Which program it is
    #[arg(long, value_name = "TEXT")]
    software: Option<String>,
    /// Its client id at the issuer [default: the name]
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Register that client too, with this redirect URI; repeat it
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Its client id at an authorization server; repeat it
    #[arg(long, value_name = "ISSUER=ID", value_parser = pair)]
    id_at: Vec<(String, String)>,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum OwnerCommand {
    /// Add somebody who answers for it
    Add {
        /// The agent
        name: String,
        /// The person, by user name
        username: String,
    },
    /// Take somebody out; the last active one stays
    Remove {
        /// The agent
        name: String,
        /// The person, by user name
        username: String,
    },
}

#[derive(Debug, Clone, clap::Subcommand)]
enum KeyCommand {
    /// Add a public key beside the ones it has
    Add {
        /// The agent
        name: String,
        #[command(flatten)]
        source: KeySource,
        /// Where it is, for people
        #[arg(long, value_name = "TEXT")]
        label: Option<String>,
        /// Its end, such as 2027-01-31T00:00:00Z [default: in a year]
        #[arg(long, value_name = "TIME")]
        expires_at: Option<String>,
        /// The other keys end after so many seconds; without it they stay
        #[arg(long, value_name = "SECONDS")]
        retire_others_after: Option<u64>,
    },
    /// Remove a key
    Remove {
        /// The agent
        name: String,
        /// The key id, as `show` prints it
        // A thumbprint may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
struct KeySource {
    /// A public key as a JWK, `-` for stdin
    #[arg(long, short, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Make a key, keep its private half in this file, mode 0600, and register the public half
    #[arg(long, value_name = "FILE")]
    new: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((issuer, id)) if !issuer.is_empty() && !id.is_empty() => Ok((issuer.to_owned(), id.to_owned())),
        _ => Err("write it as ISSUER=ID".to_owned()),
    }
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: AgentsArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: AgentsCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        AgentsCommand::List => list(&client, at, ui).await,
        AgentsCommand::Show { name } => show::record(&client.get(&["agents", &name], &[]).await?, at.json, ui),
        AgentsCommand::Add(args) => add(&client, at, &args, ui).await,
        AgentsCommand::Set { file } => {
            let spec = document::read::<AgentSpec>(&file)?;
            let name = show::text(&spec, "name");
            let answer = client.put(&["agents", &name], &spec).await?;
            show::written(&answer, "agent", &name, at.json, ui)?;
            warn(&answer, at, ui);
            Ok(())
        }
        AgentsCommand::Activate { name } => status(&client, at, &name, "activate", ui).await,
        AgentsCommand::Deactivate { name, yes } => {
            prompt::confirm(&format!("Take the agent {name} out of use?"), yes, ui)?;
            status(&client, at, &name, "deactivate", ui).await
        }
        AgentsCommand::Suspend { name, yes } => {
            prompt::confirm(&format!("Stop the agent {name}?"), yes, ui)?;
            status(&client, at, &name, "suspend", ui).await
        }
        AgentsCommand::Review { name } => status(&client, at, &name, "review", ui).await,
        AgentsCommand::Owner(OwnerCommand::Add { name, username }) => {
            let answer = client.put(&["agents", &name, "owners", &username], &nothing()).await?;
            show::written(&answer, "agent", &name, at.json, ui)
        }
        AgentsCommand::Owner(OwnerCommand::Remove { name, username }) => {
            let answer = client.delete(&["agents", &name, "owners", &username], &[]).await?;
            show::written(&answer, "agent", &name, at.json, ui)
        }
        AgentsCommand::Key(command) => key(&client, at, command, ui).await,
        AgentsCommand::Remove { name, yes } => {
            prompt::confirm(&format!("Remove the agent {name} and switch its client off?"), yes, ui)?;
            let answer = client.delete(&["agents", &name], &[]).await?;
            show::written(&answer, "agent", &name, at.json, ui)
        }
    }
}

async fn list(client: &AdminClient, at: &AdminAt, ui: &Ui) -> anyhow::Result<()> {
    let items = client.list(&["agents"], &[]).await?;
    let unregistered = client.list(&["clients"], &[("unregistered", "true")]).await?;
    let names: Vec<String> = unregistered.iter().map(|one| show::text(one, "client_id")).collect();
    if at.json {
        return ui.json(&json!({ "items": items, "unregistered": names }));
    }
    let columns = [
        ("NAME", "name"),
        ("STATUS", "status"),
        ("OWNERS", "owners"),
        ("CLIENT", "client"),
        ("LOOK AT", "standing.warnings"),
    ];
    show::list(items, &columns, false, ui)?;
    if !names.is_empty() {
        ui.note(&format!(
            "Clients that are not registered as agents: {}.",
            names.join(", ")
        ));
        ui.note("  Register one with: lanyard agents add NAME --client ID --purpose TEXT --owner USER");
    }
    Ok(())
}

async fn add(client: &AdminClient, at: &AdminAt, args: &AddArgs, ui: &Ui) -> anyhow::Result<()> {
    let items = client.list(&["agents"], &[]).await?;
    if items.iter().any(|one| show::text(one, "name") == args.name) {
        let happened = format!("There is an agent {} already.", args.name);
        return Err(Ending::failed(&happened, Some("Change it with `lanyard agents set -f FILE`.")).into());
    }
    let id = args.client.clone().unwrap_or_else(|| args.name.clone());
    let agent = json!({
        "name": args.name, "title": args.title, "purpose": args.purpose, "vendor": args.vendor,
        "software": args.software, "owners": args.owner, "client": id,
        "client_ids": (!args.id_at.is_empty()).then(|| ids(&args.id_at)),
    });
    let clients = if args.redirect_uri.is_empty() {
        json!([])
    } else {
        json!([{ "side": "idp", "client_id": id, "name": args.title, "auth": "private_key_jwt",
                 "redirect_uris": args.redirect_uri }])
    };
    // Both or neither.
    let report = client
        .post(&["apply"], &json!({ "clients": clients, "agents": [agent] }))
        .await?;
    let shown = client.get(&["agents", &args.name], &[]).await?;
    if at.json {
        return ui.json(&json!({ "change": "created", "records": report.get("records"), "agent": shown }));
    }
    ui.line(&format!("agent {}: created, waits for approval", plain(&args.name)));
    warn(&shown, at, ui);
    ui.note(&format!(
        "Next: `lanyard agents activate {}` by somebody who approves.",
        args.name
    ));
    Ok(())
}

fn ids(pairs: &[(String, String)]) -> Value {
    pairs
        .iter()
        .map(|(issuer, id)| (issuer.clone(), json!(id)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn status(client: &AdminClient, at: &AdminAt, name: &str, act: &str, ui: &Ui) -> anyhow::Result<()> {
    let answer = client.post(&["agents", name, act], &nothing()).await?;
    if at.json {
        return ui.json(&answer);
    }
    ui.line(&format!("agent {}: {}", plain(name), show::text(&answer, "status")));
    warn(&answer, at, ui);
    Ok(())
}

/// What to look at, beside the output.
fn warn(answer: &Value, at: &AdminAt, ui: &Ui) {
    let warnings = answer.pointer("/standing/warnings").and_then(Value::as_array);
    for warning in warnings
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .filter(|_| !at.json)
    {
        ui.note(&format!("warning: {}", plain(warning.as_str().unwrap_or_default())));
    }
}

async fn key(client: &AdminClient, at: &AdminAt, command: KeyCommand, ui: &Ui) -> anyhow::Result<()> {
    match command {
        KeyCommand::Add {
            name,
            source,
            label,
            expires_at,
            retire_others_after,
        } => {
            expiry::check(expires_at.as_deref(), SystemClock.now())?;
            let jwk = match (&source.file, &source.new) {
                (Some(file), _) => document::read::<Value>(file)?,
                (None, Some(new)) => make_key(new)?,
                (None, None) => return Err(anyhow::anyhow!("a key is needed")),
            };
            let spec = json!({
                "jwk": jwk, "label": label, "expires_at": expires_at,
                "retire_others_after_seconds": retire_others_after,
            });
            let added = client.post(&["agents", &name, "keys"], &spec).await;
            if let (Err(_), Some(new)) = (&added, &source.new) {
                // A private key whose public half nobody knows.
                let _ = std::fs::remove_file(new);
            }
            let mut answer = added?;
            if let (Some(members), Some(new)) = (answer.as_object_mut(), &source.new) {
                members.insert("private_key_file".to_owned(), json!(new));
            }
            if at.json {
                return ui.json(&answer);
            }
            ui.line(&format!(
                "agent {}: key {} added, good until {}",
                plain(&name),
                show::text(&answer, "kid"),
                show::text(&answer, "expires_at")
            ));
            if let Some(new) = &source.new {
                ui.note(&format!("The private key is in {}.", new.display()));
            }
            Ok(())
        }
        KeyCommand::Remove { name, kid, yes } => {
            prompt::confirm(&format!("Remove the key {kid} of the agent {name}?"), yes, ui)?;
            let answer = client.delete(&["agents", &name, "keys", &kid], &[]).await?;
            show::written(&answer, "key", &kid, at.json, ui)
        }
    }
}

/// Makes a key; the private half goes into a new file, the public half is given back.
fn make_key(file: &Path) -> anyhow::Result<Value> {
    if file.exists() {
        let happened = format!("{} exists already and may be somebody's key.", file.display());
        return Err(Ending::failed(&happened, Some("Name another file.")).into());
    }
    let key = SigningKey::generate(Algorithm::Es256).context("a key cannot be made")?;
    let private = key.to_private_jwk().context("the key cannot be written")?;
    private_file::write(file, private.to_string().as_bytes())?;
    Ok(key.public_jwk().to_value())
}
