//! What every page shows, and turning a template into an answer.
//!
//! Owns the frame of a page. Never decides which page is shown.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::StatusCode;
use lanyard_protocol::issuer::Issuer;

use crate::assets::Asset;
use crate::headers;

/// The frame.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// Whose pages these are, for people.
    pub(crate) organisation: String,
    /// Address of the style sheet.
    pub(crate) stylesheet: String,
    /// Address of the script that asks for passkeys.
    pub(crate) passkeys: String,
    /// Address of the script of the first sign-in.
    pub(crate) first_sign_in: String,
    /// Whether the issuer is served over https.
    pub(crate) secure: bool,
}

impl Page {
    /// The frame of an issuer's pages.
    pub(crate) fn of(issuer: &Issuer, organisation: &str) -> Self {
        let base = issuer.path();
        let asset = |asset: Asset| format!("{base}{}", asset.path());
        Self {
            organisation: organisation.to_owned(),
            stylesheet: asset(Asset::Stylesheet),
            passkeys: asset(Asset::Passkeys),
            first_sign_in: asset(Asset::FirstSignIn),
            secure: !issuer.is_plain_http(),
        }
    }

    /// Renders a page whose form may lead to `target`.
    pub(crate) fn answer(&self, status: StatusCode, template: &impl Template, target: Option<&str>) -> Response {
        let (status, html) = match template.render() {
            Ok(html) => (status, html),
            Err(error) => {
                tracing::error!(error = %error, "a page could not be rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, String::new())
            }
        };
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        headers::page(response.headers_mut(), target, self.secure);
        response
    }
}
