//! `GET|POST {issuer}/connectors/keys`, `DELETE …/keys/{kid}`: the keys of a person's native clients (CL-ST-03).
//!
//! Owns that a key is enrolled, or removed, at the IdP and at the RAS of this process in one unit. Never decides either.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::audit::event::Actor;
use lanyard_core::clock::Timestamp;
use lanyard_core::cx::Cx;
use lanyard_core::idp::native_key::{self, EnrolDenial};
use lanyard_core::idp::own_token::OwnBearer;
use lanyard_core::idp::subject;
use lanyard_core::outcome::Outcome;
use lanyard_core::ras::native_key as ras_key;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_core::trust::audience::Audience as KnownRas;
use lanyard_jose::jwk::{Jwk, JwkSet, KeySet};
use lanyard_jose::token::{ClientAssertion, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::connectors::{EnrolKeyRequest, EnrolledAt, EnrolledKey};
use lanyard_protocol::oauth::error::ErrorCode;
use serde::Serialize;

use crate::http::{answer, form};
use crate::idp::connectors::SCOPE;
use crate::idp::{Idp, bearer};
use crate::oauth::client_auth::ASSERTION_ALGORITHMS;
use crate::oauth::error;
use crate::oauth::refusal::{self, Refusal};

/// The largest enrolment request, in bytes.
const MAX_BODY: usize = 32 * 1024;
/// How far ahead a proof may expire, in seconds.
const LONGEST_PROOF: i64 = 300;

/// One enrolled key, as its person sees it.
#[derive(Serialize)]
struct KeyView {
    kid: String,
    label: String,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct KeyList {
    keys: Vec<KeyView>,
}

pub(super) async fn list(State(idp): State<Arc<Idp>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = idp.deps.basis.cx(&parts);
    let token = match bearer::read(&idp, &parts.headers, &cx) {
        Ok(token) => token,
        Err(refused) => return bearer::refuse(&refused, &cx, SCOPE),
    };
    let (role, own) = (Arc::clone(&idp), cx.clone());
    let read = idp.deps.basis.store.read(move |tx| {
        let person = match bearer::person(&role, &own, tx, &token, SCOPE)? {
            Ok(person) => person,
            Err(refused) => return Ok(Err(refused)),
        };
        native_key::list(&own, tx, &person.user.id, &person.client.key).map(Ok)
    });
    match read.await {
        Ok(Ok(keys)) => {
            let keys = keys.into_iter().map(|key| KeyView {
                kid: key.kid,
                label: key.label,
                created_at: key.created_at,
                expires_at: key.expires_at,
            });
            answer::json(StatusCode::OK, &KeyList { keys: keys.collect() })
        }
        Ok(Err(refused)) => bearer::refuse(&refused, &cx, SCOPE),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

pub(super) async fn enrol(State(idp): State<Arc<Idp>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cx = idp.deps.basis.cx(&parts);
    let token = match bearer::read(&idp, &parts.headers, &cx) {
        Ok(token) => token,
        Err(refused) => return bearer::refuse(&refused, &cx, SCOPE),
    };
    let body = match form::bytes(&parts, body, MAX_BODY).await {
        Ok(body) => body,
        Err(why) => return error::no_form(why).answer(&cx.request_id),
    };
    let asked: EnrolKeyRequest = match lanyard_protocol::json::from_slice(&body) {
        Ok(asked) => asked,
        Err(_) => return bad("the body is not an enrolment request").answer(&cx.request_id),
    };
    let Ok(jwk) = Jwk::parse(&asked.jwk) else {
        return bad("jwk is not a public key that can be used").answer(&cx.request_id);
    };
    let proof = match verify_proof(&idp, &cx, &jwk, &asked.proof, &token.client_id) {
        Ok(proof) => proof,
        Err(_) => return bad("the proof of possession is not acceptable").answer(&cx.request_id),
    };
    let (role, own) = (Arc::clone(&idp), cx.clone());
    let done = idp.deps.basis.store.write(move |tx| {
        let person = match bearer::person(&role, &own, tx, &token, SCOPE)? {
            Ok(person) => person,
            Err(refused) => return Ok(Err(refused)),
        };
        let settings = &role.deps.settings;
        let key = match native_key::enrol(&own, tx, settings, &person, &jwk, &asked.label, &proof)? {
            Outcome::Granted(key) => key,
            Outcome::Denied(denial) => return Ok(Err(enrolment(denial))),
        };
        let ras = enrol_at_ras(&role, &own, tx, &person, &key)?;
        Ok(Ok(EnrolledKey {
            kid: key.kid,
            client_id: person.client.client_id,
            ras,
            expires_at: key.expires_at.map_or(i64::MAX, Timestamp::seconds),
        }))
    });
    match done.await {
        Ok(Ok(enrolled)) => answer::json(StatusCode::CREATED, &enrolled),
        Ok(Err(refused)) => bearer::refuse(&refused, &cx, SCOPE),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

pub(super) async fn remove(State(idp): State<Arc<Idp>>, Path(kid): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = idp.deps.basis.cx(&parts);
    let token = match bearer::read(&idp, &parts.headers, &cx) {
        Ok(token) => token,
        Err(refused) => return bearer::refuse(&refused, &cx, SCOPE),
    };
    let (role, own) = (Arc::clone(&idp), cx.clone());
    let done = idp.deps.basis.store.write_reserved(move |tx| {
        let person = match bearer::person(&role, &own, tx, &token, SCOPE)? {
            Ok(person) => person,
            Err(refused) => return Ok(Err(refused)),
        };
        let removed = native_key::remove(&own, tx, &person, &kid)?;
        for (known, _) in ras_of(&role, tx, &person)? {
            let subject = subject::for_audience(&role.deps.basis.vault, &known, &person.user.id)?;
            let actor = Actor::User(person.user.id.to_string());
            ras_key::remove(&own, tx, actor, &role.deps.settings.issuer, &subject, &kid)?;
        }
        Ok(Ok(removed))
    });
    match done.await {
        Ok(Ok(true)) => answer::empty(StatusCode::NO_CONTENT),
        Ok(Ok(false)) => answer::empty(StatusCode::NOT_FOUND),
        Ok(Err(refused)) => bearer::refuse(&refused, &cx, SCOPE),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

/// The RAS of this process as the IdP knows it, with the client's id there; nothing when it runs elsewhere.
fn ras_of(idp: &Idp, tx: &mut dyn Tx, person: &OwnBearer) -> Result<Vec<(KnownRas, ClientId)>, StoreError> {
    let Some(ras) = &idp.deps.ras else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for known in tx
        .list_audiences()?
        .into_iter()
        .filter(|known| known.enabled && known.issuer == ras.issuer)
    {
        if let Some(client_id) = tx.find_mapping(&person.client.key, &known.id)? {
            found.push((known, client_id));
        }
    }
    Ok(found)
}

/// The other half of an enrolment. A RAS that does not take the key is left out of the answer.
fn enrol_at_ras(
    idp: &Idp,
    cx: &Cx,
    tx: &mut dyn Tx,
    person: &OwnBearer,
    key: &lanyard_core::client::registration::RegisteredKey,
) -> Result<Vec<EnrolledAt>, StoreError> {
    let issuer = &idp.deps.settings.issuer;
    let mut enrolled = Vec::new();
    for (known, client_id) in ras_of(idp, tx, person)? {
        let subject = subject::for_audience(&idp.deps.basis.vault, &known, &person.user.id)?;
        // A renewal replaces the person's own key of this name.
        ras_key::remove(
            cx,
            tx,
            Actor::System("enrolment".to_owned()),
            issuer,
            &subject,
            &key.kid,
        )?;
        let new = ras_key::NewKey {
            kid: key.kid.clone(),
            jwk: key.jwk.clone(),
            label: key.label.clone(),
            expires_at: key.expires_at,
        };
        match ras_key::enrol(cx, tx, &client_id, issuer, &subject, new)? {
            Outcome::Granted(_) => enrolled.push(EnrolledAt {
                issuer: known.issuer,
                client_id,
            }),
            Outcome::Denied(denial) => {
                tracing::warn!(
                    request.id = cx.request_id.as_str(),
                    reason = denial.code(),
                    "a RAS did not take a key"
                );
            }
        }
    }
    Ok(enrolled)
}

/// A client assertion signed with the key itself, for this issuer: who sends it holds the private half.
fn verify_proof(
    idp: &Idp,
    cx: &Cx,
    jwk: &Jwk,
    proof: &str,
    client_id: &ClientId,
) -> Result<Verified<ClientAssertion>, VerifyError> {
    let token = Unverified::<ClientAssertion>::parse(proof)?;
    let keys = KeySet::from_jwks(&JwkSet {
        keys: vec![jwk.clone().with_kid(&jwk.thumbprint())],
    });
    let expected = Expected {
        issuer: client_id.as_str(),
        audience: Audience::Sole(idp.deps.settings.issuer.as_str()),
        now: cx.now.seconds(),
        leeway: idp.leeway_seconds(),
        algorithms: ASSERTION_ALGORITHMS,
        max_lifetime: None,
    };
    let proof = verify(&token, &keys, &expected)?;
    let longest = cx
        .now
        .seconds()
        .saturating_add(LONGEST_PROOF)
        .saturating_add(idp.leeway_seconds());
    if proof.exp.seconds() > longest {
        Err(VerifyError::Lifetime)
    } else {
        Ok(proof)
    }
}

const fn bad(description: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, "malformed_request", description)
}

/// The table of enrolment.
const fn enrolment(denial: EnrolDenial) -> Refusal {
    let (status, description) = match denial {
        EnrolDenial::NotNative => (StatusCode::FORBIDDEN, "keys are enrolled for native clients only"),
        EnrolDenial::KeyType => (StatusCode::BAD_REQUEST, "the key must be an ES256 key"),
        EnrolDenial::Label => (StatusCode::BAD_REQUEST, "the label must have 1 to 100 characters"),
        EnrolDenial::ProofOfOtherClient | EnrolDenial::ProofReplayed => {
            (StatusCode::BAD_REQUEST, "the proof of possession is not acceptable")
        }
        EnrolDenial::Taken => (StatusCode::CONFLICT, "the key is enrolled already"),
        EnrolDenial::TooMany => (StatusCode::CONFLICT, "too many keys are enrolled; remove one first"),
    };
    Refusal::new(ErrorCode::InvalidRequest, denial.code(), description).with_status(status)
}
