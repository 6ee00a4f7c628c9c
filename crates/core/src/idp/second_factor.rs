//! The second half of a sign-in with a password: a code from an app, a recovery code, or a passkey.
//!
//! Owns waiting sign-ins, how often one may guess, and the decision. Never verifies a signature: a passkey was
//! verified outside of the unit. Whether a person has a second factor is told to nobody before the password was right.
//!
//! Guesses are counted per person, since whoever gets here knows the password; a browser in which the person signed in
//! before counts for itself, so that nobody who guesses elsewhere keeps the person out.

use std::time::Duration;

use lanyard_jose::digest::{constant_time_eq, sha256};
use lanyard_jose::random;
use secrecy::{ExposeSecret, SecretString};

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::factor::{Factors, Passkey, recovery};
use crate::directory::user::User;
use crate::id::{SessionId, UserId};
use crate::idp::settings::IdpSettings;
use crate::idp::sign_in::{Admission, NewSession, admit};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::session::strength::Strength;
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};

/// How long a sign-in waits for its second half.
pub const STEP_TTL: Duration = Duration::from_secs(600);
/// Wrong answers to one waiting sign-in; then the password is asked for again.
const ATTEMPTS: i64 = 5;
/// Wrong answers to a person that cost nothing but a new try.
const FREE_FAILURES: i64 = 5;
/// The first wait; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(30);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// After so long without a failure they are forgotten.
const FORGET_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long the step of a used code is remembered: longer than it would be accepted.
const CODE_KEPT: Duration = Duration::from_secs(300);

/// A sign-in whose password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// SHA-256 of the secret in the page's form.
    pub hash: [u8; 32],
    /// SHA-256 of what binds forms to this browser.
    pub browser: [u8; 32],
    /// Whose.
    pub user: UserId,
    /// Whether the person must set a second factor up first.
    pub enrols: bool,
    /// Wrong answers so far.
    pub attempts: i64,
    /// When the password was right.
    pub created_at: Timestamp,
    /// Until when it waits.
    pub expires_at: Timestamp,
}

/// Wrong answers of late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: i64,
    /// Until when nothing is heard.
    pub wait_until: Timestamp,
    /// When they are forgotten.
    pub keep_until: Timestamp,
}

/// The browser of a sign-in.
#[derive(Clone)]
pub struct Browser {
    /// What binds forms to it: a cookie that scripts cannot read.
    pub bound: SecretString,
    /// What it is known by, when the person signed in with it before (`idp/known_browser.rs`).
    pub known: Option<String>,
    /// In words, for the list of sessions.
    pub agent: Option<String>,
}

impl Browser {
    fn hash(&self) -> [u8; 32] {
        sha256(self.bound.expose_secret().as_bytes())
    }

    /// Under which failures are counted: each known browser for itself, all others together.
    fn counted(&self) -> &str {
        self.known.as_deref().unwrap_or_default()
    }
}

/// A sign-in that waits, as its page needs it.
pub struct Waiting {
    /// Goes into the page's form; only its hash is stored.
    pub secret: SecretString,
    /// Who.
    pub user: User,
    /// What can be answered with.
    pub factors: Factors,
    /// Whether the person must set a second factor up first.
    pub enrols: bool,
}

/// Why a second half was refused. Who reads this knew the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepDenial {
    /// It waited too long, was used, is another browser's, or never was.
    #[error("the sign-in does not wait any more")]
    Unknown,
    /// The person was deactivated or cut off meanwhile.
    #[error("the person may not sign in any more")]
    UserInactive,
    /// Too many wrong answers of late.
    #[error("too many wrong codes; heard again in {0} seconds")]
    TooMany(u64),
    /// The code is not the one of the app, and no unused recovery code.
    #[error("the code is wrong")]
    WrongCode,
    /// The code was used before.
    #[error("the code was used before")]
    CodeReplayed,
    /// The challenge was answered before.
    #[error("the challenge was answered before")]
    ChallengeReplayed,
    /// The passkey is another person's, or is gone.
    #[error("the passkey does not belong to the person")]
    OtherPasskey,
    /// The passkey was used meanwhile.
    #[error("the passkey was used meanwhile")]
    PasskeyMoved,
    /// A second factor must be set up first, and this person has one; or the other way round.
    #[error("another step is due")]
    OtherStep,
}

impl StepDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "step_unknown",
            Self::UserInactive => "user_inactive",
            Self::TooMany(_) => "too_many_codes",
            Self::WrongCode => "code_wrong",
            Self::CodeReplayed => "code_replayed",
            Self::ChallengeReplayed => "challenge_replayed",
            Self::OtherPasskey => "passkey_unknown",
            Self::PasskeyMoved => "passkey_moved",
            Self::OtherStep => "other_step",
        }
    }
}

/// Checks a code against a secret at a time: the matching step (`federation::totp::check`).
pub type CheckCode = fn(&[u8], &str, i64) -> Option<u64>;

/// A passkey whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedPasskey {
    /// As it was when it was verified.
    pub passkey: Passkey,
    /// Its record now.
    pub record: String,
    /// What was signed: taken once.
    pub challenge: [u8; 32],
    /// When the challenge is over.
    pub challenge_ends_at: Timestamp,
}

/// Lets a sign-in whose password was right wait for its second half.
///
/// # Errors
/// [`StoreError`].
pub(super) fn begin(
    cx: &Cx,
    tx: &mut dyn Tx,
    browser: &Browser,
    user: User,
    factors: Factors,
) -> Result<Waiting, StoreError> {
    let secret = random::token(&*cx.random);
    let enrols = !factors.has_second();
    tx.insert_step(&Step {
        hash: sha256(secret.expose_secret().as_bytes()),
        browser: browser.hash(),
        user: user.id.clone(),
        enrols,
        attempts: 0,
        created_at: cx.now,
        expires_at: cx.now.plus(STEP_TTL),
    })?;
    let event = NewEvent::granted("idp.sign_in.continued")
        .subject(user.id.as_str())
        .detail("next", if enrols { "enrolment" } else { "second_factor" });
    record(cx, tx, event)?;
    Ok(Waiting {
        secret,
        user,
        factors,
        enrols,
    })
}

/// The sign-in that waits behind a form's secret in this browser.
///
/// # Errors
/// [`StoreError`].
pub fn find(
    cx: &Cx,
    tx: &mut dyn Tx,
    browser: &Browser,
    secret: &SecretString,
) -> Result<Outcome<Waiting, StepDenial>, StoreError> {
    let (_, user) = match open(cx, tx, browser, secret)? {
        Ok(open) => open,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let factors = Factors::of(tx, &user.id)?;
    Ok(Outcome::Granted(Waiting {
        secret: secret.clone(),
        enrols: !factors.has_second(),
        user,
        factors,
    }))
}

/// Decides a typed code, and begins the session.
///
/// # Errors
/// [`StoreError`].
#[expect(clippy::too_many_arguments, reason = "the parts of one decision")]
pub fn complete_with_code(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    vault: &Vault,
    browser: &Browser,
    secret: &SecretString,
    typed: &str,
    check: CheckCode,
    replaces: Option<&SessionId>,
) -> Result<Outcome<NewSession, StepDenial>, StoreError> {
    let (step, user) = match open(cx, tx, browser, secret)? {
        Ok(open) => open,
        Err(denial) => return refuse(cx, tx, None, denial).map(Outcome::Denied),
    };
    if let Some(denial) = decide_code(cx, tx, vault, browser, &user, typed, check)? {
        return count_failure(cx, tx, browser, &step, denial).map(Outcome::Denied);
    }
    let how = (Strength::MultiFactor, ["pwd", "otp", "mfa"].as_slice());
    end(cx, tx, settings, browser, &step, user, how, replaces)
}

/// Decides an answer with a verified passkey, and begins the session.
///
/// # Errors
/// [`StoreError`].
pub fn complete_with_passkey(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    browser: &Browser,
    secret: &SecretString,
    verified: &VerifiedPasskey,
    replaces: Option<&SessionId>,
) -> Result<Outcome<NewSession, StepDenial>, StoreError> {
    let (step, user) = match open(cx, tx, browser, secret)? {
        Ok(open) => open,
        Err(denial) => return refuse(cx, tx, None, denial).map(Outcome::Denied),
    };
    let denial = if verified.passkey.user == user.id {
        take_passkey(cx, tx, verified)?
    } else {
        Some(StepDenial::OtherPasskey)
    };
    if let Some(denial) = denial {
        return count_failure(cx, tx, browser, &step, denial).map(Outcome::Denied);
    }
    let how = (Strength::PhishingResistant, ["pwd", "hwk", "user", "mfa"].as_slice());
    end(cx, tx, settings, browser, &step, user, how, replaces)
}

/// Ends a sign-in during which the person set up a second factor just now, and begins the session.
///
/// # Errors
/// [`StoreError`].
pub fn complete_enrolment(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    browser: &Browser,
    secret: &SecretString,
    how: (Strength, &[&str]),
    replaces: Option<&SessionId>,
) -> Result<Outcome<NewSession, StepDenial>, StoreError> {
    match open(cx, tx, browser, secret)? {
        Ok((step, user)) if step.enrols => end(cx, tx, settings, browser, &step, user, how, replaces),
        Ok(_) => refuse(cx, tx, None, StepDenial::OtherStep).map(Outcome::Denied),
        Err(denial) => refuse(cx, tx, None, denial).map(Outcome::Denied),
    }
}

/// Decides a sign-in with a verified passkey alone: it proves a device and its owner, and a false site cannot use it.
///
/// # Errors
/// [`StoreError`].
pub fn sign_in_with_passkey(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    browser: &Browser,
    verified: &VerifiedPasskey,
    replaces: Option<&SessionId>,
) -> Result<Outcome<NewSession, StepDenial>, StoreError> {
    let id = verified.passkey.user.clone();
    let denial = match tx.find_user(&id)?.filter(User::is_active) {
        None => StepDenial::UserInactive,
        Some(user) => match take_passkey(cx, tx, verified)? {
            Some(denial) => denial,
            None => {
                let mut how = Admission::local(cx, Strength::PhishingResistant, &["hwk", "user", "mfa"]);
                how.agent.clone_from(&browser.agent);
                return admit(cx, tx, settings, user, how, replaces).map(Outcome::Granted);
            }
        },
    };
    refuse(cx, tx, Some(&id), denial).map(Outcome::Denied)
}

/// Records that an answer with a passkey was refused before any unit, with the verifier's reason.
///
/// # Errors
/// [`StoreError`].
pub fn record_unverified(
    cx: &Cx,
    tx: &mut dyn Tx,
    passkey: Option<&Passkey>,
    reason: &'static str,
) -> Result<(), StoreError> {
    let mut event = NewEvent::denied("idp.sign_in.failed", reason);
    if let Some(passkey) = passkey {
        event = event.subject(passkey.user.as_str()).target(passkey.id.as_str());
    }
    record(cx, tx, event).map(|_| ())
}

/// Takes the challenge and moves the passkey's record, or says why not.
pub(crate) fn take_passkey(
    cx: &Cx,
    tx: &mut dyn Tx,
    verified: &VerifiedPasskey,
) -> Result<Option<StepDenial>, StoreError> {
    if !take_challenge(tx, &verified.challenge, verified.challenge_ends_at)? {
        return Ok(Some(StepDenial::ChallengeReplayed));
    }
    let passkey = &verified.passkey;
    let moved = tx.use_passkey(&passkey.id, &passkey.record, &verified.record, cx.now)?;
    Ok((!moved).then_some(StepDenial::PasskeyMoved))
}

/// Takes a challenge; `false` when it was taken before.
///
/// # Errors
/// [`StoreError`].
pub fn take_challenge(tx: &mut dyn Tx, challenge: &[u8; 32], ends_at: Timestamp) -> Result<bool, StoreError> {
    let jti = lanyard_jose::digest::base64url(challenge);
    let keep_until = ends_at.plus(Duration::from_secs(60));
    tx.record_use("idp", ReplayKind::PasskeyChallenge, "self", &jti, keep_until)
}

/// Why a code is not accepted; a right one is used up.
pub(super) fn decide_code(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    browser: &Browser,
    user: &User,
    typed: &str,
    check: CheckCode,
) -> Result<Option<StepDenial>, StoreError> {
    if let Some(seconds) = wait(cx, tx, browser, user)? {
        return Ok(Some(StepDenial::TooMany(seconds)));
    }
    let secret = match tx.find_app_secret(&user.id)? {
        Some(secret) if secret.confirmed_at.is_some() => Some(vault.open_app_secret(&user.id, &secret.sealed)?),
        _ => None,
    };
    let step = secret.and_then(|secret| check(&secret, typed, cx.now.seconds()));
    if let Some(step) = step {
        let unused = take_code(cx, tx, user, step)?;
        return Ok((!unused).then_some(StepDenial::CodeReplayed));
    }
    if recovery::use_up(cx, tx, vault, &user.id, typed)? {
        let left = tx.count_recovery_codes(&user.id)?;
        let event = NewEvent::granted("directory.recovery_code.used")
            .actor(Actor::User(user.id.to_string()))
            .subject(user.id.as_str());
        record(cx, tx, event.detail("left", left))?;
        return Ok(None);
    }
    Ok(Some(StepDenial::WrongCode))
}

/// Takes the code of a step; `false` when it was taken before. A code seen over a shoulder is worth nothing.
pub(crate) fn take_code(cx: &Cx, tx: &mut dyn Tx, user: &User, step: u64) -> Result<bool, StoreError> {
    let keep_until = cx.now.plus(CODE_KEPT);
    tx.record_use(
        "idp",
        ReplayKind::OneTimeCode,
        user.id.as_str(),
        &step.to_string(),
        keep_until,
    )
}

/// The seconds to wait after too many failures.
fn wait(cx: &Cx, tx: &mut dyn Tx, browser: &Browser, user: &User) -> Result<Option<u64>, StoreError> {
    let failures = tx.find_failures(&user.id, browser.counted())?;
    let until = failures
        .map(|failures| failures.wait_until)
        .filter(|until| *until > cx.now);
    Ok(until.map(|until| until.since(cx.now).as_secs().saturating_add(1)))
}

/// Counts a failure of a person in a browser, and how long it makes wait.
pub(super) fn count(cx: &Cx, tx: &mut dyn Tx, browser: &Browser, user: &UserId) -> Result<(), StoreError> {
    let before = tx.find_failures(user, browser.counted())?;
    let count = before
        .filter(|failures| failures.keep_until > cx.now)
        .map_or(0, |failures| failures.count)
        .saturating_add(1);
    let over = u32::try_from(count - FREE_FAILURES).unwrap_or(0).min(16);
    let wait = if count < FREE_FAILURES {
        Duration::ZERO
    } else {
        FIRST_WAIT.saturating_mul(1 << over).min(LONGEST_WAIT)
    };
    let failures = Failures {
        count,
        wait_until: cx.now.plus(wait),
        keep_until: cx.now.plus(FORGET_AFTER),
    };
    tx.put_failures(user, browser.counted(), &failures)
}

fn open(
    cx: &Cx,
    tx: &mut dyn Tx,
    browser: &Browser,
    secret: &SecretString,
) -> Result<Result<(Step, User), StepDenial>, StoreError> {
    let hash = sha256(secret.expose_secret().as_bytes());
    let Some(step) = tx
        .find_step(&hash)?
        .filter(|step| cx.now < step.expires_at && constant_time_eq(&step.browser, &browser.hash()))
    else {
        return Ok(Err(StepDenial::Unknown));
    };
    let stands = |user: &User| user.is_active() && user.not_before.is_none_or(|cut| step.created_at >= cut);
    // A password that was changed since is another one than the one that was right.
    let same = |changed_at: Timestamp| changed_at <= step.created_at;
    let Some(user) = tx.find_user(&step.user)?.filter(stands) else {
        return Ok(Err(StepDenial::UserInactive));
    };
    let unchanged = tx.find_credential(&user.id)?.is_some_and(|own| same(own.changed_at));
    Ok(if unchanged {
        Ok((step, user))
    } else {
        Err(StepDenial::Unknown)
    })
}

#[expect(clippy::too_many_arguments, reason = "the parts of one decision")]
fn end(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    browser: &Browser,
    step: &Step,
    user: User,
    (strength, amr): (Strength, &[&str]),
    replaces: Option<&SessionId>,
) -> Result<Outcome<NewSession, StepDenial>, StoreError> {
    // Of two answers at once one wins.
    if !tx.remove_step(&step.hash)? {
        return refuse(cx, tx, Some(&user.id), StepDenial::Unknown).map(Outcome::Denied);
    }
    tx.remove_failures(&user.id, browser.counted())?;
    let mut how = Admission::local(cx, strength, amr);
    how.agent.clone_from(&browser.agent);
    admit(cx, tx, settings, user, how, replaces).map(Outcome::Granted)
}

fn count_failure(
    cx: &Cx,
    tx: &mut dyn Tx,
    browser: &Browser,
    step: &Step,
    denial: StepDenial,
) -> Result<StepDenial, StoreError> {
    if !matches!(denial, StepDenial::TooMany(_)) {
        count(cx, tx, browser, &step.user)?;
        if tx.count_step(&step.hash)? >= ATTEMPTS {
            tx.remove_step(&step.hash)?;
        }
    }
    refuse(cx, tx, Some(&step.user), denial)
}

fn refuse(cx: &Cx, tx: &mut dyn Tx, user: Option<&UserId>, denial: StepDenial) -> Result<StepDenial, StoreError> {
    let mut event = NewEvent::denied("idp.sign_in.failed", denial.code());
    if let Some(user) = user {
        event = event.subject(user.as_str());
    }
    record(cx, tx, event)?;
    Ok(denial)
}
