//! Refusals on the wire (RFC 7644, section 3.12; SC-17): the one table from denials to status and `scimType`.
//!
//! Owns status and words. Never decides.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::cx::Cx;
use lanyard_core::scim::denial::ScimDenial;
use lanyard_core::store::StoreError;
use lanyard_protocol::scim::error::{ErrorBody, ScimType};

use crate::http::answer::retry_after;
use crate::scim::answer;

/// An error as it is answered.
#[derive(Debug)]
pub(crate) struct ScimError {
    status: StatusCode,
    scim_type: Option<ScimType>,
    detail: String,
    wait: Option<u64>,
}

impl ScimError {
    /// The detail ends with the request id: it is what an administrator of the client sees, and finds the event by.
    fn new(cx: &Cx, status: StatusCode, scim_type: Option<ScimType>, detail: &str) -> Self {
        Self {
            status,
            scim_type,
            detail: format!("{detail} ({})", cx.request_id),
            wait: None,
        }
    }

    /// Without a detail code.
    pub(super) fn plain(cx: &Cx, status: StatusCode, detail: &str) -> Self {
        Self::new(cx, status, None, detail)
    }

    /// No token, or one that is unknown, expired, revoked, or of a directory that is switched off.
    pub(super) fn unauthenticated(cx: &Cx) -> Self {
        let words =
            "a live token of a directory is needed in the Authorization header; see `lanyard scim token create`";
        Self::new(cx, StatusCode::UNAUTHORIZED, None, words)
    }

    /// Too many attempts.
    pub(super) fn too_many(cx: &Cx, seconds: u64) -> Self {
        let mut error = Self::new(cx, StatusCode::TOO_MANY_REQUESTS, None, "wait, then try again");
        error.wait = Some(seconds);
        error
    }

    /// A decided no.
    pub(super) fn denied(cx: &Cx, denial: &ScimDenial) -> Self {
        let (status, scim_type) = table(denial);
        Self::new(cx, status, scim_type, &denial.to_string())
    }

    /// A failure of ours: logged here, neutral outside. Clients try again what answers 503.
    pub(super) fn failed(cx: &Cx, error: &StoreError) -> Self {
        match error {
            StoreError::Conflict(_) | StoreError::Unavailable | StoreError::Full => {
                tracing::warn!(request.id = %cx.request_id, %error, "the store cannot take a SCIM request");
                let mut answer = Self::new(cx, StatusCode::SERVICE_UNAVAILABLE, None, "try again shortly");
                answer.wait = Some(2);
                answer
            }
            _ => {
                let cause = std::error::Error::source(error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::error!(request.id = %cx.request_id, %error, cause, "a SCIM request failed");
                Self::new(
                    cx,
                    StatusCode::INTERNAL_SERVER_ERROR,
                    None,
                    "the request failed; the log says why",
                )
            }
        }
    }
}

const fn table(denial: &ScimDenial) -> (StatusCode, Option<ScimType>) {
    const BAD: StatusCode = StatusCode::BAD_REQUEST;
    match denial {
        ScimDenial::NotFound { .. } | ScimDenial::Admin(AdminDenial::NotFound { .. }) => (StatusCode::NOT_FOUND, None),
        ScimDenial::Taken { .. } | ScimDenial::Admin(AdminDenial::Taken { .. }) => {
            (StatusCode::CONFLICT, Some(ScimType::Uniqueness))
        }
        ScimDenial::Filter(_) => (BAD, Some(ScimType::InvalidFilter)),
        ScimDenial::Path(_) => (BAD, Some(ScimType::InvalidPath)),
        ScimDenial::NoTarget(_) => (BAD, Some(ScimType::NoTarget)),
        ScimDenial::Value { .. } | ScimDenial::Admin(AdminDenial::Invalid { .. }) => {
            (BAD, Some(ScimType::InvalidValue))
        }
        ScimDenial::Syntax(_) => (BAD, Some(ScimType::InvalidSyntax)),
        ScimDenial::ReadOnly(_) => (BAD, Some(ScimType::Mutability)),
        ScimDenial::TooMany(_) => (BAD, Some(ScimType::TooMany)),
        ScimDenial::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
        ScimDenial::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, None),
        ScimDenial::Changed => (StatusCode::PRECONDITION_FAILED, None),
        ScimDenial::Admin(
            AdminDenial::NotPermitted { .. } | AdminDenial::OutOfReach { .. } | AdminDenial::LastOwner,
        ) => (StatusCode::FORBIDDEN, None),
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        let body = ErrorBody::new(self.status.as_u16(), self.scim_type, self.detail);
        let mut response = answer::json(self.status, &body);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        match self.wait {
            Some(seconds) => retry_after(response, seconds),
            None => response,
        }
    }
}
