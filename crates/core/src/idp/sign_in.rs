//! Signing a person in: with user name and password, and the session that begins after any method.
//!
//! Owns the decision and the new session. Never hashes: the password is checked between [`lookup`] and [`complete`],
//! outside of any unit, and the number of attempts is limited by the server.

use lanyard_jose::digest::sha256;
use lanyard_jose::random;
use secrecy::{ExposeSecret, SecretString};

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::factor::{self, Factors};
use crate::directory::user::User;
use crate::id::{ConnectionId, SessionId, UserId};
use crate::idp::backchannel;
use crate::idp::second_factor::{self, Browser, Waiting};
use crate::idp::settings::IdpSettings;
use crate::outcome::Outcome;
use crate::session::password::DUMMY_HASH;
use crate::session::record::{Authentication, Session};
use crate::session::strength::Strength;
use crate::store::{StoreError, Tx};

/// The longest user name that is looked up, in characters.
const MAX_USERNAME: usize = 256;

/// What the typed password is to be checked against. Always has a hash, also for a name that does not exist.
pub struct Candidate {
    user: Option<UserId>,
    password_hash: Option<String>,
}

impl Candidate {
    /// The hash to check, in PHC form (`session::password::verify`). The outcome for a person who does not exist is
    /// of no consequence.
    pub fn hash(&self) -> &str {
        self.password_hash.as_deref().unwrap_or(DUMMY_HASH)
    }

    /// The person, if there is one: for limits per person. Never shown.
    pub const fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }
}

/// A session that began, and what its cookie holds.
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// The cookie's secret; only its hash is stored.
    pub secret: SecretString,
    /// Who signed in.
    pub user: User,
}

/// A sign-in whose password was right.
pub enum Passed {
    /// A session began.
    Admitted(Box<NewSession>),
    /// It waits for its second half (`idp/second_factor.rs`).
    Waiting(Box<Waiting>),
}

/// Why a sign-in failed. The page says the same for each (SEC-23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInDenial {
    /// Nobody has that user name.
    #[error("there is no such user name")]
    UnknownUser,
    /// The person has no password.
    #[error("the person has no password")]
    NoPassword,
    /// Another password.
    #[error("the password is wrong")]
    WrongPassword,
    /// The password was changed while this one was being checked.
    #[error("the password was changed meanwhile")]
    PasswordChanged,
    /// The person is deactivated.
    #[error("the person is deactivated")]
    UserDeactivated,
    /// A password alone is not enough, and nobody could be asked for more.
    #[error("the person has, or must have, a second factor")]
    SecondFactorNeeded,
}

impl SignInDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::NoPassword => "no_password",
            Self::WrongPassword => "wrong_password",
            Self::PasswordChanged => "password_changed",
            Self::UserDeactivated => "user_deactivated",
            Self::SecondFactorNeeded => "second_factor_needed",
        }
    }
}

/// Finds what a typed password is to be checked against.
///
/// # Errors
/// [`StoreError`].
pub fn lookup(tx: &mut dyn Tx, username: &str) -> Result<Candidate, StoreError> {
    let nobody = Candidate {
        user: None,
        password_hash: None,
    };
    let username = folded(username);
    if username.is_empty() || username.chars().count() > MAX_USERNAME {
        return Ok(nobody);
    }
    let Some(user) = tx.find_user_by_username(&username)? else {
        return Ok(nobody);
    };
    let credential = tx.find_credential(&user.id)?;
    Ok(Candidate {
        user: Some(user.id),
        password_hash: credential.map(|credential| credential.password_hash),
    })
}

/// A typed user name as it is looked up and counted: capitals and blanks around it do not matter.
pub fn folded(username: &str) -> String {
    username.trim().to_lowercase()
}

/// Decides a sign-in whose password was checked: begins the session, or lets it wait for a second factor that the
/// person has, must have, or lacks for the strength that whoever sent them asked for. The last is set up now: without it
/// the sign-in would be of no use (SU-03).
///
/// # Errors
/// [`StoreError`].
pub fn proceed(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    (candidate, password_fits): (&Candidate, bool),
    browser: &Browser,
    asked: Option<Strength>,
    replaces: Option<&SessionId>,
) -> Result<Outcome<Passed, SignInDenial>, StoreError> {
    let user = match check(tx, candidate, password_fits)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, candidate, denial).map(Outcome::Denied),
    };
    let factors = Factors::of(tx, &user.id)?;
    let lacking = asked.is_some_and(|least| least > Strength::Password);
    if factors.has_second() || lacking || factor::is_required(tx, &settings.people, &user.id)? {
        let waiting = second_factor::begin(cx, tx, browser, user, factors)?;
        return Ok(Outcome::Granted(Passed::Waiting(Box::new(waiting))));
    }
    let mut how = Admission::local(cx, Strength::Password, &["pwd"]);
    how.agent.clone_from(&browser.agent);
    let new = admit(cx, tx, settings, user, how, replaces)?;
    Ok(Outcome::Granted(Passed::Admitted(Box::new(new))))
}

/// Decides a sign-in by password alone, where nobody can be asked for more. Whoever has a second factor, or must have
/// one, does not get in here.
///
/// # Errors
/// [`StoreError`].
pub fn complete(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    candidate: &Candidate,
    password_fits: bool,
    replaces: Option<&SessionId>,
) -> Result<Outcome<NewSession, SignInDenial>, StoreError> {
    let user = match check(tx, candidate, password_fits)? {
        Ok(user) => user,
        Err(denial) => return refuse(cx, tx, candidate, denial).map(Outcome::Denied),
    };
    if Factors::of(tx, &user.id)?.has_second() || factor::is_required(tx, &settings.people, &user.id)? {
        return refuse(cx, tx, candidate, SignInDenial::SecondFactorNeeded).map(Outcome::Denied);
    }
    let how = Admission::local(cx, Strength::Password, &["pwd"]);
    admit(cx, tx, settings, user, how, replaces).map(Outcome::Granted)
}

fn refuse(cx: &Cx, tx: &mut dyn Tx, candidate: &Candidate, denial: SignInDenial) -> Result<SignInDenial, StoreError> {
    // The typed name is not written: people type their password there by mistake (SEC-10).
    let mut event = NewEvent::denied("idp.sign_in.failed", denial.code());
    if let Some(user) = &candidate.user {
        event = event.subject(user.as_str());
    }
    record(cx, tx, event)?;
    Ok(denial)
}

fn check(
    tx: &mut dyn Tx,
    candidate: &Candidate,
    password_fits: bool,
) -> Result<Result<User, SignInDenial>, StoreError> {
    let Some(id) = &candidate.user else {
        return Ok(Err(SignInDenial::UnknownUser));
    };
    let Some(user) = tx.find_user(id)? else {
        return Ok(Err(SignInDenial::UnknownUser));
    };
    let Some(checked) = &candidate.password_hash else {
        return Ok(Err(SignInDenial::NoPassword));
    };
    if !password_fits {
        return Ok(Err(SignInDenial::WrongPassword));
    }
    // What was checked must still be what is stored.
    if tx
        .find_credential(id)?
        .is_none_or(|current| current.password_hash != *checked)
    {
        return Ok(Err(SignInDenial::PasswordChanged));
    }
    Ok(if user.is_active() {
        Ok(user)
    } else {
        Err(SignInDenial::UserDeactivated)
    })
}

/// How a person was authenticated: what a session begins with, whatever the method was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The sign-in itself.
    pub authentication: Authentication,
    /// The identity provider that authenticated the person; `None` for the built-in directory.
    pub connection: Option<ConnectionId>,
    /// What that identity provider calls its session.
    pub upstream_session: Option<String>,
    /// An end that the identity provider set (`SessionNotOnOrAfter`, `session_expiry`); it can only shorten.
    pub ends_by: Option<Timestamp>,
    /// The browser in words.
    pub agent: Option<String>,
}

impl Admission {
    /// A sign-in against the built-in directory at this instant, by these methods (RFC 8176).
    pub fn local(cx: &Cx, strength: Strength, amr: &[&str]) -> Self {
        Self {
            authentication: Authentication {
                auth_time: cx.now,
                acr: strength.acr().to_owned(),
                amr: amr.iter().map(|method| (*method).to_owned()).collect(),
                strength,
            },
            connection: None,
            upstream_session: None,
            ends_by: None,
            agent: None,
        }
    }
}

/// Begins the session of a person who is known to be active and authenticated, and records the sign-in: the one place
/// where a session begins. A session that the browser already had is ended: its identifier is never carried over a
/// sign-in (SEC-16).
///
/// # Errors
/// [`StoreError`].
pub fn admit(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    user: User,
    how: Admission,
    replaces: Option<&SessionId>,
) -> Result<NewSession, StoreError> {
    if let Some(old) = replaces
        && tx.end_session(old, cx.now, false)?
    {
        // Who signs in again stays signed in with their programs; somebody else takes their place otherwise.
        if tx.find_session(old)?.is_some_and(|old| old.user != user.id) {
            backchannel::announce(cx, tx, old)?;
        }
        tx.end_families_of_session(old, false, cx.now)?;
    }
    let secret = random::token(&*cx.random);
    let absolute = cx.now.plus(settings.session_absolute);
    let session = Session {
        id: cx.new_id(),
        user: user.id.clone(),
        secret_hash: sha256(secret.expose_secret().as_bytes()),
        authentication: how.authentication,
        connection: how.connection,
        upstream_session: how.upstream_session,
        agent: how.agent,
        peer: cx.peer.map(|peer| peer.to_string()),
        created_at: cx.now,
        last_used_at: cx.now,
        expires_at: how.ends_by.map_or(absolute, |end| end.min(absolute)),
        ended_at: None,
        ended_by_admin: false,
    };
    tx.insert_session(&session)?;
    let event = NewEvent::granted("idp.sign_in.succeeded")
        .actor(Actor::User(user.id.to_string()))
        .subject(user.id.as_str())
        .detail("acr", session.authentication.acr.as_str())
        .detail("amr", session.authentication.amr.join(" "))
        .detail("session", session.id.as_str())
        .detail("username", user.username.as_str())
        .detail_if("connection", session.connection.as_ref().map(ConnectionId::as_str));
    record(cx, tx, event)?;
    Ok(NewSession { session, secret, user })
}
