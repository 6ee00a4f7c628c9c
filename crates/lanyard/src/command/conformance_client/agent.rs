//! Approving a sign-in without a browser: the suite's authorization pages redirect at once.
//!
//! Owns one GET that reads `Location`. For the suite only.

use anyhow::{Context as _, bail};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, LOCATION};
use hyper_util::rt::TokioIo;
use lanyard_client::interactive::AuthorizationAgent;
use lanyard_client::store::BoxFuture;
use lanyard_protocol::url_rules::is_loopback;
use tokio::net::TcpStream;
use url::{Position, Url};

const REDIRECT_URI: &str = "http://127.0.0.1:34567/callback";

/// Takes the redirect as the person's approval.
pub(super) struct Approving;

impl AuthorizationAgent for Approving {
    fn redirect_uri(&self) -> String {
        REDIRECT_URI.to_owned()
    }

    fn authorize<'a>(&'a self, page: &'a Url) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move { follow(page).await.map_err(|error| format!("{error:#}")) })
    }
}

async fn follow(page: &Url) -> anyhow::Result<String> {
    if page.scheme() != "http" || !is_loopback(page) {
        bail!("only a loopback page is approved without a browser");
    }
    let host = page
        .host_str()
        .context("the page has no host")?
        .trim_matches(['[', ']']);
    let port = page.port_or_known_default().context("the page has no port")?;
    let stream = TcpStream::connect((host, port))
        .await
        .context("the page cannot be reached")?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = hyper::Request::get(&page[Position::BeforePath..Position::AfterQuery])
        .header(HOST, page.authority())
        .body(Empty::<Bytes>::new())?;
    let answer = tokio::select! {
        answer = sender.send_request(request) => answer?,
        ended = connection => { ended?; bail!("the page closed the connection") }
    };
    let location = answer
        .headers()
        .get(LOCATION)
        .context("the page did not redirect")?
        .to_str()?;
    let location = Url::parse(location).context("the page redirects to something that is no URL")?;
    if !location.as_str().starts_with(REDIRECT_URI) {
        bail!("the page redirects elsewhere");
    }
    Ok(location.query().unwrap_or_default().to_owned())
}
