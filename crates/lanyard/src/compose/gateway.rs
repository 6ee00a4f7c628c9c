//! The gateway beside a store, or apart from one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::future::BoxFuture;
use http::HeaderValue;
use lanyard_core::audit::call;
use lanyard_core::clock::Clock;
use lanyard_core::connector::route;
use lanyard_core::store::{Store, StoreExt};
use lanyard_fetch::{Fetch, FetchRequest, JwksCache, MetadataCache};
use lanyard_gateway::audit::{Batching, BatchingSink};
use lanyard_gateway::credentials::FixedCredentials;
use lanyard_gateway::delivery::{CallDelivery, DeliveryError, FileDelivery, HttpDelivery};
use lanyard_gateway::feed::{FeedReader, HttpFeed};
use lanyard_gateway::gateway::Gateway;
use lanyard_gateway::settings::{GatewayDeps, GatewaySettings};
use lanyard_jose::digest::HmacKey;
use lanyard_jose::verify::AccessTokenCache;
use lanyard_protocol::gateway::{CallEvent, RevocationEntry, RevocationFeed, RouteSnapshot};
use lanyard_resource_server::keys::{FetchedKeys, FirstOf, KeySource, LocalKeys};
use lanyard_resource_server::revocation::RevocationView;
use lanyard_resource_server::revocation::{OnStale, RevocationList};
use lanyard_server::cut_off::RouteSink;
use lanyard_server::feed::RevocationSink;
use lanyard_server::oauth::basis::Basis;
use lanyard_server::ras::LocalIssuers;
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::sync::Notify;
use url::Url;

use crate::config::{Config, GatewayConfig, GatewayControl};
use crate::runtime::clock::{SystemClock, unix_seconds};
use crate::runtime::private_file;
use crate::runtime::supervisor::Supervisor;

/// How often a gateway apart asks for routes.
const ROUTES_EVERY: Duration = Duration::from_secs(2);
/// How often a gateway apart asks for revocations when nothing comes.
const FEED_PAUSE: Duration = Duration::from_millis(500);

/// The purpose of the key that binds handles of servers behind to callers.
const HANDLES: &str = "gateway-handles/v1";

/// What a gateway is made from.
pub(super) struct Parts<'a> {
    pub(super) config: &'a Config,
    pub(super) supervisor: &'a Supervisor,
    pub(super) fetch: Arc<dyn Fetch>,
    pub(super) jwks: Arc<JwksCache>,
    pub(super) metadata: Arc<MetadataCache>,
    /// The store and the issuers of this process.
    pub(super) local: Option<(Arc<dyn Store>, LocalIssuers)>,
}

/// The origin under which clients call our gateway.
pub(super) fn origin(config: &Config) -> Option<Arc<str>> {
    config.gateway.as_ref().map(|role| Arc::from(role.public_url.as_str()))
}

/// The gateway of a process with a store, and its view of revocations.
pub(super) async fn start_beside_store(
    parts: &Parts<'_>,
    basis: &Basis,
) -> anyhow::Result<Option<(Arc<Gateway>, Arc<dyn RevocationSink>)>> {
    let Some(role) = &parts.config.gateway else {
        return Ok(None);
    };
    if role.control != GatewayControl::InProcess {
        let gateway = start_apart(parts).await?.gateway;
        let idle: Arc<dyn RevocationSink> = Arc::new(ListSink(Arc::new(RevocationList::local(Arc::new(unix_seconds)))));
        return Ok(Some((gateway, idle)));
    }
    let list = Arc::new(RevocationList::local(Arc::new(unix_seconds)));
    let delivery: Arc<dyn CallDelivery> = Arc::new(StoreDelivery(basis.clone()));
    let origin = origin(parts.config);
    let snapshot = basis
        .store
        .read(move |tx| route::snapshot(tx, origin.as_deref()))
        .await
        .context("the routes cannot be read")?;
    let view: Arc<dyn RevocationView> = Arc::<RevocationList>::clone(&list);
    let handles = basis.vault.kek().derive(HANDLES);
    let gateway = build(parts, view, delivery, snapshot, handles)?;
    Ok(Some((gateway, Arc::new(ListSink(list)))))
}

/// A gateway without a store.
pub(super) struct Apart {
    pub(super) gateway: Arc<Gateway>,
    /// Whether its view of revocations is as fresh as it must be.
    pub(super) fresh: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// The gateway of a process without a store.
pub(super) async fn start_apart(parts: &Parts<'_>) -> anyhow::Result<Apart> {
    let Some(role) = &parts.config.gateway else {
        bail!("there is no gateway to start")
    };
    match &role.control {
        GatewayControl::Remote { url, token_file } => start_remote(parts, role, url, token_file).await,
        GatewayControl::File(path) => start_from_file(parts, role, path),
        GatewayControl::InProcess => {
            bail!("gateway.control_url: a gateway without a store needs control_url, or routes_file")
        }
    }
}

async fn start_remote(parts: &Parts<'_>, role: &GatewayConfig, url: &str, token_file: &Path) -> anyhow::Result<Apart> {
    let token = String::from_utf8(private_file::read(token_file)?)
        .map_err(|_| anyhow::anyhow!("gateway.control_token_file: {} holds no token", token_file.display()))?;
    // Gateways that share a token share the key.
    let handles = HmacKey::new(&HmacKey::new(token.trim().as_bytes()).sign(HANDLES.as_bytes()));
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        .with_context(|| format!("gateway.control_token_file: {} holds no token", token_file.display()))?;
    authorization.set_sensitive(true);
    let at = |path: &str| Url::parse(&format!("{}/admin/v1/{path}", url.trim_end_matches('/')));
    let on_stale = if role.allow_stale {
        OnStale::Allow
    } else {
        OnStale::Refuse
    };
    let list = Arc::new(RevocationList::remote(
        Arc::new(unix_seconds),
        role.stale_after,
        on_stale,
    ));
    let source = Arc::new(HttpFeed::new(
        Arc::clone(&parts.fetch),
        at("revocations")?,
        authorization.clone(),
        Duration::from_secs(5),
    ));
    let reader = FeedReader::new(source, Arc::clone(&list), FEED_PAUSE);
    let stop = parts.supervisor.stop_token();
    parts.supervisor.start("revocation feed", async move {
        reader.run(stop.cancelled_owned()).await;
        Ok(())
    });
    let routes = RemoteRoutes {
        fetch: Arc::clone(&parts.fetch),
        url: at("routes")?,
        authorization: authorization.clone(),
    };
    let snapshot = routes
        .read()
        .await
        .context("gateway.control_url: the routes cannot be read")?;
    let delivery = Arc::new(HttpDelivery::new(Arc::clone(&parts.fetch), at("calls")?, authorization));
    let view: Arc<dyn RevocationView> = Arc::<RevocationList>::clone(&list);
    let gateway = build(parts, view, delivery, snapshot, handles)?;
    let (served, stop) = (Arc::clone(&gateway), parts.supervisor.stop_token());
    parts.supervisor.start("routes", async move {
        while stop
            .run_until_cancelled(tokio::time::sleep(ROUTES_EVERY))
            .await
            .is_some()
        {
            match routes.read().await {
                Ok(snapshot) if snapshot.version != served.routes_version() => {
                    served.replace_routes(snapshot);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = %format!("{error:#}"), "the routes cannot be read; the last ones stay")
                }
            }
        }
        Ok(())
    });
    Ok(Apart {
        gateway,
        fresh: Arc::new(move || list.is_fresh()),
    })
}

fn start_from_file(parts: &Parts<'_>, role: &GatewayConfig, path: &Path) -> anyhow::Result<Apart> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("gateway.routes_file: {} cannot be read", path.display()))?;
    let snapshot: RouteSnapshot =
        toml::from_str(&text).with_context(|| format!("gateway.routes_file: {}", path.display()))?;
    // Nobody tells this gateway of revocations: tokens live out their minutes. A recorded choice of the operator.
    let list = Arc::new(RevocationList::remote(
        Arc::new(unix_seconds),
        role.stale_after,
        OnStale::Allow,
    ));
    if !role.allow_stale {
        bail!(
            "gateway.on_stale: routes from a file come without revocations; set on_stale = \"allow\" to accept that a \
             token is good until it expires, or give control_url"
        );
    }
    let calls = parts.config.state_dir.join("calls.jsonl");
    private_file::ensure_directory(&parts.config.state_dir)?;
    let delivery = FileDelivery::open(&calls).with_context(|| format!("{} cannot be written", calls.display()))?;
    let view: Arc<dyn RevocationView> = list;
    let handles = HmacKey::new(&super::keys::noise(&lanyard_jose::random::SystemRandom).to_be_bytes());
    Ok(Apart {
        gateway: build(parts, view, Arc::new(delivery), snapshot, handles)?,
        // Nobody is asked, so nothing can be late.
        fresh: Arc::new(|| true),
    })
}

fn build(
    parts: &Parts<'_>,
    revocations: Arc<dyn RevocationView>,
    delivery: Arc<dyn CallDelivery>,
    snapshot: RouteSnapshot,
    handle_key: HmacKey,
) -> anyhow::Result<Arc<Gateway>> {
    let fetched: Arc<dyn KeySource> = Arc::new(FetchedKeys::new(Arc::clone(&parts.metadata), Arc::clone(&parts.jwks)));
    let keys: Arc<dyn KeySource> = match &parts.local {
        Some((_, local)) => Arc::new(FirstOf(Arc::new(LocalKeys(Arc::clone(local))), fetched)),
        None => fetched,
    };
    let name = format!(
        "gw_{}",
        uuid::Uuid::from_u128(super::keys::noise(&lanyard_jose::random::SystemRandom)).simple()
    );
    let (calls, writer) = BatchingSink::new(name.clone(), Batching::default());
    let stop = parts.supervisor.stop_token();
    parts.supervisor.start("call events", async move {
        let lost = writer.run(delivery, stop.cancelled_owned()).await;
        anyhow::ensure!(lost == 0, "{lost} call events could not be delivered");
        Ok(())
    });
    let deps = GatewayDeps {
        now: Arc::new(|| SystemClock.now().micros()),
        keys,
        revocations,
        tokens: AccessTokenCache::new(parts.config.limits.signatures_remembered),
        calls: Arc::new(calls),
        credentials: Arc::new(FixedCredentials::none()),
        handle_key,
        tls: rustls::ClientConfig::with_platform_verifier().context("the platform's certificate authorities")?,
    };
    let settings = GatewaySettings {
        request_id_prefix: format!("req_{name}"),
        max_body: parts.config.limits.call_bytes,
        ..GatewaySettings::default()
    };
    let (gateway, problems) = Gateway::new(deps, settings, snapshot);
    for problem in problems {
        tracing::warn!(%problem, "a connector is not served by the gateway");
    }
    Ok(gateway)
}

/// A view of this process, filled by the feed.
struct ListSink(Arc<RevocationList>);

impl RevocationSink for ListSink {
    fn head(&self) -> i64 {
        self.0.position()
    }

    fn push(&self, entries: &[RevocationEntry]) {
        let head = entries.last().map_or_else(|| self.0.position(), |entry| entry.sequence);
        self.0.apply(&RevocationFeed {
            head,
            entries: entries.to_vec(),
        });
    }

    fn confirm(&self) {
        self.0.touch();
    }
}

/// Calls of a gateway in the process that owns the log.
struct StoreDelivery(Basis);

impl CallDelivery for StoreDelivery {
    fn deliver(&self, events: Vec<CallEvent>) -> BoxFuture<'_, Result<(), DeliveryError>> {
        Box::pin(async move {
            let cx = self.0.own_cx();
            let end = self.0.store.write(move |tx| call::append(&cx, tx, events)).await;
            end.map(|_| ())
                .map_err(|error| DeliveryError::Refused(error.to_string()))
        })
    }
}

struct RemoteRoutes {
    fetch: Arc<dyn Fetch>,
    url: Url,
    authorization: HeaderValue,
}

impl RemoteRoutes {
    async fn read(&self) -> anyhow::Result<RouteSnapshot> {
        let mut request = FetchRequest::get(self.url.clone());
        request.max_body = 8 * 1024 * 1024;
        let request = request.header(http::header::AUTHORIZATION, self.authorization.clone());
        let response = self.fetch.fetch(request).await?;
        anyhow::ensure!(
            response.status.is_success(),
            "the admin API answered {}",
            response.status
        );
        Ok(serde_json::from_slice(&response.body)?)
    }
}

/// Brings the gateway of this process to the connectors as they stand.
struct OwnRoutes {
    gateway: Arc<Gateway>,
    store: Arc<dyn Store>,
    origin: Option<Arc<str>>,
}

impl RouteSink for OwnRoutes {
    fn refresh(&self) -> BoxFuture<'_, Result<(), lanyard_core::store::StoreError>> {
        Box::pin(async move {
            let origin = self.origin.clone();
            let snapshot = self
                .store
                .read(move |tx| route::snapshot(tx, origin.as_deref()))
                .await?;
            if snapshot.version != self.gateway.routes_version() {
                self.gateway.replace_routes(snapshot);
            }
            Ok(())
        })
    }
}

/// The routes of the gateway of this process.
pub(super) fn routes_of(gateway: Arc<Gateway>, store: Arc<dyn Store>, origin: Option<Arc<str>>) -> Arc<dyn RouteSink> {
    Arc::new(OwnRoutes { gateway, store, origin })
}

/// Follows changes of connectors by whichever process, woken by the commit.
pub(super) fn follow_routes(supervisor: &Supervisor, handle: &lanyard_storage::Handle, routes: Arc<dyn RouteSink>) {
    let changed = Arc::new(Notify::new());
    let bell = Arc::clone(&changed);
    handle.on_commit(move |committed| {
        if committed.records {
            bell.notify_one();
        }
    });
    let stop = supervisor.stop_token();
    supervisor.start("routes", async move {
        while stop.run_until_cancelled(changed.notified()).await.is_some() {
            if let Err(error) = routes.refresh().await {
                tracing::error!(%error, "the routes cannot be read; the last ones stay");
                changed.notify_one();
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        Ok(())
    });
}
