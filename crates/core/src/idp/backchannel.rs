//! Telling clients that a session ended (OpenID Connect Back-Channel Logout; RV-05).
//!
//! Owns who hears of it, what the logout token says, and when a client that does not answer is given up. Never sends
//! anything: the server does, between the units.

use std::time::Duration;

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::logout_token::LogoutTokenClaims;
use lanyard_protocol::claims::time::{NumericDate, Subject};
use lanyard_protocol::client_id::ClientId;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{ConnectionId, SessionId, UserId};
use crate::idp::settings::IdpSettings;
use crate::idp::{subject, token_id};
use crate::jobs::outbox::{Job, Queue, Task};
use crate::jobs::run;
use crate::keys::vault::Vault;
use crate::store::session::LogoutClient;
use crate::store::{StoreError, Tx};

/// How long a logout token is good for: it is used at once.
const TTL: Duration = Duration::from_secs(120);

/// After so many tries, about an hour, the client is given up.
const TRIES: i64 = 20;

/// Notes that the clients of a session are to be told of its end; in the unit that ends it. How many there are.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn announce(cx: &Cx, tx: &mut dyn Tx, session: &SessionId) -> Result<usize, StoreError> {
    let heard = tx.list_logout_clients(session)?;
    enqueue(cx, tx, heard)
}

/// The same for every open session of a person; before they are ended.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn announce_all_of(cx: &Cx, tx: &mut dyn Tx, user: &UserId) -> Result<usize, StoreError> {
    let heard = tx.list_logout_clients_of_user(user)?;
    enqueue(cx, tx, heard)
}

/// The same for every open session that an identity provider began; before they are ended.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn announce_all_from(cx: &Cx, tx: &mut dyn Tx, connection: &ConnectionId) -> Result<usize, StoreError> {
    let heard = tx.list_logout_clients_of_connection(connection)?;
    enqueue(cx, tx, heard)
}

fn enqueue(cx: &Cx, tx: &mut dyn Tx, heard: Vec<LogoutClient>) -> Result<usize, StoreError> {
    let told = heard.len();
    for LogoutClient { session, user, client } in heard {
        let task = Task::TellLogout { client, session, user };
        tx.insert_job(&Job::now(cx, task))?;
    }
    Ok(told)
}

/// Claims clients to tell, until a lease ends.
///
/// # Errors
/// [`StoreError`].
pub fn claim(tx: &mut dyn Tx, now: Timestamp, limit: u32) -> Result<Vec<Job>, StoreError> {
    tx.claim_jobs(Queue::Logout, now, now.plus(run::LEASE), limit)
}

/// A client to tell, as it is registered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The client.
    pub client: ClientId,
    /// Where the logout token goes.
    pub uri: String,
    /// The person as this client knows them.
    pub subject: Subject,
    /// The session.
    pub session: SessionId,
    /// Whose it was.
    pub user: UserId,
}

/// Whom a job is about. `None` when there is nobody to tell any more: the client is gone, switched off, or does not
/// want to hear; then [`settle`] the job.
///
/// # Errors
/// [`StoreError`].
pub fn telling(tx: &mut dyn Tx, vault: &Vault, job: &Job) -> Result<Option<Telling>, StoreError> {
    let Task::TellLogout { client, session, user } = &job.task else {
        return Ok(None);
    };
    let client = tx.find_client_by_key(client)?.filter(|client| client.enabled);
    let Some((client, logout)) = client.and_then(|client| Some((client.clone(), client.backchannel_logout?))) else {
        return Ok(None);
    };
    Ok(Some(Telling {
        subject: subject::for_client(vault, &client, user)?,
        client: client.client_id,
        uri: logout.uri,
        session: session.clone(),
        user: user.clone(),
    }))
}

/// The claims of a logout token; each try has a `jti` of its own, since a client takes one once (RV-05).
pub fn claims(cx: &Cx, settings: &IdpSettings, telling: &Telling) -> LogoutTokenClaims {
    LogoutTokenClaims {
        iss: settings.issuer.clone(),
        sub: Some(telling.subject.clone()),
        aud: OneOrMany::One(telling.client.as_str().to_owned()),
        iat: NumericDate::from_seconds(cx.now.seconds()),
        exp: NumericDate::from_seconds(cx.now.plus(TTL).seconds()),
        jti: token_id::fresh(cx),
        events: LogoutTokenClaims::event(),
        sid: Some(telling.session.as_str().to_owned()),
        nonce: None,
    }
}

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The client took the token.
    Yes,
    /// It did not; what is known of why is a status, or nothing.
    No(Option<u16>),
}

/// Settles a job after a try: done, to be tried again after a growing pause, or given up. At least once is what is
/// promised of each client that answers within about an hour.
///
/// # Errors
/// [`StoreError`].
pub fn settle(cx: &Cx, tx: &mut dyn Tx, job: &Job, telling: Option<&Telling>, told: Told) -> Result<(), StoreError> {
    let about = |event: NewEvent| {
        let event = event.actor(Actor::System("worker".to_owned()));
        match telling {
            Some(telling) => event
                .client(&telling.client)
                .subject(telling.user.as_str())
                .target(telling.session.as_str())
                .detail("attempts", job.attempts.saturating_add(1)),
            None => event,
        }
    };
    match told {
        Told::Yes => {
            tx.finish_job(&job.id)?;
            if telling.is_some() {
                record(cx, tx, about(NewEvent::granted("idp.logout_token.delivered")))?;
            }
        }
        Told::No(_) if job.attempts.saturating_add(1) < TRIES => {
            tx.retry_job(&job.id, cx.now.plus(run::pause(job.attempts)))?;
        }
        Told::No(status) => {
            tx.finish_job(&job.id)?;
            let event = about(NewEvent::denied("idp.logout_token.undelivered", "receiver_failed"));
            record(cx, tx, event.detail_if("status", status))?;
        }
    }
    Ok(())
}
