//! The authorization code flow with PKCE (RFC 6749, section 4.1; RFC 7636; RFC 9207; OpenID Connect Core, section 3.1).
//!
//! Owns the request, the judgement of what comes back, and the ID token's checks. Never opens a browser and never
//! listens on a port.

use std::fmt;

use lanyard_fetch::{FetchRequest, FetchResponse};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::{at_hash_under, s256_challenge};
use lanyard_jose::jwk::KeySet;
use lanyard_jose::random::{self, Random};
use lanyard_jose::token::{IdToken, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_response::TokenResponse;
use lanyard_protocol::scope::{Scope, ScopeSet};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::credentials::Caller;
use crate::session::UnreadableSession;
use crate::token_endpoint::{TokenError, plain, protected_url, token_request, token_response};

/// The algorithms that an ID token may be signed with (TOK-GN-01).
pub const ID_TOKEN_ALGORITHMS: &[Algorithm] = &[
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// What to ask the authorization server for.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// Where the answer comes back.
    pub redirect_uri: String,
    /// Scopes; with `openid` a nonce is sent and an ID token is expected.
    pub scope: ScopeSet,
    /// The resource, for the code flow at a RAS (RFC 8707).
    pub resource: Option<String>,
    /// Step-up: the authentication needed (SU-03).
    pub acr_values: Option<String>,
    /// Step-up: how fresh it must be.
    pub max_age: Option<u64>,
    /// `login`, `none`, …
    pub prompt: Option<String>,
    /// Who probably signs in.
    pub login_hint: Option<String>,
}

/// What must be remembered until the answer comes. It is consumed by the answer: `state` is used once (CL-SS-01).
pub struct PendingSignIn {
    issuer: Issuer,
    iss_advertised: bool,
    client_id: ClientId,
    redirect_uri: String,
    resource: Option<String>,
    state: SecretString,
    nonce: Option<SecretString>,
    verifier: SecretString,
    max_age: Option<u64>,
}

impl PendingSignIn {
    /// The issuer that was asked, recorded before the redirect (CL-SS-02).
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }
}

/// A code that came back from the right server for the right request.
pub struct AuthorizationCode {
    code: SecretString,
    pending: PendingSignIn,
}

/// The scopes of a sign-in at an enterprise IdP, as far as it knows them (CL-SS-04): who the person is, a refresh token,
/// and at a Lanyard issuer the list of connectors.
pub fn usual_scopes(metadata: &AuthorizationServerMetadata) -> ScopeSet {
    let known = &metadata.scopes_supported;
    let connectors = metadata.lanyard_connectors_endpoint.is_some().then_some("connectors");
    let wanted = ["openid", "profile", "offline_access"].into_iter().chain(connectors);
    wanted
        .filter(|scope| known.is_empty() || known.iter().any(|own| own == scope))
        .filter_map(|scope| Scope::parse(scope).ok())
        .collect()
}

/// Builds the URL that the person's browser opens, and what must be kept for the answer.
///
/// # Errors
/// [`SignInError::NoPkce`] for a server that does not list S256 (CL-SS-01); [`SignInError::NoEndpoint`].
pub fn authorization_request(
    metadata: &AuthorizationServerMetadata,
    client_id: &ClientId,
    sign_in: &SignIn,
    random: &dyn Random,
) -> Result<(Url, PendingSignIn), SignInError> {
    if !metadata
        .code_challenge_methods_supported
        .iter()
        .any(|method| method == "S256")
    {
        return Err(SignInError::NoPkce);
    }
    let endpoint = metadata
        .authorization_endpoint
        .as_deref()
        .ok_or(SignInError::NoEndpoint("authorization_endpoint"))?;
    let mut url = protected_url(endpoint).map_err(|_| SignInError::NoEndpoint("authorization_endpoint"))?;
    let verifier = random::token(random);
    let state = random::token(random);
    let nonce = sign_in.scope.contains_str("openid").then(|| random::token(random));
    {
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", client_id.as_str())
            .append_pair("redirect_uri", &sign_in.redirect_uri)
            .append_pair("state", state.expose_secret())
            .append_pair("code_challenge", &s256_challenge(verifier.expose_secret()))
            .append_pair("code_challenge_method", "S256");
        let mut optional = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        };
        optional("scope", sign_in.scope.to_wire().as_deref());
        optional("nonce", nonce.as_ref().map(|nonce| nonce.expose_secret()));
        optional("resource", sign_in.resource.as_deref());
        optional("acr_values", sign_in.acr_values.as_deref());
        optional("max_age", sign_in.max_age.map(|seconds| seconds.to_string()).as_deref());
        optional("prompt", sign_in.prompt.as_deref());
        optional("login_hint", sign_in.login_hint.as_deref());
    }
    let pending = PendingSignIn {
        issuer: metadata.issuer.clone(),
        iss_advertised: metadata.authorization_response_iss_parameter_supported,
        client_id: client_id.clone(),
        redirect_uri: sign_in.redirect_uri.clone(),
        resource: sign_in.resource.clone(),
        state,
        nonce,
        verifier,
        max_age: sign_in.max_age,
    };
    Ok((url, pending))
}

/// Judges the query string that came back: issuer first (RFC 9207, section 2.4), then `state`, and only then what it
/// says. On a mismatch the error text is ignored too (CL-SS-02).
///
/// # Errors
/// [`SignInError`].
pub fn authorization_response(pending: PendingSignIn, query: &str) -> Result<AuthorizationCode, SignInError> {
    let answer = Form::parse(query.as_bytes()).map_err(|_| SignInError::Unreadable)?;
    let once = |name| answer.once(name).map_err(|_| SignInError::Unreadable);
    match once("iss")? {
        Some(issuer) if issuer == pending.issuer.as_str() => {}
        Some(_) => return Err(SignInError::OtherIssuer),
        None if pending.iss_advertised || answer.has("iss") => return Err(SignInError::OtherIssuer),
        None => {}
    }
    if once("state")? != Some(pending.state.expose_secret()) {
        return Err(SignInError::State);
    }
    if let Some(code) = once("error")? {
        let description = once("error_description")?.map(plain);
        return Err(SignInError::Refused {
            code: plain(code),
            description,
        });
    }
    let code = once("code")?.ok_or(SignInError::Unreadable)?;
    Ok(AuthorizationCode {
        code: SecretString::from(code),
        pending,
    })
}

/// Builds the redemption of a code.
///
/// # Errors
/// [`TokenError::Endpoint`].
pub fn code_request(
    endpoint: &str,
    caller: &Caller<'_>,
    code: AuthorizationCode,
) -> Result<(FetchRequest, ExpectedIdToken), TokenError> {
    let AuthorizationCode { code, pending } = code;
    let mut form = Form::default()
        .with("grant_type", GrantType::AuthorizationCode.as_str())
        .with("code", code.expose_secret())
        .with("redirect_uri", pending.redirect_uri)
        .with("code_verifier", pending.verifier.expose_secret());
    if let Some(resource) = pending.resource {
        form = form.with("resource", resource);
    }
    let request = token_request(endpoint, caller, form)?;
    let expected = ExpectedIdToken {
        issuer: pending.issuer,
        client_id: pending.client_id,
        nonce: pending.nonce,
        max_age: pending.max_age,
    };
    Ok((request, expected))
}

/// Judges the answer to [`code_request`].
///
/// # Errors
/// What [`token_response`] refuses.
pub fn code_response(response: &FetchResponse) -> Result<TokenResponse, TokenError> {
    token_response(response)
}

/// What the ID token of a sign-in must say.
pub struct ExpectedIdToken {
    /// The IdP.
    pub issuer: Issuer,
    /// This client.
    pub client_id: ClientId,
    /// The nonce sent; a refreshed ID token has none.
    pub nonce: Option<SecretString>,
    /// The freshness asked for.
    pub max_age: Option<u64>,
}

/// Checks an ID token (OpenID Connect Core, section 3.1.3.7; CL-SS-03).
///
/// # Errors
/// [`IdTokenError`].
pub fn check_id_token(
    id_token: &str,
    access_token: Option<&str>,
    keys: &KeySet,
    expected: &ExpectedIdToken,
    now: i64,
) -> Result<Verified<IdToken>, IdTokenError> {
    let unverified = Unverified::<IdToken>::parse(id_token)?;
    let verified = verify(
        &unverified,
        keys,
        &Expected {
            issuer: expected.issuer.as_str(),
            audience: Audience::Contains(expected.client_id.as_str()),
            now,
            leeway: crate::id_jag::LEEWAY,
            algorithms: ID_TOKEN_ALGORITHMS,
            max_lifetime: None,
        },
    )?;
    let several = verified.aud.as_slice().len() > 1;
    match &verified.azp {
        Some(azp) if azp == expected.client_id.as_str() => {}
        None if !several => {}
        _ => return Err(IdTokenError::AuthorizedParty),
    }
    if let Some(nonce) = &expected.nonce
        && verified.nonce.as_deref() != Some(nonce.expose_secret())
    {
        return Err(IdTokenError::Nonce);
    }
    if let (Some(hash), Some(access_token)) = (&verified.at_hash, access_token)
        && *hash != at_hash_under(unverified.algorithm(), access_token)
    {
        return Err(IdTokenError::AccessTokenHash);
    }
    if let Some(max_age) = expected.max_age {
        let oldest = now
            .saturating_sub(i64::try_from(max_age).unwrap_or(i64::MAX))
            .saturating_sub(crate::id_jag::LEEWAY);
        if verified.auth_time.is_none_or(|at| at.seconds() < oldest) {
            return Err(IdTokenError::TooOld);
        }
    }
    Ok(verified)
}

/// Why an ID token is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// Signature, issuer, audience, times or form.
    #[error("the ID token is not valid: {0}")]
    Verify(#[from] VerifyError),
    /// `azp` is another client, or missing beside several audiences.
    #[error("the ID token is for another client")]
    AuthorizedParty,
    /// Not the nonce sent.
    #[error("the ID token answers another sign-in")]
    Nonce,
    /// `at_hash` is not of the access token beside it.
    #[error("the ID token does not belong to the access token beside it")]
    AccessTokenHash,
    /// `auth_time` is missing or older than `max_age` allows.
    #[error("the sign-in is older than was asked for")]
    TooOld,
    /// It lacks what a sign-in needs.
    #[error(transparent)]
    Unreadable(#[from] UnreadableSession),
}

/// Why a sign-in did not come to a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// No S256 among the methods.
    #[error("the authorization server does not support PKCE with S256")]
    NoPkce,
    /// A needed endpoint is missing.
    #[error("the authorization server publishes no {0}")]
    NoEndpoint(&'static str),
    /// What came back is not a query string with each parameter once.
    #[error("the answer of the sign-in cannot be read")]
    Unreadable,
    /// `iss` is another server, or missing although advertised.
    #[error("the answer comes from another authorization server")]
    OtherIssuer,
    /// `state` is not the one sent.
    #[error("the answer belongs to another sign-in")]
    State,
    /// The server refused.
    #[error("{}", Words(code, description.as_deref()))]
    Refused {
        /// `error`.
        code: String,
        /// `error_description`.
        description: Option<String>,
    },
}

struct Words<'a>(&'a str, Option<&'a str>);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the sign-in was refused: {}", self.0)?;
        self.1.map_or(Ok(()), |text| write!(f, ": {text}"))
    }
}

#[cfg(test)]
#[path = "sign_in_tests.rs"]
mod tests;
