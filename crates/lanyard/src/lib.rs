//! Lanyard: Enterprise-Managed Authorization for MCP in one program.
//!
//! Owns the command line. Each command is a file in `command/`. It is a library so that cargo builds it beside those that
//! it uses: a program waits until all of them are finished.

mod admin_client;
mod client_config;
mod compose;
mod config;
mod credentials;
mod demo;
mod lab;
mod runtime;
mod ui;

mod command {
    pub(crate) mod admin;
    pub(crate) mod admins;
    pub(crate) mod agents;
    pub(crate) mod apply;
    pub(crate) mod audiences;
    pub(crate) mod audit;
    pub(crate) mod call;
    pub(crate) mod clients;
    pub(crate) mod completions;
    pub(crate) mod config;
    pub(crate) mod conformance_client;
    pub(crate) mod connectors;
    pub(crate) mod connectors_admin;
    pub(crate) mod groups;
    pub(crate) mod idp;
    pub(crate) mod inspect;
    pub(crate) mod keys;
    pub(crate) mod lab;
    pub(crate) mod login;
    pub(crate) mod logout;
    pub(crate) mod migrate;
    pub(crate) mod resources;
    pub(crate) mod rules;
    pub(crate) mod scim;
    pub(crate) mod serve;
    pub(crate) mod status;
    pub(crate) mod token;
    pub(crate) mod tools;
    pub(crate) mod trusts;
    pub(crate) mod users;
}

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::ui::Ui;

/// Enterprise-Managed Authorization for MCP: issuer, authorization server, gateway and client in one program
#[derive(Debug, Parser)]
#[command(name = "lanyard", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the configured roles
    Serve(command::serve::ServeArgs),
    /// Run issuer, authorization server, gateway and sample MCP servers on this machine
    Lab(Box<command::lab::LabArgs>),
    /// Show the whole loop: 2,000 people, seven connectors each, one cut off
    Demo(demo::DemoArgs),
    /// Sign in to your organisation
    Login(command::login::LoginArgs),
    /// Show who you are signed in as
    Status(command::status::StatusArgs),
    /// List the connectors that you may reach; with a subcommand, manage connectors as an administrator
    Connectors(Box<Connectors>),
    /// Print an access token for a connector
    Token(command::token::TokenArgs),
    /// List the tools of a connector
    Tools(command::tools::ToolsArgs),
    /// Call a tool of a connector
    Call(command::call::CallArgs),
    /// Sign out and forget this machine's key
    Logout(command::logout::LogoutArgs),
    /// Explain a token in plain words
    Inspect(command::inspect::InspectArgs),
    /// Become an administrator, and manage administrator tokens
    Admin(command::admin::AdminArgs),
    /// Say who administers: people and groups with a role
    Admins(command::admins::AdminsArgs),
    /// Manage agents: programs that act for people
    Agents(Box<command::agents::AgentsArgs>),
    /// Make the organisation as a file says
    Apply(command::apply::ApplyArgs),
    /// Manage people
    Users(command::users::UsersArgs),
    /// Manage groups and roles
    Groups(command::groups::GroupsArgs),
    /// Manage OAuth clients
    Clients(command::clients::ClientsArgs),
    /// Manage the authorization servers that the issuer issues for
    Audiences(command::audiences::AudiencesArgs),
    /// Manage the issuers that the authorization server trusts
    Trusts(command::trusts::TrustsArgs),
    /// Manage resources of the authorization server
    Resources(command::resources::ResourcesArgs),
    /// Manage the rules: who may reach what
    Rules(command::rules::RulesArgs),
    /// Manage identity providers: Okta, Entra ID, Google, Ping, Keycloak, others by OpenID Connect or SAML
    Idp(command::idp::IdpArgs),
    /// Manage provisioning clients (SCIM): Okta, Entra ID, scripts
    Scim(command::scim::ScimArgs),
    /// Manage signing keys
    Keys(command::keys::KeysArgs),
    /// Read, export and verify the audit log
    Audit(command::audit::AuditArgs),
    /// Bring the store to this release, and say what was done
    Migrate(command::migrate::MigrateArgs),
    /// Check a configuration file
    Config(command::config::ConfigArgs),
    /// Print a completion script for your shell
    Completions(command::completions::CompletionsArgs),
    /// The client under test of the MCP conformance suite
    #[command(hide = true)]
    ConformanceClient(command::conformance_client::ConformanceClientArgs),
}

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
struct Connectors {
    #[command(flatten)]
    own: command::connectors::ConnectorsArgs,
    #[command(subcommand)]
    admin: Option<command::connectors_admin::ConnectorsAdmin>,
}

/// Runs the command that the arguments of this process name; what the process ends with. Failures are said on standard
/// error.
#[expect(clippy::disallowed_methods, reason = "the NO_COLOR convention, read once")]
pub fn main() -> ExitCode {
    runtime::memory::small_pages();
    compose::install_crypto();
    let cli = Cli::parse();
    let ui = Ui::detect(std::env::var("NO_COLOR").is_ok_and(|value| !value.is_empty()));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            ui.note(&format!("error: the program cannot start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(cli.command, &ui)) {
        Ok(code) => code,
        Err(error) => {
            ui.note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, ui: &Ui) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(args) => command::serve::run(args, ui).await,
        Command::Lab(args) => command::lab::run(*args, ui).await,
        Command::Demo(args) => demo::run(args, ui).await,
        Command::Login(args) => command::login::run(args, ui).await,
        Command::Status(args) => command::status::run(args, ui).await,
        Command::Connectors(args) => match args.admin {
            Some(admin) => command::connectors_admin::run(admin, ui).await,
            None => command::connectors::run(args.own, ui).await,
        },
        Command::Token(args) => command::token::run(args, ui).await,
        Command::Tools(args) => command::tools::run(args, ui).await,
        Command::Call(args) => command::call::run(args, ui).await,
        Command::Logout(args) => command::logout::run(args, ui).await,
        Command::Inspect(args) => command::inspect::run(args, ui).await,
        Command::Admin(args) => command::admin::run(args, ui).await,
        Command::Admins(args) => command::admins::run(args, ui).await,
        Command::Agents(args) => command::agents::run(*args, ui).await,
        Command::Apply(args) => command::apply::run(args, ui).await,
        Command::Users(args) => command::users::run(args, ui).await,
        Command::Groups(args) => command::groups::run(args, ui).await,
        Command::Clients(args) => command::clients::run(args, ui).await,
        Command::Audiences(args) => command::audiences::run(args, ui).await,
        Command::Trusts(args) => command::trusts::run(args, ui).await,
        Command::Resources(args) => command::resources::run(args, ui).await,
        Command::Rules(args) => command::rules::run(args, ui).await,
        Command::Idp(args) => command::idp::run(args, ui).await,
        Command::Scim(args) => command::scim::run(args, ui).await,
        Command::Keys(args) => command::keys::run(args, ui).await,
        Command::Audit(args) => command::audit::run(args, ui).await,
        Command::Migrate(args) => command::migrate::run(args, ui).await,
        Command::Config(args) => command::config::run(args, ui).await,
        Command::Completions(args) => command::completions::run(&args, Cli::command(), ui),
        Command::ConformanceClient(args) => command::conformance_client::run(args, ui).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_sound() {
        Cli::command().debug_assert();
    }

    // One thumbprint in 64 does.
    #[test]
    fn a_key_id_that_begins_with_a_hyphen_is_no_option() {
        for line in [
            "lanyard keys remove -Io_dpLMrD3v --json",
            "lanyard keys remove --json -Io_dpLMrD3v",
            "lanyard users keys alice --remove -Io_dpLMrD3v --json",
            "lanyard agents key remove desk -Io_dpLMrD3v --json",
            "lanyard idp links corp add alice -Io_dpLMrD3v",
            "lanyard audit verify a.jsonl --key -Io_dpLMrD3v --json",
        ] {
            let read = Cli::try_parse_from(line.split(' '));
            assert!(
                read.is_ok(),
                "{line}: {}",
                read.err().map(|error| error.to_string()).unwrap_or_default()
            );
            assert!(format!("{read:?}").contains("\"-Io_dpLMrD3v\""), "{line}");
        }
    }
}
