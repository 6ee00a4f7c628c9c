//! Our SAML service provider: `/oauth2/upstream/{name}/…` for connections of kind `saml`.
//!
//! `metadata` is for the provider, `saml` begins a sign-in, `acs` takes the answer (posted from the provider's site, then
//! followed by the browser on ours), `slo` takes logouts. Owns the order of these steps. Never decides:
//! `core/src/saml` and `core/src/upstream` do.

mod acs;
mod keys;
mod slo;
mod start;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, REFERRER_POLICY};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use lanyard_core::cx::Cx;
use lanyard_core::id::RequestId;
use lanyard_core::session::cookie::Cookies;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::connection::{Connection, Kind};
use lanyard_core::upstream::saml::{SamlSettings, acs_url, entity_id, slo_url};
use lanyard_federation::saml::metadata::ServiceProvider;

use crate::http::answer;
use crate::idp::Idp;

/// The routes below the path of the issuer.
pub(crate) fn routes(base: &str) -> Router<Arc<Idp>> {
    let at = |last: &str| format!("{base}/oauth2/upstream/{{name}}/{last}");
    Router::new()
        .route(&at("metadata"), get(metadata))
        .route(&at("saml"), get(start::handle))
        .route(&at("acs"), get(acs::follow).post(acs::receive))
        .route(&at("slo"), get(slo::redirected).post(slo::posted))
}

/// Our metadata document for one provider.
async fn metadata(State(idp): State<Arc<Idp>>, Path(name): Path<String>, parts: Parts) -> Response {
    let cx = idp.deps.basis.cx(&parts);
    let (connection, settings) = match find(&idp, &name).await {
        Ok(Some(found)) => found,
        Ok(None) => return answer::text(StatusCode::NOT_FOUND, "there is no such SAML connection\n"),
        Err(error) => return failure(&cx, &error),
    };
    let own = match keys::load(&idp, &cx).await {
        Ok(own) => own,
        Err(error) => return failure(&cx, &error),
    };
    let issuer = &idp.deps.settings.issuer;
    let xml = ServiceProvider {
        entity_id: &entity_id(issuer, &connection.name),
        acs: &acs_url(issuer, &connection.name),
        slo: &slo_url(issuer, &connection.name),
        certificates: &own.certificates,
        name_id_format: settings.name_id_format.as_deref(),
    }
    .to_xml();
    let mut response = xml.into_response();
    let media = HeaderValue::from_static("application/samlmetadata+xml");
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// The SAML connection of this name, when it is switched on.
async fn find(idp: &Idp, name: &str) -> Result<Option<(Connection, SamlSettings)>, StoreError> {
    let wanted = name.to_owned();
    let found = idp
        .deps
        .basis
        .store
        .read(move |tx| tx.find_connection_by_name(&wanted))
        .await?;
    Ok(found
        .filter(|connection| connection.enabled)
        .and_then(|connection| match &connection.kind {
            Kind::Saml(settings) => {
                let settings = settings.clone();
                Some((connection, settings))
            }
            Kind::Oidc(_) => None,
        }))
}

fn cookies(idp: &Idp) -> Cookies {
    Cookies::new(!idp.deps.settings.issuer.is_plain_http())
}

fn sent(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

/// Sends the browser on; never remembered, and never told to the next site.
fn redirect(location: &str, cookies: &[String]) -> Response {
    let Ok(location) = HeaderValue::from_str(location) else {
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = answer::empty(StatusCode::SEE_OTHER);
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer::no_store(headers);
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(cookie) {
            headers.append(http::header::SET_COOKIE, value);
        }
    }
    response
}

/// A page for a person whose sign-in went no further: the same words whatever the reason (SEC-23), and a reference by
/// which an administrator finds it.
fn refused_page(status: StatusCode, reference: &RequestId) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Sign-in did not work</title>\
         <main><h1>Sign-in did not work</h1><p>Go back to the application and try once more. If it happens again, tell your \
         administrator this reference:</p><p><code>{}</code></p></main></html>\n",
        reference.as_str()
    );
    let mut response = (status, page).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    );
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    answer::no_store(headers);
    response
}

fn failure(cx: &Cx, error: &StoreError) -> Response {
    tracing::error!(request.id = cx.request_id.as_str(), error = %error, "a step of a SAML sign-in failed");
    refused_page(StatusCode::SERVICE_UNAVAILABLE, &cx.request_id)
}
