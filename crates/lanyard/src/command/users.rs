//! `lanyard users`
//!
//! Owns the administrator's commands about people. Never takes a password from the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lanyard_core::admin::spec::UserSpec;
use serde_json::{Value, json};

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, document, nothing, prompt, show};
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// Manage people
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct UsersArgs {
    #[command(flatten)]
    at: AdminAt,
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum UsersCommand {
    /// List people
    List {
        /// Only those whose user name, name or e-mail contains this
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show a person
    Show {
        /// User name or id
        username: String,
    },
    /// Make or change a person; what is not named stays
    Set(SetArgs),
    /// Cut a person off: done when nothing of theirs is accepted any more
    Deactivate {
        /// User name or id
        username: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Let a person sign in again
    Reactivate {
        /// User name or id
        username: String,
    },
    /// Set a new password and end everything that the old one may have opened
    Password {
        /// User name or id
        username: String,
        /// A file with the password, `-` for stdin; asked for on a terminal when left out
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// End every session and token of a person, who may sign in again
    SignOut {
        /// User name or id
        username: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// What a person has besides a password
    Factors {
        /// User name or id
        username: String,
        /// Take all of it away, also the recovery codes: the device is lost
        #[arg(long)]
        reset: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Where a person is signed in
    Sessions {
        /// User name or id
        username: String,
        /// End the session of this id
        #[arg(long, value_name = "ID", conflicts_with = "end_all")]
        end: Option<String>,
        /// End every session; the person may sign in again
        #[arg(long)]
        end_all: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// The keys that a person's machines enrolled
    Keys {
        /// User name or id
        username: String,
        /// Remove the key of this id
        // A thumbprint may begin with a hyphen.
        #[arg(long, value_name = "KID", allow_hyphen_values = true)]
        remove: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct SetArgs {
    /// User name
    #[arg(required_unless_present = "file")]
    username: Option<String>,
    /// A TOML or JSON document instead, `-` for stdin
    #[arg(long, short, value_name = "FILE", conflicts_with_all = ["username", "name", "email", "group", "no_groups"])]
    file: Option<PathBuf>,
    /// The name for people
    #[arg(long)]
    name: Option<String>,
    /// E-mail address
    #[arg(long)]
    email: Option<String>,
    /// Exactly these groups and roles; repeat it
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// No group at all
    #[arg(long, conflicts_with = "group")]
    no_groups: bool,
    /// A file with a password, `-` for stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Ask for a password
    #[arg(long, conflicts_with = "password_file")]
    ask_password: bool,
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: UsersArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    show::end(act(&args.at, args.command, ui).await)
}

async fn act(at: &AdminAt, command: UsersCommand, ui: &Ui) -> anyhow::Result<()> {
    let client = AdminClient::open(at)?;
    match command {
        UsersCommand::List { search } => {
            let query: Vec<(&str, &str)> = search.as_deref().map(|text| ("search", text)).into_iter().collect();
            let items = client.list(&["users"], &query).await?;
            let columns = [
                ("USER", "username"),
                ("NAME", "display_name"),
                ("E-MAIL", "email"),
                ("GROUPS", "groups"),
                ("ACTIVE", "active"),
            ];
            match search {
                Some(_) => show::found(items, &columns, at.json, ui),
                None => show::list(items, &columns, at.json, ui),
            }
        }
        UsersCommand::Show { username } => show::record(&client.get(&["users", &username], &[]).await?, at.json, ui),
        UsersCommand::Set(args) => set(&client, at, args, ui).await,
        UsersCommand::Deactivate { username, yes } => {
            prompt::confirm(&format!("Cut {username} off?"), yes, ui)?;
            let answer = client.post(&["users", &username, "deactivate"], &nothing()).await?;
            ended(&answer, &username, "deactivated", at, ui)
        }
        UsersCommand::Reactivate { username } => {
            let answer = client.post(&["users", &username, "reactivate"], &nothing()).await?;
            if at.json {
                return ui.json(&answer);
            }
            ui.line(&format!("user {}: may sign in again", plain(&username)));
            Ok(())
        }
        UsersCommand::Password {
            username,
            password_file,
        } => {
            let password = prompt::password(password_file.as_deref(), &username, ui).await?;
            let answer = client
                .post(&["users", &username, "password"], &json!({ "password": password }))
                .await?;
            if at.json {
                return ui.json(&answer);
            }
            ui.line(&format!(
                "user {}: new password; older sign-ins are over",
                plain(&username)
            ));
            Ok(())
        }
        UsersCommand::SignOut { username, yes } => {
            prompt::confirm(&format!("End every session and token of {username}?"), yes, ui)?;
            let answer = client.post(&["users", &username, "sign-out"], &nothing()).await?;
            ended(&answer, &username, "signed out everywhere", at, ui)
        }
        UsersCommand::Factors { username, reset, yes } => factors(&client, at, &username, reset, yes, ui).await,
        UsersCommand::Sessions {
            username,
            end: Some(id),
            yes,
            ..
        } => {
            prompt::confirm(&format!("End the session {id} of {username}?"), yes, ui)?;
            let answer = client.delete(&["users", &username, "sessions", &id], &[]).await?;
            show::written(&answer, "session", &id, at.json, ui)
        }
        UsersCommand::Sessions {
            username,
            end_all: true,
            yes,
            ..
        } => {
            prompt::confirm(&format!("End every session of {username}?"), yes, ui)?;
            let answer = client.delete(&["users", &username, "sessions"], &[]).await?;
            if at.json {
                return ui.json(&answer);
            }
            let ended = show::text(&answer, "ended");
            ui.line(&format!("user {}: {ended} sessions ended", plain(&username)));
            Ok(())
        }
        UsersCommand::Sessions { username, .. } => {
            let items = client.all(&["users", &username, "sessions"]).await?;
            let columns = [
                ("SESSION", "id"),
                ("LIVE", "live"),
                ("SIGNED IN", "auth_time"),
                ("STRENGTH", "strength"),
                ("LAST USED", "last_used_at"),
                ("BROWSER", "agent"),
                ("ADDRESS", "peer"),
                ("IDENTITY PROVIDER", "connection"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        UsersCommand::Keys {
            username, remove: None, ..
        } => {
            let items = client.all(&["users", &username, "keys"]).await?;
            let columns = [
                ("KEY", "kid"),
                ("MACHINE", "label"),
                ("ENROLLED", "created_at"),
                ("EXPIRES", "expires_at"),
            ];
            show::list(items, &columns, at.json, ui)
        }
        UsersCommand::Keys {
            username,
            remove: Some(kid),
            yes,
        } => {
            prompt::confirm(&format!("Remove the key {kid} of {username}?"), yes, ui)?;
            let answer = client.delete(&["users", &username, "keys", &kid], &[]).await?;
            show::written(&answer, "key", &kid, at.json, ui)
        }
    }
}

async fn factors(
    client: &AdminClient,
    at: &AdminAt,
    username: &str,
    reset: bool,
    yes: bool,
    ui: &Ui,
) -> anyhow::Result<()> {
    if reset {
        prompt::confirm(&format!("Take every second factor of {username} away?"), yes, ui)?;
        let path = ["users", username, "factors", "reset"];
        let answer = client.post(&path, &nothing()).await?;
        if at.json {
            return ui.json(&answer);
        }
        ui.line(&format!(
            "user {}: no second factor any more; sessions stay (`lanyard users sign-out` ends them)",
            plain(username)
        ));
        return Ok(());
    }
    let answer = client.get(&["users", username, "factors"], &[]).await?;
    show::record(&answer, at.json, ui)
}

async fn set(client: &AdminClient, at: &AdminAt, args: SetArgs, ui: &Ui) -> anyhow::Result<()> {
    let mut spec = match &args.file {
        Some(file) => document::read::<UserSpec>(file)?,
        None => named(&args),
    };
    let username = show::text(&spec, "username");
    if args.ask_password && !ui.is_interactive() {
        let remedy = "Use --password-file, or `-` as its name for stdin.";
        return Err(Ending::failed("There is no terminal to ask for a password.", Some(remedy)).into());
    }
    if args.ask_password || args.password_file.is_some() {
        let file: Option<&Path> = args.password_file.as_deref();
        let password = prompt::password(file, &username, ui).await?;
        if let Some(members) = spec.as_object_mut() {
            members.insert("password".to_owned(), json!(password));
        }
    }
    let answer = client.put(&["users", &username], &spec).await?;
    show::written(&answer, "user", &username, at.json, ui)
}

fn named(args: &SetArgs) -> Value {
    let mut spec = json!({ "username": args.username.as_deref().unwrap_or_default() });
    if let Some(members) = spec.as_object_mut() {
        let given = [("display_name", args.name.as_ref()), ("email", args.email.as_ref())];
        for (field, value) in given {
            if let Some(value) = value {
                members.insert(field.to_owned(), json!(value));
            }
        }
        if args.no_groups || !args.group.is_empty() {
            members.insert("groups".to_owned(), json!(args.group));
        }
    }
    spec
}

fn ended(answer: &Value, username: &str, how: &str, at: &AdminAt, ui: &Ui) -> anyhow::Result<()> {
    if at.json {
        return ui.json(answer);
    }
    let count = |field| show::text(answer, field);
    ui.line(&format!(
        "user {}: {how} ({} sessions, {} refresh token families, {} keys ended)",
        plain(username),
        count("sessions"),
        count("refresh_families"),
        count("keys")
    ));
    Ok(())
}
