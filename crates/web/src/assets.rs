//! Style sheets, embedded, under names that change with their content.
//!
//! Owns their addresses and caching. Never loads anything from elsewhere.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

const STYLESHEET: &str = "lanyard.css";

/// Where the style sheet is, below the issuer's path: `/assets/lanyard.<hash>.css`.
pub fn stylesheet() -> String {
    let hash = Files::get(STYLESHEET).map(|file| short_hash(&file)).unwrap_or_default();
    format!("/assets/lanyard.{hash}.css")
}

/// The router of the assets.
pub fn router(path: &str) -> Router {
    Router::new().route(&format!("{path}/assets/{{name}}"), get(serve))
}

async fn serve(Path(name): Path<String>) -> Response {
    let file = Files::get(STYLESHEET).filter(|_| stylesheet().strip_prefix("/assets/") == Some(name.as_str()));
    let Some(file) = file else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"));
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn short_hash(file: &rust_embed::EmbeddedFile) -> String {
    use std::fmt::Write;
    file.metadata
        .sha256_hash()
        .iter()
        .take(8)
        .fold(String::new(), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
