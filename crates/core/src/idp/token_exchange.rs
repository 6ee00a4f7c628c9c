//! Exchanging a proof of sign-in for an ID-JAG (ID-JAG draft, section 4.3).
//!
//! Owns the decision at the IdP and its order. Never verifies signatures (it receives `Verified`) and never signs.

mod denial;
mod event;
mod scopes;
mod target;

use lanyard_jose::token::{IdToken, Verified};
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::TokenExchangeRequest;
use lanyard_protocol::oauth::token_type::TokenTypeUri;
use secrecy::SecretString;

pub use self::denial::Denial;
use self::event::Trace;
use crate::client::auth::AuthenticatedClient;
use crate::client::registration::KeyHolder;
use crate::cx::Cx;
use crate::id::UserId;
use crate::idp::assertion::PresentedAssertion;
use crate::idp::id_jag::IdJagGrant;
use crate::idp::settings::IdpSettings;
use crate::idp::{Stop, assertion, subject, subject_token, token_id};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::policy::evaluate::CompiledPolicy;
use crate::saml::denial::SamlDenial;
use crate::store::{StoreError, Tx};

/// The subject token of a request, verified as far as that is possible outside of the unit.
pub enum Subject {
    /// An ID token with a good signature of our own, addressed to anybody.
    IdToken(Box<Verified<IdToken>>),
    /// A refresh token as it was sent.
    RefreshToken(SecretString),
    /// A SAML assertion whose signature was checked, or what is wrong with it.
    Assertion(Box<Result<PresentedAssertion, SamlDenial>>),
}

/// Decides whether `client` gets an ID-JAG for the person behind `subject`, and with what in it.
///
/// Follows ID-JAG draft, section 4.3.3. The order matters: nothing is said about targets to a client whose subject
/// token is not acceptable, and policy is asked only about a known, active target.
///
/// # Errors
/// [`StoreError`].
#[expect(
    clippy::too_many_arguments,
    reason = "the hot path; each is a different thing and none is optional"
)]
pub fn exchange(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    policy: &CompiledPolicy,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &TokenExchangeRequest,
    subject: &Subject,
) -> Result<Outcome<IdJagGrant, Denial>, StoreError> {
    let mut trace = Trace::default();
    let decided = decide(cx, tx, vault, policy, settings, client, request, subject, &mut trace);
    match Stop::settle(decided)? {
        Ok(grant) => {
            event::issued(cx, tx, client, &grant, &trace)?;
            Ok(Outcome::Granted(grant))
        }
        Err(denial) => {
            event::denied(cx, tx, client, request, &denial, &trace)?;
            Ok(Outcome::Denied(denial))
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "see `exchange`")]
fn decide(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    policy: &CompiledPolicy,
    settings: &IdpSettings,
    client: &AuthenticatedClient,
    request: &TokenExchangeRequest,
    subject: &Subject,
    trace: &mut Trace,
) -> Result<IdJagGrant, Stop<Denial>> {
    check_client(client)?;
    check_types(request)?;

    let mut vouched = None;
    let found = match subject {
        Subject::IdToken(token) => subject_token::of_id_token(cx, tx, vault, client, token, &mut trace.user)?,
        Subject::RefreshToken(token) => {
            subject_token::of_refresh_token(cx, tx, settings, client, token, &mut trace.user)?
        }
        Subject::Assertion(presented) => {
            let person = assertion::vouch(cx, tx, settings, client, presented, &mut trace.user)?;
            subject_token::of_assertion(vouched.insert(person))
        }
    };
    check_holder(client, &found.user.id)?;

    let audience = target::audience(tx, request)?;
    let chosen = target::connectors(tx, &audience, &request.resources)?;
    // Never the IdP-side id by default (IDP-MN-02).
    let client_id = tx
        .find_mapping(&client.client.key, &audience.id)?
        .ok_or(Stop::Denied(Denial::NoMapping))?;

    let groups = tx.list_group_ids_of(&found.user.id)?;
    let who = scopes::Who {
        user: &found.user.id,
        groups: &groups,
        client: &client.client.key,
        evidence: found.authentication.evidence(cx.now),
    };
    trace.evidence = Some(who.evidence);
    let granted = scopes::grant(tx, policy, &who, &chosen, request.scope.as_ref(), trace)?;
    if let Some(vouched) = &vouched {
        // Last, so that a refusal that can be mended does not use the assertion up.
        assertion::consume(tx, vouched)?;
    }

    Ok(IdJagGrant {
        jti: token_id::fresh(cx),
        subject: subject::for_audience(vault, &audience, &found.user.id)?,
        session_handle: found.session.map(|sid| vault.session_handle(&audience.issuer, &sid)),
        audience: audience.issuer,
        client_id,
        resources: granted.resources,
        scope: granted.scope,
        aud_tenant: audience.aud_tenant,
        authentication: found.authentication,
        issued_at: cx.now,
        lifetime: audience.id_jag_ttl_seconds.max(1),
    })
}

pub(super) fn check_client(client: &AuthenticatedClient) -> Result<(), Stop<Denial>> {
    if !client.is_proven() {
        return Err(Stop::Denied(Denial::PublicClient));
    }
    if !client.client.grants.contains(&GrantType::TokenExchange) {
        return Err(Stop::Denied(Denial::GrantNotAllowed));
    }
    Ok(())
}

fn check_types(request: &TokenExchangeRequest) -> Result<(), Stop<Denial>> {
    if request.requested_token_type != TokenTypeUri::IdJag {
        return Err(Stop::Denied(Denial::RequestedTokenType));
    }
    match request.subject_token_type {
        TokenTypeUri::IdToken | TokenTypeUri::RefreshToken | TokenTypeUri::Saml2 => Ok(()),
        _ => Err(Stop::Denied(Denial::SubjectTokenType)),
    }
}

/// A key that a person enrolled acts for that person only (CL-ST-03).
pub(super) fn check_holder(client: &AuthenticatedClient, user: &UserId) -> Result<(), Stop<Denial>> {
    match client.key.as_ref().and_then(|key| key.holder.as_ref()) {
        None => Ok(()),
        Some(KeyHolder::User(holder)) if holder == user => Ok(()),
        Some(_) => Err(Stop::Denied(Denial::KeyOfOtherPerson)),
    }
}
