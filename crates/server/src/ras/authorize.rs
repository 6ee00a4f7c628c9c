//! `GET|POST …/authorize` of the RAS: connectors are managed only, so the answer is always no, with the way that is
//! open (RAS-AC-02).
//!
//! Owns telling it: by redirect when client and redirect URI are registered, else as a text (IDP-AU-04 holds here too).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header::{HeaderValue, LOCATION, REFERRER_POLICY};
use http::{Method, StatusCode};
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_core::client::redirect;
use lanyard_core::client::registration::{Client, Side};
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::error::ErrorCode;

use crate::http::{answer, form};
use crate::metrics;
use crate::oauth::error;
use crate::oauth::refusal;
use crate::ras::Ras;

/// What to do, for the person in front of the client.
const ADVICE: &str = "This connector is managed by your organisation. Sign in through your organisation instead: choose \
                      enterprise-managed authorization in your client, or ask your administrator for access.";

pub(super) async fn handle(State(ras): State<Arc<Ras>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cx = ras.deps.basis.cx(&parts);
    let read = match parts.method {
        Method::POST => form::read(&parts, body).await,
        _ => Form::parse(parts.uri.query().unwrap_or_default().as_bytes()).map_err(Into::into),
    };
    let form = match read {
        Ok(form) => form,
        Err(why) => return error::no_form(why).answer(&cx.request_id),
    };
    let once = |name| form.once(name).ok().flatten().map(str::to_owned);
    let (client_id, redirect_uri) = (
        once("client_id").and_then(|id| ClientId::parse(id).ok()),
        once("redirect_uri"),
    );
    metrics::refused(Side::Ras, "managed_only");

    let worth_a_row = ras.deps.basis.guard.record_refusal(cx.peer, cx.now);
    let (own, named) = (cx.clone(), client_id);
    let found = ras
        .deps
        .basis
        .store
        .write(move |tx| -> Result<Option<Client>, StoreError> {
            let client = match &named {
                Some(id) => tx.find_client(Side::Ras, id)?.filter(|client| client.enabled),
                None => None,
            };
            if worth_a_row {
                let mut event = NewEvent::denied("ras.authorization.denied", "managed_only");
                if let Some(named) = &named {
                    event = event.client(named);
                }
                record(&own, tx, event)?;
            }
            Ok(client)
        });
    let client = match found.await {
        Ok(client) => client,
        Err(error) => return refusal::failure(&error, &cx.request_id),
    };
    let target = match (&client, &redirect_uri) {
        (Some(client), Some(uri)) if redirect::is_registered(client, uri) => Some(uri),
        _ => None,
    };
    let back = target.and_then(|uri| {
        let mut url = url::Url::parse(uri).ok()?;
        url.query_pairs_mut()
            .append_pair("error", ErrorCode::AccessDenied.as_str())
            .append_pair("error_description", ADVICE)
            .append_pair("iss", ras.deps.settings.issuer.as_str());
        if let Some(state) = once("state") {
            url.query_pairs_mut().append_pair("state", &state);
        }
        HeaderValue::from_str(url.as_str()).ok()
    });
    let mut response = match back {
        Some(location) => {
            let mut response = answer::empty(StatusCode::FOUND);
            response.headers_mut().insert(LOCATION, location);
            response
        }
        None => answer::text(StatusCode::FORBIDDEN, format!("{ADVICE}\n\n({})\n", cx.request_id)),
    };
    response
        .headers_mut()
        .insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
