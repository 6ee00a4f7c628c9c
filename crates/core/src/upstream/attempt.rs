//! A sign-in under way at an identity provider: begun by a browser of ours, ended by the same one, once.
//!
//! Owns the binding to browser, connection and request (CL-SS-01, CL-SS-02). Never talks to the provider.

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_jose::random;
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::ConnectionId;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::upstream::UpstreamStore;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::Connection;
use crate::upstream::denial::AttemptDenial;
use crate::upstream::secret;

/// How long a person may take at the provider.
pub const ATTEMPT_TTL: Duration = Duration::from_secs(600);

/// What is remembered while a person is at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInAttempt {
    /// SHA-256 of the handle, which is the `state` (or `RelayState`) of the request.
    pub handle_hash: [u8; 32],
    /// SHA-256 of what only this browser has in a cookie.
    pub browser_hash: [u8; 32],
    /// Where the person was sent.
    pub connection: ConnectionId,
    /// The connection as it was then. Under another one the answer is refused: issuer, keys or mapping may differ.
    pub connection_version: i64,
    /// What the sign-in is for.
    pub purpose: Purpose,
    /// What is carried over it: the client's authorization request as a form, or a page below the issuer.
    pub request: String,
    /// The `nonce`, or the identifier of a SAML request.
    pub nonce: String,
    /// The PKCE verifier, sealed.
    pub sealed_verifier: Option<Vec<u8>>,
    /// How old the sign-in at the provider may be, in seconds, when that was asked; zero asks for a new one.
    pub max_age: Option<i64>,
    /// When it began.
    pub asked_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
    /// When the answer came.
    pub used_at: Option<Timestamp>,
    /// What a test found, for the administrator who asked.
    pub report: Option<String>,
}

impl SignInAttempt {
    /// Whether it is a ticket, by which a dry sign-in begins: no answer belongs to it.
    pub const fn is_ticket(&self) -> bool {
        self.sealed_verifier.is_none()
    }
}

/// What a sign-in at a provider is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A client's authorization request.
    Client,
    /// A page of our own.
    Page,
    /// A dry sign-in of `lanyard idp test`: shows claims, makes no session.
    Test,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::Client, Self::Page, Self::Test];

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Page => "page",
            Self::Test => "test",
        }
    }
}

/// What is carried over a sign-in at a provider.
#[derive(Debug, Clone)]
pub struct Carried {
    /// What it is for.
    pub purpose: Purpose,
    /// The client's request as a form, or a page below the issuer.
    pub request: String,
    /// How old the sign-in at the provider may be, in seconds; zero asks for a new one.
    pub max_age: Option<i64>,
}

/// An attempt that began, with what is sent to the provider and kept nowhere else.
pub struct Begun {
    /// The `state` (or `RelayState`).
    pub handle: SecretString,
    /// The `nonce` (or request identifier).
    pub nonce: String,
    /// The PKCE verifier.
    pub verifier: SecretString,
}

/// Begins a sign-in for the browser that holds `browser` in a cookie.
///
/// # Errors
/// [`StoreError`].
pub fn begin(
    cx: &Cx,
    tx: &mut dyn UpstreamStore,
    vault: &Vault,
    connection: &Connection,
    browser: &SecretString,
    carried: Carried,
) -> Result<Begun, StoreError> {
    let (handle, verifier) = (random::token(&*cx.random), random::token(&*cx.random));
    // A SAML identifier must begin with a letter or an underscore; a nonce may.
    let nonce = format!("_{}", random::token(&*cx.random).expose_secret());
    let handle_hash = sha256(handle.expose_secret().as_bytes());
    tx.insert_attempt(&SignInAttempt {
        handle_hash,
        browser_hash: sha256(browser.expose_secret().as_bytes()),
        connection: connection.id.clone(),
        connection_version: connection.version,
        purpose: carried.purpose,
        request: carried.request,
        nonce: nonce.clone(),
        sealed_verifier: Some(secret::seal_verifier(vault, &handle_hash, &verifier)),
        max_age: carried.max_age,
        asked_at: cx.now,
        expires_at: cx.now.plus(ATTEMPT_TTL),
        used_at: None,
        report: None,
    })?;
    Ok(Begun {
        handle,
        nonce,
        verifier,
    })
}

/// Makes a ticket for a dry sign-in: whoever opens its address in a browser begins one, once.
///
/// # Errors
/// [`StoreError`].
pub fn ticket(cx: &Cx, tx: &mut dyn UpstreamStore, connection: &Connection) -> Result<SecretString, StoreError> {
    let handle = random::token(&*cx.random);
    tx.insert_attempt(&SignInAttempt {
        handle_hash: sha256(handle.expose_secret().as_bytes()),
        // No browser holds a cookie with this hash: a ticket takes no answer itself.
        browser_hash: [0; 32],
        connection: connection.id.clone(),
        connection_version: connection.version,
        purpose: Purpose::Test,
        request: String::new(),
        nonce: String::new(),
        sealed_verifier: None,
        max_age: None,
        asked_at: cx.now,
        expires_at: cx.now.plus(ATTEMPT_TTL),
        used_at: None,
        report: None,
    })?;
    Ok(handle)
}

/// Takes a ticket that is good for this connection as it stands; what its report is found under.
///
/// # Errors
/// [`StoreError`].
pub fn take_ticket(
    cx: &Cx,
    tx: &mut dyn UpstreamStore,
    connection: &Connection,
    ticket: &str,
) -> Result<Option<[u8; 32]>, StoreError> {
    if ticket.len() > 128 {
        return Ok(None);
    }
    let hash = sha256(ticket.as_bytes());
    let Some(found) = tx.find_attempt(&hash)? else {
        return Ok(None);
    };
    let good = found.purpose == Purpose::Test
        && found.is_ticket()
        && found.connection == connection.id
        && found.connection_version == connection.version
        && cx.now < found.expires_at;
    Ok((good && tx.use_attempt(&hash, cx.now)?).then_some(hash))
}

/// An attempt whose answer has come: it is used up, whatever the answer says.
#[derive(Debug)]
pub struct Taken {
    /// The attempt.
    pub attempt: SignInAttempt,
    /// The connection as it was when the attempt began, which is as it is now.
    pub connection: Connection,
}

/// Takes the attempt of `handle` for the browser that holds `browser`. Another browser uses nothing up.
///
/// # Errors
/// [`StoreError`].
pub fn take(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &str,
    handle: &str,
    browser: Option<&SecretString>,
) -> Result<Outcome<Taken, AttemptDenial>, StoreError> {
    let denied = |denial| Ok(Outcome::Denied(denial));
    // A handle of ours has 43 characters; nothing longer is worth hashing.
    if handle.len() > 128 {
        return denied(AttemptDenial::Unknown);
    }
    let hash = sha256(handle.as_bytes());
    let Some(attempt) = tx.find_attempt(&hash)? else {
        return denied(AttemptDenial::Unknown);
    };
    let own = browser.is_some_and(|browser| sha256(browser.expose_secret().as_bytes()) == attempt.browser_hash);
    if !own {
        return denied(AttemptDenial::OtherBrowser);
    }
    if attempt.used_at.is_some() {
        return denied(AttemptDenial::Used);
    }
    if cx.now >= attempt.expires_at {
        return denied(AttemptDenial::Expired);
    }
    let Some(current) = tx.find_connection(&attempt.connection)? else {
        return denied(AttemptDenial::ConnectionChanged);
    };
    // One redirect URI per provider: an answer at another's address is a mix-up (SEC-04).
    if current.name != connection {
        return denied(AttemptDenial::OtherConnection);
    }
    // One that is switched off may be tried out: nobody gets a session by that.
    let usable = current.enabled || attempt.purpose == Purpose::Test;
    if !usable || current.version != attempt.connection_version {
        return denied(AttemptDenial::ConnectionChanged);
    }
    if !tx.use_attempt(&hash, cx.now)? {
        return denied(AttemptDenial::Used);
    }
    Ok(Outcome::Granted(Taken {
        attempt,
        connection: current,
    }))
}
