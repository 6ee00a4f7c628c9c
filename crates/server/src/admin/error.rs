//! Errors of the admin API: the exact check that failed and what mends it, for the administrator.
//!
//! Owns status and words. Never decides.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{HeaderValue, WWW_AUTHENTICATE};
use lanyard_core::admin::apply::ApplyDenial;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::owner::ClaimDenial;
use lanyard_core::admin::sign_in::PersonDenial;
use lanyard_core::cx::Cx;
use lanyard_core::store::StoreError;
use lanyard_protocol::issuer::Issuer;
use serde::Serialize;

use crate::http::answer;

/// An error as it is answered.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    retry_after: Option<u64>,
    /// The authentication class that would do (RFC 9470).
    acr_values: Option<&'static str>,
    body: ApiErrorBody,
}

/// The body of an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ApiErrorBody {
    /// A stable code.
    pub error: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
    /// The field, when one is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Names the audit event.
    pub request_id: String,
}

impl ApiError {
    fn new(cx: &Cx, status: StatusCode, error: &'static str, message: impl Into<String>) -> Self {
        let body = ApiErrorBody {
            error,
            message: message.into(),
            field: None,
            request_id: cx.request_id.to_string(),
        };
        Self {
            status,
            retry_after: None,
            acr_values: None,
            body,
        }
    }

    /// No token, or one that is unknown, expired or revoked.
    pub fn unauthenticated(cx: &Cx) -> Self {
        let message = "a live sign-in or administrator token is needed in the Authorization header; sign in with \
                       `lanyard admin login`";
        Self::new(cx, StatusCode::UNAUTHORIZED, "unauthenticated", message)
    }

    /// A person who signed in and may not act as an administrator. What is over is told like no sign-in at all.
    pub fn person_denied(cx: &Cx, denial: &PersonDenial, issuer: Option<&Issuer>) -> Self {
        match denial {
            PersonDenial::Token(_) => Self::unauthenticated(cx),
            PersonDenial::NoRole { username } => {
                let message =
                    format!("{denial}; an owner gives one with `lanyard admins grant {username} --role ROLE`");
                Self::new(cx, StatusCode::FORBIDDEN, denial.code(), message)
            }
            PersonDenial::TooWeak { needed, .. } => {
                let page = issuer.map_or("the account page", Issuer::as_str);
                let message = format!(
                    "{denial}; set it up at {}/account/security, then sign in again with `lanyard admin login`",
                    page.trim_end_matches('/')
                );
                let mut error = Self::new(cx, StatusCode::UNAUTHORIZED, denial.code(), message);
                error.acr_values = Some(needed.acr());
                error
            }
        }
    }

    /// People cannot sign in to this process.
    pub fn no_issuer(cx: &Cx) -> Self {
        let message = "people sign in where the issuer role runs, and it does not run here; use an administrator token";
        Self::new(cx, StatusCode::NOT_FOUND, "no_issuer_here", message)
    }

    /// Too many attempts.
    pub fn too_many(cx: &Cx, seconds: u64) -> Self {
        let mut error = Self::new(
            cx,
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_attempts",
            "wait, then try again",
        );
        error.retry_after = Some(seconds);
        error
    }

    /// The request cannot be read.
    pub fn unreadable(cx: &Cx, message: impl Into<String>) -> Self {
        Self::new(cx, StatusCode::BAD_REQUEST, "unreadable", message)
    }

    /// The document is JSON and not what this endpoint takes; names the field where the reader does.
    pub fn unfitting(cx: &Cx, problem: &serde_json::Error) -> Self {
        let words = problem.to_string();
        let mut error = Self::new(
            cx,
            StatusCode::BAD_REQUEST,
            "unreadable",
            format!("the document does not fit: {words}"),
        );
        let named = words
            .strip_prefix("unknown field `")
            .or_else(|| words.strip_prefix("missing field `"));
        error.body.field = named
            .and_then(|rest| rest.split_once('`'))
            .map(|(field, _)| field.to_owned());
        error
    }

    /// There is no such path.
    pub fn no_such_path(cx: &Cx) -> Self {
        let message = "there is no such path; see /admin/v1/openapi.json";
        Self::new(cx, StatusCode::NOT_FOUND, "no_such_path", message)
    }

    /// The path does not take this method.
    pub fn no_such_method(cx: &Cx) -> Self {
        let message = "this path does not take this method; see /admin/v1/openapi.json";
        Self::new(cx, StatusCode::METHOD_NOT_ALLOWED, "no_such_method", message)
    }

    /// The body is larger than this endpoint reads.
    pub fn too_large(cx: &Cx) -> Self {
        Self::new(
            cx,
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "the body is larger than this endpoint reads",
        )
    }

    /// A decided no.
    pub fn denied(cx: &Cx, denial: &AdminDenial) -> Self {
        let status = match denial {
            AdminDenial::NotPermitted { .. } | AdminDenial::OutOfReach { .. } => StatusCode::FORBIDDEN,
            AdminDenial::NotFound { .. } => StatusCode::NOT_FOUND,
            AdminDenial::Taken { .. } | AdminDenial::LastOwner => StatusCode::CONFLICT,
            AdminDenial::Invalid { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut error = Self::new(cx, status, denial.code(), denial.to_string());
        if let AdminDenial::Invalid { field, .. } = denial {
            error.body.field = Some(field.clone());
        }
        error
    }

    /// A decided no about one entry of a document. Names that do not exist are mistakes of the document here.
    pub fn not_applied(cx: &Cx, denial: &ApplyDenial) -> Self {
        let mut error = Self::denied(cx, &denial.denial);
        if error.status == StatusCode::NOT_FOUND {
            error.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        error.body.message = format!("{denial}. Nothing of the document was applied");
        error
    }

    /// The owner token was refused.
    pub fn claim_denied(cx: &Cx, denial: &ClaimDenial) -> Self {
        let remedy = "make another one with `lanyard admin reset-owner` where the store is";
        Self::new(cx, StatusCode::FORBIDDEN, denial.code(), format!("{denial}; {remedy}"))
    }

    /// A failure of ours: logged here, neutral outside.
    pub fn failed(cx: &Cx, error: &StoreError) -> Self {
        match error {
            StoreError::Conflict(_) => {
                let message = "somebody else changed the record at the same moment; read it again and repeat";
                Self::new(cx, StatusCode::CONFLICT, "conflict", message)
            }
            StoreError::Unavailable | StoreError::Full => {
                tracing::warn!(request.id = %cx.request_id, %error, "the store cannot take an admin request");
                let mut answer = Self::new(
                    cx,
                    StatusCode::SERVICE_UNAVAILABLE,
                    "temporarily_unavailable",
                    "try again shortly",
                );
                answer.retry_after = Some(2);
                answer
            }
            _ => {
                let cause = std::error::Error::source(error)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                tracing::error!(request.id = %cx.request_id, %error, cause, "an admin request failed");
                Self::new(
                    cx,
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "server_error",
                    "the request failed; the log says why",
                )
            }
        }
    }

    /// Too much of what is slow on purpose waits already.
    pub fn busy(cx: &Cx) -> Self {
        let mut error = Self::new(
            cx,
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "many passwords are being hashed at this moment; try again shortly",
        );
        error.retry_after = Some(2);
        error
    }

    /// Something other than the store failed.
    pub fn broken(cx: &Cx, what: &str) -> Self {
        tracing::error!(request.id = %cx.request_id, what, "an admin request failed");
        Self::new(
            cx,
            StatusCode::INTERNAL_SERVER_ERROR,
            "server_error",
            "the request failed; the log says why",
        )
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = answer::json(self.status, &self.body);
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = self.acr_values.and_then(|acr| {
                HeaderValue::try_from(format!(
                    "Bearer error=\"insufficient_user_authentication\", acr_values=\"{acr}\""
                ))
                .ok()
            });
            let challenge = challenge.unwrap_or_else(|| HeaderValue::from_static("Bearer"));
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        match self.retry_after {
            Some(seconds) => answer::retry_after(response, seconds),
            None => response,
        }
    }
}
