//! The whole path: from an MCP server's URL to an access token, kept and renewed.
//!
//! Owns the order of steps, the cache and the retry limits. Never opens a browser by itself and never sends a token to
//! an MCP server: whoever calls it does (see [`crate::token_source`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lanyard_fetch::{Fetch, FetchError, FetchRequest, FetchResponse, JwksCache, MetadataCache};
use lanyard_jose::random::{Random, SystemRandom};
use lanyard_protocol::challenge::Challenge;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;
use secrecy::SecretString;

use crate::cache::{AccessToken, Slot, TokenCache, TokenKey};
use crate::clock::{Clock, SystemClock};
use crate::credentials::{Caller, ClientIdentity};
use crate::discovery::{self, DiscoveryError, ResourceMetadata};
use crate::flow_error::FlowError;
use crate::interactive::Interactive;
use crate::jwt_bearer::RedemptionStyle;
use crate::step_up::Reauthentication;
use crate::store::{BoxFuture, CredentialStore, MemoryStore};
use crate::subject::{Enterprise, Subject};
use crate::target::Target;
use crate::token_source::{Attempts, Rejection, TokenSource};

/// How often one call may ask for more scopes (CL-SC-02).
const MAX_STEP_UPS: u8 = 2;

/// Obtains and keeps access tokens for MCP servers.
pub struct Flow {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metadata: MetadataCache,
    keys: JwksCache,
    subject: Option<Subject>,
    credentials: HashMap<Issuer, ClientIdentity>,
    interactive: Option<Interactive>,
    reauthentication: Option<Reauthentication>,
    style: RedemptionStyle,
    targets: Mutex<HashMap<String, Arc<Target>>>,
    tokens: TokenCache,
}

/// Says what a [`Flow`] works with.
pub struct FlowBuilder {
    fetch: Arc<dyn Fetch>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    store: Arc<dyn CredentialStore>,
    enterprise: Option<Enterprise>,
    credentials: HashMap<Issuer, ClientIdentity>,
    interactive: Option<Interactive>,
    reauthentication: Option<Reauthentication>,
    style: RedemptionStyle,
}

impl FlowBuilder {
    /// The organisation's IdP: it comes from configuration, never from an MCP server (CL-DI-06).
    #[must_use]
    pub fn enterprise(mut self, enterprise: Enterprise) -> Self {
        self.enterprise = Some(enterprise);
        self
    }

    /// The client's credentials at one authorization server. They are used there and nowhere else (CL-ST-02).
    #[must_use]
    pub fn credentials(mut self, issuer: Issuer, identity: ClientIdentity) -> Self {
        self.credentials.insert(issuer, identity);
        self
    }

    /// Where sign-ins rest; in memory by default.
    #[must_use]
    pub fn store(mut self, store: Arc<dyn CredentialStore>) -> Self {
        self.store = store;
        self
    }

    /// The clock; the operating system's by default.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The random source; the operating system's by default.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Allows the code flow at servers that are not managed. Without it such servers are refused.
    #[must_use]
    pub fn interactive(mut self, interactive: Interactive) -> Self {
        self.interactive = Some(interactive);
        self
    }

    /// Lets the flow sign the person in again when a server asks for a stronger or more recent sign-in (SU-03).
    #[must_use]
    pub fn reauthentication(mut self, reauthentication: Reauthentication) -> Self {
        self.reauthentication = Some(reauthentication);
        self
    }

    /// How redemptions are written (CL-JB-02).
    #[must_use]
    pub fn redemption(mut self, style: RedemptionStyle) -> Self {
        self.style = style;
        self
    }

    /// Builds the flow.
    #[must_use]
    pub fn build(self) -> Flow {
        Flow {
            metadata: MetadataCache::new(Arc::clone(&self.fetch)),
            keys: JwksCache::new(Arc::clone(&self.fetch)),
            fetch: self.fetch,
            clock: self.clock,
            random: self.random,
            subject: self.enterprise.map(|enterprise| Subject::new(enterprise, self.store)),
            credentials: self.credentials,
            interactive: self.interactive,
            reauthentication: self.reauthentication,
            style: self.style,
            targets: Mutex::default(),
            tokens: TokenCache::default(),
        }
    }
}

impl Flow {
    /// Begins a flow that reaches the outside through `fetch`.
    #[must_use]
    pub fn builder(fetch: Arc<dyn Fetch>) -> FlowBuilder {
        FlowBuilder {
            fetch,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            store: Arc::new(MemoryStore::default()),
            enterprise: None,
            credentials: HashMap::new(),
            interactive: None,
            reauthentication: None,
            style: RedemptionStyle::default(),
        }
    }

    /// A token for `mcp_url`, from the cache or through the whole path; with at least `scopes` asked for.
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn access_token(&self, mcp_url: &str, scopes: &ScopeSet) -> Result<AccessToken, FlowError> {
        let target = match self.target(mcp_url) {
            Some(target) => target,
            None => self.discover_unasked(mcp_url).await?,
        };
        self.obtain(&target, scopes, None, &mut Attempts::default()).await
    }

    /// Finds out what `mcp_url` is protected by. The challenge of a 401 says where to look (CL-DI-01).
    ///
    /// # Errors
    /// [`FlowError`].
    pub async fn discover(&self, mcp_url: &str, challenge: Option<&Challenge>) -> Result<Arc<Target>, FlowError> {
        let url = ResourceId::parse(mcp_url).map_err(|_| FlowError::McpUrl(mcp_url.to_owned()))?;
        let resource = self.resource_metadata(&url, challenge).await?;
        let issuer = self.choose(&resource)?;
        let authorization_server = self.server(&issuer).await?;
        let mapped = self.credentials.contains_key(&issuer);
        let managed = self.subject.is_some() && discovery::is_managed(&authorization_server, mapped);
        if !managed && self.interactive.is_none() {
            return Err(FlowError::NotManaged {
                mcp_url: mcp_url.to_owned(),
                issuer,
            });
        }
        let target = Arc::new(Target {
            mcp_url: mcp_url.to_owned(),
            scopes: discovery::select_scopes(challenge, &resource),
            resource: resource.resource,
            authorization_server,
            managed,
        });
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.insert(mcp_url.to_owned(), Arc::clone(&target));
        Ok(target)
    }

    /// The sign-in that this flow works for, and everything about renewing it.
    pub const fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// Forgets tokens and the sign-in held in memory, after a sign-in or a sign-out.
    pub async fn forget(&self) {
        self.tokens.clear();
        if let Some(subject) = &self.subject {
            subject.forget().await;
        }
    }

    fn target(&self, mcp_url: &str) -> Option<Arc<Target>> {
        self.targets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(mcp_url)
            .cloned()
    }

    /// Without a challenge: the well-known places, and if nothing is there, the challenge of an unauthenticated ping.
    async fn discover_unasked(&self, mcp_url: &str) -> Result<Arc<Target>, FlowError> {
        match self.discover(mcp_url, None).await {
            Err(FlowError::Discovery(DiscoveryError::Absent)) => {
                let url = ResourceId::parse(mcp_url).map_err(|_| FlowError::McpUrl(mcp_url.to_owned()))?;
                let answer = self.send(discovery::probe_request(&url)?).await?;
                let rejection = Rejection::from_headers(answer.status.as_u16(), &answer.headers, None);
                self.discover(mcp_url, rejection.bearer()).await
            }
            other => other,
        }
    }

    async fn resource_metadata(
        &self,
        url: &ResourceId,
        challenge: Option<&Challenge>,
    ) -> Result<ResourceMetadata, FlowError> {
        for place in discovery::metadata_places(url, challenge)? {
            let answer = self.send(discovery::metadata_request(&place)).await?;
            if let Some(found) = discovery::metadata_response(&place, url, &answer)? {
                return Ok(found);
            }
        }
        Err(DiscoveryError::Absent.into())
    }

    /// The first server that there are credentials for; else the first one (CL-DI-02).
    fn choose(&self, resource: &ResourceMetadata) -> Result<Issuer, FlowError> {
        let servers = &resource.authorization_servers;
        let known = servers.iter().find(|issuer| self.credentials.contains_key(*issuer));
        known
            .or_else(|| servers.first())
            .cloned()
            .ok_or(DiscoveryError::NoAuthorizationServer.into())
    }

    async fn key(&self, target: &Target) -> Result<TokenKey, FlowError> {
        let subject = match &self.subject {
            Some(subject) if target.managed => subject.session().await?.subject,
            _ => String::new(),
        };
        Ok(TokenKey {
            issuer: target.authorization_server.issuer.as_str().to_owned(),
            resource: target.resource.clone(),
            subject,
        })
    }

    /// The kept token if it is fresh, not refused and wide enough; else a new one. One caller at a time per key.
    async fn obtain(
        &self,
        target: &Target,
        add: &ScopeSet,
        refused: Option<&SecretString>,
        attempts: &mut Attempts,
    ) -> Result<AccessToken, FlowError> {
        let slot = self.tokens.slot(&self.key(target).await?);
        let mut slot = slot.lock().await;
        let wanted = slot.requested.union(&target.scopes).union(add);
        if let Some(token) = &slot.token {
            let is_refused = refused.is_some_and(|refused| token.is(refused));
            if !is_refused && token.is_fresh(self.now()) && wanted == slot.requested {
                return Ok(token.clone());
            }
        }
        self.fill(&mut slot, target, wanted, attempts).await
    }

    /// What was asked for before stays as it was when the server says no: a refused step-up spoils nothing. When the IdP
    /// asks for a better sign-in, there is one, and one more exchange (SU-03).
    async fn fill(
        &self,
        slot: &mut Slot,
        target: &Target,
        wanted: ScopeSet,
        attempts: &mut Attempts,
    ) -> Result<AccessToken, FlowError> {
        let token = match (&self.subject, &self.interactive) {
            (Some(subject), _) if target.managed => match self.redeem_for(subject, target, &wanted).await {
                Err(needed @ FlowError::StepUp { .. }) => {
                    self.sign_in_again(needed, attempts).await?;
                    self.redeem_for(subject, target, &wanted).await?
                }
                token => token?,
            },
            (_, Some(interactive)) => self.authorize(interactive, target, &wanted).await?,
            _ => {
                let issuer = target.authorization_server.issuer.clone();
                return Err(FlowError::NotManaged {
                    mcp_url: target.mcp_url.clone(),
                    issuer,
                });
            }
        };
        slot.requested = wanted;
        slot.token = Some(token.clone());
        Ok(token)
    }

    /// 403 `insufficient_scope`: the union of what was asked for and what is challenged (CL-SC-02).
    async fn step_up(
        &self,
        target: &Target,
        challenged: &ScopeSet,
        refused: Option<&SecretString>,
        attempts: &mut Attempts,
    ) -> Result<AccessToken, FlowError> {
        let slot = self.tokens.slot(&self.key(target).await?);
        let mut slot = slot.lock().await;
        let is_current = match (&slot.token, refused) {
            (Some(token), Some(refused)) => token.is(refused),
            _ => false,
        };
        if challenged.is_subset(&slot.requested) {
            return match &slot.token {
                // Another caller stepped up meanwhile.
                Some(token) if !is_current => Ok(token.clone()),
                _ => Err(FlowError::ScopeWithheld {
                    missing: challenged.clone(),
                }),
            };
        }
        let wanted = slot.requested.union(challenged);
        let token = self.fill(&mut slot, target, wanted, attempts).await?;
        if let Some(granted) = &token.scope
            && !challenged.is_subset(granted)
        {
            return Err(FlowError::ScopeWithheld {
                missing: challenged.difference(granted),
            });
        }
        Ok(token)
    }

    async fn answer_to(
        &self,
        mcp_url: &str,
        rejection: &Rejection,
        attempts: &mut Attempts,
    ) -> Result<AccessToken, FlowError> {
        let challenge = rejection.bearer();
        let parameter = |name| challenge.and_then(|challenge| challenge.parameter(name));
        match (rejection.status, rejection.error()) {
            // A matter of the sign-in and never of scopes (SU-08): sign in, exchange and redeem anew (SU-06).
            (401, Some("insufficient_user_authentication")) => {
                let needed = FlowError::StepUp {
                    acr_values: parameter("acr_values").map(crate::token_endpoint::plain),
                    max_age: parameter("max_age").and_then(|seconds| seconds.parse().ok()),
                };
                if self.reauthentication.is_none() {
                    return Err(needed);
                }
                let target = match self.target(mcp_url) {
                    Some(target) => target,
                    None => self.discover(mcp_url, challenge).await?,
                };
                if !target.managed {
                    return Err(needed);
                }
                self.sign_in_again(needed, attempts).await?;
                self.obtain(&target, &ScopeSet::empty(), rejection.token.as_ref(), attempts)
                    .await
            }
            (401, _) if attempts.renewals > 0 => Err(FlowError::Rejected),
            (401, _) => {
                attempts.renewals += 1;
                // Read again: the server may have moved to another authorization server (CL-ST-02).
                let target = self.discover(mcp_url, challenge).await?;
                self.obtain(&target, &ScopeSet::empty(), rejection.token.as_ref(), attempts)
                    .await
            }
            (_, Some("insufficient_scope")) => {
                let challenged = discovery::challenged_scopes(challenge).ok_or(FlowError::Forbidden)?;
                if attempts.step_ups >= MAX_STEP_UPS {
                    return Err(FlowError::ScopeWithheld { missing: challenged });
                }
                attempts.step_ups += 1;
                let target = match self.target(mcp_url) {
                    Some(target) => target,
                    None => self.discover(mcp_url, challenge).await?,
                };
                self.step_up(&target, &challenged, rejection.token.as_ref(), attempts)
                    .await
            }
            _ => Err(FlowError::Forbidden),
        }
    }

    async fn current_for(&self, mcp_url: &str) -> Result<Option<AccessToken>, FlowError> {
        let Some(target) = self.target(mcp_url) else {
            return Ok(None);
        };
        let slot = self.tokens.slot(&self.key(&target).await?);
        let mut slot = slot.lock().await;
        match &slot.token {
            None => Ok(None),
            Some(token) if token.is_fresh(self.now()) => Ok(Some(token.clone())),
            Some(_) => {
                let wanted = slot.requested.clone();
                let attempts = &mut Attempts::default();
                self.fill(&mut slot, &target, wanted, attempts).await.map(Some)
            }
        }
    }

    /// The metadata of an authorization server, checked against its issuer (CL-DI-03, CL-DI-04).
    pub(crate) async fn server(&self, issuer: &Issuer) -> Result<Arc<AuthorizationServerMetadata>, FlowError> {
        self.metadata
            .authorization_server(issuer)
            .await
            .map_err(|error| FlowError::Metadata {
                issuer: issuer.clone(),
                reason: error.to_string(),
            })
    }

    pub(crate) async fn send(&self, request: FetchRequest) -> Result<FetchResponse, FlowError> {
        Ok(self.fetch(request).await?)
    }

    pub(crate) async fn fetch(&self, request: FetchRequest) -> Result<FetchResponse, FetchError> {
        self.fetch.fetch(request).await
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    pub(crate) fn random(&self) -> &dyn Random {
        self.random.as_ref()
    }

    pub(crate) const fn reauthentication(&self) -> Option<&Reauthentication> {
        self.reauthentication.as_ref()
    }

    pub(crate) const fn keys(&self) -> &JwksCache {
        &self.keys
    }

    pub(crate) const fn style(&self) -> &RedemptionStyle {
        &self.style
    }

    pub(crate) fn credentials(&self, issuer: &Issuer) -> Option<&ClientIdentity> {
        self.credentials.get(issuer)
    }

    pub(crate) fn caller<'a>(&'a self, identity: &'a ClientIdentity, audience: &'a str) -> Caller<'a> {
        Caller {
            identity,
            audience,
            now: self.now(),
            random: self.random(),
        }
    }
}

impl TokenSource for Flow {
    fn current<'a>(&'a self, mcp_url: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, Arc<FlowError>>> {
        Box::pin(async move {
            let token = self.current_for(mcp_url).await.map_err(Arc::new)?;
            Ok(token.map(|token| token.token))
        })
    }

    fn answer<'a>(
        &'a self,
        mcp_url: &'a str,
        rejection: Rejection,
        attempts: &'a mut Attempts,
    ) -> BoxFuture<'a, Result<SecretString, Arc<FlowError>>> {
        Box::pin(async move {
            let token = self.answer_to(mcp_url, &rejection, attempts).await.map_err(Arc::new)?;
            Ok(token.token)
        })
    }
}
