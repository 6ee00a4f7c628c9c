//! What the steps work with: the company's client, its parties, and the admin API.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method};
use lanyard_fetch::{Fetch, FetchRequest, FetchResponse, HttpFetch, Outbound};
use lanyard_jose::random::{Random, SystemRandom};
use lanyard_protocol::oauth::token_response::TokenResponse;
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use crate::demo::organisation::{DemoOrganisation, REDIRECT};
use crate::lab::addresses::Addresses;
use crate::lab::mcp::{self, Answered};
use crate::lab::oauth::{Oauth, Party, Refused};
use crate::lab::organisation::{LabClient, LabUser};
use crate::lab::start::Lab;

/// The company as its assistant sees it, and its administrator.
pub(super) struct Company {
    /// Where everything stands.
    pub addresses: Addresses,
    /// The assistant.
    pub client: LabClient,
    /// Employees first.
    pub users: Vec<LabUser>,
    /// Speaks OAuth for the assistant.
    pub oauth: Oauth,
    /// The IdP.
    pub issuer: Party,
    /// The RAS.
    pub ras: Party,
    admin_authorization: HeaderValue,
}

impl Company {
    /// The company of a running lab.
    ///
    /// # Errors
    /// Never for a running lab.
    pub(super) fn new(lab: &Lab, organisation: DemoOrganisation) -> anyhow::Result<Self> {
        let fetch: Arc<dyn Fetch> = Arc::new(HttpFetch::new(&Outbound {
            development: true,
            ..Outbound::default()
        })?);
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let mut admin_authorization = HeaderValue::try_from(format!("Bearer {}", lab.admin_token.expose_secret()))?;
        admin_authorization.set_sensitive(true);
        Ok(Self {
            addresses: lab.addresses,
            client: organisation.client,
            users: organisation.users,
            oauth: Oauth { fetch, random },
            issuer: Party::of(lab.addresses.issuer_id()?.as_str())?,
            ras: Party::of(lab.addresses.ras_id()?.as_str())?,
            admin_authorization,
        })
    }

    /// Signs a person in with the password, by the real pages.
    ///
    /// # Errors
    /// When a step is refused.
    pub(super) async fn sign_in(&self, user: &LabUser) -> anyhow::Result<(TokenResponse, u32)> {
        self.oauth
            .sign_in(
                &self.issuer,
                &self.client.idp,
                REDIRECT,
                (&user.spec.username, &user.password),
            )
            .await
            .with_context(|| format!("{} cannot sign in", user.spec.username))
    }

    /// Leg 1 for a connector.
    ///
    /// # Errors
    /// The inner one is the issuer's refusal.
    pub(super) async fn exchange(
        &self,
        id_token: &str,
        connector: &str,
        scope: Option<&str>,
    ) -> anyhow::Result<Result<TokenResponse, Refused>> {
        let resource = self.addresses.mcp_url(connector);
        self.oauth
            .exchange(
                &self.issuer,
                &self.client.idp,
                id_token,
                (&self.ras.issuer, &resource, scope),
            )
            .await
    }

    /// Leg 2.
    ///
    /// # Errors
    /// The inner one is the authorization server's refusal.
    pub(super) async fn redeem(&self, id_jag: &str) -> anyhow::Result<Result<TokenResponse, Refused>> {
        self.oauth.redeem(&self.ras, &self.client.ras, id_jag).await
    }

    /// Both legs; a refusal is an error.
    ///
    /// # Errors
    /// With the refusal.
    pub(super) async fn chain(&self, id_token: &str, connector: &str) -> anyhow::Result<TokenResponse> {
        let id_jag = self.exchange(id_token, connector, None).await??;
        Ok(self.redeem(&id_jag.access_token).await??)
    }

    /// One MCP request through the gateway.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub(super) async fn call(
        &self,
        connector: &str,
        token: &str,
        method: &str,
        params: Value,
    ) -> anyhow::Result<Answered> {
        mcp::call(
            &*self.oauth.fetch,
            &self.addresses.mcp_url(connector),
            token,
            method,
            params,
        )
        .await
    }

    /// One request to the admin API.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub(super) async fn admin(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<FetchResponse> {
        let mut request = FetchRequest::get(Url::parse(&format!(
            "http://{}/admin/v1/{path}",
            self.addresses.admin()
        ))?);
        request.method = method;
        request.max_body = 512 * 1024 * 1024;
        request.timeout = Duration::from_secs(60);
        if let Some(body) = body {
            request.body = serde_json::to_vec(body)?;
            request = request.header(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let response = self
            .oauth
            .fetch
            .fetch(request.header(AUTHORIZATION, self.admin_authorization.clone()))
            .await?;
        anyhow::ensure!(
            response.status.is_success(),
            "the admin API answered {} to {path}: {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        );
        Ok(response)
    }
}
