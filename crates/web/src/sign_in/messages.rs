//! Messages and redirects that the pages have in common.

use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{HeaderValue, LOCATION, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use lanyard_core::cx::Cx;
use lanyard_core::store::StoreError;
use lanyard_protocol::form::{Form, MAX_FORM_BYTES};

use crate::headers;
use crate::sign_in::SignIn;
use crate::sign_in::view::MessagePage;

/// How long a browser may take to send a form (HT-03).
const PATIENCE: Duration = Duration::from_secs(10);

impl SignIn {
    /// A page that says what happened and what to do.
    pub(crate) fn message(
        &self,
        status: StatusCode,
        cx: &Cx,
        title: &str,
        text: &str,
        advice: Option<&str>,
    ) -> Response {
        let request_id = (!status.is_success()).then(|| cx.request_id.as_str());
        self.page.answer(
            status,
            &MessagePage {
                page: &self.page,
                title,
                text,
                advice,
                way: None,
                request_id,
            },
            None,
        )
    }

    /// A failure of ours: logged once, here.
    pub(crate) fn failure(&self, cx: &Cx, error: &StoreError) -> Response {
        let (status, text) = match error {
            StoreError::Full | StoreError::Unavailable => {
                tracing::warn!(request.id = cx.request_id.as_str(), error = %error, "the store takes no work");
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The sign-in service cannot answer at the moment.",
                )
            }
            other => {
                tracing::error!(request.id = cx.request_id.as_str(), error = ?other, "a page failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side.")
            }
        };
        let response = self.message(
            status,
            cx,
            "That did not work",
            text,
            Some("Please try again in a moment."),
        );
        if status == StatusCode::SERVICE_UNAVAILABLE {
            retry_after(response, 2)
        } else {
            response
        }
    }

    /// A page for a request that cannot be read.
    pub(crate) fn unreadable(&self, cx: &Cx, status: StatusCode) -> Response {
        let advice = Some("Go back to the program you came from and start again.");
        self.message(
            status,
            cx,
            "That request cannot be read",
            "The link or form is damaged or too long.",
            advice,
        )
    }

    /// Sends the browser on.
    pub(crate) fn redirect(&self, status: StatusCode, location: &str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        headers::private(response.headers_mut(), self.page.secure);
        match HeaderValue::from_str(location) {
            Ok(location) => {
                response.headers_mut().insert(LOCATION, location);
            }
            Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
        }
        response
    }
}

/// Asks the browser to wait.
pub(crate) fn retry_after(mut response: Response, seconds: u64) -> Response {
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// After a GET the method stays, after a form it becomes GET.
pub(crate) fn redirect_status(method: &Method) -> StatusCode {
    if method == Method::POST {
        StatusCode::SEE_OTHER
    } else {
        StatusCode::FOUND
    }
}

/// The parameters of a request: the query string of a GET, the form of a POST.
pub(crate) async fn parameters(request: Request) -> Result<(Parts, Form), (Parts, StatusCode)> {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return match Form::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            Ok(form) => Ok((parts, form)),
            Err(_) => Err((parts, StatusCode::BAD_REQUEST)),
        };
    }
    if !is_form(&parts.headers) {
        return Err((parts, StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let body = match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, MAX_FORM_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => return Err((parts, StatusCode::PAYLOAD_TOO_LARGE)),
        Err(_) => return Err((parts, StatusCode::REQUEST_TIMEOUT)),
    };
    match Form::parse(&body) {
        Ok(form) => Ok((parts, form)),
        Err(_) => Err((parts, StatusCode::BAD_REQUEST)),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}
