//! Starting a lab: configuration, process, organisation, sample servers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use lanyard_core::admin::apply;
use lanyard_core::admin::spec::Organisation;
use lanyard_core::admin::token::{Admin, AdminRole, Administrator};
use lanyard_core::admin::tokens;
use lanyard_core::directory::settings::PeopleSettings;
use lanyard_core::id::AdminTokenId;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_jose::algorithm::Algorithm;
use secrecy::SecretString;

use crate::compose::{self, Running};
use crate::config::{
    Config, GatewayConfig, GatewayControl, IdpConfig, KekSource, LimitsConfig, Listener, LogConfig, OutboundConfig,
    PrivateListener, RasConfig, StoreConfig, secret,
};
use crate::lab::addresses::Addresses;
use crate::lab::catalogue::SAMPLES;
use crate::lab::sample_server;
use crate::runtime::listen::{self, Limits};
use crate::runtime::supervisor::Supervisor;

/// The limits of listeners beside the roles: sample servers, and the mint of tokens for load tests.
pub(crate) const BESIDE: Limits = Limits {
    connections: 4096,
    headers_within: Duration::from_secs(10),
    drain: Duration::from_secs(1),
};

/// The configuration of a lab: every role, loopback only.
///
/// # Errors
/// Never for addresses of this type.
pub(crate) fn config(addresses: Addresses, state_dir: &Path, store: Option<&str>) -> anyhow::Result<Config> {
    let on = |address| Listener { address, tls: None };
    let own = |address| PrivateListener {
        listener: on(address),
        hosts: Vec::new(),
    };
    let day = Duration::from_secs(86_400);
    Ok(Config {
        development: true,
        organisation: "Northwind (lab)".to_owned(),
        state_dir: state_dir.to_owned(),
        idp: Some(IdpConfig {
            issuer: addresses.issuer_id()?,
            listener: on(addresses.issuer()),
            signing_algorithm: Algorithm::Es256,
            id_token_ttl: Duration::from_secs(3600),
            session_idle: Duration::from_secs(8 * 3600),
            session_absolute: day,
            refresh_idle: 14 * day,
            refresh_absolute: 30 * day,
        }),
        people: PeopleSettings::default(),
        ras: Some(RasConfig {
            issuer: addresses.ras_id()?,
            listener: on(addresses.ras()),
            signing_algorithm: Algorithm::Es256,
        }),
        gateway: Some(GatewayConfig {
            public_url: format!("http://{}", addresses.gateway()),
            listener: on(addresses.gateway()),
            control: GatewayControl::InProcess,
            stale_after: Duration::from_secs(5),
            allow_stale: false,
        }),
        admin: Some(own(addresses.admin())),
        admin_strength: None,
        metrics: Some(own(addresses.metrics())),
        store: match store {
            Some(url) => StoreConfig::Postgres {
                url: secret::Url(url.to_owned()),
                connections: 16,
                migrate: true,
            },
            None => StoreConfig::Sqlite(state_dir.join("lanyard.db")),
        },
        kek: KekSource::StateDirectory,
        outbound: OutboundConfig::default(),
        trusted_proxies: Vec::new(),
        limits: LimitsConfig {
            drain: Duration::from_secs(5),
            ..LimitsConfig::default()
        },
        log: LogConfig {
            level: "warn".to_owned(),
            json: false,
        },
    })
}

/// A lab that runs.
pub(crate) struct Lab {
    /// The process.
    pub running: Running,
    /// Where everything stands.
    pub addresses: Addresses,
    /// An owner's administrator token.
    pub admin_token: SecretString,
    samples: Supervisor,
}

impl Lab {
    /// Starts every role with an empty organisation, and the sample servers.
    ///
    /// # Errors
    /// When a port is taken or the store cannot be used.
    pub(crate) async fn start(config: &Config, addresses: Addresses) -> anyhow::Result<Self> {
        let samples = Supervisor::default();
        for (n, sample) in SAMPLES.iter().enumerate() {
            let socket = listen::bind(addresses.sample(n), "sample server").await?;
            let handler = listen::router(sample_server::router(sample));
            samples.start(
                sample.name,
                listen::serve(socket, None, handler, samples.stop_token(), BESIDE),
            );
        }
        let running = match compose::start(config).await {
            Ok(running) => running,
            Err(error) => {
                samples.stop().await;
                return Err(error);
            }
        };
        let Some(basis) = running.basis.clone() else {
            bail!("the lab has no store")
        };
        let cx = basis.own_cx();
        let admin = owner()?;
        let made = basis
            .store
            .write(move |tx| tokens::create(&cx, tx, &admin, ("lab", AdminRole::Owner, None)))
            .await
            .context("no administrator token could be made")?;
        let Outcome::Granted((_, admin_token)) = made else {
            bail!("no administrator token could be made")
        };
        Ok(Self {
            running,
            addresses,
            admin_token,
            samples,
        })
    }

    /// Applies an organisation, with the hashes of its people's passwords.
    ///
    /// # Errors
    /// When an entry is refused.
    pub(crate) async fn apply(
        &self,
        organisation: Organisation,
        hashes: HashMap<String, String>,
    ) -> anyhow::Result<()> {
        let Some(basis) = self.running.basis.clone() else {
            bail!("the lab has no store")
        };
        let (cx, admin) = (basis.own_cx(), owner()?);
        let (vault, deployment) = (Arc::clone(&basis.vault), Arc::clone(&self.running.deployment));
        let end = basis.store.write(move |tx| -> Result<_, StoreError> {
            apply::apply(&cx, tx, &vault, &admin, &deployment, &organisation, &hashes)
        });
        match end.await.context("the organisation cannot be stored")? {
            Outcome::Granted(_) => {}
            Outcome::Denied(denial) => bail!("the organisation was refused: {denial}"),
        }
        self.running.refresh_routes().await;
        Ok(())
    }

    /// Stops everything.
    pub(crate) async fn stop(self) {
        self.running.stop().await;
        self.samples.stop().await;
    }
}

/// Whoever starts a lab owns it.
fn owner() -> anyhow::Result<Admin> {
    Ok(Admin {
        who: Administrator::Token(AdminTokenId::parse("adm_lab")?),
        role: AdminRole::Owner,
    })
}
