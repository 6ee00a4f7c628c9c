//! The parameters of each grant, read from a form once (RFC 6749, section 4; RFC 8693, section 2.1; RFC 7523, section 2.1).
//!
//! Owns presence, repetition and syntax. Never verifies a token and never knows a client.

use crate::form::{Form, FormError};
use crate::oauth::token_type::TokenTypeUri;
use crate::resource::ResourceId;
use crate::scope::ScopeSet;

/// The longest token, assertion or code that is read, in bytes (SEC-22).
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// `grant_type=authorization_code` (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
pub struct AuthorizationCodeRequest {
    /// The code, as sent.
    pub code: String,
    /// Must equal the one of the authorization request.
    pub redirect_uri: Option<String>,
    /// PKCE verifier.
    pub code_verifier: Option<String>,
}

/// `grant_type=refresh_token` (RFC 6749, section 6).
pub struct RefreshTokenRequest {
    /// The refresh token, as sent.
    pub refresh_token: String,
    /// A subset of the granted scope.
    pub scope: Option<ScopeSet>,
}

/// The longest SAML assertion in a request, in bytes: assertions carry groups and a signature, and the form is the limit.
pub const MAX_ASSERTION_BYTES: usize = 60 * 1024;

/// `grant_type=…token-exchange` for an ID-JAG (ID-JAG draft, section 4.3), or for a refresh token (section 4.5).
pub struct TokenExchangeRequest {
    /// What is asked for: an ID-JAG (IDP-TX-01), or a refresh token for an assertion (SAML-01).
    pub requested_token_type: TokenTypeUri,
    /// The issuer identifier of the RAS, exactly one (IDP-TX-03). May be empty when a refresh token is asked for.
    pub audience: String,
    /// Resource identifiers (IDP-TX-05).
    pub resources: Vec<ResourceId>,
    /// Scopes asked for; `None` when the parameter was absent.
    pub scope: Option<ScopeSet>,
    /// The subject token, as sent.
    pub subject_token: String,
    /// Its type (IDP-TX-08).
    pub subject_token_type: TokenTypeUri,
}

/// `grant_type=…jwt-bearer` (RFC 7523, section 2.1; ID-JAG draft, section 4.4).
pub struct JwtBearerRequest {
    /// The assertion, as sent.
    pub assertion: String,
    /// Scopes asked for; `None` when the parameter was absent.
    pub scope: Option<ScopeSet>,
    /// Resource identifiers, which may only narrow (RAS-JB-16).
    pub resources: Vec<ResourceId>,
}

impl AuthorizationCodeRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(form: &Form) -> Result<Self, RequestError> {
        Ok(Self {
            code: token(form, "code")?,
            redirect_uri: form.once("redirect_uri")?.map(str::to_owned),
            code_verifier: form.once("code_verifier")?.map(str::to_owned),
        })
    }
}

impl RefreshTokenRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(form: &Form) -> Result<Self, RequestError> {
        Ok(Self {
            refresh_token: token(form, "refresh_token")?,
            scope: scope(form)?,
        })
    }
}

impl TokenExchangeRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(form: &Form) -> Result<Self, RequestError> {
        let requested = form
            .once("requested_token_type")?
            .ok_or(RequestError::Missing("requested_token_type"))?;
        let requested_token_type =
            TokenTypeUri::parse(requested).ok_or(RequestError::Unsupported("requested_token_type"))?;
        let audience = match form.all("audience")[..] {
            [audience] => audience.to_owned(),
            // A refresh token is for nobody but ourselves (ID-JAG draft, section 4.5).
            [] if requested_token_type == TokenTypeUri::RefreshToken => String::new(),
            _ => return Err(RequestError::OneAudience),
        };
        let subject = form
            .once("subject_token_type")?
            .ok_or(RequestError::Missing("subject_token_type"))?;
        let subject_token_type = TokenTypeUri::parse(subject).ok_or(RequestError::Unsupported("subject_token_type"))?;
        match subject_token_type {
            TokenTypeUri::IdToken | TokenTypeUri::RefreshToken | TokenTypeUri::Saml2 => {}
            TokenTypeUri::IdJag | TokenTypeUri::AccessToken | TokenTypeUri::Jwt => {
                return Err(RequestError::Unsupported("subject_token_type"));
            }
        }
        // A pair or neither; a supplied actor is ignored for authority (IDP-TX-15).
        if form.once("actor_token")?.is_some() != form.once("actor_token_type")?.is_some() {
            return Err(RequestError::Missing("actor_token and actor_token_type together"));
        }
        if form.has("authorization_details") {
            return Err(RequestError::AuthorizationDetails);
        }
        Ok(Self {
            requested_token_type,
            audience,
            resources: resources(form)?,
            scope: scope(form)?,
            subject_token: match subject_token_type {
                TokenTypeUri::Saml2 => bounded(form, "subject_token", MAX_ASSERTION_BYTES)?,
                _ => token(form, "subject_token")?,
            },
            subject_token_type,
        })
    }
}

impl JwtBearerRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn parse(form: &Form) -> Result<Self, RequestError> {
        if form.has("authorization_details") {
            return Err(RequestError::AuthorizationDetails);
        }
        Ok(Self {
            assertion: token(form, "assertion")?,
            scope: scope(form)?,
            resources: resources(form)?,
        })
    }
}

fn token(form: &Form, name: &'static str) -> Result<String, RequestError> {
    bounded(form, name, MAX_TOKEN_BYTES)
}

fn bounded(form: &Form, name: &'static str, most: usize) -> Result<String, RequestError> {
    let value = form.once(name)?.ok_or(RequestError::Missing(name))?;
    if value.len() > most {
        return Err(RequestError::TooLong(name));
    }
    Ok(value.to_owned())
}

fn scope(form: &Form) -> Result<Option<ScopeSet>, RequestError> {
    let Some(value) = form.once("scope")? else {
        return Ok(None);
    };
    ScopeSet::parse(value).map(Some).map_err(|_| RequestError::Scope)
}

fn resources(form: &Form) -> Result<Vec<ResourceId>, RequestError> {
    form.all("resource")
        .into_iter()
        .map(|value| ResourceId::parse(value).map_err(|_| RequestError::Resource))
        .collect()
}

/// Why a request was not read. Each maps to one OAuth code (requirements, section 16, rows 1, 6, 8 and 10).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The form itself.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A required parameter is absent or empty.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A value that is not supported here.
    #[error("the value of {0} is not supported")]
    Unsupported(&'static str),
    /// A token over [`MAX_TOKEN_BYTES`], or an assertion over [`MAX_ASSERTION_BYTES`].
    #[error("the parameter {0} is too long")]
    TooLong(&'static str),
    /// Not exactly one audience (IDP-TX-03).
    #[error("exactly one audience is required")]
    OneAudience,
    /// A malformed scope (row 8).
    #[error("the scope is malformed")]
    Scope,
    /// A malformed resource (row 6).
    #[error("the resource is not an absolute URI without a fragment")]
    Resource,
    /// Rich authorization requests are not supported yet (row 10): refused, never dropped.
    #[error("authorization_details is not supported")]
    AuthorizationDetails,
}
