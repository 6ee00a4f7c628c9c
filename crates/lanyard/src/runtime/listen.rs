//! Sockets that answer HTTP/1.1 and HTTP/2, with or without TLS.
//!
//! Owns connections: their limits, the peer's address, and a stop that finishes requests under way.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use lanyard_server::http::peer::Peer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections of one listener at once; more wait to be accepted.
    pub connections: usize,
    /// How long a peer may take for the TLS handshake, or for the headers of a request (HT-03).
    pub headers_within: Duration,
    /// How long a stop waits for requests under way.
    pub drain: Duration,
}

/// What an answer becomes.
pub(crate) type Answer = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;
/// What answers requests.
pub(crate) type Handler = Arc<dyn Fn(Request<Incoming>) -> Answer + Send + Sync>;

/// A handler of an axum router.
pub(crate) fn router(router: Router) -> Handler {
    Arc::new(move |request: Request<Incoming>| {
        let answer = router.clone().oneshot(request.map(Body::new));
        Box::pin(async move {
            match answer.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    })
}

/// Binds a socket.
///
/// # Errors
/// With the address and what would mend it.
pub(crate) async fn bind(address: SocketAddr, field: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("{field}: {address} cannot be bound; choose a free port, or stop what uses it"))
}

/// Answers connections until `stop`, then finishes requests under way.
///
/// # Errors
/// None at present; the type fits the supervisor.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    handler: Handler,
    stop: CancellationToken,
    limits: Limits,
) -> anyhow::Result<()> {
    let graceful = GracefulShutdown::new();
    let tracker = TaskTracker::new();
    let slots = Arc::new(Semaphore::new(limits.connections));
    let builder = Arc::new(builder(limits.headers_within));
    loop {
        let permit = Arc::clone(&slots).acquire_owned().await?;
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, or the peer left: the next attempt waits a moment instead of spinning.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let connection = Connection {
            builder: Arc::clone(&builder),
            handler: Arc::clone(&handler),
            peer: peer.ip(),
            watcher: graceful.watcher(),
            patience: limits.headers_within,
        };
        let tls = tls.clone();
        tracker.spawn(async move {
            connection.run(stream, tls).await;
            drop(permit);
        });
    }
    drop(listener);
    tracker.close();
    let finished = async {
        graceful.shutdown().await;
        tracker.wait().await;
    };
    if tokio::time::timeout(limits.drain, finished).await.is_err() {
        tracing::warn!("requests were still under way when the time to drain was over");
    }
    Ok(())
}

struct Connection {
    builder: Arc<auto::Builder<TokioExecutor>>,
    handler: Handler,
    peer: IpAddr,
    watcher: hyper_util::server::graceful::Watcher,
    patience: Duration,
}

impl Connection {
    async fn run(self, stream: TcpStream, tls: Option<TlsAcceptor>) {
        // Small answers leave at once.
        let _ = stream.set_nodelay(true);
        match tls {
            None => self.answer(stream).await,
            Some(tls) => match tokio::time::timeout(self.patience, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.answer(stream).await,
                Ok(Err(error)) => tracing::debug!(%error, "the TLS handshake failed"),
                Err(_) => tracing::debug!("the TLS handshake took too long"),
            },
        }
    }

    async fn answer<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            builder,
            handler,
            peer,
            watcher,
            patience,
        } = self;
        let heard = Arc::new(AtomicBool::new(false));
        let first = Arc::clone(&heard);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            first.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(Peer(peer));
            let answer = handler(request);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        // Until the version is known hyper waits for as long as the peer likes; whoever says nothing takes a place.
        let silence = async {
            tokio::time::sleep(patience).await;
            if heard.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            end = watcher.watch(connection) => if let Err(error) = end {
                tracing::debug!(%error, "a connection ended with an error");
            },
            () = silence => tracing::debug!("no request came in time"),
        }
    }
}

/// Limits of SEC-22 and HT-03 for both protocol versions. HTTP/1 takes 100 headers, hyper's own limit.
fn builder(patience: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(64 * 1024)
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(100)
        .max_header_list_size(32 * 1024)
        .keep_alive_interval(Duration::from_secs(30));
    builder
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// What a peer hears that sends `bytes` and then waits.
    async fn heard(bytes: &[u8]) -> String {
        let (mut peer, own) = tokio::io::duplex(4096);
        let graceful = GracefulShutdown::new();
        let connection = Connection {
            builder: Arc::new(builder(Duration::from_secs(10))),
            handler: router(Router::new()),
            peer: IpAddr::from([127, 0, 0, 1]),
            watcher: graceful.watcher(),
            patience: Duration::from_secs(10),
        };
        let talk = async {
            peer.write_all(bytes).await.unwrap();
            let mut answer = Vec::new();
            peer.read_to_end(&mut answer).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        tokio::join!(connection.answer(own), talk).1
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_asks_loses_its_place_ht_03() {
        for silent in ["", "G", "PRI * HTTP/2.0", "GET / HTTP/1.1\r\nHost: a\r\n"] {
            assert_eq!(heard(silent.as_bytes()).await, "", "{silent}");
        }
        let asked = heard(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(asked.starts_with("HTTP/1.1 404"), "{asked}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_has_at_most_100_headers_ht_03() {
        for (more, status) in [(99, "404"), (100, "431")] {
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(more));
            let answer = heard(request.as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{more}: {answer}");
        }
    }
}
