//! The two legs and the code flow as a confidential client speaks them: for the lab's and the demo's own clients.
//!
//! Owns building these requests for a [`LabClient`](crate::lab::organisation::LabClient). `lanyard-client` is the library for everybody else.

use std::sync::Arc;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::AUTHORIZATION;
use lanyard_core::clock::Clock;
use lanyard_fetch::{Fetch, FetchRequest};
use lanyard_jose::digest::s256_challenge;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::{Random, token};
use lanyard_protocol::claims::client_assertion::{ASSERTION_TYPE, TYP};
use lanyard_protocol::form::{self, Form};
use lanyard_protocol::oauth::error::ErrorBody;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_response::TokenResponse;
use lanyard_protocol::oauth::token_type::TokenTypeUri;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use crate::lab::browser::{Browser, SignedIn};
use crate::lab::organisation::LabCredential;
use crate::runtime::clock::SystemClock;

/// A refusal of a token endpoint.
#[derive(Debug, thiserror::Error)]
#[error("{status} {}", body.error)]
pub(crate) struct Refused {
    /// The HTTP status.
    pub status: u16,
    /// The error.
    pub body: ErrorBody,
}

/// A party that a client talks to.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    /// Its issuer.
    pub issuer: String,
    /// Its token endpoint.
    pub token_endpoint: Url,
}

impl Party {
    /// A Lanyard party by its issuer.
    ///
    /// # Errors
    /// When the issuer is no URL.
    pub(crate) fn of(issuer: &str) -> anyhow::Result<Self> {
        Ok(Self {
            issuer: issuer.to_owned(),
            token_endpoint: Url::parse(&format!("{issuer}/oauth2/token"))?,
        })
    }
}

/// Speaks for clients.
#[derive(Clone)]
pub(crate) struct Oauth {
    /// Sends requests.
    pub fetch: Arc<dyn Fetch>,
    /// For state, nonce and verifiers.
    pub random: Arc<dyn Random>,
}

impl Oauth {
    /// Signs a person in by the real pages and redeems the code.
    ///
    /// # Errors
    /// When a step is refused or an answer does not fit the request.
    pub(crate) async fn sign_in(
        &self,
        issuer: &Party,
        client: &LabCredential,
        redirect_uri: &str,
        (username, password): (&str, &str),
    ) -> anyhow::Result<(TokenResponse, u32)> {
        let verifier = token(&*self.random).expose_secret().to_owned();
        let (state, nonce) = (self.fresh(), self.fresh());
        let mut authorize = Url::parse(&format!("{}/oauth2/authorize", issuer.issuer))?;
        authorize
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &client.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", "openid offline_access")
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &s256_challenge(&verifier))
            .append_pair("code_challenge_method", "S256");
        let SignedIn { redirect, prompts } = Browser::new(Arc::clone(&self.fetch))
            .sign_in(&authorize, username, password)
            .await?;
        let answer = |name: &str| {
            redirect
                .query_pairs()
                .find(|(own, _)| own == name)
                .map(|(_, value)| value.into_owned())
        };
        if answer("state").as_deref() != Some(state.as_str()) || answer("iss").as_deref() != Some(&issuer.issuer) {
            bail!("the redirect has another state or issuer");
        }
        let Some(code) = answer("code") else {
            bail!("the sign-in ended with {}", answer("error").unwrap_or_default())
        };
        let form = Form::default()
            .with("grant_type", GrantType::AuthorizationCode.as_str())
            .with("code", code)
            .with("redirect_uri", redirect_uri)
            .with("code_verifier", verifier);
        Ok((self.token_request(issuer, client, form).await??, prompts))
    }

    /// Trades an ID token for an ID-JAG.
    ///
    /// # Errors
    /// The inner one is the party's refusal.
    pub(crate) async fn exchange(
        &self,
        issuer: &Party,
        client: &LabCredential,
        id_token: &str,
        (audience, resource, scope): (&str, &str, Option<&str>),
    ) -> anyhow::Result<Result<TokenResponse, Refused>> {
        let mut form = Form::default()
            .with("grant_type", GrantType::TokenExchange.as_str())
            .with("requested_token_type", TokenTypeUri::IdJag.as_str())
            .with("audience", audience)
            .with("resource", resource)
            .with("subject_token", id_token)
            .with("subject_token_type", TokenTypeUri::IdToken.as_str());
        if let Some(scope) = scope {
            form = form.with("scope", scope);
        }
        self.token_request(issuer, client, form).await
    }

    /// Redeems an ID-JAG.
    ///
    /// # Errors
    /// The inner one is the party's refusal.
    pub(crate) async fn redeem(
        &self,
        ras: &Party,
        client: &LabCredential,
        id_jag: &str,
    ) -> anyhow::Result<Result<TokenResponse, Refused>> {
        let form = Form::default()
            .with("grant_type", GrantType::JwtBearer.as_str())
            .with("assertion", id_jag);
        self.token_request(ras, client, form).await
    }

    async fn token_request(
        &self,
        party: &Party,
        client: &LabCredential,
        form: Form,
    ) -> anyhow::Result<Result<TokenResponse, Refused>> {
        let request = match (&client.secret, &client.private_jwk) {
            (Some(secret), _) => {
                let pair = format!("{}:{}", form::encode(&client.client_id), form::encode(secret));
                let basic = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair)))?;
                FetchRequest::post_form(party.token_endpoint.clone(), &form).header(AUTHORIZATION, basic)
            }
            (None, Some(jwk)) => {
                let form = form.with("client_assertion_type", ASSERTION_TYPE).with(
                    "client_assertion",
                    self.assertion(&client.client_id, jwk, &party.issuer)?,
                );
                FetchRequest::post_form(party.token_endpoint.clone(), &form)
            }
            (None, None) => bail!("the client has no credential"),
        };
        let response = self.fetch.fetch(request).await?;
        if response.status.is_success() {
            return Ok(Ok(
                serde_json::from_slice(&response.body).context("the answer is no token response")?
            ));
        }
        let body = serde_json::from_slice(&response.body)
            .with_context(|| format!("the answer {} is no OAuth error", response.status))?;
        Ok(Err(Refused {
            status: response.status.as_u16(),
            body,
        }))
    }

    fn assertion(&self, client_id: &str, jwk: &serde_json::Value, audience: &str) -> anyhow::Result<String> {
        let now = SystemClock.now().seconds();
        let claims = json!({
            "iss": client_id, "sub": client_id, "aud": audience,
            "jti": self.fresh(), "iat": now, "exp": now + 60,
        });
        Ok(SigningKey::from_private_jwk(jwk)?.sign(TYP, &claims)?)
    }

    fn fresh(&self) -> String {
        token(&*self.random).expose_secret().to_owned()
    }
}
