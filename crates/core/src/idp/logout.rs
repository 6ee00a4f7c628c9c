//! Ending a session, and where a logout may send the browser (RV-04, RV-07).
//!
//! Owns what dies with a session. Never asks the person and never redirects.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{IdToken, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify_hint};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use serde_json::json;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::Side;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::SessionId;
use crate::idp::settings::IdpSettings;
use crate::idp::{backchannel, subject};
use crate::jobs::outbox::{Job, Task};
use crate::keys::vault::Vault;
use crate::session::record::Session;
use crate::store::{StoreError, Tx};

/// Who ends a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndedBy {
    /// The person: refresh tokens with `offline_access` survive (RV-07).
    Person,
    /// An administrator: nothing survives.
    Administrator(Actor),
}

/// Ends a session and what is bound to it; `false` when it had ended already, or never was.
///
/// # Errors
/// [`StoreError`].
pub fn end(cx: &Cx, tx: &mut dyn Tx, session: &SessionId, by: &EndedBy) -> Result<bool, StoreError> {
    let Some(found) = tx.find_session(session)? else {
        return Ok(false);
    };
    let by_admin = matches!(by, EndedBy::Administrator(_));
    if !tx.end_session(session, cx.now, by_admin)? {
        return Ok(false);
    }
    let told = backchannel::announce(cx, tx, session)?;
    let families = tx.end_families_of_session(session, by_admin, cx.now)?;
    let actor = match by {
        EndedBy::Person => Actor::User(found.user.to_string()),
        EndedBy::Administrator(actor) => actor.clone(),
    };
    let before = by_admin.then(|| {
        json!({
            "created_at": found.created_at.to_string(),
            "last_used_at": found.last_used_at.to_string(),
            "agent": found.agent,
            "peer": found.peer,
        })
    });
    let event = NewEvent::granted("idp.session.ended")
        .actor(actor)
        .subject(found.user.as_str())
        .target(session.as_str())
        .detail("refresh_families", families)
        .detail("clients_told", u64::try_from(told).unwrap_or(u64::MAX))
        .detail_if("before", before);
    record(cx, tx, event)?;
    Ok(true)
}

/// Ends a session by somebody else's word than the person's, with everything that was issued in it: refresh tokens that
/// outlive the person's own logout too, and at our RAS the access tokens. `false` when it had ended. Written with the
/// reserve.
///
/// # Errors
/// [`StoreError`].
pub fn end_everywhere(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    issuer: &Issuer,
    session: &Session,
    actor: Actor,
) -> Result<bool, StoreError> {
    if !end(cx, tx, &session.id, &EndedBy::Administrator(actor))? {
        return Ok(false);
    }
    // Each authorization server knows the session by a name of its own; ours is among them, if it is one.
    for audience in tx.list_audiences()? {
        let task = Task::RevokeSession {
            issuer: issuer.clone(),
            subject: vault.subject_for_audience(&audience, &session.user),
            session: vault.session_handle(&audience.issuer, &session.id),
        };
        tx.insert_job(&Job::now(cx, task))?;
    }
    Ok(true)
}

/// What a client asks for at the end-session endpoint (OpenID Connect RP-Initiated Logout, section 2).
#[derive(Default)]
pub struct LogoutRequest<'a> {
    /// The ID token that was issued to the client, with a good signature; it may be expired.
    pub hint: Option<&'a Verified<IdToken>>,
    /// The client, when it is named.
    pub client_id: Option<&'a str>,
    /// Where the browser should go afterwards.
    pub redirect_uri: Option<&'a str>,
    /// Echoed to that place.
    pub state: Option<&'a str>,
    /// Who is to be signed out, as the client knows them; it only asks for care.
    pub logout_hint: Option<&'a str>,
}

/// Reads an `id_token_hint`: an ID token of ours, also an expired one (RP-Initiated Logout, section 2). It identifies
/// and never authorises.
pub fn read_hint(settings: &IdpSettings, keys: &KeySet, now: Timestamp, hint: &str) -> Option<Verified<IdToken>> {
    let token = Unverified::<IdToken>::parse(hint).ok()?;
    let expected = Expected {
        issuer: settings.issuer.as_str(),
        audience: Audience::OwnRecord,
        now: now.seconds(),
        leeway: 0,
        algorithms: &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256],
        max_lifetime: None,
    };
    verify_hint(&token, keys, &expected).ok()
}

/// How a logout is to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutPlan {
    /// The request contradicts itself: end nothing and go nowhere.
    pub contradictory: bool,
    /// Ask the person first: nothing proves that the request comes from a client of this person's session.
    pub confirm: bool,
    /// Where to send the browser afterwards; a registered target of the client.
    pub location: Option<String>,
}

/// Decides how a logout goes on; ends nothing yet.
///
/// # Errors
/// [`StoreError`].
pub fn plan(
    tx: &mut dyn Tx,
    vault: &Vault,
    request: &LogoutRequest<'_>,
    session: Option<&Session>,
) -> Result<LogoutPlan, StoreError> {
    if contradicts(tx, request, session)? {
        return Ok(LogoutPlan {
            contradictory: true,
            confirm: true,
            location: None,
        });
    }
    let named = request.client_id.map(str::to_owned);
    let hinted = request.hint.and_then(|hint| hint.aud.sole().cloned());
    let client = match named.or(hinted).and_then(|id| ClientId::parse(id).ok()) {
        Some(id) => tx.find_client(Side::Idp, &id)?.filter(|client| client.enabled),
        None => None,
    };
    let mut fits = false;
    if let (Some(hint), Some(client)) = (request.hint, &client) {
        fits = match session {
            None => true,
            Some(session) => subject::for_client(vault, client, &session.user)? == hint.sub,
        };
    }
    if let (Some(named), Some(session)) = (request.logout_hint, session) {
        fits &= is_named(tx, named, session)?;
    }
    let target = request.redirect_uri.filter(|uri| {
        client
            .as_ref()
            .is_some_and(|client| client.post_logout_redirect_uris.iter().any(|own| own == uri))
    });
    let location = target.map(|uri| match request.state {
        None => uri.to_owned(),
        Some(state) => {
            let separator = if uri.contains('?') { '&' } else { '?' };
            format!("{uri}{separator}{}", Form::default().with("state", state).encode())
        }
    });
    Ok(LogoutPlan {
        contradictory: false,
        confirm: !fits && session.is_some(),
        location,
    })
}

/// Whether the hint was issued to another client than the one that is named (RP-Initiated Logout, section 2), or there is
/// nobody to ask and the hint's session is of somebody else than `logout_hint` names.
fn contradicts(tx: &mut dyn Tx, request: &LogoutRequest<'_>, session: Option<&Session>) -> Result<bool, StoreError> {
    let Some(hint) = request.hint else { return Ok(false) };
    let of_other = |named: &str| !hint.aud.as_slice().iter().any(|own| own == named);
    if request.client_id.is_some_and(of_other) {
        return Ok(true);
    }
    let (Some(named), None) = (request.logout_hint, session) else {
        return Ok(false);
    };
    // The client knows the person by a subject that may be its own.
    if named == hint.sub.as_str() {
        return Ok(false);
    }
    match hint.sid.clone().and_then(|sid| SessionId::parse(sid).ok()) {
        Some(id) => Ok(match tx.find_session(&id)? {
            Some(hinted) if hinted.ended_at.is_none() => !is_named(tx, named, &hinted)?,
            _ => false,
        }),
        None => Ok(false),
    }
}

/// Whether a `logout_hint` names the person of a session.
fn is_named(tx: &mut dyn Tx, named: &str, session: &Session) -> Result<bool, StoreError> {
    let user = tx.find_user(&session.user)?;
    Ok(user.is_some_and(|user| {
        let is = |own: &str| own.eq_ignore_ascii_case(named.trim());
        is(&user.username) || user.email.as_deref().is_some_and(is) || is(user.id.as_str()) || is(session.id.as_str())
    }))
}
