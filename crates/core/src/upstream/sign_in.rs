//! The end of a sign-in at an identity provider: the person, the session, and what the sign-in was for.
//!
//! Owns the unit that decides, with its audit event. Never verifies what the provider signed: the caller did.

use std::time::Duration;

use lanyard_protocol::form::Form;

use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::SessionId;
use crate::idp::authorize::{
    AuthorizeDenial, AuthorizeRefusal, AuthorizeRequest, IssuedCode, ValidAuthorize, check_client, issue_code,
};
use crate::idp::settings::IdpSettings;
use crate::idp::sign_in::{Admission, NewSession, admit};
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};
use crate::upstream::attempt::{Purpose, SignInAttempt, Taken};
use crate::upstream::connection::{Connection, Kind};
use crate::upstream::denial::{AttemptDenial, ResolveDenial};
use crate::upstream::oidc::Overage;
use crate::upstream::resolve::{Asserted, resolve};

/// What the browser brought along.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    /// The session it had, which the new one replaces.
    pub replaces: Option<SessionId>,
    /// The browser in words.
    pub agent: Option<String>,
}

/// A sign-in that ended well.
pub struct SignedIn {
    /// The session and its secret.
    pub session: NewSession,
    /// What comes next.
    pub next: Next,
}

/// What comes after a sign-in.
pub enum Next {
    /// The code of the client that asked, or why there is none; told to it by redirect.
    Client(Box<ValidAuthorize>, Outcome<IssuedCode, AuthorizeDenial>),
    /// A page of ours, below the issuer.
    Page(String),
}

/// Why a sign-in ended without a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInRefused {
    /// The person is not let in.
    Person(ResolveDenial),
    /// The client's request does not stand any more.
    Request(AuthorizeRefusal),
}

impl SignInRefused {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Person(denial) => denial.code(),
            Self::Request(refusal) => refusal.code(),
        }
    }
}

/// Signs the person in whom the provider of `taken` vouches for. Reads connection, client and person again.
///
/// # Errors
/// [`StoreError`].
pub fn complete(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    taken: &Taken,
    asserted: &Asserted,
    browser: Browser,
    leeway: Duration,
) -> Result<Outcome<SignedIn, SignInRefused>, StoreError> {
    let attempt = &taken.attempt;
    let valid = match attempt.purpose {
        Purpose::Client => match request(cx, tx, attempt, leeway)? {
            Ok(valid) => Some(valid),
            Err(refusal) => return refuse(cx, tx, &taken.connection, asserted, SignInRefused::Request(refusal)),
        },
        Purpose::Page => None,
        Purpose::Test => {
            return Err(StoreError::Corrupt("a dry sign-in was to begin a session".to_owned()));
        }
    };
    let user = match person(cx, tx, taken, asserted, leeway)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, &taken.connection, asserted, SignInRefused::Person(denial)),
    };
    let mut authentication = asserted.authentication(&taken.connection, cx.now);
    if attempt.max_age == Some(0) {
        // It was found fresh give or take the clocks; by ours it happened after it was asked for.
        authentication.auth_time = authentication.auth_time.max(attempt.asked_at);
    }
    let how = Admission {
        authentication,
        connection: Some(taken.connection.id.clone()),
        upstream_session: asserted.session.clone(),
        ends_by: asserted.ends_by,
        agent: browser.agent,
    };
    let session = admit(cx, tx, settings, user, how, browser.replaces.as_ref())?;
    let next = match valid {
        Some(valid) => {
            let code = issue_code(cx, tx, settings, &valid, &session.session.id)?;
            Next::Client(Box::new(valid), code)
        }
        None => Next::Page(attempt.request.clone()),
    };
    Ok(Outcome::Granted(SignedIn { session, next }))
}

fn request(
    cx: &Cx,
    tx: &mut dyn Tx,
    attempt: &SignInAttempt,
    leeway: Duration,
) -> Result<Result<ValidAuthorize, AuthorizeRefusal>, StoreError> {
    // It was a form when it was written down.
    let form = Form::parse(attempt.request.as_bytes()).unwrap_or_default();
    let checked = check_client(cx, tx, &AuthorizeRequest::parse(&form))?;
    Ok(checked.map(|valid| ValidAuthorize {
        asked_at: attempt.asked_at,
        // The same as of `Asserted::is_fresh`; providers count in whole seconds.
        leeway: leeway.saturating_add(Duration::from_secs(1)),
        ..valid
    }))
}

fn person(
    cx: &Cx,
    tx: &mut dyn Tx,
    taken: &Taken,
    asserted: &Asserted,
    leeway: Duration,
) -> Result<Result<User, ResolveDenial>, StoreError> {
    let current = tx.find_connection(&taken.connection.id)?;
    let Some(current) = current.filter(|current| current.enabled && current.version == taken.connection.version) else {
        return Ok(Err(ResolveDenial::ConnectionChanged));
    };
    if asserted.is_ahead(cx.now, leeway) {
        return Ok(Err(ResolveDenial::AuthTimeAhead));
    }
    if let Some(max_age) = taken.attempt.max_age
        && !asserted.is_fresh(taken.attempt.asked_at, max_age, leeway)
    {
        return Ok(Err(ResolveDenial::NotFresh));
    }
    if asserted.groups_missing
        && current.mapping.groups.is_some()
        && matches!(&current.kind, Kind::Oidc(settings) if settings.groups_overage == Overage::Refuse)
    {
        return Ok(Err(ResolveDenial::GroupsOverage));
    }
    resolve(cx, tx, &current, asserted)
}

fn refuse(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    asserted: &Asserted,
    refused: SignInRefused,
) -> Result<Outcome<SignedIn, SignInRefused>, StoreError> {
    let why = match &refused {
        SignInRefused::Person(denial) => Some(denial.to_string()),
        SignInRefused::Request(_) => None,
    };
    let event = NewEvent::denied("idp.sign_in.failed", refused.code())
        .detail("connection", connection.name.as_str())
        .detail(
            "upstream_subject",
            asserted.subject.chars().take(256).collect::<String>(),
        )
        .detail_if("why", why);
    record(cx, tx, event)?;
    Ok(Outcome::Denied(refused))
}

/// Records an answer of a provider that did not get as far as a person. `check` is the exact check that failed.
///
/// # Errors
/// [`StoreError`].
pub fn record_failure(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &str,
    check: &'static str,
    why: &str,
) -> Result<(), StoreError> {
    refused(cx, tx, "idp.sign_in.failed", connection, (check, why))
}

/// What came from a provider, or from somebody who says to be one, and was not accepted.
pub(super) fn refused(
    cx: &Cx,
    tx: &mut dyn Tx,
    kind: &'static str,
    connection: &str,
    (check, why): (&'static str, &str),
) -> Result<(), StoreError> {
    let event = NewEvent::denied(kind, check)
        .detail("connection", connection.chars().take(64).collect::<String>())
        .detail("why", why.chars().take(256).collect::<String>());
    record(cx, tx, event).map(|_| ())
}

/// Records an answer that belongs to no sign-in of its browser.
///
/// # Errors
/// [`StoreError`].
pub fn record_stray(cx: &Cx, tx: &mut dyn Tx, connection: &str, denial: AttemptDenial) -> Result<(), StoreError> {
    record_failure(cx, tx, connection, denial.code(), &denial.to_string())
}
