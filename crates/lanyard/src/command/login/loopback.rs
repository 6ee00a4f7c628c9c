//! Where the browser brings the answer of a sign-in: a port on 127.0.0.1, for one answer.
//!
//! Owns the listener and the page shown. Never sees a token and never puts anything received into the page.

use std::pin::pin;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, REFERRER_POLICY};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

/// How long a person may take to sign in.
const PATIENCE: Duration = Duration::from_secs(600);

const RECEIVED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Lanyard</title>\
<p>The answer was received. You can close this page and return to the terminal, which says whether you are signed in.</p>";
const UNEXPECTED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Lanyard</title>\
<p>This is not the answer that the terminal is waiting for.</p>";

/// A listener for one answer.
pub(crate) struct Loopback {
    listener: TcpListener,
    redirect_uri: String,
}

struct Waiting {
    state: String,
    answers: mpsc::Sender<String>,
}

impl Loopback {
    /// Listens on a free port (RFC 8252, section 7.3).
    pub(crate) fn bind() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("no port on 127.0.0.1 can be opened")?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let port = listener.local_addr()?.port();
        Ok(Self {
            listener,
            redirect_uri: format!("http://127.0.0.1:{port}/callback"),
        })
    }

    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Waits for the answer with this `state`; other visitors are told so and change nothing.
    pub(crate) async fn answer(self, state: String) -> anyhow::Result<String> {
        let (answers, mut received) = mpsc::channel(1);
        let (stop, stopped) = oneshot::channel::<()>();
        let waiting = std::sync::Arc::new(Waiting { state, answers });
        let router = Router::new().route("/callback", get(callback)).with_state(waiting);
        let server = axum::serve(self.listener, router).with_graceful_shutdown(async {
            let _ = stopped.await;
        });
        let mut server = pin!(server.into_future());
        let answer = tokio::select! {
            ended = &mut server => { ended?; None }
            answer = received.recv() => answer,
            () = tokio::time::sleep(PATIENCE) => bail!("nobody finished the sign-in within 10 minutes; start again"),
        };
        let _ = stop.send(());
        // The page is on its way to the browser; what does not end soon is cut.
        let _ = tokio::time::timeout(Duration::from_secs(1), server).await;
        answer.context("the listener for the sign-in ended too early")
    }
}

async fn callback(State(waiting): State<std::sync::Arc<Waiting>>, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let expected = pairs.any(|(name, value)| name == "state" && value == waiting.state);
    if !expected {
        return page(StatusCode::BAD_REQUEST, UNEXPECTED);
    }
    // A second answer finds the place taken.
    let _ = waiting.answers.try_send(query);
    page(StatusCode::OK, RECEIVED)
}

fn page(status: StatusCode, text: &'static str) -> Response {
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (CONNECTION, "close"),
    ];
    (status, headers, Html(text)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    async fn visit(port: u16, path: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_stranger_does_not_end_the_wait_and_nothing_received_is_shown() {
        let loopback = Loopback::bind().unwrap();
        let port = loopback.listener.local_addr().unwrap().port();
        let visits = async {
            let stranger = visit(port, "/callback?state=other&code=x").await;
            assert!(stranger.starts_with("HTTP/1.1 400"), "{stranger}");
            let page = visit(port, "/callback?state=s1&code=secret-code").await;
            assert!(
                page.starts_with("HTTP/1.1 200") && !page.contains("secret-code"),
                "{page}"
            );
            assert!(
                page.to_ascii_lowercase().contains("referrer-policy: no-referrer"),
                "{page}"
            );
        };
        let (answer, ()) = tokio::join!(loopback.answer("s1".to_owned()), visits);
        assert_eq!(answer.unwrap(), "state=s1&code=secret-code");
    }
}
