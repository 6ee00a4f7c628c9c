//! SAML assertions as subject tokens: whom one is about, and a refresh token for one (ID-JAG draft, section 4.5; SAML-01
//! … SAML-11).
//!
//! Owns every check of an assertion that a client presents, after its signature. Never reads XML: `lanyard-federation`
//! did, with certificates that are looked up again here.

use std::time::Duration;

use lanyard_jose::digest::sha256;
use lanyard_jose::random;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::TokenExchangeRequest;
use lanyard_protocol::oauth::token_type::TokenTypeUri;
use lanyard_protocol::scope::ScopeSet;
use secrecy::{ExposeSecret, SecretString};

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::client::registration::KeyHolder;
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::{ConnectionId, FamilyId, UserId};
use crate::idp::Stop;
use crate::idp::settings::IdpSettings;
use crate::idp::sign_in::{Admission, admit};
use crate::idp::token_exchange::{Denial, check_client, check_holder};
use crate::outcome::Outcome;
use crate::saml::accept::{Accepted, Expected, Request, Unacceptable, accept};
use crate::saml::asserted::asserted;
use crate::saml::assertion::Assertion;
use crate::saml::denial::SamlDenial;
use crate::saml::provider::ServiceProvider;
use crate::session::record::{Authentication, Session};
use crate::session::refresh::{RefreshFamily, RefreshToken};
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::{Connection, Kind};
use crate::upstream::resolve::{Asserted, resolve};
use crate::upstream::saml;

/// How far the clock of an identity provider may differ (SAML-06).
const SKEW: Duration = Duration::from_secs(60);
/// What is granted when no scope is named (SAML-10).
const USUAL_SCOPE: &str = "openid offline_access";

/// An assertion whose signature fits a certificate of a connection.
#[derive(Debug, Clone)]
pub struct PresentedAssertion {
    /// The connection whose certificates were used.
    pub connection: ConnectionId,
    /// The connection as it was then.
    pub version: i64,
    /// What was signed.
    pub assertion: Assertion,
}

/// The person whom an acceptable assertion vouches for.
pub(super) struct Vouched {
    pub(super) user: User,
    pub(super) authentication: Authentication,
    /// A session here that the provider's session already has.
    pub(super) session: Option<Session>,
    connection: ConnectionId,
    upstream_session: Option<String>,
    ends_by: Option<Timestamp>,
    issuer: String,
    id: String,
    keep_until: Timestamp,
}

/// Checks an assertion for this client and finds its person. `seen` is told who it is, also on a refusal.
pub(super) fn vouch(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    presented: &Result<PresentedAssertion, SamlDenial>,
    seen: &mut Option<UserId>,
) -> Result<Vouched, Stop<Denial>> {
    let presented = presented.as_ref().map_err(|denial| denied(*denial))?;
    let assertion = &presented.assertion;
    let (connection, pinned) = current(tx, presented)?;
    let providers = tx.list_service_providers(&client.client.key)?;
    let (provider, accepted) = accept_for(cx, assertion, &providers).map_err(denied)?;
    let own = saml::entity_id(&settings.issuer, &connection.name);
    let session = live_session(cx, tx, &connection, &accepted)?;
    let (user, asserted) = match asserted(&pinned, assertion, &accepted, &own, &provider.entity_id) {
        Ok(asserted) => match resolve(cx, tx, &connection, &asserted)? {
            Ok(user) => (user, asserted),
            Err(denial) => return Err(Stop::Denied(Denial::Person(denial))),
        },
        // Made for one session: whoever has that session here (SAML-11).
        Err(SamlDenial::TransientName) => {
            let known = session.as_ref().ok_or(denied(SamlDenial::TransientName))?;
            let user = tx.find_user(&known.user)?.ok_or(Stop::Denied(Denial::UserUnknown))?;
            (user, transient(&accepted))
        }
        Err(denial) => return Err(denied(denial)),
    };
    *seen = Some(user.id.clone());
    check_user(&user, &accepted)?;
    Ok(Vouched {
        authentication: asserted.authentication(&connection, cx.now),
        session: session.filter(|session| session.user == user.id),
        user,
        connection: connection.id,
        upstream_session: accepted.authentication.session_index,
        ends_by: accepted.authentication.session_not_on_or_after,
        issuer: assertion.issuer.clone(),
        id: assertion.id.clone(),
        keep_until: accepted.keep_until,
    })
}

/// Uses the assertion up, after everything else was found in order (SAML-09).
pub(super) fn consume(tx: &mut dyn Tx, vouched: &Vouched) -> Result<(), Stop<Denial>> {
    let first = tx.record_use(
        "idp",
        ReplayKind::SamlAssertion,
        &vouched.issuer,
        &vouched.id,
        vouched.keep_until,
    )?;
    if first {
        Ok(())
    } else {
        Err(denied(SamlDenial::Replayed))
    }
}

fn denied(denial: SamlDenial) -> Stop<Denial> {
    Stop::Denied(Denial::Assertion(denial))
}

/// The connection as it stands in this unit: the certificates that were used must still be its own.
fn current(tx: &mut dyn Tx, presented: &PresentedAssertion) -> Result<(Connection, saml::SamlSettings), Stop<Denial>> {
    let connection = tx.find_connection(&presented.connection)?;
    let connection = connection.filter(|connection| connection.enabled && connection.version == presented.version);
    let connection = connection.ok_or(denied(SamlDenial::ConnectionChanged))?;
    match &connection.kind {
        Kind::Saml(settings) if settings.entity_id == presented.assertion.issuer => {
            let settings = settings.clone();
            Ok((connection, settings))
        }
        Kind::Saml(_) | Kind::Oidc(_) => Err(denied(SamlDenial::OtherIssuer)),
    }
}

/// The service provider of the client for which the assertion is acceptable; else why it is for none.
fn accept_for<'a>(
    cx: &Cx,
    assertion: &Assertion,
    providers: &'a [ServiceProvider],
) -> Result<(&'a ServiceProvider, Accepted), SamlDenial> {
    let mut why = SamlDenial::NoServiceProvider;
    for provider in providers {
        let expected = Expected {
            audience: &provider.entity_id,
            recipients: &provider.acs_urls,
            request: Request::Foreign,
            now: cx.now,
            skew: SKEW,
        };
        match accept(assertion, &expected) {
            Ok(accepted) => return Ok((provider, accepted)),
            // The one it is for says why; the others only that it is not for them.
            Err(Unacceptable::Audience) if why != SamlDenial::NoServiceProvider => {}
            Err(unacceptable) => why = SamlDenial::Unacceptable(unacceptable),
        }
    }
    Err(why)
}

fn live_session(
    cx: &Cx,
    tx: &mut dyn Tx,
    connection: &Connection,
    accepted: &Accepted,
) -> Result<Option<Session>, StoreError> {
    let Some(index) = &accepted.authentication.session_index else {
        return Ok(None);
    };
    let sessions = tx.list_sessions_of_upstream(&connection.id, index)?;
    Ok(sessions.into_iter().rev().find(|session| cx.now < session.expires_at))
}

fn transient(accepted: &Accepted) -> Asserted {
    let authentication = &accepted.authentication;
    let mut asserted = Asserted::new(String::new(), serde_json::Map::new());
    asserted.auth_time = Some(authentication.authn_instant.seconds());
    asserted.acr.clone_from(&authentication.class_ref);
    asserted
}

fn check_user(user: &User, accepted: &Accepted) -> Result<(), Stop<Denial>> {
    if !user.is_active() {
        return Err(Stop::Denied(Denial::UserDeactivated));
    }
    if user
        .not_before
        .is_some_and(|cut| accepted.authentication.authn_instant < cut)
    {
        return Err(Stop::Denied(Denial::SubjectCutOff));
    }
    Ok(())
}

/// A refresh token for an assertion.
pub struct AssertionGrant {
    /// The token.
    pub refresh_token: SecretString,
    /// What it is good for.
    pub scope: ScopeSet,
    /// How long, in seconds.
    pub lifetime: i64,
    /// Whose.
    pub user: UserId,
    /// Its family.
    pub family: FamilyId,
}

/// Decides whether `client` gets a refresh token for an assertion.
///
/// # Errors
/// [`StoreError`].
pub fn refresh_token(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &TokenExchangeRequest,
    presented: &Result<PresentedAssertion, SamlDenial>,
) -> Result<Outcome<AssertionGrant, Denial>, StoreError> {
    let mut seen = None;
    let decided = decide(cx, tx, settings, client, request, presented, &mut seen);
    let about = |event: NewEvent| {
        let event = event
            .actor(Actor::Client(client.client.client_id.as_str().to_owned()))
            .client(&client.client.client_id)
            .detail("grant", GrantType::TokenExchange.as_str())
            .detail("subject_token_type", TokenTypeUri::Saml2.as_str());
        let event = event.detail_if(
            "assertion",
            presented.as_ref().ok().map(|one| one.assertion.id.as_str()),
        );
        match &seen {
            Some(user) => event.subject(user.as_str()),
            None => event,
        }
    };
    match Stop::settle(decided)? {
        Ok(grant) => {
            let event = about(NewEvent::granted("idp.tokens.issued"))
                .detail("family", grant.family.as_str())
                .detail("scope", grant.scope.to_string());
            record(cx, tx, event)?;
            Ok(Outcome::Granted(grant))
        }
        Err(denial) => {
            let event = about(NewEvent::denied("idp.tokens.denied", denial.code()));
            record(cx, tx, event.detail("because", denial.to_string()))?;
            Ok(Outcome::Denied(denial))
        }
    }
}

fn decide(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &TokenExchangeRequest,
    presented: &Result<PresentedAssertion, SamlDenial>,
    seen: &mut Option<UserId>,
) -> Result<AssertionGrant, Stop<Denial>> {
    check_client(client)?;
    if request.subject_token_type != TokenTypeUri::Saml2 {
        // A refresh token is given for an assertion only: the other kinds are, or bring, one already.
        return Err(Stop::Denied(Denial::RequestedTokenType));
    }
    if !request.audience.is_empty() && request.audience != settings.issuer.as_str() {
        return Err(Stop::Denied(Denial::UnknownAudience));
    }
    let scope = scope(client, request)?;
    let vouched = vouch(cx, tx, settings, client, presented, seen)?;
    check_holder(client, &vouched.user.id)?;
    consume(tx, &vouched)?;
    grant(cx, tx, settings, client, vouched, scope).map_err(Stop::Failed)
}

fn scope(client: &AuthenticatedClient, request: &TokenExchangeRequest) -> Result<ScopeSet, Stop<Denial>> {
    let usual = ScopeSet::parse(USUAL_SCOPE).unwrap_or_default();
    let asked = request.scope.as_ref().unwrap_or(&usual);
    let allowed = &client.client.scopes;
    if !asked.contains_str("offline_access") || !allowed.contains_str("offline_access") {
        return Err(Stop::Denied(Denial::OfflineNotAllowed));
    }
    let granted = asked.intersection(allowed);
    Ok(granted)
}

/// Begins the family, in the session that the provider's session has here or a new one: it dies with it (SAML-10).
fn grant(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    vouched: Vouched,
    scope: ScopeSet,
) -> Result<AssertionGrant, StoreError> {
    let session = match vouched.session {
        Some(session) => session,
        None => {
            let how = Admission {
                authentication: vouched.authentication.clone(),
                connection: Some(vouched.connection),
                upstream_session: vouched.upstream_session,
                ends_by: vouched.ends_by,
                agent: Some(format!("SAML assertion of {}", client.client.name)),
            };
            admit(cx, tx, settings, vouched.user.clone(), how, None)?.session
        }
    };
    let end = vouched.ends_by.unwrap_or(session.expires_at);
    let family = RefreshFamily {
        id: cx.new_id(),
        client: client.client.key.clone(),
        bound_kid: client
            .key
            .as_ref()
            .filter(|key| matches!(key.holder, Some(KeyHolder::User(_))))
            .map(|key| key.kid.clone()),
        user: vouched.user.id.clone(),
        session: session.id,
        // It has the scope, and dies with the session all the same.
        offline: false,
        scope: scope.clone(),
        authentication: vouched.authentication,
        created_at: cx.now,
        expires_at: end.min(session.expires_at).min(cx.now.plus(settings.refresh_absolute)),
        ended_at: None,
    };
    tx.insert_family(&family)?;
    let token = random::token(&*cx.random);
    let expires_at = cx.now.plus(settings.refresh_idle).min(family.expires_at);
    tx.insert_refresh_token(&RefreshToken {
        hash: sha256(token.expose_secret().as_bytes()),
        family: family.id.clone(),
        generation: 1,
        issued_at: cx.now,
        expires_at,
        rotated_at: None,
    })?;
    Ok(AssertionGrant {
        refresh_token: token,
        scope,
        lifetime: expires_at.seconds() - cx.now.seconds(),
        user: vouched.user.id,
        family: family.id,
    })
}
