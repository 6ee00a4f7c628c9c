//! `lanyard lab`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use lanyard_core::admin::spec::AllOr;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::store::StoreExt;
use lanyard_jose::random::SystemRandom;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};

use crate::lab::addresses::Addresses;
use crate::lab::catalogue::SAMPLES;
use crate::lab::facts::{
    AdminFacts, ClientFacts, ConnectorFacts, CredentialFacts, Facts, IntrospectionFacts, IssuerFacts, LabFacts,
    RasFacts, ToolFacts, UserFacts,
};
use crate::lab::id_token::{self, IdTokenArgs};
use crate::lab::mint::{self, Mint};
use crate::lab::organisation::{self, LabClient, LabConnector, LabCredential, LabUser};
use crate::lab::people;
use crate::lab::start::{self, Lab};
use crate::runtime::listen;
use crate::runtime::log;
use crate::ui::Ui;

/// Run issuer, authorization server, gateway and sample MCP servers on this machine
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    command: Option<LabCommand>,
    /// The first port: issuer; +1 authorization server, +2 gateway, +3 admin API, +4 metrics, +5… sample servers
    #[arg(long, value_name = "PORT", default_value_t = 4500)]
    port_base: u16,
    /// Write what foreign programs need to know into this file (mode 0600), once everything answers
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Trust a foreign ID-JAG issuer as a tenant of its own
    #[arg(long, value_name = "ISSUER=JWKS_URL", value_parser = pair)]
    trust: Vec<(String, String)>,
    /// Put the gateway in front of a foreign MCP server
    #[arg(long, value_name = "NAME=URL", value_parser = pair)]
    upstream: Vec<(String, String)>,
    /// Add this many employees
    #[arg(long, value_name = "N", default_value_t = 0)]
    people: usize,
    /// Use this PostgreSQL database instead of a temporary file
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Log lines; any filter such as info or lanyard_server=debug
    #[arg(long, value_name = "FILTER", default_value = "warn")]
    log: String,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum LabCommand {
    /// Print a fresh ID token of a person of a running lab
    IdToken(IdTokenArgs),
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() || value.is_empty() {
        Err("write NAME=VALUE".to_owned())
    } else {
        Ok((name.to_owned(), value.to_owned()))
    }
}

struct Parts {
    users: Vec<LabUser>,
    clients: Vec<LabClient>,
    introspection: LabCredential,
    connectors: Vec<LabConnector>,
    organisation: lanyard_core::admin::spec::Organisation,
}

/// Runs the command.
///
/// # Errors
/// When the lab cannot be started.
pub(crate) async fn run(args: LabArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    if let Some(LabCommand::IdToken(args)) = args.command {
        return id_token::run(args, ui).await;
    }
    let addresses = Addresses::new(args.port_base).context("--port-base: 1 to 65500")?;
    log::install(&crate::config::LogConfig {
        level: args.log.clone(),
        json: false,
    })?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let state = tempfile::Builder::new()
        .prefix("lanyard-lab-")
        .tempdir()
        .context("no temporary directory")?;
    let config = start::config(addresses, state.path(), args.store.as_deref())?;
    let lab = Lab::start(&config, addresses).await?;
    let parts = parts(addresses, &args)?;
    let hashes = people::hashes(&lab.running.passwords, &parts.users, || {}).await?;
    lab.apply(parts.organisation.clone(), hashes).await?;
    let mint_url = serve_mint(&lab).await?;
    let facts = facts(&lab, &parts, mint_url).await?;
    if let Some(path) = &args.facts {
        facts.write(path)?;
    }
    introduce(ui, &facts, args.facts.as_deref());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    if let Some(path) = &args.facts {
        // The credentials in it open nothing any more.
        let _ = std::fs::remove_file(path);
    }
    lab.stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn serve_mint(lab: &Lab) -> anyhow::Result<String> {
    let (Some(basis), Some(settings)) = (lab.running.basis.clone(), lab.running.idp.clone()) else {
        bail!("the lab has no issuer")
    };
    let address = lab.addresses.sample(SAMPLES.len());
    let socket = listen::bind(address, "lab").await?;
    let handler = listen::router(mint::router(Mint {
        basis,
        settings,
        admin_token: lab.admin_token.clone(),
    }));
    let supervisor = &lab.running.supervisor;
    supervisor.start(
        "lab",
        listen::serve(socket, None, handler, supervisor.stop_token(), start::BESIDE),
    );
    Ok(format!("http://{address}/id-tokens"))
}

fn parts(addresses: Addresses, args: &LabArgs) -> anyhow::Result<Parts> {
    let random = SystemRandom;
    let person = |name: &str, display: &str, groups: &[&str], active: bool| {
        organisation::person(name, display, groups, active, &random)
    };
    let mut users = vec![
        person("alice", "Alice Example", &["employees", "engineering"], true),
        person("bob", "Bob Example", &["employees"], true),
        person("carol", "Carol Example", &["contractors"], true),
        person("erin", "Erin Example", &["employees"], true),
        person("dave", "Dave Example", &["employees"], false),
    ];
    users.extend((1..=args.people).map(|n| {
        person(
            &format!("employee{n:06}"),
            &format!("Employee {n}"),
            &["employees"],
            true,
        )
    }));
    let redirects = ["http://127.0.0.1/callback", "http://127.0.0.1:3000/callback"];
    let clients = vec![
        organisation::secret_client("desk", &redirects, &random),
        organisation::secret_client("web", &redirects, &random),
        organisation::key_client("agent", &redirects)?,
    ];
    let introspection = LabCredential {
        client_id: "lab-introspection".to_owned(),
        secret: Some(secrecy::ExposeSecret::expose_secret(&lanyard_jose::random::token(&random)).to_owned()),
        private_jwk: None,
    };
    let mut connectors: Vec<LabConnector> = SAMPLES
        .iter()
        .enumerate()
        .map(|(n, sample)| {
            let mut allowed = if sample.staged {
                Vec::new()
            } else {
                vec!["employees".to_owned()]
            };
            if sample.name == "linear" {
                allowed.push("contractors".to_owned());
            }
            LabConnector {
                spec: organisation::sample_connector(addresses, n, sample),
                allowed_groups: allowed,
            }
        })
        .collect();
    for (name, url) in &args.upstream {
        connectors.push(LabConnector {
            spec: organisation::upstream_connector(addresses, name, url),
            allowed_groups: vec!["employees".to_owned()],
        });
    }
    let open = connectors
        .iter()
        .filter(|one| one.spec.status == ConnectorStatus::Active)
        .map(|one| one.spec.name.as_str());
    let rules = vec![
        organisation::allow(
            "Employees use every open connector",
            &["employees"],
            AllOr::only(open),
            AllOr::ALL,
        ),
        organisation::allow(
            "Contractors read Linear",
            &["contractors"],
            AllOr::only(["linear"]),
            AllOr::only(["linear.read"]),
        ),
    ];
    let groups = ["employees", "engineering", "contractors"]
        .map(organisation::group)
        .to_vec();
    let mut document = organisation::document(groups, &users, &clients, &connectors, rules)?;
    let mut introspecting = organisation::client_specs(&LabClient {
        name: "Introspection".to_owned(),
        redirect_uris: Vec::new(),
        idp: introspection.clone(),
        ras: introspection.clone(),
    })?
    .into_iter()
    .find(|spec| spec.side == lanyard_core::client::registration::Side::Ras)
    .context("no introspection client")?;
    introspecting.grants = Some(Vec::new());
    introspecting.introspects = connectors
        .iter()
        .map(|one| one.spec.resource.clone().unwrap_or_else(|| one.spec.mcp_url.clone()))
        .collect();
    document.clients.push(introspecting);
    document.audiences.push(organisation::own_audience(addresses, &clients));
    let mut ras_clients: Vec<String> = clients.iter().map(|client| client.ras.client_id.clone()).collect();
    ras_clients.push(organisation::CLI_CLIENT.to_owned());
    document
        .trusts
        .push(organisation::own_trust(addresses, AllOr::Only(ras_clients.clone())));
    let resources: Vec<String> = connectors.iter().map(|one| one.spec.mcp_url.clone()).collect();
    for (issuer, jwks_uri) in &args.trust {
        document.trusts.push(organisation::trust(
            issuer,
            jwks_uri,
            &format!("tenant of {issuer}"),
            AllOr::Only(ras_clients.clone()),
            AllOr::Only(resources.clone()),
        ));
    }
    Ok(Parts {
        users,
        clients,
        introspection,
        connectors,
        organisation: document,
    })
}

async fn facts(lab: &Lab, parts: &Parts, mint_url: String) -> anyhow::Result<Facts> {
    let (issuer, ras) = (lab.addresses.issuer_id()?, lab.addresses.ras_id()?);
    let Some(basis) = &lab.running.basis else {
        bail!("the lab has no store")
    };
    let names: Vec<String> = parts.users.iter().map(|user| user.spec.username.clone()).collect();
    let subs: BTreeMap<String, String> = basis
        .store
        .read(move |tx| {
            let mut subs = BTreeMap::new();
            for name in names {
                subs.extend(
                    tx.find_user_by_username(&name)?
                        .map(|user| (user.username, user.id.to_string())),
                );
            }
            Ok(subs)
        })
        .await?;
    let credential = |own: &LabCredential| CredentialFacts {
        client_id: own.client_id.clone(),
        client_secret: own.secret.clone(),
        private_jwk: own.private_jwk.clone(),
    };
    Ok(Facts {
        version: 1,
        issuer: IssuerFacts {
            url: issuer.to_string(),
            token_endpoint: issuer.endpoint("/oauth2/token"),
            authorization_endpoint: issuer.endpoint("/oauth2/authorize"),
            jwks_uri: issuer.endpoint("/oauth2/jwks"),
        },
        ras: RasFacts {
            url: ras.to_string(),
            token_endpoint: ras.endpoint("/oauth2/token"),
            introspection_endpoint: ras.endpoint("/oauth2/introspect"),
            revocation_endpoint: ras.endpoint("/oauth2/revoke"),
            jwks_uri: ras.endpoint("/oauth2/jwks"),
        },
        clients: parts
            .clients
            .iter()
            .map(|client| ClientFacts {
                name: client.name.clone(),
                redirect_uris: client.redirect_uris.clone(),
                idp: credential(&client.idp),
                ras: credential(&client.ras),
            })
            .collect(),
        users: parts
            .users
            .iter()
            .map(|user| UserFacts {
                username: user.spec.username.clone(),
                password: user.password.clone(),
                sub: subs.get(&user.spec.username).cloned().unwrap_or_default(),
                email: user.spec.email.clone().unwrap_or_default(),
                groups: user.spec.groups.clone().unwrap_or_default(),
                active: user.spec.active.unwrap_or(true),
            })
            .collect(),
        connectors: parts.connectors.iter().map(|one| connector_facts(one, &ras)).collect(),
        admin: AdminFacts {
            url: format!("http://{}", lab.addresses.admin()),
            token: lab.admin_token.expose_secret().to_owned(),
        },
        introspection: IntrospectionFacts {
            client_id: parts.introspection.client_id.clone(),
            client_secret: parts.introspection.secret.clone().unwrap_or_default(),
        },
        store: basis.store.engine().to_owned(),
        lab: LabFacts { mint_url },
    })
}

fn connector_facts(connector: &LabConnector, ras: &lanyard_protocol::issuer::Issuer) -> ConnectorFacts {
    let spec = &connector.spec;
    ConnectorFacts {
        name: spec.name.clone(),
        mcp_url: spec.mcp_url.clone(),
        resource: spec.resource.clone().unwrap_or_else(|| spec.mcp_url.clone()),
        audience: ras.to_string(),
        scopes: spec.scopes.iter().map(|scope| scope.scope.clone()).collect(),
        tools: spec
            .tools
            .iter()
            .map(|(name, scope)| ToolFacts {
                name: name.clone(),
                scope: scope.clone(),
            })
            .collect(),
        status: spec.status.as_str().to_owned(),
        allowed_groups: connector.allowed_groups.clone(),
    }
}

fn introduce(ui: &Ui, facts: &Facts, path: Option<&std::path::Path>) {
    ui.line(&ui.strong("The lab is running. Everything in it is made up and ends with it."));
    ui.line(&format!("  issuer (IdP)          {}", facts.issuer.url));
    ui.line(&format!("  authorization server  {}", facts.ras.url));
    ui.line(&format!("  admin API             {}", facts.admin.url));
    for connector in &facts.connectors {
        ui.line(&format!(
            "  connector             {} ({})",
            connector.mcp_url, connector.status
        ));
    }
    ui.line("");
    for user in facts.users.iter().take(5) {
        let state = if user.active { "" } else { ", deactivated" };
        ui.line(&format!(
            "  {:<6} password {}  ({}{state})",
            user.username,
            user.password,
            user.groups.join(", ")
        ));
    }
    ui.line("");
    if let Some(path) = path {
        ui.line(&format!("  Facts for programs: {}", path.display()));
    }
    ui.line(&format!("  Try: lanyard login --issuer {}", facts.issuer.url));
    ui.line("  Stop with Ctrl-C.");
}
