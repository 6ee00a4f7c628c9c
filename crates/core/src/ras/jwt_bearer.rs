//! Redeeming an ID-JAG for an access token (ID-JAG draft, section 4.4.1; requirements, section 2.1).
//!
//! Owns the decision at the RAS. Never verifies signatures (it receives `Verified`), never signs, never reads a rule
//! of the IdP.

use std::sync::Arc;
use std::time::Duration;

use lanyard_jose::digest::base64url;
use lanyard_jose::token::{IdJag, Verified};
use lanyard_protocol::claims::id_jag::IdJagClaims;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::JwtBearerRequest;

use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::auth::AuthenticatedClient;
use crate::client::registration::{ClientAuthMethod, KeyHolder};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::AccountId;
use crate::outcome::Outcome;
use crate::ras::access_grant::AccessGrant;
use crate::ras::denial::Denial;
use crate::ras::scope::{Asked, decide};
use crate::ras::settings::RasSettings;
use crate::ras::subject::{Resolved, link, provision, resolve};
use crate::ras::target::{self, Target};
use crate::store::replay::ReplayKind;
use crate::store::trust::TrustStore;
use crate::store::{StoreError, Tx};
use crate::trust::issuer::Trust;
use crate::trust::resource::Resource;

/// The value of a `tenant` claim that names no tenant (D-14).
const TENANTLESS: &str = "organization";

/// How long beyond expiry and leeway a used `jti` is kept.
const KEEP_MARGIN: Duration = Duration::from_secs(60);

/// What the verification before the unit used; the unit refuses if it does not stand any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Verification {
    trust: Arc<Trust>,
}

impl Verification {
    /// The verification was made by this record.
    pub fn by(trust: &Trust) -> Self {
        Self {
            trust: Arc::new(trust.clone()),
        }
    }

    /// Whether the record is still the one in the store. For a caller who remembered it and would rather verify again
    /// than be denied.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn stands(&self, tx: &mut dyn Tx) -> Result<bool, StoreError> {
        let current = tx.trust_version(&self.trust.id)?;
        Ok(current.is_some_and(|(version, enabled)| enabled && version == self.trust.version))
    }
}

/// The enabled trust records of an issuer, before any key is fetched (RAS-JB-06). Empty: nothing is fetched, the
/// denial is [`Denial::UntrustedIssuer`], or [`Denial::SelfIssued`] for our own issuer.
///
/// # Errors
/// [`StoreError`].
pub fn candidates(tx: &mut dyn TrustStore, settings: &RasSettings, issuer: &str) -> Result<Vec<Trust>, StoreError> {
    let Ok(issuer) = lanyard_protocol::issuer::Issuer::parse(issuer) else {
        return Ok(Vec::new());
    };
    if issuer == settings.issuer {
        return Ok(Vec::new());
    }
    let mut trusts = tx.list_trusts_of_issuer(&issuer)?;
    trusts.retain(|trust| trust.enabled);
    Ok(trusts)
}

/// Among the records of one issuer, the one for the `tenant` claim of a verified ID-JAG (MT-07). When it is not the
/// record that the token was verified by, the token must be verified by it too.
pub fn choose<'a>(candidates: &'a [Trust], id_jag: &IdJagClaims) -> Option<&'a Trust> {
    candidates.iter().find(|trust| tenant_fits(trust, id_jag))
}

/// Decides whether the client may exchange `id_jag` for an access token, and records the decision.
///
/// The order matters: nothing of the trust relation is looked at for a client that presents somebody else's grant,
/// whether the person is known is asked last (SEC-23), and the `jti` is used up only when nothing else is wrong
/// (RAS-JB-14).
///
/// # Errors
/// [`StoreError`]; [`StoreError::Conflict`] when two first redemptions of a person ran at once: the unit may be run
/// again.
pub fn redeem(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    client: &AuthenticatedClient,
    request: &JwtBearerRequest,
    id_jag: &Verified<IdJag>,
    used: &Verification,
) -> Result<Outcome<AccessGrant, Denial>, StoreError> {
    match examine(cx, tx, settings, client, request, id_jag, used)? {
        Ok(passed) => grant(cx, tx, settings, client, request, id_jag, passed).map(Outcome::Granted),
        Err(denial) => {
            record_denial(cx, tx, client, Some(id_jag), &denial)?;
            Ok(Outcome::Denied(denial))
        }
    }
}

/// Records a refusal that was found before the unit (unknown issuer, bad signature, no keys); the denial that counts:
/// a client that may not use the grant hears that first (RAS-JB-02, RAS-JB-03).
///
/// # Errors
/// [`StoreError`].
pub fn refuse(cx: &Cx, tx: &mut dyn Tx, client: &AuthenticatedClient, denial: Denial) -> Result<Denial, StoreError> {
    let denial = if may_redeem(client) {
        denial
    } else {
        Denial::GrantNotAllowed
    };
    record_denial(cx, tx, client, None, &denial)?;
    Ok(denial)
}

/// What the checks found.
struct Passed {
    trust: Arc<Trust>,
    resource: Resource,
    scope: lanyard_protocol::scope::ScopeSet,
    resolved: Resolved,
}

fn examine(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    client: &AuthenticatedClient,
    request: &JwtBearerRequest,
    id_jag: &IdJagClaims,
    used: &Verification,
) -> Result<Result<Passed, Denial>, StoreError> {
    if let Err(denial) = check_client(settings, client, id_jag) {
        return Ok(Err(denial));
    }
    // The same version is the same record: reading all of it again would tell nothing more.
    let trust = Arc::clone(&used.trust);
    let stands = tx
        .trust_version(&trust.id)?
        .is_some_and(|(version, enabled)| enabled && version == trust.version);
    if !stands || trust.issuer != id_jag.iss {
        return Ok(Err(Denial::TrustChanged));
    }
    if let Err(denial) = check_trust(&trust, client, id_jag) {
        return Ok(Err(denial));
    }
    let Target { resource, beside } = match target::resolve(tx, &trust, id_jag.resource.as_ref(), &request.resources)? {
        Ok(target) => target,
        Err(denial) => return Ok(Err(denial)),
    };
    let asked = Asked {
        rule: trust.scope_rule,
        claimed: id_jag.scope.as_ref(),
        requested: request.scope.as_ref(),
        resource: &resource,
        beside: &beside,
        client: &client.client.scopes,
        trust: trust.scopes.as_ref(),
    };
    let scope = match decide(&asked) {
        Ok(scope) => scope,
        Err(denial) => return Ok(Err(denial)),
    };
    let resolved = match resolve(tx, &trust, id_jag)? {
        Ok(resolved) => resolved,
        Err(denial) => return Ok(Err(denial)),
    };
    // The last check of all: a refusal above must not burn the grant.
    let keep_until = Timestamp::from_seconds(id_jag.exp.seconds())
        .plus(settings.leeway)
        .plus(KEEP_MARGIN);
    let (tenant, issuer) = (trust.tenant.as_str(), id_jag.iss.as_str());
    let keep_until = keep_until.max(cx.now.plus(KEEP_MARGIN));
    if !tx.record_use(tenant, ReplayKind::IdJag, issuer, id_jag.jti.as_str(), keep_until)? {
        return Ok(Err(Denial::Replayed));
    }
    Ok(Ok(Passed {
        trust,
        resource,
        scope,
        resolved,
    }))
}

fn may_redeem(client: &AuthenticatedClient) -> bool {
    client.client.enabled && client.client.grants.contains(&GrantType::JwtBearer) && client.is_proven()
}

/// What can be said without the trust record.
fn check_client(settings: &RasSettings, client: &AuthenticatedClient, id_jag: &IdJagClaims) -> Result<(), Denial> {
    if !may_redeem(client) {
        return Err(Denial::GrantNotAllowed);
    }
    if id_jag.iss == settings.issuer {
        return Err(Denial::SelfIssued);
    }
    if id_jag.client_id != client.client.client_id {
        return Err(Denial::ClientMismatch {
            granted: id_jag.client_id.clone(),
            authenticated: client.client.client_id.clone(),
        });
    }
    if client
        .client
        .not_before
        .is_some_and(|cut| id_jag.iat.seconds() <= cut.seconds())
    {
        return Err(Denial::CutOff);
    }
    if !holder_fits(client, id_jag) {
        return Err(Denial::HolderMismatch);
    }
    // Refused, never dropped: a right that we do not understand, or a binding that we cannot check.
    if id_jag.authorization_details.is_some() {
        return Err(Denial::AuthorizationDetails);
    }
    if id_jag.cnf.is_some() {
        return Err(Denial::KeyBound);
    }
    Ok(())
}

/// A person's key of a native client acts for that person only.
fn holder_fits(client: &AuthenticatedClient, id_jag: &IdJagClaims) -> bool {
    match client.key.as_ref().and_then(|key| key.holder.as_ref()) {
        Some(KeyHolder::Subject { issuer, subject }) => *issuer == id_jag.iss && *subject == id_jag.sub,
        Some(KeyHolder::User(_)) => false,
        None => client.client.auth != ClientAuthMethod::Native,
    }
}

fn check_trust(trust: &Trust, client: &AuthenticatedClient, id_jag: &IdJagClaims) -> Result<(), Denial> {
    let seconds = id_jag.exp.seconds().saturating_sub(id_jag.iat.seconds());
    if seconds > trust.max_id_jag_ttl_seconds {
        return Err(Denial::LivesTooLong {
            seconds,
            allowed: trust.max_id_jag_ttl_seconds,
        });
    }
    if !tenant_fits(trust, id_jag) {
        return Err(Denial::TenantMismatch);
    }
    if let Some(claimed) = &id_jag.aud_tenant {
        let own = trust.aud_tenant.as_deref().unwrap_or_else(|| trust.tenant.as_str());
        if claimed != own {
            return Err(Denial::AudienceTenantMismatch);
        }
    }
    if !trust.clients.allows(&client.client.client_id) {
        return Err(Denial::ClientNotTrusted);
    }
    Ok(())
}

/// A shared issuer must name the expected tenant (MT-03); any other must not name one, or people of two tenants with
/// the same `sub` would become one account.
fn tenant_fits(trust: &Trust, id_jag: &IdJagClaims) -> bool {
    match (&trust.tenant_claim, &id_jag.tenant) {
        (Some(expected), Some(claimed)) => expected == claimed,
        (Some(_), None) => false,
        (None, Some(claimed)) => claimed == TENANTLESS,
        (None, None) => true,
    }
}

fn grant(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &RasSettings,
    client: &AuthenticatedClient,
    request: &JwtBearerRequest,
    id_jag: &IdJagClaims,
    passed: Passed,
) -> Result<AccessGrant, StoreError> {
    let Passed {
        trust,
        resource,
        scope,
        resolved,
    } = passed;
    let (account, is_new): (AccountId, bool) = match resolved {
        Resolved::Known(account) => (account.id, false),
        Resolved::Named(account) => {
            link(cx, tx, &trust, &id_jag.sub, &account.id)?;
            (account.id, false)
        }
        Resolved::New => (provision(cx, tx, &trust, &id_jag.sub, None)?, true),
    };
    let ttl = u64::try_from(trust.access_token_ttl_seconds).map_or(Duration::ZERO, Duration::from_secs);
    let grant = AccessGrant {
        jti: fresh_jti(cx),
        tenant: trust.tenant.clone(),
        account,
        client_id: client.client.client_id.clone(),
        resource: resource.id,
        scope,
        issuer: id_jag.iss.clone(),
        subject: id_jag.sub.clone(),
        id_jag_jti: id_jag.jti.as_str().to_owned(),
        sid: id_jag.sid.clone(),
        auth_time: id_jag.auth_time.map(|at| at.seconds()),
        acr: id_jag.acr.clone(),
        amr: id_jag.amr.clone(),
        issued_at: cx.now,
        // Whole seconds, as in the token.
        expires_at: Timestamp::from_seconds(cx.now.seconds()).plus(ttl.min(settings.max_access_token_ttl)),
        revoked_at: None,
    };
    tx.insert_access_grant(&grant)?;
    let mut event = NewEvent::granted("ras.access_token.issued")
        .actor(Actor::Client(grant.client_id.as_str().to_owned()))
        .subject(person(id_jag))
        .client(&grant.client_id)
        .target(grant.resource.as_str())
        .tenant(&grant.tenant)
        .detail("account", grant.account.as_str())
        .detail("scope", grant.scope.to_string())
        .detail("jti", grant.jti.as_str())
        .detail("id_jag", grant.id_jag_jti.as_str());
    if is_new {
        event = event.detail("account_made", true);
    }
    // What was asked and not granted is worth knowing (RAS-JB-20).
    let asked = request
        .scope
        .as_ref()
        .filter(|asked| !asked.is_empty())
        .or(id_jag.scope.as_ref());
    if let Some(asked) = asked.filter(|asked| !asked.is_subset(&grant.scope)) {
        event = event.detail("withheld", asked.difference(&grant.scope).to_string());
    }
    record(cx, tx, event)?;
    Ok(grant)
}

/// Ordered by time, so that the newest grants lie together; 80 bits of chance.
fn fresh_jti(cx: &Cx) -> String {
    let mut bytes = [0u8; 16];
    let (time, noise) = bytes.split_at_mut(6);
    let millis = cx.now.micros().div_euclid(1000).to_be_bytes();
    time.copy_from_slice(millis.last_chunk::<6>().unwrap_or(&[0; 6]));
    cx.random.fill(noise);
    format!("at_{}", base64url(&bytes))
}

/// How an event names a person whom another party asserted.
pub(super) fn person(id_jag: &IdJagClaims) -> String {
    format!("{}|{}", id_jag.iss, id_jag.sub)
}

fn record_denial(
    cx: &Cx,
    tx: &mut dyn Tx,
    client: &AuthenticatedClient,
    id_jag: Option<&Verified<IdJag>>,
    denial: &Denial,
) -> Result<(), StoreError> {
    let client_id = &client.client.client_id;
    let mut event = NewEvent::denied("ras.id_jag.denied", denial.code())
        .actor(Actor::Client(client_id.as_str().to_owned()))
        .client(client_id)
        .detail("why", denial.to_string());
    if let Some(id_jag) = id_jag {
        event = event.subject(person(id_jag)).detail("id_jag", id_jag.jti.as_str());
        if let Some(resource) = id_jag.resource.as_ref().and_then(|claimed| claimed.sole()) {
            event = event.target(resource.as_str());
        }
    }
    record(cx, tx, event).map(|_| ())
}
