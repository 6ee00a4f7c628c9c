//! Approving a sign-in without a browser: the suite's authorization pages redirect at once.
//!
//! Owns one GET that reads `Location`. For the suite only.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use http::header::LOCATION;
use lanyard_client::interactive::AuthorizationAgent;
use lanyard_client::store::BoxFuture;
use lanyard_fetch::{Fetch, FetchRequest};
use lanyard_protocol::url_rules::is_loopback;
use url::Url;

const REDIRECT_URI: &str = "http://127.0.0.1:34567/callback";

/// Takes the redirect as the person's approval.
pub(super) struct Approving {
    fetch: Arc<dyn Fetch>,
}

impl Approving {
    pub(super) const fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch }
    }

    async fn follow(&self, page: &Url) -> anyhow::Result<String> {
        if !is_loopback(page) {
            bail!("only a loopback page is approved without a browser");
        }
        let mut request = FetchRequest::get(page.clone());
        request.show_redirects = true;
        let answer = self.fetch.fetch(request).await?;
        let location = answer
            .headers
            .get(LOCATION)
            .context("the page did not redirect")?
            .to_str()?;
        let location = Url::parse(location).context("the page redirects to something that is no URL")?;
        if !location.as_str().starts_with(REDIRECT_URI) {
            bail!("the page redirects elsewhere");
        }
        Ok(location.query().unwrap_or_default().to_owned())
    }
}

impl AuthorizationAgent for Approving {
    fn redirect_uri(&self) -> String {
        REDIRECT_URI.to_owned()
    }

    fn authorize<'a>(&'a self, page: &'a Url) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move { self.follow(page).await.map_err(|error| format!("{error:#}")) })
    }
}
