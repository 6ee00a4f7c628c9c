//! Our SAML service provider at one identity provider: `{issuer}/upstream/{connection}/saml/…`.
//!
//! `metadata` is for the provider, `acs` takes the answer (posted from the provider's site, then followed by the browser
//! on ours), `slo` takes logouts. Owns the order of these steps. Never decides: `core/src/saml` and `core/src/upstream`
//! do.

pub(super) mod acs;
pub(crate) mod keys;
pub(super) mod request;
pub(super) mod slo;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::connection::{Connection, Kind};
use lanyard_core::upstream::saml::{SamlSettings, acs_url, entity_id, slo_url};
use lanyard_federation::saml::metadata::ServiceProvider;
use lanyard_protocol::issuer::Issuer;

use super::Upstream;
use crate::http::answer;
use crate::oauth::basis::Basis;
use crate::oauth::refusal;

/// `GET …/saml/metadata`: our metadata document for one provider. Also while the connection is switched off: the provider
/// has to know us before anybody can sign in there.
pub(super) async fn metadata(State(own): State<Arc<Upstream>>, Path(name): Path<String>, parts: Parts) -> Response {
    let cx = own.deps.basis.cx(&parts);
    let (connection, settings) = match find(&own, &name).await {
        Ok(Some(found)) => found,
        Ok(None) => return answer::text(StatusCode::NOT_FOUND, "there is no such SAML connection\n"),
        Err(error) => return refusal::failure(&error, &cx.request_id),
    };
    let issuer = &own.deps.settings.issuer;
    match document(&own.deps.basis, &cx, issuer, &connection.name, &settings).await {
        Ok(xml) => served(xml),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

/// A metadata document on its way.
pub(crate) fn served(xml: String) -> Response {
    let mut response = xml.into_response();
    let media = HeaderValue::from_static("application/samlmetadata+xml");
    response.headers_mut().insert(CONTENT_TYPE, media);
    response
}

/// What we say of ourselves to the provider of this connection.
pub(crate) async fn document(
    basis: &Basis,
    cx: &Cx,
    issuer: &Issuer,
    connection: &str,
    settings: &SamlSettings,
) -> Result<String, StoreError> {
    let keys = keys::load(basis, cx).await?;
    let xml = ServiceProvider {
        entity_id: &entity_id(issuer, connection),
        acs: &acs_url(issuer, connection),
        slo: &slo_url(issuer, connection),
        certificates: &keys.certificates,
        name_id_format: settings.name_id_format.as_deref(),
    };
    Ok(xml.to_xml())
}

/// The SAML connection of this name, switched on or off.
async fn find(own: &Upstream, name: &str) -> Result<Option<(Connection, SamlSettings)>, StoreError> {
    let wanted = name.to_owned();
    let store = &own.deps.basis.store;
    let found = store.read(move |tx| tx.find_connection_by_name(&wanted)).await?;
    Ok(found.and_then(|connection| match &connection.kind {
        Kind::Saml(settings) => {
            let settings = settings.clone();
            Some((connection, settings))
        }
        Kind::Oidc(_) => None,
    }))
}
