//! `GET /oauth2/upstream/{name}/saml`: a client's authorization request, sent on to a SAML identity provider.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::{AuthorizeRequest, check_client};
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::attempt::{self, Begun, Carried, Purpose};
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::saml::{SamlSettings, acs_url, entity_id};
use lanyard_federation::saml::message::{Envelope, SignIn, authn_request};
use lanyard_federation::saml::redirect::{Carrier, address};
use lanyard_jose::random;
use lanyard_protocol::form::Form;
use secrecy::{ExposeSecret, SecretString};

use super::{cookies, failure, find, keys, redirect, refused_page, sent};
use crate::idp::Idp;

/// Begins a sign-in for a client's request, which stands in the query as at the authorization endpoint.
pub(super) async fn handle(State(idp): State<Arc<Idp>>, Path(name): Path<String>, parts: Parts) -> Response {
    let cx = idp.deps.basis.cx(&parts);
    let query = parts.uri.query().unwrap_or_default();
    let Ok(form) = Form::parse(query.as_bytes()) else {
        return refused_page(StatusCode::BAD_REQUEST, &cx.request_id);
    };
    let known = cookies(&idp).browser(sent(&parts.headers));
    let browser = known.clone().unwrap_or_else(|| random::token(&*cx.random));
    let location = match begin(&idp, &cx, &name, &form, &browser).await {
        Ok(Some(location)) => location,
        Ok(None) => return refused_page(StatusCode::BAD_REQUEST, &cx.request_id),
        Err(error) => return failure(&cx, &error),
    };
    let given = match known {
        Some(_) => Vec::new(),
        None => vec![cookies(&idp).give_browser(&browser)],
    };
    redirect(&location, &given)
}

async fn begin(
    idp: &Arc<Idp>,
    cx: &Cx,
    name: &str,
    form: &Form,
    browser: &SecretString,
) -> Result<Option<String>, StoreError> {
    let Some((connection, settings)) = find(idp, name).await? else {
        return Ok(None);
    };
    let (own_cx, vault, record) = (cx.clone(), Arc::clone(&idp.deps.basis.vault), connection.clone());
    let (browser, form) = (browser.clone(), form.clone());
    let begun = idp
        .deps
        .basis
        .store
        .write(move |tx| {
            let Ok(valid) = check_client(&own_cx, tx, &AuthorizeRequest::parse(&form))? else {
                return Ok(None);
            };
            let again = if valid.sign_in_again { Some(0) } else { valid.max_age };
            let carried = Carried {
                purpose: Purpose::Client,
                request: form.encode(),
                max_age: again.map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX)),
            };
            let force = again.is_some();
            attempt::begin(&own_cx, tx, &vault, &record, &browser, carried).map(|begun| Some((begun, force)))
        })
        .await?;
    let Some((begun, force)) = begun else {
        return Ok(None);
    };
    request_address(idp, cx, &connection, &settings, &begun, force)
        .await
        .map(Some)
}

/// The signed request, as the address to send the browser to.
async fn request_address(
    idp: &Idp,
    cx: &Cx,
    connection: &Connection,
    settings: &SamlSettings,
    begun: &Begun,
    force: bool,
) -> Result<String, StoreError> {
    let issuer = &idp.deps.settings.issuer;
    let own = keys::load(idp, cx).await?;
    let message = authn_request(
        &Envelope {
            id: &begun.nonce,
            issuer: &entity_id(issuer, &connection.name),
            destination: &settings.sso_url,
            at: cx.now,
        },
        &SignIn {
            acs: &acs_url(issuer, &connection.name),
            name_id_format: settings.name_id_format.as_deref(),
            force,
            classes: &[],
        },
    );
    let handle = Some(begun.handle.expose_secret());
    address(
        &settings.sso_url,
        Carrier::Request,
        &message,
        handle,
        Some(&own.signing),
    )
    .map_err(|_| StoreError::Corrupt("a SAML request could not be signed".to_owned()))
}
