//! `POST` and `GET {issuer}/upstream/{connection}/saml/acs`: the answer of a SAML identity provider, and the browser that
//! brings it.
//!
//! The form is posted from the provider's site, without our cookies: what it says is checked and waits. Then the browser
//! is sent to the same path on our own site, where it shows that it is the one that began the sign-in.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::saml::denial::SamlDenial;
use lanyard_core::saml::sign_in::{Answer, Refused, arrive, arrive_unasked, turn_away};
use lanyard_core::saml::waiting::{self, Waiting};
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::attempt::{Purpose, SignInAttempt, Taken};
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::saml::SamlSettings;
use lanyard_federation::saml::decode_posted;
use lanyard_federation::saml::response::UnverifiedResponse;
use lanyard_protocol::form::{Form, encode};

use super::{find, keys};
use crate::http::form;
use crate::idp::grants::saml::certificates;
use crate::idp::upstream::Upstream;
use crate::idp::upstream::denial::{UpstreamDenial, words_of_refused};
use crate::idp::upstream::pages::redirect;
use crate::metrics;
use crate::oauth::refusal;

/// The page that a sign-in leads to which began at the identity provider.
const HOME: &str = "/account";

/// Takes an answer in.
pub(in crate::idp::upstream) async fn receive(
    State(own): State<Arc<Upstream>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let cx = own.deps.basis.cx(&parts);
    let mut response = match take_in(&own, &cx, &name, &parts, body).await {
        Ok(response) => response,
        Err(error) => return refusal::failure(&error, &cx.request_id),
    };
    if response.status() == StatusCode::FOUND {
        // A form was posted here; what comes next is asked for without one.
        *response.status_mut() = StatusCode::SEE_OTHER;
    }
    response
}

async fn take_in(own: &Upstream, cx: &Cx, name: &str, parts: &Parts, body: Body) -> Result<Response, StoreError> {
    let Ok(form) = form::read(parts, body).await else {
        return Ok(own.stray(cx, name, UpstreamDenial::Answer("the form")).await);
    };
    let Some((connection, settings)) = find(own, name).await? else {
        return Ok(own.stray(cx, name, SamlDenial::UnknownIssuer.into()).await);
    };
    let relay_state = form.once("RelayState").ok().flatten().map(str::to_owned);
    let (store, vault) = (&own.deps.basis.store, Arc::clone(&own.deps.basis.vault));
    let own_cx = cx.clone();
    let handle = relay_state.clone();
    let refused = match read(own, cx, &connection, &settings, &form).await? {
        Err(denial) => {
            let recorded = own.deps.basis.guard.record_refusal(cx.peer, cx.now);
            let unit = move |tx: &mut dyn lanyard_core::store::Tx| {
                turn_away(&own_cx, tx, &vault, &connection, (handle.as_deref(), denial), recorded)
            };
            Some(store.write(unit).await?)
        }
        Ok(read) => match handle.filter(|_| read.in_response_to.is_some()) {
            None => return unasked(own, cx, parts, read.answer).await,
            Some(handle) => {
                let issuer = own.deps.settings.issuer.clone();
                let unit = move |tx: &mut dyn lanyard_core::store::Tx| {
                    arrive(&own_cx, tx, &vault, &issuer, &read.answer, &handle)
                };
                store.write(unit).await?.into_result().err()
            }
        },
    };
    if let Some(Refused { denial, waits }) = refused {
        metrics::refused(Side::Idp, denial.code());
        if !waits {
            return Ok(own.problem(cx, &denial.into(), None));
        }
    }
    // What was found is told to the browser that began the sign-in, and to no other.
    let state = encode(&relay_state.unwrap_or_default());
    Ok(redirect(&format!("{}?state={state}", parts.uri.path()), &[]))
}

/// An answer with the request that it claims to answer.
struct Read {
    answer: Answer,
    in_response_to: Option<String>,
}

/// Reads the form, checks every signature, decrypts.
async fn read(
    own: &Upstream,
    cx: &Cx,
    connection: &Connection,
    settings: &SamlSettings,
    form: &Form,
) -> Result<Result<Read, SamlDenial>, StoreError> {
    let posted = form.once("SAMLResponse").ok().flatten().unwrap_or_default();
    let unverified = match decode_posted(posted).and_then(|bytes| UnverifiedResponse::parse(&bytes)) {
        Ok(unverified) => unverified,
        Err(defect) => return Ok(Err(defect.into())),
    };
    let pinned = match certificates(settings) {
        Ok(pinned) => pinned,
        Err(denial) => return Ok(Err(denial)),
    };
    let keys = keys::load(&own.deps.basis, cx).await?;
    Ok(match unverified.verify(&pinned, &keys.decryption) {
        Err(defect) => Err(defect.into()),
        Ok(assertion) => Ok(Read {
            in_response_to: unverified.in_response_to().map(str::to_owned),
            answer: Answer {
                connection: connection.clone(),
                issuer: unverified.issuer().map(str::to_owned),
                destination: unverified.destination().map(str::to_owned),
                assertion,
            },
        }),
    })
}

/// A sign-in that began at the identity provider, where that is allowed: the session begins at once.
async fn unasked(own: &Upstream, cx: &Cx, parts: &Parts, answer: Answer) -> Result<Response, StoreError> {
    let taken = Taken {
        attempt: nobodys_attempt(cx, &answer),
        connection: answer.connection.clone(),
    };
    let (own_cx, settings) = (cx.clone(), Arc::clone(&own.deps.settings));
    let store = &own.deps.basis.store;
    let arrived = store
        .write(move |tx| arrive_unasked(&own_cx, tx, &settings.issuer, &answer))
        .await?;
    Ok(match arrived {
        Outcome::Granted(asserted) => own.sign_in(cx, parts, taken, asserted).await,
        Outcome::Denied(denial) => {
            metrics::refused(Side::Idp, denial.code());
            own.problem(cx, &denial.into(), None)
        }
    })
}

/// What stands where an attempt would, for a sign-in that nobody here began.
fn nobodys_attempt(cx: &Cx, answer: &Answer) -> SignInAttempt {
    SignInAttempt {
        handle_hash: [0; 32],
        browser_hash: [0; 32],
        connection: answer.connection.id.clone(),
        connection_version: answer.connection.version,
        purpose: Purpose::Page,
        request: HOME.to_owned(),
        nonce: String::new(),
        sealed_verifier: None,
        max_age: None,
        asked_at: cx.now,
        expires_at: cx.now,
        used_at: Some(cx.now),
        report: None,
    }
}

/// The browser comes back on our own site, and shows its cookie.
pub(in crate::idp::upstream) async fn follow(
    State(own): State<Arc<Upstream>>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let cx = own.deps.basis.cx(&parts);
    let form = Form::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let state = form.once("state").ok().flatten().unwrap_or_default();
    let taken = match own.take(&cx, &parts, &name, state).await {
        Ok(Outcome::Granted(taken)) => taken,
        Ok(Outcome::Denied(denial)) => return own.stray(&cx, &name, denial.into()).await,
        Err(error) => return refusal::failure(&error, &cx.request_id),
    };
    match waiting::open(&own.deps.basis.vault, &taken.attempt) {
        Some(Waiting::Asserted(asserted)) => own.conclude(&cx, &parts, taken, Ok(asserted)).await,
        // Recorded when it came.
        Some(Waiting::Refused(refused)) if taken.attempt.purpose == Purpose::Test => {
            own.report(&cx, &taken, Err((refused.reason, refused.why))).await
        }
        Some(Waiting::Refused(refused)) => {
            let words = words_of_refused(refused.by_provider);
            own.told(&refused.request, StatusCode::FORBIDDEN, words, own.way(&taken.attempt))
        }
        // Came back without an answer.
        None => {
            own.conclude(&cx, &parts, taken, Err(SamlDenial::Unsolicited.into()))
                .await
        }
    }
}
