//! What people are told by this room. The pages themselves are made elsewhere: `web` and `server` never call each other.

use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION, REFERRER_POLICY, SET_COOKIE};
use lanyard_core::id::RequestId;

use crate::http::answer;

/// One page without a form.
#[derive(Debug, Clone)]
pub struct Message {
    /// The status.
    pub status: StatusCode,
    /// The heading.
    pub title: &'static str,
    /// What happened, in words for the person. Never anything that somebody else wrote.
    pub text: String,
    /// What to do.
    pub advice: &'static str,
    /// A way on, as its words and its address below the issuer.
    pub way: Option<(&'static str, String)>,
    /// What to name when asking for help.
    pub reference: Option<RequestId>,
}

/// Makes pages.
pub trait Pages: Send + Sync {
    /// The page of a message, with the headers of every page.
    fn message(&self, message: Message) -> Response;
}

/// Sends a browser on. The address may hold a code: nobody keeps the answer, and it is told to nobody (SEC-11).
pub(super) fn redirect(location: &str, cookies: &[String]) -> Response {
    let mut response = answer::empty(StatusCode::FOUND);
    let Ok(location) = HeaderValue::from_str(location) else {
        *response.status_mut() = StatusCode::BAD_REQUEST;
        return response;
    };
    let headers = response.headers_mut();
    headers.insert(LOCATION, location);
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            headers.append(SET_COOKIE, cookie);
        }
    }
    response
}
