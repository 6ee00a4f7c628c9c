//! `POST` and `GET /oauth2/upstream/{name}/acs`: the answer of a SAML identity provider, and the browser that brings it.
//!
//! The form is posted from the provider's site, without our cookies: what it says is checked and waits. Then the browser
//! is sent to the same path on our own site, where it shows that it is the one that began the sign-in.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::USER_AGENT;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::{AuthorizeDenial, error_location};
use lanyard_core::idp::session;
use lanyard_core::outcome::Outcome;
use lanyard_core::saml::denial::SamlDenial;
use lanyard_core::saml::sign_in::{Answer, arrive, arrive_unasked};
use lanyard_core::saml::waiting;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_core::upstream::attempt::{self, Purpose, SignInAttempt, Taken};
use lanyard_core::upstream::resolve::Asserted;
use lanyard_core::upstream::sign_in::{Browser, Next, SignedIn, complete, record_failure, record_stray};
use lanyard_federation::saml::decode_posted;
use lanyard_federation::saml::response::UnverifiedResponse;
use lanyard_protocol::form::{Form, encode};
use lanyard_protocol::oauth::error::ErrorCode;
use secrecy::{ExposeSecret, SecretString};

use super::{cookies, failure, find, keys, redirect, refused_page, sent};
use crate::http::form;
use crate::idp::Idp;
use crate::idp::grants::saml::certificates;

/// The page that a sign-in leads to which began at the identity provider.
const HOME: &str = "/account";

/// Takes an answer in.
pub(super) async fn receive(State(idp): State<Arc<Idp>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cx = idp.deps.basis.cx(&parts);
    match take_in(&idp, &cx, &name, &parts, body).await {
        Ok(Some(response)) => response,
        Ok(None) => refused_page(StatusCode::BAD_REQUEST, &cx.request_id),
        Err(error) => failure(&cx, &error),
    }
}

async fn take_in(
    idp: &Arc<Idp>,
    cx: &Cx,
    name: &str,
    parts: &Parts,
    body: Body,
) -> Result<Option<Response>, StoreError> {
    let Ok(form) = form::read(parts, body).await else {
        return Ok(None);
    };
    let (answer, relay_state) = match read(idp, cx, name, &form).await? {
        Ok(read) => read,
        Err(denial) => {
            let (own, name) = (cx.clone(), name.to_owned());
            if idp.deps.basis.guard.record_refusal(cx.peer, cx.now) {
                let store = &idp.deps.basis.store;
                store
                    .write(move |tx| record_failure(&own, tx, &name, denial.code(), &denial.to_string()))
                    .await?;
            }
            return Ok(None);
        }
    };
    let issuer = idp.deps.settings.issuer.clone();
    let (own, vault) = (cx.clone(), Arc::clone(&idp.deps.basis.vault));
    let Some(handle) = relay_state.filter(|_| answer.is_asked_for()) else {
        return unasked(idp, cx, parts, answer.answer).await;
    };
    let state = handle.clone();
    let taken = idp
        .deps
        .basis
        .store
        .write(move |tx| arrive(&own, tx, &vault, &issuer, &answer.answer, &state))
        .await?;
    Ok(match taken {
        Outcome::Granted(()) => {
            let here = parts.uri.path();
            Some(redirect(&format!("{here}?state={}", encode(&handle)), &[]))
        }
        Outcome::Denied(_) => None,
    })
}

/// An answer with the request that it claims to answer.
struct Read {
    answer: Answer,
    in_response_to: Option<String>,
}

impl Read {
    fn is_asked_for(&self) -> bool {
        self.in_response_to.is_some()
    }
}

/// Reads the form, checks every signature, decrypts.
async fn read(
    idp: &Idp,
    cx: &Cx,
    name: &str,
    form: &Form,
) -> Result<Result<(Read, Option<String>), SamlDenial>, StoreError> {
    let Some((connection, settings)) = find(idp, name).await? else {
        return Ok(Err(SamlDenial::UnknownIssuer));
    };
    let posted = form.once("SAMLResponse").ok().flatten().unwrap_or_default();
    let relay_state = form.once("RelayState").ok().flatten().map(str::to_owned);
    let unverified = match decode_posted(posted).and_then(|bytes| UnverifiedResponse::parse(&bytes)) {
        Ok(unverified) => unverified,
        Err(defect) => return Ok(Err(defect.into())),
    };
    let pinned = match certificates(&settings) {
        Ok(pinned) => pinned,
        Err(denial) => return Ok(Err(denial)),
    };
    let own = keys::load(idp, cx).await?;
    Ok(match unverified.verify(&pinned, &own.decryption) {
        Err(defect) => Err(defect.into()),
        Ok(assertion) => Ok((
            Read {
                in_response_to: unverified.in_response_to().map(str::to_owned),
                answer: Answer {
                    connection,
                    issuer: unverified.issuer().map(str::to_owned),
                    destination: unverified.destination().map(str::to_owned),
                    assertion,
                },
            },
            relay_state,
        )),
    })
}

/// A sign-in that began at the identity provider, where that is allowed: the session begins at once.
async fn unasked(idp: &Arc<Idp>, cx: &Cx, parts: &Parts, answer: Answer) -> Result<Option<Response>, StoreError> {
    let (own, settings) = (cx.clone(), Arc::clone(&idp.deps.settings));
    let (leeway, agent) = (idp.deps.leeway, agent(parts));
    let done = idp
        .deps
        .basis
        .store
        .write(move |tx| {
            let asserted = match arrive_unasked(&own, tx, &settings.issuer, &answer)? {
                Outcome::Granted(asserted) => asserted,
                Outcome::Denied(_) => return Ok(None),
            };
            let taken = Taken {
                attempt: nobodys_attempt(&own, &answer),
                connection: answer.connection.clone(),
            };
            let browser = Browser { replaces: None, agent };
            let done = complete(&own, tx, &settings, &taken, &asserted, browser, leeway)?;
            Ok(done.into_result().ok())
        })
        .await?;
    Ok(done.map(|signed_in| go_on(idp, &signed_in)))
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
pub(super) async fn follow(State(idp): State<Arc<Idp>>, Path(name): Path<String>, parts: Parts) -> Response {
    let cx = idp.deps.basis.cx(&parts);
    let form = Form::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let handle = form.once("state").ok().flatten().unwrap_or_default().to_owned();
    let browser = cookies(&idp).browser(sent(&parts.headers));
    let unit = Return {
        cx: cx.clone(),
        idp: Arc::clone(&idp),
        name,
        handle,
        browser,
        session: cookies(&idp).session(sent(&parts.headers)),
        agent: agent(&parts),
        leeway: idp.deps.leeway,
    };
    match idp.deps.basis.store.write(move |tx| unit.run(tx)).await {
        Ok(Some(signed_in)) => go_on(&idp, &signed_in),
        Ok(None) => refused_page(StatusCode::BAD_REQUEST, &cx.request_id),
        Err(error) => failure(&cx, &error),
    }
}

/// What the unit of a browser's return owns.
struct Return {
    cx: Cx,
    idp: Arc<Idp>,
    name: String,
    handle: String,
    browser: Option<SecretString>,
    session: Option<SecretString>,
    agent: Option<String>,
    leeway: Duration,
}

impl Return {
    fn run(self, tx: &mut dyn Tx) -> Result<Option<SignedIn>, StoreError> {
        let taken = match attempt::take(&self.cx, tx, &self.name, &self.handle, self.browser.as_ref())? {
            Outcome::Granted(taken) => taken,
            Outcome::Denied(denial) => {
                if self.idp.deps.basis.guard.record_refusal(self.cx.peer, self.cx.now) {
                    record_stray(&self.cx, tx, &self.name, denial)?;
                }
                return Ok(None);
            }
        };
        let Some(asserted) = self.waiting(&taken.attempt) else {
            // Came back without an answer.
            let denial = SamlDenial::Unsolicited;
            record_failure(&self.cx, tx, &self.name, denial.code(), &denial.to_string())?;
            return Ok(None);
        };
        let settings = &self.idp.deps.settings;
        let replaces = match &self.session {
            Some(secret) => {
                session::find(&self.cx, tx, settings, secret.expose_secret())?.map(|(session, _)| session.id)
            }
            None => None,
        };
        let browser = Browser {
            replaces,
            agent: self.agent,
        };
        let done = complete(&self.cx, tx, settings, &taken, &asserted, browser, self.leeway)?;
        Ok(done.into_result().ok())
    }

    fn waiting(&self, attempt: &SignInAttempt) -> Option<Asserted> {
        let sealed = attempt.report.as_deref()?;
        waiting::open(&self.idp.deps.basis.vault, &attempt.handle_hash, sealed)
    }
}

/// Gives the browser its session and sends it to where the sign-in was for.
fn go_on(idp: &Idp, signed_in: &SignedIn) -> Response {
    let cookie = cookies(idp).give_session(&signed_in.session.secret);
    let issuer = &idp.deps.settings.issuer;
    let location = match &signed_in.next {
        Next::Client(_, Outcome::Granted(code)) => code.location.expose_secret().to_owned(),
        Next::Client(valid, Outcome::Denied(denial)) => {
            let code = match denial {
                AuthorizeDenial::Unmet => ErrorCode::UnmetAuthenticationRequirements,
                _ => ErrorCode::AccessDenied,
            };
            let settings = &idp.deps.settings;
            error_location(settings, &valid.redirect_uri, valid.state.as_deref(), code, None)
        }
        Next::Page(page) => issuer.endpoint(page),
    };
    redirect(&location, &[cookie])
}

fn agent(parts: &Parts) -> Option<String> {
    let text = parts.headers.get(USER_AGENT)?.to_str().ok()?;
    Some(text.chars().take(256).collect())
}
