//! An administrator's sign-in at this terminal: made in the browser, kept, renewed without asking, forgotten.
//!
//! Owns where it is kept and how it is renewed. What it allows is read by the server at every request.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use lanyard_client::clock::{Clock as _, SystemClock};
use lanyard_client::credentials::{Caller, ClientIdentity};
use lanyard_client::refresh::{refresh_request, refresh_response};
use lanyard_client::store::CredentialStore as _;
use lanyard_client::token_endpoint::TokenError;
use lanyard_fetch::{Fetch, MetadataCache};
use lanyard_jose::random::SystemRandom;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::oauth::error::ErrorCode;
use lanyard_protocol::oauth::token_response::TokenResponse;
use lanyard_protocol::scope::ScopeSet;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, door, show};
use crate::client_config::open::machine_key;
use crate::client_config::outcome::{Ending, NOT_SIGNED_IN, plain};
use crate::client_config::state::key_name;
use crate::client_config::{ClientFile, Places};
use crate::command::login::enrol::Enrolment;
use crate::command::login::{Asked, authenticate, machine_name};
use crate::credentials::{Keep, Secrets, SessionStore};
use crate::ui::Ui;

/// What `admin.toml` keeps of a sign-in. The tokens and the key rest where the client keeps its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    issuer: Issuer,
    client_id: ClientId,
    /// What a token for the admin API has alone.
    token_scope: String,
    /// The key of this machine at the issuer.
    kid: String,
    /// Where tokens and key rest.
    state: PathBuf,
    keep: Keep,
}

/// How a person is to sign in.
pub(crate) struct Wish<'a> {
    pub(crate) places: &'a Places,
    pub(crate) no_browser: bool,
    pub(crate) acr_values: Option<String>,
    pub(crate) machine: Option<&'a str>,
}

/// Signs in at the issuer of the admin API at `url`, and keeps the sign-in; gives who that is.
pub(crate) async fn sign_in(at: &AdminAt, url: &str, wish: Wish<'_>, ui: &Ui) -> anyhow::Result<Value> {
    let api = AdminClient::new(url, None, at.ca_file())?;
    let told = api.get(&["sign-in"], &[]).await?;
    let issuer = Issuer::parse(show::text(&told, "issuer")).context("the admin API names no issuer")?;
    let file = ClientFile::load(wish.places)?;
    let mut kept = SignIn {
        client_id: ClientId::parse(show::text(&told, "client_id")).context("the admin API names no client")?,
        token_scope: show::text(&told, "token_scope"),
        kid: String::new(),
        state: wish.places.state_directory()?.join("admin"),
        keep: file.keep,
        issuer,
    };
    let fetch = kept.fetch(at.ca_file())?;
    let metadata = kept.metadata(&fetch).await?;
    let needed = told.get("acr_values").and_then(Value::as_str).map(str::to_owned);
    let asked = Asked {
        identity: ClientIdentity::public(kept.client_id.clone()),
        scope: ScopeSet::parse(&show::text(&told, "scope")).context("the admin API names no scopes")?,
        acr_values: wish.acr_values.or(needed),
        max_age: None,
        no_browser: wish.no_browser,
    };
    let signed_in = authenticate(asked, ui, &fetch, &metadata).await?;
    let enrolment = Enrolment {
        fetch: &fetch,
        issuer: &kept.issuer,
        endpoint: endpoint(&metadata)?,
        identity: &signed_in.identity,
        access_token: &signed_in.access_token,
        now: SystemClock.now(),
    };
    let enrolled = enrolment.enrol(&machine_name(wish.machine)).await?;
    let secrets = kept.secrets();
    secrets.write(&key_name(&kept.issuer), &enrolled.private)?;
    SessionStore::new(Arc::clone(&secrets)).save(&signed_in.session).await?;
    kept.kid = enrolled.record.kid;
    // Renewing binds the sign-in to the key of this machine, and gives the first token for the admin API.
    let opened = async {
        let token = kept.renew(&fetch, Some(&kept.token_scope)).await?;
        AdminClient::new(url, Some(token), at.ca_file())?
            .get(&["whoami"], &[])
            .await
    };
    match opened.await {
        Ok(who) => {
            at.save_sign_in(api.url(), &kept)?;
            Ok(who)
        }
        Err(error) => {
            // Nothing is kept of a sign-in that opens nothing.
            let _ = enrolment.remove(&kept.kid).await;
            kept.forget().await?;
            Err(error)
        }
    }
}

fn endpoint(metadata: &AuthorizationServerMetadata) -> anyhow::Result<&str> {
    let endpoint = metadata.lanyard_connectors_endpoint.as_deref();
    endpoint.context("the issuer takes no key of this machine: it is no issuer of Lanyard")
}

impl SignIn {
    fn secrets(&self) -> Arc<Secrets> {
        Arc::new(Secrets::new(self.keep, &self.state))
    }

    fn fetch(&self, ca_file: Option<&Path>) -> anyhow::Result<Arc<dyn Fetch>> {
        let url = Url::parse(self.issuer.as_str()).context("the issuer is no address")?;
        Ok(Arc::new(door(&url, ca_file)?))
    }

    async fn metadata(&self, fetch: &Arc<dyn Fetch>) -> anyhow::Result<Arc<AuthorizationServerMetadata>> {
        let metadata = MetadataCache::new(Arc::clone(fetch))
            .authorization_server(&self.issuer)
            .await;
        metadata.with_context(|| format!("the metadata of {} cannot be used", self.issuer))
    }

    fn identity(&self) -> anyhow::Result<ClientIdentity> {
        Ok(ClientIdentity {
            client_id: self.client_id.clone(),
            auth: machine_key(&self.secrets(), &self.issuer, &self.kid)?,
        })
    }

    /// A token for the admin API: the one that is kept, renewed when it is about to expire.
    pub(crate) async fn access_token(&self, ca_file: Option<&Path>) -> anyhow::Result<SecretString> {
        let store = SessionStore::new(self.secrets());
        let session = store.load(&self.issuer).await?.ok_or_else(over)?;
        if let Some(token) = session.fresh_access_token(SystemClock.now()) {
            return Ok(token.clone());
        }
        self.renew(&self.fetch(ca_file)?, Some(&self.token_scope)).await
    }

    /// Renews the sign-in under the store's lock; gives the access token.
    async fn renew(&self, fetch: &Arc<dyn Fetch>, scope: Option<&str>) -> anyhow::Result<SecretString> {
        let store = SessionStore::new(self.secrets());
        let _guard = store.lock(&self.issuer).await?;
        let session = store.load(&self.issuer).await?.ok_or_else(over)?;
        let refresh_token = session.refresh_token.clone().ok_or_else(over)?;
        let metadata = self.metadata(fetch).await?;
        let token_endpoint = metadata.token_endpoint.as_deref();
        let token_endpoint = token_endpoint.context("the issuer publishes no token_endpoint")?;
        let (identity, now) = (self.identity()?, SystemClock.now());
        let caller = Caller {
            identity: &identity,
            audience: self.issuer.as_str(),
            now,
            random: &SystemRandom,
        };
        let request = refresh_request(token_endpoint, &caller, &refresh_token, scope)?;
        let answer: TokenResponse = match refresh_response(&fetch.fetch(request).await?) {
            Ok(answer) => answer,
            Err(error) if is_over(&error) => return Err(over().into()),
            Err(error) => return Err(error).context("the issuer did not renew the sign-in"),
        };
        let token = SecretString::from(answer.access_token.clone());
        store.save(&session.with_tokens(&answer, now)).await?;
        Ok(token)
    }

    /// Ends the sign-in at the issuer and forgets it here. What the issuer cannot be told is the error.
    pub(crate) async fn end(&self, ca_file: Option<&Path>) -> anyhow::Result<()> {
        let told = self.end_there(ca_file).await;
        self.forget().await?;
        told
    }

    async fn end_there(&self, ca_file: Option<&Path>) -> anyhow::Result<()> {
        let fetch = self.fetch(ca_file)?;
        let metadata = self.metadata(&fetch).await?;
        // A token for the issuer itself: without a scope everything else that was granted.
        let own = self.renew(&fetch, None).await?;
        let identity = self.identity()?;
        let enrolment = Enrolment {
            fetch: &fetch,
            issuer: &self.issuer,
            endpoint: endpoint(&metadata)?,
            identity: &identity,
            access_token: &own,
            now: SystemClock.now(),
        };
        // Every sign-in that is bound to the key ends with it.
        enrolment.remove(&self.kid).await
    }

    async fn forget(&self) -> anyhow::Result<()> {
        let secrets = self.secrets();
        SessionStore::new(Arc::clone(&secrets)).remove(&self.issuer).await?;
        secrets.remove(&key_name(&self.issuer))
    }
}

/// Whether the issuer refuses because there is nothing left to renew.
fn is_over(error: &TokenError) -> bool {
    let gone = [ErrorCode::InvalidGrant, ErrorCode::InvalidClient];
    error
        .refusal()
        .is_some_and(|refusal| gone.into_iter().any(|code| refusal.is(code)))
}

fn over() -> Ending {
    Ending {
        code: NOT_SIGNED_IN,
        happened: "Your sign-in as an administrator is over.".to_owned(),
        remedy: Some("Sign in again with: lanyard admin login".to_owned()),
        request_id: None,
    }
}

/// Who somebody is, as one line.
pub(crate) fn line(who: &Value, url: &str) -> String {
    let role = show::text(who, "role");
    let (kind, name) = (show::text(who, "kind"), show::text(who, "name"));
    if kind == "person" {
        let (at, strength) = (show::text(who, "signed_in_at"), show::text(who, "strength"));
        format!("{name}, {role} of {}; signed in {at}, {strength}", plain(url))
    } else {
        format!("the token {name} ({}), {role} of {}", show::text(who, "id"), plain(url))
    }
}
