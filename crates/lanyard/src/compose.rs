//! Putting the pieces together: the only place that names a concrete store, clock, random source and signer.
//!
//! Owns the order of a start and of a stop. Never holds a rule.

mod gateway;
mod keys;
mod listeners;
mod pages;
mod store;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::admin::sign_in;
use lanyard_core::audit::seal::SealSettings;
use lanyard_core::clock::Clock;
use lanyard_core::cx::Cx;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::rotation::RotationSettings;
use lanyard_core::keys::vault::Vault;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::session::passwords::Passwords;
use lanyard_core::store::{Store, StoreError, StoreExt as _};
use lanyard_fetch::{Fetch, HttpFetch, JwksCache, MetadataCache, Outbound};
use lanyard_jose::random::{Random, SystemRandom};
use lanyard_jose::verify::VerdictCache;
use lanyard_server::cut_off::CutOff;
use lanyard_server::feed::{Feed, RevocationSink};
use lanyard_server::http::peer::TrustedProxies;
use lanyard_server::idp::logout_tokens::LogoutTokens;
use lanyard_server::idp::upstream::Providers;
use lanyard_server::oauth::basis::Basis;
use lanyard_server::oauth::guard::Guard;
use lanyard_server::oauth::rings::Rings;
use lanyard_server::worker::Worker;
use tokio::sync::Notify;

use crate::config::{Config, GatewayControl};
use crate::runtime::clock::SystemClock;
use crate::runtime::kek;
use crate::runtime::private_file;
use crate::runtime::slow_threads;
use crate::runtime::supervisor::Supervisor;

pub(crate) use store::{open_store, store_config};

/// Allowed clock skew (SEC-07).
const LEEWAY: Duration = Duration::from_secs(30);

/// A running process.
pub(crate) struct Running {
    /// Its tasks.
    pub supervisor: Supervisor,
    /// What every room stands on; `None` in a process that only runs a gateway.
    pub basis: Option<Basis>,
    /// The IdP's settings, when the role runs.
    pub idp: Option<Arc<IdpSettings>>,
    /// Our own issuers.
    pub deployment: Arc<Deployment>,
    /// Hashes passwords.
    pub passwords: Arc<Passwords>,
    store: Option<lanyard_storage::Handle>,
    cut_off: Option<Arc<CutOff>>,
}

impl Running {
    /// Brings the gateway of this process to the connectors as they stand.
    pub(crate) async fn refresh_routes(&self) {
        if let Some(cut_off) = &self.cut_off {
            cut_off.routes_changed().await;
        }
    }

    /// Stops accepting, finishes requests under way, seals what is left, closes the store.
    pub(crate) async fn stop(self) {
        self.supervisor.stop().await;
        if let Some(store) = self.store {
            // Blocks until every unit that waits has run.
            let _ = tokio::task::spawn_blocking(move || store.shutdown()).await;
        }
    }
}

/// Chooses the process-wide cryptography. First thing in `main`.
pub(crate) fn install_crypto() {
    lanyard_jose::install_crypto_provider();
    lanyard_fetch::install_crypto_provider();
}

/// The way out, as the configuration limits it.
///
/// # Errors
/// When a certificate authority file cannot be read.
pub(crate) fn outbound(config: &Config) -> anyhow::Result<Arc<dyn Fetch>> {
    let allow = config
        .outbound
        .allow
        .iter()
        .map(|rule| rule.parse())
        .collect::<Result<Vec<_>, _>>();
    let outbound = Outbound {
        development: config.development,
        allow: allow.context("outbound.allow")?,
        ca_files: config.outbound.ca_files.clone(),
    };
    Ok(Arc::new(HttpFetch::new(&outbound).context("outbound")?))
}

/// Starts every configured role. What could not be started is an error; nothing keeps running then.
///
/// # Errors
/// Written for the operator: what is wrong, and what mends it.
pub(crate) async fn start(config: &Config) -> anyhow::Result<Running> {
    let supervisor = Supervisor::default();
    match start_in(config, &supervisor).await {
        Ok(running) => Ok(running),
        Err(error) => {
            supervisor.stop().await;
            Err(error)
        }
    }
}

async fn start_in(config: &Config, supervisor: &Supervisor) -> anyhow::Result<Running> {
    let fetch = outbound(config)?;
    let jwks = Arc::new(JwksCache::new(Arc::clone(&fetch)));
    let metadata = Arc::new(MetadataCache::new(Arc::clone(&fetch)));
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let passwords = Arc::new(Passwords::new(
        slow_threads::start(config.limits.password_hashes, config.limits.passwords_waiting)?,
        Arc::clone(&random),
    ));
    let deployment = Arc::new(Deployment {
        idp: config.idp.as_ref().map(|role| role.issuer.clone()),
        ras: config.ras.as_ref().map(|role| role.issuer.clone()),
    });
    let needs_store = config.idp.is_some()
        || config.ras.is_some()
        || config.admin.is_some()
        || config
            .gateway
            .as_ref()
            .is_some_and(|role| role.control == GatewayControl::InProcess);
    if !needs_store {
        let parts = gateway::Parts {
            config,
            supervisor,
            fetch,
            jwks,
            metadata,
            local: None,
        };
        let apart = gateway::start_apart(&parts).await?;
        listeners::gateway_only(config, supervisor, apart).await?;
        return Ok(Running {
            supervisor: supervisor.clone(),
            basis: None,
            idp: None,
            deployment,
            passwords,
            store: None,
            cut_off: None,
        });
    }

    private_file::ensure_directory(&config.state_dir)?;
    let kek = kek::load(&config.kek, &config.state_dir, &*random)?;
    let opened = open_store(config).await?;
    let store: Arc<dyn Store> = Arc::clone(&opened.store);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let vault = Arc::new(Vault::new(kek));
    keys::check_kek(&*store, &vault).await?;

    let rotation = rotation_settings(config);
    let wanted = wanted_rings(config);
    keys::ensure(&*store, &clock, &random, &vault, &wanted, &rotation).await?;
    if config.idp.is_some() {
        let cx = Cx::new(clock.now(), None, Arc::clone(&random));
        let made = store.write(move |tx| sign_in::ensure_client(&cx, tx)).await;
        // Another replica was faster.
        if let Err(error) = made.map(|_| ())
            && !matches!(error, StoreError::Conflict(_))
        {
            return Err(error).context("the client by which administrators sign in could not be made");
        }
    }
    let ring_names: Vec<Ring> = wanted.iter().map(|(ring, _)| *ring).collect();
    let rings = Arc::new(Rings::load(&*store, Arc::clone(&vault), ring_names).await?);

    let jobs = Arc::new(Notify::new());
    let basis = Basis {
        store: Arc::clone(&store),
        clock: Arc::clone(&clock),
        random: Arc::clone(&random),
        vault: Arc::clone(&vault),
        rings: Arc::clone(&rings),
        guard: Arc::new(Guard::new(Arc::clone(&clock), &config.limits.guard)),
        proxies: Arc::new(TrustedProxies::new(config.trusted_proxies.clone())),
        jobs: Arc::clone(&jobs),
    };
    let policy = Arc::new(PolicyCache::new());
    let idp = config.idp.as_ref().map(|role| Arc::new(idp_settings(config, role)));
    let ras = config
        .ras
        .as_ref()
        .map(|role| Arc::new(RasSettings::new(role.issuer.clone())));
    let local = keys::local(&rings, &deployment);

    let parts = gateway::Parts {
        config,
        supervisor,
        fetch: Arc::clone(&fetch),
        jwks: Arc::clone(&jwks),
        metadata: Arc::clone(&metadata),
        local: Some((Arc::clone(&store), Arc::clone(&local))),
    };
    let started = gateway::start_beside_store(&parts, &basis).await?;
    let (gateway, view) = match started {
        Some((gateway, view)) => (Some(gateway), Some(view)),
        None => (None, None),
    };
    let sinks: Vec<Arc<dyn RevocationSink>> = view.into_iter().collect();
    let feed = Arc::new(Feed::new(Arc::clone(&store), sinks));
    // Views are filled before the first call is served.
    feed.deliver().await.context("the revocations cannot be read")?;
    let routes = gateway
        .as_ref()
        .map(|gateway| gateway::routes_of(Arc::clone(gateway), Arc::clone(&store), gateway::origin(config)));
    let cut_off = Arc::new(CutOff::new(
        basis.clone(),
        ras.clone(),
        Arc::clone(&feed),
        routes.clone(),
    ));
    opened.handle.on_commit({
        let jobs = Arc::clone(&jobs);
        move |committed| {
            if committed.jobs || committed.revocations {
                jobs.notify_one();
            }
        }
    });
    if let Some(routes) = routes {
        gateway::follow_routes(supervisor, &opened.handle, routes);
    }

    let logout_tokens = idp.as_ref().map(|settings| {
        let delivery = LogoutTokens::new(basis.clone(), Arc::clone(settings), Arc::clone(&fetch));
        Arc::new(delivery)
    });
    if let Some(delivery) = &logout_tokens {
        let (delivery, stop) = (Arc::clone(delivery), supervisor.stop_token());
        supervisor.start("logout tokens", async move {
            delivery.run(stop.cancelled_owned()).await;
            Ok(())
        });
    }
    let worker = Worker {
        basis: basis.clone(),
        cut_off: Arc::clone(&cut_off),
        feed: Arc::clone(&feed),
        seal: SealSettings::default(),
        rotation: rotation.clone(),
        logout_tokens,
        holder: format!("{}", uuid::Uuid::from_u128(keys::noise(&*random))),
    };
    let stop = supervisor.stop_token();
    supervisor.start("worker", async move {
        worker.run(stop.cancelled_owned()).await;
        Ok(())
    });

    let rooms = listeners::Rooms {
        config,
        supervisor,
        basis: &basis,
        idp: idp.clone(),
        ras,
        policy,
        verdicts: VerdictCache::new(config.limits.signatures_remembered),
        leeway: LEEWAY,
        providers: Providers { fetch, metadata, jwks },
        local,
        feed,
        cut_off: Arc::clone(&cut_off),
        passwords: Arc::clone(&passwords),
        deployment: Arc::clone(&deployment),
        rotation,
        gateway: gateway.clone(),
    };
    listeners::start(rooms).await?;
    Ok(Running {
        supervisor: supervisor.clone(),
        basis: Some(basis),
        idp,
        deployment,
        passwords,
        store: Some(opened.handle),
        cut_off: Some(cut_off),
    })
}

fn idp_settings(config: &Config, role: &crate::config::IdpConfig) -> IdpSettings {
    IdpSettings {
        people: config.people.clone(),
        id_token_ttl: role.id_token_ttl,
        session_idle: role.session_idle,
        session_absolute: role.session_absolute,
        refresh_idle: role.refresh_idle,
        refresh_absolute: role.refresh_absolute,
        ..IdpSettings::new(role.issuer.clone())
    }
}

/// A retired key stays until the last token it signed has expired.
fn rotation_settings(config: &Config) -> RotationSettings {
    let defaults = RotationSettings::default();
    let longest = config.idp.as_ref().map_or(Duration::ZERO, |role| role.id_token_ttl);
    RotationSettings {
        keep_after: defaults.keep_after.max(longest + LEEWAY * 2),
        ..defaults
    }
}

fn wanted_rings(config: &Config) -> Vec<(Ring, lanyard_jose::algorithm::Algorithm)> {
    let mut wanted = vec![(Ring::Audit, lanyard_jose::algorithm::Algorithm::Es256)];
    wanted.extend(config.idp.as_ref().map(|role| (Ring::Idp, role.signing_algorithm)));
    wanted.extend(config.ras.as_ref().map(|role| (Ring::Ras, role.signing_algorithm)));
    wanted
}
