//! Reading a form from a request, within limits (IDP-TK-01, SEC-22).
//!
//! Owns content type, size and time of the body. Never interprets a parameter.

use std::time::Duration;

use axum::body::{Body, Bytes};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lanyard_protocol::form::{Form, FormError, MAX_FORM_BYTES};

/// How long a caller may take to send the body (HT-03).
const PATIENCE: Duration = Duration::from_secs(10);

/// Why no form could be read from a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoForm {
    /// Parameters in the URL end up in logs; nothing is taken from there (IDP-TK-01).
    #[error("parameters in the query string are not accepted")]
    Query,
    /// Not `application/x-www-form-urlencoded`.
    #[error("the content type is not application/x-www-form-urlencoded")]
    ContentType,
    /// The body is larger than a form may be.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke.
    #[error("the body could not be read")]
    Broken,
    /// The encoding or the number of parameters.
    #[error(transparent)]
    Form(#[from] FormError),
}

/// Reads the form of a POST.
pub(crate) async fn read(parts: &Parts, body: Body) -> Result<Form, NoForm> {
    if parts.uri.query().is_some_and(|query| !query.is_empty()) {
        return Err(NoForm::Query);
    }
    if !is_form(parts) {
        return Err(NoForm::ContentType);
    }
    Ok(Form::parse(&bytes(parts, body, MAX_FORM_BYTES).await?)?)
}

/// Reads a body of at most `limit` bytes.
pub(crate) async fn bytes(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, NoForm> {
    let announced = parts
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if announced
        .and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|length| length > limit_u64(limit))
    {
        return Err(NoForm::TooLarge);
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect()).await {
        Err(_) => Err(NoForm::TooSlow),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(NoForm::TooLarge),
        Ok(Err(_)) => Err(NoForm::Broken),
        Ok(Ok(body)) => Ok(body.to_bytes()),
    }
}

fn limit_u64(limit: usize) -> u64 {
    u64::try_from(limit).unwrap_or(u64::MAX)
}

fn is_form(parts: &Parts) -> bool {
    let Some(value) = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn form(uri: &str, content_type: &str, body: Vec<u8>) -> Result<Form, NoForm> {
        let request = http::Request::post(uri)
            .header("content-type", content_type)
            .body(Body::from(body))
            .unwrap();
        let (parts, body) = request.into_parts();
        read(&parts, body).await
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn a_charset_is_allowed_and_another_type_is_not_idp_tk_01() {
        assert!(
            form(
                "/t",
                "application/x-www-form-urlencoded; charset=UTF-8",
                b"a=b".to_vec()
            )
            .await
            .is_ok()
        );
        assert_eq!(
            form("/t", "application/json", b"{}".to_vec()).await,
            Err(NoForm::ContentType)
        );
    }

    #[tokio::test]
    async fn nothing_is_taken_from_the_query_string_idp_tk_01() {
        assert_eq!(form("/t?grant_type=x", FORM, b"a=b".to_vec()).await, Err(NoForm::Query));
    }

    #[tokio::test]
    async fn reading_stops_at_the_limit_sec_22() {
        assert_eq!(
            form("/t", FORM, vec![b'a'; MAX_FORM_BYTES + 1]).await,
            Err(NoForm::TooLarge)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_given_up_ht_03() {
        let trickle = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, std::io::Error>(Bytes::from_static(b"a")), ()))
        });
        let request = http::Request::post("/t")
            .header("content-type", FORM)
            .body(Body::from_stream(trickle))
            .unwrap();
        let (parts, body) = request.into_parts();
        assert_eq!(read(&parts, body).await, Err(NoForm::TooSlow));
    }
}
