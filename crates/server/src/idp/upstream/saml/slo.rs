//! `GET` and `POST {issuer}/upstream/{connection}/saml/slo`: a SAML identity provider asks to end sessions, and is answered
//! (SAML Profiles, section 4.4).

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::saml::denial::SamlDenial;
use lanyard_core::saml::logout::{self, end_sessions};
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::saml::{SamlSettings, entity_id};
use lanyard_core::upstream::sign_in::record_failure;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::decode_posted;
use lanyard_federation::saml::logout::LogoutRequest;
use lanyard_federation::saml::message::{Envelope, logout_response};
use lanyard_federation::saml::redirect::{Carrier, Received, address};
use lanyard_jose::random;
use secrecy::ExposeSecret;

use super::{find, keys};
use crate::http::form;
use crate::idp::grants::saml::certificates;
use crate::idp::upstream::Upstream;
use crate::idp::upstream::pages::{Message, redirect};
use crate::metrics;
use crate::oauth::refusal;

/// A request, or an answer to one of ours, in the query of a redirect.
pub(in crate::idp::upstream) async fn redirected(
    State(own): State<Arc<Upstream>>,
    Path(name): Path<String>,
    parts: Parts,
) -> Response {
    let cx = own.deps.basis.cx(&parts);
    let query = parts.uri.query().unwrap_or_default().to_owned();
    if query.contains("SAMLResponse=") {
        // The end of a logout that began here: the session ended before the provider was asked.
        return redirect(&own.deps.settings.issuer.endpoint("/oauth2/logout"), &[]);
    }
    answer(&own, &cx, &name, move |pinned| {
        let received = Received::parse(&query, Carrier::Request)?;
        let request = LogoutRequest::redirected(&received, pinned)?;
        Ok((request, received.relay_state))
    })
    .await
}

/// A request in a posted form.
pub(in crate::idp::upstream) async fn posted(
    State(own): State<Arc<Upstream>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let cx = own.deps.basis.cx(&parts);
    let Ok(form) = form::read(&parts, body).await else {
        return unread(&own, &cx);
    };
    answer(&own, &cx, &name, move |pinned| {
        let posted = form.once("SAMLRequest").ok().flatten().unwrap_or_default();
        let request = LogoutRequest::posted(&decode_posted(posted)?, pinned)?;
        Ok((request, form.once("RelayState").ok().flatten().map(str::to_owned)))
    })
    .await
}

async fn answer(
    own: &Upstream,
    cx: &Cx,
    name: &str,
    read: impl FnOnce(&[Certificate]) -> Result<(LogoutRequest, Option<String>), SamlDenial> + Send,
) -> Response {
    match serve(own, cx, name, read).await {
        Ok(Ok(location)) => {
            own.deps.cut_off.complete().await;
            let mut response = redirect(&location, &[own.cookies.take_session()]);
            // Asked by a form or by a redirect: the answer is carried by a redirect.
            *response.status_mut() = StatusCode::SEE_OTHER;
            response
        }
        Ok(Err(denial)) => refused(own, cx, name, denial).await,
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

async fn serve(
    own: &Upstream,
    cx: &Cx,
    name: &str,
    read: impl FnOnce(&[Certificate]) -> Result<(LogoutRequest, Option<String>), SamlDenial> + Send,
) -> Result<Result<String, SamlDenial>, StoreError> {
    let Some((connection, settings)) = find(own, name).await?.filter(|(found, _)| found.enabled) else {
        return Ok(Err(SamlDenial::UnknownIssuer));
    };
    let (request, relay_state) = match certificates(&settings).and_then(|pinned| read(&pinned)) {
        Ok(read) => read,
        Err(denial) => return Ok(Err(denial)),
    };
    let (own_cx, issuer, record) = (cx.clone(), own.deps.settings.issuer.clone(), connection.clone());
    let asked = logout::LogoutRequest {
        id: request.id.clone(),
        issuer: request.issuer,
        destination: request.destination,
        issued_at: request.issued_at,
        not_on_or_after: request.not_on_or_after,
        session_indexes: request.session_indexes,
    };
    let vault = Arc::clone(&own.deps.basis.vault);
    let ended = own
        .deps
        .basis
        .store
        .write_reserved(move |tx| end_sessions(&own_cx, tx, &vault, &issuer, &record, &asked))
        .await?;
    if let Outcome::Denied(denial) = ended {
        return Ok(Err(denial));
    }
    response_address(own, cx, &connection, &settings, &request.id, relay_state.as_deref())
        .await
        .map(Ok)
}

/// The signed answer, as the address to send the browser to.
async fn response_address(
    own: &Upstream,
    cx: &Cx,
    connection: &Connection,
    settings: &SamlSettings,
    in_response_to: &str,
    relay_state: Option<&str>,
) -> Result<String, StoreError> {
    let endpoint = settings.slo_response_url.as_ref().or(settings.slo_url.as_ref());
    let Some(endpoint) = endpoint else {
        // Nobody to answer: the person is told that they are signed out.
        return Ok(own.deps.settings.issuer.endpoint("/oauth2/logout"));
    };
    let keys = keys::load(&own.deps.basis, cx).await?;
    let id = format!("_{}", random::token(&*cx.random).expose_secret());
    let message = logout_response(
        &Envelope {
            id: &id,
            issuer: &entity_id(&own.deps.settings.issuer, &connection.name),
            destination: endpoint,
            at: cx.now,
        },
        in_response_to,
    );
    address(endpoint, Carrier::Response, &message, relay_state, Some(&keys.signing))
        .map_err(|_| StoreError::Corrupt("a SAML answer could not be signed".to_owned()))
}

async fn refused(own: &Upstream, cx: &Cx, name: &str, denial: SamlDenial) -> Response {
    metrics::refused(Side::Idp, denial.code());
    if own.deps.basis.guard.record_refusal(cx.peer, cx.now) {
        let (own_cx, name) = (cx.clone(), name.to_owned());
        let written = own
            .deps
            .basis
            .store
            .write(move |tx| record_failure(&own_cx, tx, &name, denial.code(), &denial.to_string()))
            .await;
        if let Err(error) = written {
            return refusal::failure(&error, &cx.request_id);
        }
    }
    unread(own, cx)
}

/// The page of a logout that was not believed.
fn unread(own: &Upstream, cx: &Cx) -> Response {
    own.deps.pages.message(Message {
        status: StatusCode::BAD_REQUEST,
        title: "You were not signed out here",
        text: "Your identity provider asked to sign you out, and its request was not accepted.".to_owned(),
        advice: "Sign out here yourself. If it goes on, tell your administrator: the audit log has the exact reason.",
        way: Some(("Sign out", format!("{}/oauth2/logout", own.base))),
        reference: Some(cx.request_id.clone()),
    })
}
