//! Requests, answers and the trait between them.
//!
//! Owns the shape that tests answer from memory. Never opens a connection.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use lanyard_protocol::form::Form;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::FetchError;

/// How much of an answer is read unless the request says otherwise (SEC-08).
pub const DEFAULT_MAX_BODY: usize = 64 * 1024;
/// How long a request may take in all unless it says otherwise (SEC-08).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// One outbound request. Its headers and body may hold credentials and are not printed.
#[derive(Clone)]
pub struct FetchRequest {
    /// The method.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Headers besides `Host`.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The largest answer that is read, in bytes.
    pub max_body: usize,
    /// The deadline for everything: resolving, connecting, sending, reading.
    pub timeout: Duration,
    /// Whether a redirect is handed to the caller as an answer instead of an error. It is never followed here; a
    /// browser that plays a person follows it by itself.
    pub show_redirects: bool,
}

impl FetchRequest {
    /// A `GET` that accepts JSON.
    pub fn get(url: Url) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            method: Method::GET,
            url,
            headers,
            body: Vec::new(),
            max_body: DEFAULT_MAX_BODY,
            timeout: DEFAULT_TIMEOUT,
            show_redirects: false,
        }
    }

    /// A `POST` of a form that accepts JSON.
    pub fn post_form(url: Url, form: &Form) -> Self {
        let mut request = Self::get(url);
        request.method = Method::POST;
        request.body = form.encode().into_bytes();
        request.headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        request
    }

    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        f.debug_struct("FetchRequest")
            .field("method", &self.method)
            .field("host", &host)
            .finish_non_exhaustive()
    }
}

/// The answer, read to its end. It may hold tokens and is not printed.
#[derive(Clone)]
pub struct FetchResponse {
    /// The status; never a redirect.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl FetchResponse {
    /// Whether the content type is `application/json` or has the suffix `+json`.
    pub fn is_json(&self) -> bool {
        let kind = self
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    }

    /// The body of a `200` with a JSON content type, as strict JSON (TOK-GN-02, SEC-22).
    ///
    /// # Errors
    /// [`FetchError::Status`] or [`FetchError::Content`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, FetchError> {
        if self.status != StatusCode::OK {
            return Err(FetchError::Status(self.status.as_u16()));
        }
        if !self.is_json() {
            return Err(FetchError::Content("the content type is not JSON"));
        }
        lanyard_protocol::json::from_slice(&self.body).map_err(|_| FetchError::Content("not the expected JSON"))
    }
}

impl fmt::Debug for FetchResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FetchResponse")
            .field("status", &self.status)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What [`Fetch::fetch`] returns.
pub type FetchFuture<'a> = Pin<Box<dyn Future<Output = Result<FetchResponse, FetchError>> + Send + 'a>>;

/// Something that answers requests: [`crate::HttpFetch`], or a test's memory.
pub trait Fetch: Send + Sync {
    /// Sends one request and reads its whole answer.
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_>;
}
