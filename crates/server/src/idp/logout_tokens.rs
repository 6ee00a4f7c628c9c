//! Telling clients over the network that a session ended (OpenID Connect Back-Channel Logout, section 2.5; RV-05).
//!
//! Owns sending, and how many at once. Never decides who is told, nor when a client is given up:
//! `core/src/idp/backchannel.rs` does.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lanyard_core::idp::backchannel::{self, Told};
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::jobs::outbox::Job;
use lanyard_core::keys::record::Ring;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_fetch::{Fetch, FetchRequest};
use lanyard_protocol::claims::logout_token::TYP;
use lanyard_protocol::form::Form;
use tokio::sync::Notify;
use url::Url;

use crate::metrics;
use crate::oauth::basis::Basis;
use crate::oauth::refusal::Chain;
use crate::oauth::rings;

/// Clients claimed at once.
const BATCH: u32 = 50;
/// Requests under way at once: one client that does not answer holds up no other.
const AT_ONCE: usize = 8;
/// How long a client may take; well within the lease of a job.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked for jobs whose pause is over, and for those of another replica that died.
const EVERY: Duration = Duration::from_secs(5);

/// Delivers logout tokens.
pub struct LogoutTokens {
    basis: Basis,
    settings: Arc<IdpSettings>,
    fetch: Arc<dyn Fetch>,
    bell: Notify,
}

impl LogoutTokens {
    /// For the IdP of this process.
    pub fn new(basis: Basis, settings: Arc<IdpSettings>, fetch: Arc<dyn Fetch>) -> Self {
        Self {
            basis,
            settings,
            fetch,
            bell: Notify::new(),
        }
    }

    /// Says that there may be something to deliver.
    pub fn ring(&self) {
        self.bell.notify_one();
    }

    /// Runs until `stop` ends. What is under way then is finished by whoever takes the job next.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                () = self.bell.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
            tokio::select! {
                () = &mut stop => return,
                done = self.round() => if let Err(error) = done {
                    tracing::warn!(error = %Chain(&error), "logout tokens wait, and are tried again");
                },
            }
        }
    }

    /// Delivers everything that is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn round(&self) -> Result<(), StoreError> {
        loop {
            let now = self.basis.now();
            let jobs = self
                .basis
                .store
                .write(move |tx| backchannel::claim(tx, now, BATCH))
                .await?;
            if jobs.is_empty() {
                return Ok(());
            }
            let mut under_way = futures_util::stream::iter(jobs)
                .map(|job| self.deliver(job))
                .buffer_unordered(AT_ONCE);
            while let Some(done) = under_way.next().await {
                done?;
            }
        }
    }

    async fn deliver(&self, job: Job) -> Result<(), StoreError> {
        let (vault, asked) = (Arc::clone(&self.basis.vault), job.clone());
        let telling = self
            .basis
            .store
            .read(move |tx| backchannel::telling(tx, &vault, &asked))
            .await?;
        let told = match &telling {
            Some(telling) => self.tell(telling).await?,
            None => Told::Yes,
        };
        metrics::job(if told == Told::Yes { "done" } else { "failed" });
        let cx = self.basis.own_cx();
        self.basis
            .store
            .write(move |tx| backchannel::settle(&cx, tx, &job, telling.as_ref(), told))
            .await
    }

    async fn tell(&self, telling: &backchannel::Telling) -> Result<Told, StoreError> {
        let rings = self.basis.rings.snapshot();
        let key = Arc::clone(&rings::of(&rings, Ring::Idp)?.active);
        let claims = backchannel::claims(&self.basis.own_cx(), &self.settings, telling);
        let Ok(token) = key.sign(TYP, &claims) else {
            tracing::error!("a logout token could not be signed");
            return Ok(Told::No(None));
        };
        let Ok(url) = Url::parse(&telling.uri) else {
            return Ok(Told::No(None));
        };
        let mut request = FetchRequest::post_form(url, &Form::default().with("logout_token", token));
        request.timeout = PATIENCE;
        match self.fetch.fetch(request).await {
            // 200 is the answer of the specification; some frameworks say 204 for an empty one.
            Ok(answer) if answer.status.is_success() => Ok(Told::Yes),
            Ok(answer) => {
                let status = answer.status.as_u16();
                tracing::warn!(
                    client.id = telling.client.as_str(),
                    status,
                    "a client did not take a logout token"
                );
                Ok(Told::No(Some(status)))
            }
            Err(error) => {
                tracing::warn!(client.id = telling.client.as_str(), %error, "a client could not be told of a logout");
                Ok(Told::No(None))
            }
        }
    }
}
