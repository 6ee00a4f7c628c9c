//! Which room answers on which socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::rotation::RotationSettings;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::session::passwords::Passwords;
use lanyard_core::store::Store;
use lanyard_gateway::gateway::Gateway;
use lanyard_jose::verify::VerdictCache;
use lanyard_server::admin::{self, AdminDeps, Upstreams};
use lanyard_server::cut_off::CutOff;
use lanyard_server::feed::Feed;
use lanyard_server::health::{self, HealthDeps};
use lanyard_server::http::host::{self, Hosts};
use lanyard_server::idp::upstream::{self, Providers, UpstreamDeps};
use lanyard_server::idp::{self, IdpDeps};
use lanyard_server::oauth::basis::Basis;
use lanyard_server::ras::{self, LocalIssuers, RasDeps};
use lanyard_server::scim::{self, ScimDeps};

use super::gateway::Apart;
use crate::config::{Config, Listener, PrivateListener};
use crate::runtime::listen::{self, Handler, Limits};
use crate::runtime::supervisor::Supervisor;
use crate::runtime::tls;

/// Everything a room may need.
pub(super) struct Rooms<'a> {
    pub(super) config: &'a Config,
    pub(super) supervisor: &'a Supervisor,
    pub(super) basis: &'a Basis,
    pub(super) idp: Option<Arc<IdpSettings>>,
    pub(super) ras: Option<Arc<RasSettings>>,
    pub(super) policy: Arc<PolicyCache>,
    pub(super) verdicts: VerdictCache,
    pub(super) leeway: Duration,
    pub(super) providers: Providers,
    pub(super) local: LocalIssuers,
    pub(super) feed: Arc<Feed>,
    pub(super) cut_off: Arc<CutOff>,
    pub(super) passwords: Arc<Passwords>,
    pub(super) deployment: Arc<Deployment>,
    pub(super) rotation: RotationSettings,
    pub(super) gateway: Option<Arc<Gateway>>,
}

/// A socket with the configuration key that names it, and the rooms behind it.
type Shared = (&'static str, Listener, Vec<(Hosts, Router)>);

/// Binds and starts every listener of a process with a store.
pub(super) async fn start(rooms: Rooms<'_>) -> anyhow::Result<()> {
    let mut shared: Vec<Shared> = Vec::new();
    if let (Some(role), Some(settings)) = (&rooms.config.idp, &rooms.idp) {
        let router = idp_router(&rooms, settings);
        shared.push((
            "idp.listen",
            role.listener.clone(),
            vec![(Hosts::of(&settings.issuer), router)],
        ));
    }
    if let (Some(role), Some(settings)) = (&rooms.config.ras, &rooms.ras) {
        let deps = RasDeps {
            basis: rooms.basis.clone(),
            settings: Arc::clone(settings),
            jwks: Arc::clone(&rooms.providers.jwks),
            local: Arc::clone(&rooms.local),
            feed: Arc::clone(&rooms.feed),
        };
        let room = (Hosts::of(&settings.issuer), ras::router(deps));
        match shared
            .iter_mut()
            .find(|(_, listener, _)| listener.address == role.listener.address)
        {
            Some((_, _, beside)) => beside.push(room),
            None => shared.push(("ras.listen", role.listener.clone(), vec![room])),
        }
    }
    for (field, listener, routers) in shared {
        let handler = listen::router(host::by_host(routers));
        serve(rooms.config, rooms.supervisor, (field, &listener), handler).await?;
    }
    if let (Some(role), Some(gateway)) = (&rooms.config.gateway, &rooms.gateway) {
        serve(
            rooms.config,
            rooms.supervisor,
            ("gateway.listen", &role.listener),
            calls(gateway),
        )
        .await?;
    }
    if let Some(own) = &rooms.config.admin {
        let deps = AdminDeps {
            document_bytes: rooms.config.limits.document_bytes,
            basis: rooms.basis.clone(),
            deployment: Arc::clone(&rooms.deployment),
            policy: Arc::clone(&rooms.policy),
            cut_off: Arc::clone(&rooms.cut_off),
            passwords: Arc::clone(&rooms.passwords),
            people: Arc::new(rooms.config.people.clone()),
            strength: rooms.config.admin_strength,
            rotation: rooms.rotation.clone(),
            gateway_url: super::gateway::origin(rooms.config),
            upstream: rooms.idp.as_ref().map(|settings| Upstreams {
                providers: rooms.providers.clone(),
                settings: Arc::clone(settings),
            }),
        };
        serve(
            rooms.config,
            rooms.supervisor,
            ("admin.listen", &own.listener),
            known(admin::router(deps), own),
        )
        .await?;
    }
    let store = Some(Arc::clone(&rooms.basis.store));
    health_of(rooms.config, rooms.supervisor, store, None).await
}

/// The listeners of a process that only runs a gateway.
pub(super) async fn gateway_only(config: &Config, supervisor: &Supervisor, apart: Apart) -> anyhow::Result<()> {
    let Some(role) = &config.gateway else { return Ok(()) };
    let handler = calls(&apart.gateway);
    serve(config, supervisor, ("gateway.listen", &role.listener), handler).await?;
    health_of(config, supervisor, None, Some(apart.fresh)).await
}

/// Health and metrics, when the configuration has a place for them.
async fn health_of(
    config: &Config,
    supervisor: &Supervisor,
    store: Option<Arc<dyn Store>>,
    revocations: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
) -> anyhow::Result<()> {
    let Some(own) = &config.metrics else { return Ok(()) };
    let tasks = supervisor.clone();
    let deps = HealthDeps {
        store,
        revocations,
        tasks: Arc::new(move || {
            tasks
                .dead()
                .into_iter()
                .map(|(name, _)| (name.to_owned(), false))
                .collect()
        }),
        metrics: metrics(),
    };
    let handler = known(health::router(deps), own);
    serve(config, supervisor, ("metrics.listen", &own.listener), handler).await
}

/// Refuses names that nobody configured (DNS rebinding).
fn known(router: Router, own: &PrivateListener) -> Handler {
    listen::router(host::private(router, own.listener.address.ip(), own.hosts.clone()))
}

fn idp_router(rooms: &Rooms<'_>, settings: &Arc<IdpSettings>) -> Router {
    let deps = IdpDeps {
        basis: rooms.basis.clone(),
        settings: Arc::clone(settings),
        policy: Arc::clone(&rooms.policy),
        verdicts: rooms.verdicts.clone(),
        leeway: rooms.leeway,
        ras: rooms.ras.clone(),
    };
    let upstream = UpstreamDeps {
        basis: rooms.basis.clone(),
        settings: Arc::clone(settings),
        leeway: rooms.leeway,
        providers: rooms.providers.clone(),
        pages: Arc::new(super::pages::UpstreamPages::new(settings, &rooms.config.organisation)),
        cut_off: Arc::clone(&rooms.cut_off),
    };
    let pages = super::pages::router(
        rooms.basis,
        settings,
        &rooms.passwords,
        &rooms.config.organisation,
        &rooms.deployment,
    );
    let provisioning = scim::router(ScimDeps {
        basis: rooms.basis.clone(),
        issuer: settings.issuer.clone(),
        cut_off: Arc::clone(&rooms.cut_off),
    });
    idp::router(deps)
        .merge(upstream::router(upstream))
        .merge(pages)
        .merge(provisioning)
}

fn calls(gateway: &Arc<Gateway>) -> Handler {
    let gateway = Arc::clone(gateway);
    Arc::new(move |request| {
        let gateway = Arc::clone(&gateway);
        Box::pin(async move { gateway.handle(request).await.map(Body::new) })
    })
}

async fn serve(
    config: &Config,
    supervisor: &Supervisor,
    (field, listener): (&'static str, &Listener),
    handler: Handler,
) -> anyhow::Result<()> {
    let acceptor = listener.tls.as_ref().map(tls::acceptor).transpose()?;
    let socket = listen::bind(listener.address, field).await?;
    let address: SocketAddr = listener.address;
    tracing::info!(listener = field, %address, tls = acceptor.is_some(), "listening");
    supervisor.start(
        field,
        listen::serve(
            socket,
            acceptor,
            handler,
            supervisor.stop_token(),
            connection_limits(config),
        ),
    );
    Ok(())
}

const fn connection_limits(config: &Config) -> Limits {
    Limits {
        connections: config.limits.connections,
        headers_within: config.limits.headers_within,
        drain: config.limits.drain,
    }
}

/// The recorder of this process; `None` when another one is installed already.
fn metrics() -> Option<Arc<dyn Fn() -> String + Send + Sync>> {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).ok()?;
    lanyard_server::metrics::describe();
    Some(Arc::new(move || handle.render()))
}
