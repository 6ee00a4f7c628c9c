//! Style sheet and scripts, embedded, under names that change with their content.
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

/// A file that pages name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asset {
    /// The style sheet of every page.
    Stylesheet,
    /// Asks the browser for passkeys.
    Passkeys,
    /// Reads the one-time token from the address.
    FirstSignIn,
}

impl Asset {
    const ALL: [Self; 3] = [Self::Stylesheet, Self::Passkeys, Self::FirstSignIn];

    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Stylesheet => ("lanyard", "css", "text/css; charset=utf-8"),
            Self::Passkeys => ("passkeys", "js", "text/javascript; charset=utf-8"),
            Self::FirstSignIn => ("first-sign-in", "js", "text/javascript; charset=utf-8"),
        }
    }

    fn file(self) -> Option<rust_embed::EmbeddedFile> {
        let (name, extension, _) = self.parts();
        Files::get(&format!("{name}.{extension}"))
    }

    /// Where it is, below the issuer's path: `/assets/lanyard.<hash>.css`.
    pub(crate) fn path(self) -> String {
        let (name, extension, _) = self.parts();
        let hash = self.file().map(|file| short_hash(&file)).unwrap_or_default();
        format!("/assets/{name}.{hash}.{extension}")
    }
}

/// The router of the assets.
pub fn router(path: &str) -> Router {
    Router::new().route(&format!("{path}/assets/{{name}}"), get(serve))
}

async fn serve(Path(name): Path<String>) -> Response {
    let wanted = Asset::ALL
        .into_iter()
        .find(|asset| asset.path().strip_prefix("/assets/") == Some(name.as_str()));
    let Some((asset, file)) = wanted.and_then(|asset| Some((asset, asset.file()?))) else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    };
    let (_, _, content_type) = asset.parts();
    let mut response = Response::new(Body::from(file.data.into_owned()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
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
