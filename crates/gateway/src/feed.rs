//! Keeps a revocation list up to date from a source elsewhere (architecture, section 10, rule 6).
//!
//! Owns the loop: push where the source holds the question until there is news, poll behind it. Never decides what is
//! revoked.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use lanyard_fetch::{Fetch, FetchRequest};
use lanyard_protocol::gateway::RevocationFeed;
use lanyard_resource_server::revocation::RevocationList;
use tokio::time::{sleep, timeout};
use url::Url;

/// Gives revocations in their order.
pub trait FeedSource: Send + Sync {
    /// Entries after a position. May wait for news for a while (less than the staleness bound), and then answers
    /// without any.
    fn after(&self, position: i64) -> BoxFuture<'_, Result<RevocationFeed, FeedError>>;
}

/// The source could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the revocation feed could not be read: {0}")]
pub struct FeedError(pub String);

/// Carries entries from a source into a list.
pub struct FeedReader {
    source: Arc<dyn FeedSource>,
    list: Arc<RevocationList>,
    pause: Duration,
}

impl FeedReader {
    /// Reads `source` into `list`; `pause` is the time between two answers without news from a source that does not
    /// wait itself.
    pub fn new(source: Arc<dyn FeedSource>, list: Arc<RevocationList>, pause: Duration) -> Self {
        Self { source, list, pause }
    }

    /// Reads once, until the source has nothing more. Call it before the first request is served.
    ///
    /// # Errors
    /// [`FeedError`].
    pub async fn catch_up(&self) -> Result<(), FeedError> {
        loop {
            let before = self.list.position();
            let feed = self.source.after(before).await?;
            let done = feed.entries.is_empty() || feed.entries.iter().any(|entry| entry.sequence >= feed.head);
            self.list.apply(&feed);
            // A position that went back means another history: read it from its start.
            if done && self.list.position() >= before {
                return Ok(());
            }
        }
    }

    /// Reads until `shutdown` resolves. Failures are retried; meanwhile the list grows stale by itself.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = pin!(shutdown);
        loop {
            let step = async {
                match timeout(Duration::from_secs(30), self.source.after(self.list.position())).await {
                    Ok(Ok(feed)) => {
                        let news = !feed.entries.is_empty();
                        self.list.apply(&feed);
                        if !news {
                            sleep(self.pause).await;
                        }
                    }
                    Ok(Err(error)) => {
                        tracing::warn!(%error, "revocations could not be read");
                        sleep(Duration::from_millis(250)).await;
                    }
                    Err(_) => tracing::warn!("the revocation feed did not answer"),
                }
            };
            tokio::select! {
                () = shutdown.as_mut() => return,
                () = step => {}
            }
        }
    }
}

/// Asks the server's admin API: `GET {url}?after={position}`.
pub struct HttpFeed {
    fetch: Arc<dyn Fetch>,
    url: Url,
    authorization: HeaderValue,
    timeout: Duration,
}

impl HttpFeed {
    /// Asks `url`. `authorization` is the whole header value; it is never printed. `timeout` must be longer than the
    /// server holds a question.
    pub fn new(fetch: Arc<dyn Fetch>, url: Url, mut authorization: HeaderValue, timeout: Duration) -> Self {
        authorization.set_sensitive(true);
        Self {
            fetch,
            url,
            authorization,
            timeout,
        }
    }
}

impl FeedSource for HttpFeed {
    fn after(&self, position: i64) -> BoxFuture<'_, Result<RevocationFeed, FeedError>> {
        Box::pin(async move {
            let mut url = self.url.clone();
            url.query_pairs_mut().append_pair("after", &position.to_string());
            let mut request = FetchRequest::get(url).header(AUTHORIZATION, self.authorization.clone());
            request.timeout = self.timeout;
            request.max_body = 1024 * 1024;
            let response = self
                .fetch
                .fetch(request)
                .await
                .map_err(|error| FeedError(error.to_string()))?;
            if !response.status.is_success() {
                return Err(FeedError(response.status.to_string()));
            }
            response.json().map_err(|error| FeedError(error.to_string()))
        })
    }
}
