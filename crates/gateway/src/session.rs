//! Sessions of 2025-11-25 and whose they are (RS-W25-01, RS-W25-02).
//!
//! Owns the binding of a session id to a principal. A session id is never authentication: the token was verified before.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName};
use lanyard_jose::token::{AccessToken, Verified};
use moka::sync::Cache;

pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// How long an unused binding is kept.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);
/// How many sessions are known at once; the least used ones are forgotten, and their clients initialize again.
const MAX_SESSIONS: u64 = 200_000;

/// The sessions that the gateway has seen begin.
#[derive(Clone)]
pub(crate) struct Sessions(Cache<String, Arc<Principal>>);

/// Whose a session is.
#[derive(Debug, PartialEq, Eq)]
struct Principal {
    issuer: String,
    subject: String,
    client_id: String,
}

impl Principal {
    fn of(token: &Verified<AccessToken>) -> Self {
        Self {
            issuer: token.iss.as_str().to_owned(),
            subject: token.sub.as_str().to_owned(),
            client_id: token.client_id.as_str().to_owned(),
        }
    }

    fn is(&self, token: &Verified<AccessToken>) -> bool {
        self.issuer == token.iss.as_str()
            && self.subject == token.sub.as_str()
            && self.client_id == token.client_id.as_str()
    }
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(MAX_SESSIONS).time_to_idle(IDLE).build())
    }

    /// Binds a new session. `false` when it is somebody else's already, which a server must never let happen.
    pub(crate) fn bind(&self, resource: &str, id: &str, token: &Verified<AccessToken>) -> bool {
        let bound = self.0.get_with(key(resource, id), || Arc::new(Principal::of(token)));
        bound.is(token)
    }

    /// Whether the session is this principal's.
    pub(crate) fn check(&self, resource: &str, id: &str, token: &Verified<AccessToken>) -> Result<(), SessionRefusal> {
        match self.0.get(&key(resource, id)) {
            None => Err(SessionRefusal::Unknown),
            Some(principal) if principal.is(token) => Ok(()),
            Some(_) => Err(SessionRefusal::Foreign),
        }
    }

    /// Forgets a session that ended.
    pub(crate) fn end(&self, resource: &str, id: &str) {
        self.0.invalidate(&key(resource, id));
    }
}

/// Why a session id is not accepted. Both look alike from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionRefusal {
    Unknown,
    Foreign,
    /// The server behind keeps sessions, and the request names none.
    Missing,
    /// Several ids, or one that is not visible ASCII.
    Malformed,
}

impl SessionRefusal {
    /// The stable name for the audit log.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "session_unknown",
            Self::Foreign => "session_foreign",
            Self::Missing => "session_missing",
            Self::Malformed => "session_malformed",
        }
    }
}

/// The session id of a request or an answer.
pub(crate) fn id_of(headers: &HeaderMap) -> Result<Option<&str>, SessionRefusal> {
    let mut values = headers.get_all(SESSION_ID).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let id = value.to_str().map_err(|_| SessionRefusal::Malformed)?;
    let visible = !id.is_empty() && id.len() <= 512 && id.bytes().all(|b| (0x21..=0x7e).contains(&b));
    if values.next().is_some() || !visible {
        return Err(SessionRefusal::Malformed);
    }
    Ok(Some(id))
}

fn key(resource: &str, id: &str) -> String {
    // Neither part can contain a line feed.
    format!("{resource}\n{id}")
}
