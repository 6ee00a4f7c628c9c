//! The parameters of an authorization request.
//!
//! Owns their syntax and what is not supported. Never knows whether a client or redirect URI is registered.

use std::time::Duration;

use lanyard_jose::digest::from_base64url;
use lanyard_protocol::form::{Form, FormError};
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::scope::{Scope, ScopeSet};

use crate::client::registration::Client;
use crate::clock::Timestamp;
use crate::idp::authorize::{AuthorizeDenial, ValidAuthorize};

/// The longest `state` that is echoed, in bytes.
const MAX_STATE: usize = 4096;
/// The longest other parameter.
const MAX_TEXT: usize = 1024;
/// The scope of a request without one: a plain OAuth client signs a person in and gets nothing else.
const DEFAULT_SCOPE: &str = "openid";

/// The request as it was sent: nothing is checked yet, but which parameters came twice is known.
#[derive(Debug, Clone, Default)]
pub struct AuthorizeRequest {
    /// Sent once.
    pub client_id: Option<String>,
    /// Sent once.
    pub redirect_uri: Option<String>,
    /// Sent once.
    pub state: Option<String>,
    response_type: Option<String>,
    response_mode: Option<String>,
    scope: Option<String>,
    nonce: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    prompt: Option<String>,
    max_age: Option<String>,
    login_hint: Option<String>,
    ui_locales: Option<String>,
    acr_values: Option<String>,
    has_request: bool,
    has_request_uri: bool,
    repeated: Option<&'static str>,
}

/// What `prompt` asks for.
#[derive(Default)]
struct Prompts {
    silent: bool,
    login: bool,
    select_account: bool,
}

impl AuthorizeRequest {
    /// Takes the parameters out of a query string or form.
    pub fn parse(form: &Form) -> Self {
        let mut repeated = None;
        let mut once = |name: &'static str| match form.once(name) {
            Ok(value) => value.map(str::to_owned),
            Err(FormError::Repeated(name)) => {
                repeated = repeated.or(Some(name));
                None
            }
            Err(_) => None,
        };
        let mut request = Self {
            client_id: once("client_id"),
            redirect_uri: once("redirect_uri"),
            state: once("state"),
            response_type: once("response_type"),
            response_mode: once("response_mode"),
            scope: once("scope"),
            nonce: once("nonce"),
            code_challenge: once("code_challenge"),
            code_challenge_method: once("code_challenge_method"),
            prompt: once("prompt"),
            max_age: once("max_age"),
            login_hint: once("login_hint"),
            ui_locales: once("ui_locales"),
            acr_values: once("acr_values"),
            has_request: form.has("request"),
            has_request_uri: form.has("request_uri"),
            repeated: None,
        };
        request.repeated = repeated;
        request
    }

    /// Everything but client and redirect URI.
    pub(super) fn validate(
        &self,
        client: Client,
        redirect_uri: &str,
        now: Timestamp,
    ) -> Result<ValidAuthorize, AuthorizeDenial> {
        if let Some(name) = self.repeated {
            return Err(AuthorizeDenial::Repeated(name));
        }
        if self.has_request {
            return Err(AuthorizeDenial::RequestObject);
        }
        if self.has_request_uri {
            return Err(AuthorizeDenial::RequestUri);
        }
        self.check_lengths()?;
        self.check_response()?;
        if !client.grants.contains(&GrantType::AuthorizationCode) {
            return Err(AuthorizeDenial::GrantNotAllowed);
        }
        let prompts = self.prompts()?;
        Ok(ValidAuthorize {
            redirect_uri: redirect_uri.to_owned(),
            scope: self.scopes(&client)?,
            state: self.state.clone(),
            nonce: self.nonce.clone(),
            code_challenge: self.challenge()?,
            silent: prompts.silent,
            sign_in_again: prompts.login,
            choose_account: prompts.select_account,
            max_age: self.max_age()?,
            acr_values: self.acr_values(),
            login_hint: self.login_hint.clone(),
            ui_locales: self.ui_locales.clone(),
            asked_at: now,
            leeway: Duration::ZERO,
            client,
        })
    }

    fn check_lengths(&self) -> Result<(), AuthorizeDenial> {
        let too_long = |value: &Option<String>, limit| value.as_ref().is_some_and(|value| value.len() > limit);
        if too_long(&self.state, MAX_STATE) {
            return Err(AuthorizeDenial::Malformed("state"));
        }
        let texts = [
            ("nonce", &self.nonce),
            ("login_hint", &self.login_hint),
            ("ui_locales", &self.ui_locales),
            ("acr_values", &self.acr_values),
        ];
        match texts.into_iter().find(|(_, value)| too_long(value, MAX_TEXT)) {
            Some((name, _)) => Err(AuthorizeDenial::Malformed(name)),
            None => Ok(()),
        }
    }

    fn check_response(&self) -> Result<(), AuthorizeDenial> {
        match self.response_type.as_deref() {
            Some("code") => {}
            Some(_) => return Err(AuthorizeDenial::ResponseType),
            None => return Err(AuthorizeDenial::Malformed("response_type")),
        }
        match self.response_mode.as_deref() {
            None | Some("query") => Ok(()),
            Some(_) => Err(AuthorizeDenial::Malformed("response_mode")),
        }
    }

    /// There is no consent page: administrators consent.
    fn prompts(&self) -> Result<Prompts, AuthorizeDenial> {
        let (mut prompts, mut consent) = (Prompts::default(), false);
        for prompt in self
            .prompt
            .as_deref()
            .unwrap_or_default()
            .split(' ')
            .filter(|prompt| !prompt.is_empty())
        {
            match prompt {
                "none" => prompts.silent = true,
                "login" => prompts.login = true,
                "select_account" => prompts.select_account = true,
                "consent" => consent = true,
                _ => return Err(AuthorizeDenial::Malformed("prompt")),
            }
        }
        if prompts.silent && (prompts.login || prompts.select_account || consent) {
            Err(AuthorizeDenial::Malformed("prompt"))
        } else {
            Ok(prompts)
        }
    }

    /// What is asked for and available; more than that is left out, not refused, and who names no scope asks for
    /// [`DEFAULT_SCOPE`] (RFC 6749, section 3.3).
    fn scopes(&self, client: &Client) -> Result<ScopeSet, AuthorizeDenial> {
        let named = self.scope.as_deref().filter(|scope| !scope.is_empty());
        let asked = ScopeSet::parse(named.unwrap_or(DEFAULT_SCOPE)).map_err(|_| AuthorizeDenial::Scope)?;
        let refreshes = client.grants.contains(&GrantType::RefreshToken);
        let available = |scope: &&Scope| refreshes || scope.as_str() != "offline_access";
        let scope: ScopeSet = asked
            .intersection(&client.scopes)
            .iter()
            .filter(available)
            .cloned()
            .collect();
        if scope.is_empty() {
            Err(AuthorizeDenial::Scope)
        } else {
            Ok(scope)
        }
    }

    fn challenge(&self) -> Result<String, AuthorizeDenial> {
        let Some(challenge) = &self.code_challenge else {
            return Err(AuthorizeDenial::ChallengeMissing);
        };
        // An absent method means `plain` (RFC 7636, section 4.3), which is refused (IDP-AU-02).
        if self.code_challenge_method.as_deref() != Some("S256") {
            return Err(AuthorizeDenial::ChallengeMissing);
        }
        match from_base64url(challenge) {
            Some(digest) if digest.len() == 32 => Ok(challenge.clone()),
            _ => Err(AuthorizeDenial::Malformed("code_challenge")),
        }
    }

    /// In the order of preference. A value that nobody knows is no mistake: the parameter is a wish (OpenID Connect
    /// Core, section 3.1.2.1).
    fn acr_values(&self) -> Vec<String> {
        let values = self.acr_values.as_deref().unwrap_or_default().split(' ');
        values.filter(|value| !value.is_empty()).map(str::to_owned).collect()
    }

    fn max_age(&self) -> Result<Option<u64>, AuthorizeDenial> {
        let Some(value) = &self.max_age else { return Ok(None) };
        let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
        match value.parse() {
            Ok(seconds) if digits => Ok(Some(seconds)),
            _ => Err(AuthorizeDenial::Malformed("max_age")),
        }
    }
}
