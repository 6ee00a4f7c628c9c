//! The authorization endpoint: what a client may ask of a person's browser (OpenID Connect Core, section 3.1.2).
//!
//! Owns the checks of the request, whether a sign-in is needed, and the code. Never shows a page and never signs in.

mod redirect;
mod request;

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_jose::random;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::oauth::error::ErrorCode;
use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret, SecretString};

pub use self::redirect::error_location;
pub use self::request::AuthorizeRequest;
use crate::agent::record::AgentStatus;
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::redirect::is_registered;
use crate::client::registration::{Client, Side};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{SessionId, UserId};
use crate::idp::settings::IdpSettings;
use crate::idp::{excerpt, session};
use crate::outcome::Outcome;
use crate::session::code::AuthorizationCode;
use crate::session::record::{Authentication, Session};
use crate::session::strength::Strength;
use crate::store::{StoreError, Tx};

/// A request whose client, redirect URI and parameters are right.
#[derive(Debug, Clone)]
pub struct ValidAuthorize {
    /// The client as it was read.
    pub client: Client,
    /// Where the answer goes, byte for byte as asked.
    pub redirect_uri: String,
    /// The scopes asked for that the client may have.
    pub scope: ScopeSet,
    /// Echoed in the answer.
    pub state: Option<String>,
    /// Echoed in the ID token.
    pub nonce: Option<String>,
    /// PKCE S256 challenge.
    pub code_challenge: String,
    /// `prompt=none`: no page may be shown.
    pub silent: bool,
    /// `prompt=login`: a sign-in from before the request is not enough.
    pub sign_in_again: bool,
    /// `prompt=select_account`: a session from before the request is not enough. How long ago the person proved who
    /// they are does not matter: whoever chose an account at a provider need not sign in to it again.
    pub choose_account: bool,
    /// The oldest acceptable sign-in, in seconds.
    pub max_age: Option<u64>,
    /// The authentication contexts asked for, in the order of preference; an identity provider is asked for them too.
    pub acr_values: Vec<String>,
    /// What to write into the user name field.
    pub login_hint: Option<String>,
    /// Preferred languages of pages.
    pub ui_locales: Option<String>,
    /// When the request was first made: a sign-in since then is always fresh. Set by [`check_client`] to now; who
    /// carries the request over a sign-in page may carry this with it, if nobody outside can change it.
    pub asked_at: Timestamp,
    /// How far the clock by which the person signed in may be from ours. Zero by [`check_client`]: a session is judged by
    /// our own clock, but for a sign-in that just came from an identity provider.
    pub leeway: Duration,
}

impl ValidAuthorize {
    /// The strength that is asked for: the least of those named, since any of them will do. `None` when none of the
    /// values is one of ours.
    pub fn strength(&self) -> Option<Strength> {
        self.acr_values.iter().filter_map(|acr| Strength::of_acr(acr)).min()
    }

    /// The strength that a sign-in lacks.
    fn lacks(&self, authentication: &Authentication) -> Option<Strength> {
        let named = |acr: &str| self.acr_values.iter().any(|value| value == acr);
        if named(authentication.acr_claim()) {
            return None;
        }
        self.strength().filter(|least| authentication.strength < *least)
    }
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorizeRefusal {
    /// Client or redirect URI are not right: an error page, never a redirect (IDP-AU-04).
    ShowPage(PageDenial),
    /// Anything else: the client is told, with `state` and `iss`.
    Redirect {
        /// The checked redirect URI.
        redirect_uri: String,
        /// As it was sent.
        state: Option<String>,
        /// The reason.
        denial: AuthorizeDenial,
    },
}

impl AuthorizeRefusal {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ShowPage(denial) => denial.code(),
            Self::Redirect { denial, .. } => denial.code(),
        }
    }
}

/// Why there is nowhere safe to redirect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageDenial {
    /// No `client_id`, or it was sent twice.
    #[error("the request names no client")]
    ClientMissing,
    /// Unknown or switched off; one answer for both (SEC-23).
    #[error("the client is not registered or switched off")]
    ClientUnknown,
    /// The agent that the client belongs to is staged, inactive or suspended: no browser is sent to it.
    #[error("the agent that the client belongs to is {}", .0.as_str())]
    AgentNotActive(AgentStatus),
    /// No `redirect_uri`, or it was sent twice.
    #[error("the request names no redirect URI")]
    RedirectMissing,
    /// Not exactly a registered one (IDP-AU-03).
    #[error("the redirect URI is not registered for the client")]
    RedirectMismatch,
}

impl PageDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClientMissing => "client_missing",
            Self::ClientUnknown => "unknown_client",
            Self::AgentNotActive(status) => status.refusal(),
            Self::RedirectMissing => "redirect_uri_missing",
            Self::RedirectMismatch => "redirect_uri_mismatch",
        }
    }
}

/// Why the client gets an error. The comment names the code on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthorizeDenial {
    /// `invalid_request`: a parameter twice.
    #[error("the parameter {0} was sent more than once")]
    Repeated(&'static str),
    /// `invalid_request`: missing or not understood.
    #[error("the parameter {0} is missing or malformed")]
    Malformed(&'static str),
    /// `request_not_supported`.
    #[error("request objects are not supported")]
    RequestObject,
    /// `request_uri_not_supported`.
    #[error("request_uri is not supported")]
    RequestUri,
    /// `unauthorized_client`.
    #[error("the client may not use the authorization code grant")]
    GrantNotAllowed,
    /// `unsupported_response_type` (IDP-AU-01).
    #[error("only response_type=code is supported")]
    ResponseType,
    /// `invalid_request`: no S256 challenge (IDP-AU-02).
    #[error("a PKCE challenge with S256 is required")]
    ChallengeMissing,
    /// `invalid_scope`.
    #[error("none of the requested scopes is available to the client")]
    Scope,
    /// `login_required` (IDP-AU-08).
    #[error("a sign-in is needed and no page may be shown")]
    LoginRequired,
    /// `unmet_authentication_requirements`: the person signed in and could not do so as strongly or as recently as was
    /// asked for (RFC 9470, section 5).
    #[error("the sign-in is weaker or older than was asked for")]
    Unmet,
    /// `access_denied`: the session or the client changed while the code was being made.
    #[error("the sign-in does not stand any more")]
    SessionGone,
}

impl AuthorizeDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Repeated(_) => "parameter_repeated",
            Self::Malformed(_) => "parameter_malformed",
            Self::RequestObject => "request_object",
            Self::RequestUri => "request_uri",
            Self::GrantNotAllowed => "grant_not_allowed",
            Self::ResponseType => "response_type",
            Self::ChallengeMissing => "challenge_missing",
            Self::Scope => "scope_not_available",
            Self::LoginRequired => "login_required",
            Self::Unmet => "authentication_unmet",
            Self::SessionGone => "session_ended",
        }
    }
}

/// What comes next for a valid request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizeStep {
    /// Show the sign-in page.
    SignIn(SignInReason),
    /// The session is enough: issue a code.
    Issue,
    /// Redirect with this error.
    Refuse(AuthorizeDenial),
}

/// Why a sign-in is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInReason {
    /// There is no live session.
    NoSession,
    /// The sign-in is older than `max_age`.
    TooOld,
    /// `prompt=login` or `prompt=select_account`.
    Asked,
    /// The sign-in is weaker than `acr_values` asks for: the page asks for a method that reaches this strength. One who
    /// then signs in more weakly gets no code, and the client hears [`AuthorizeDenial::Unmet`].
    TooWeak(Strength),
}

/// A code on its way to the client.
pub struct IssuedCode {
    /// The code.
    pub code: SecretString,
    /// Where to send the browser: the redirect URI with `code`, `state` and `iss`.
    pub location: SecretString,
}

/// Checks client, redirect URI and parameters. Appends no event: an anonymous request is recorded by the pipeline
/// with [`record_refusal`].
///
/// # Errors
/// [`StoreError`].
pub fn check_client(
    cx: &Cx,
    tx: &mut dyn Tx,
    request: &AuthorizeRequest,
) -> Result<Result<ValidAuthorize, AuthorizeRefusal>, StoreError> {
    let page = |denial| Ok(Err(AuthorizeRefusal::ShowPage(denial)));
    let Some(client_id) = request.client_id.as_deref() else {
        return page(PageDenial::ClientMissing);
    };
    let client = match ClientId::parse(client_id) {
        Ok(client_id) => tx.find_client(Side::Idp, &client_id)?.filter(|client| client.enabled),
        Err(_) => None,
    };
    let Some(client) = client else {
        return page(PageDenial::ClientUnknown);
    };
    if let Some(status) = client.agent.filter(|status| *status != AgentStatus::Active) {
        return page(PageDenial::AgentNotActive(status));
    }
    let Some(redirect_uri) = request.redirect_uri.clone() else {
        return page(PageDenial::RedirectMissing);
    };
    if !is_registered(&client, &redirect_uri) {
        return page(PageDenial::RedirectMismatch);
    }
    Ok(request
        .validate(client, &redirect_uri, cx.now)
        .map_err(|denial| AuthorizeRefusal::Redirect {
            redirect_uri,
            state: request.state.clone(),
            denial,
        }))
}

/// Whether a session is enough for the request.
pub fn decide(cx: &Cx, settings: &IdpSettings, valid: &ValidAuthorize, session: Option<&Session>) -> AuthorizeStep {
    let reason = match session {
        None => Some(SignInReason::NoSession),
        Some(session) => insufficiency(cx, settings, valid, session),
    };
    match reason {
        None => AuthorizeStep::Issue,
        Some(_) if valid.silent => AuthorizeStep::Refuse(AuthorizeDenial::LoginRequired),
        Some(reason) => AuthorizeStep::SignIn(reason),
    }
}

fn insufficiency(cx: &Cx, settings: &IdpSettings, valid: &ValidAuthorize, session: &Session) -> Option<SignInReason> {
    if !session::is_live(settings, session, cx.now) {
        return Some(SignInReason::NoSession);
    }
    let signed_in = session.authentication.auth_time;
    let since_asked = signed_in >= valid.asked_at;
    if valid.sign_in_again && !since_asked {
        return Some(SignInReason::Asked);
    }
    if valid.choose_account && session.created_at < valid.asked_at {
        return Some(SignInReason::Asked);
    }
    // As of the request: how long the person then takes at a provider makes no sign-in too old.
    let age = valid.asked_at.since(signed_in);
    let too_old = |max_age| age > Duration::from_secs(max_age).saturating_add(valid.leeway);
    if valid.max_age.is_some_and(too_old) && !since_asked {
        return Some(SignInReason::TooOld);
    }
    valid.lacks(&session.authentication).map(SignInReason::TooWeak)
}

/// Issues a code in a session, reading session, person and client again. A session that is not enough although the
/// person just signed in is answered with [`AuthorizeDenial::Unmet`].
///
/// # Errors
/// [`StoreError`].
pub fn issue_code(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    valid: &ValidAuthorize,
    session: &SessionId,
) -> Result<Outcome<IssuedCode, AuthorizeDenial>, StoreError> {
    let session = match usable_session(cx, tx, settings, valid, session)? {
        Ok(session) => session,
        Err((denial, user)) => {
            let mut event = NewEvent::denied("idp.code.denied", denial.code())
                .client(&valid.client.client_id)
                .target(excerpt(&valid.redirect_uri));
            if let Some(user) = &user {
                event = event.subject(user.as_str());
            }
            if denial == AuthorizeDenial::Unmet {
                event = event
                    .detail_if("acr_values", Some(excerpt(&valid.acr_values.join(" "))))
                    .detail_if("max_age", valid.max_age);
            }
            record(cx, tx, event)?;
            return Ok(Outcome::Denied(denial));
        }
    };
    let code = random::token(&*cx.random);
    tx.insert_code(&AuthorizationCode {
        hash: sha256(code.expose_secret().as_bytes()),
        client: valid.client.key.clone(),
        user: session.user.clone(),
        session: session.id.clone(),
        redirect_uri: valid.redirect_uri.clone(),
        scope: valid.scope.clone(),
        nonce: valid.nonce.clone(),
        code_challenge: valid.code_challenge.clone(),
        authentication: session.authentication.clone(),
        created_at: cx.now,
        expires_at: cx.now.plus(settings.code_ttl),
        used_at: None,
        family: None,
    })?;
    let event = NewEvent::granted("idp.code.issued")
        .actor(Actor::User(session.user.to_string()))
        .subject(session.user.as_str())
        .client(&valid.client.client_id)
        .target(excerpt(&valid.redirect_uri))
        .detail("scope", valid.scope.to_string())
        .detail("session", session.id.as_str());
    record(cx, tx, event)?;
    let location = redirect::code_location(settings, valid, &code);
    Ok(Outcome::Granted(IssuedCode { code, location }))
}

/// The session, or why there is no code in it, and whose it is.
type Usable = Result<Session, (AuthorizeDenial, Option<UserId>)>;

fn usable_session(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    valid: &ValidAuthorize,
    id: &SessionId,
) -> Result<Usable, StoreError> {
    const GONE: Usable = Err((AuthorizeDenial::SessionGone, None));
    let current = tx.find_client(Side::Idp, &valid.client.client_id)?;
    if current.is_none_or(|client| !client.may_act() || client.version != valid.client.version) {
        return Ok(GONE);
    }
    let Some(session) = tx.find_session(id)? else {
        return Ok(GONE);
    };
    let user = tx.find_user(&session.user)?;
    if !user.is_some_and(|user| session::may_use(&user, &session)) {
        return Ok(GONE);
    }
    Ok(match insufficiency(cx, settings, valid, &session) {
        None => Ok(session),
        Some(SignInReason::NoSession) => GONE,
        Some(SignInReason::TooOld | SignInReason::Asked | SignInReason::TooWeak(_)) => {
            Err((AuthorizeDenial::Unmet, Some(session.user)))
        }
    })
}

/// Records a refused request. Whether each one is worth an event is the pipeline's to decide.
///
/// # Errors
/// [`StoreError`].
pub fn record_refusal(
    cx: &Cx,
    tx: &mut dyn Tx,
    request: &AuthorizeRequest,
    refusal: &AuthorizeRefusal,
) -> Result<(), StoreError> {
    let mut event = NewEvent::denied("idp.code.denied", refusal.code());
    if let Some(client_id) = request.client_id.as_deref().and_then(|id| ClientId::parse(id).ok()) {
        event = event.client(&client_id);
    }
    if let Some(uri) = &request.redirect_uri {
        event = event.target(excerpt(uri));
    }
    record(cx, tx, event).map(|_| ())
}

/// The error of a valid request that ends without a code, as a location.
pub fn refuse(settings: &IdpSettings, valid: &ValidAuthorize, code: ErrorCode) -> String {
    error_location(settings, &valid.redirect_uri, valid.state.as_deref(), code, None)
}
