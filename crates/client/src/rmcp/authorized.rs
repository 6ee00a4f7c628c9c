//! An `rmcp` HTTP client with tokens.
//!
//! Owns asking the token source before a request and after a refusal. Never keeps a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream::BoxStream;
use http::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use secrecy::{ExposeSecret as _, SecretString};
use sse_stream::Sse;

use crate::flow_error::FlowError;
use crate::token_source::{Attempts, Rejection, TokenSource};

/// Wraps any `rmcp` HTTP client: each request carries the current token, and a 401 or 403 is answered with a new token
/// and another try, within limits. The wrapped client must not follow redirects: a token goes to the URL of the server
/// it was issued for and nowhere else (CL-WR-03).
#[derive(Clone)]
pub struct Authorized<C> {
    inner: C,
    tokens: Arc<dyn TokenSource>,
    refusal: Arc<Mutex<Option<Arc<FlowError>>>>,
}

impl<C> Authorized<C> {
    /// Gives `inner` the tokens of `tokens`.
    pub fn new(inner: C, tokens: Arc<dyn TokenSource>) -> Self {
        Self {
            inner,
            tokens,
            refusal: Arc::default(),
        }
    }

    /// Why the last request got no token. `rmcp` hands errors on as texts; this is the value.
    pub fn refusal(&self) -> Option<Arc<FlowError>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refused<E>(&self, error: Arc<FlowError>) -> StreamableHttpError<E>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&error));
        StreamableHttpError::Io(std::io::Error::other(error))
    }

    async fn current<E>(&self, uri: &str) -> Result<Option<SecretString>, StreamableHttpError<E>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        self.tokens.current(uri).await.map_err(|error| self.refused(error))
    }

    /// The next token to try, when the error is a refusal that a token may cure; otherwise the error.
    async fn next<E>(
        &self,
        uri: &str,
        error: StreamableHttpError<E>,
        token: Option<SecretString>,
        attempts: &mut Attempts,
    ) -> Result<Option<SecretString>, StreamableHttpError<E>>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let rejection = match &error {
            StreamableHttpError::AuthRequired(refusal) => Rejection::new(401, &refusal.www_authenticate_header, token),
            StreamableHttpError::InsufficientScope(refusal) => {
                Rejection::new(403, &refusal.www_authenticate_header, token)
            }
            _ => return Err(error),
        };
        self.tokens
            .answer(uri, rejection, attempts)
            .await
            .map(Some)
            .map_err(|error| self.refused(error))
    }
}

fn exposed(token: Option<&SecretString>) -> Option<String> {
    token.map(|token| token.expose_secret().to_owned())
}

impl<C: StreamableHttpClient + Sync> StreamableHttpClient for Authorized<C> {
    type Error = C::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, StreamableHttpError<Self::Error>> {
        let mut attempts = Attempts::default();
        let mut token = self.current(&uri).await?;
        loop {
            let auth = exposed(token.as_ref());
            let sent = self.inner.post_message(
                Arc::clone(&uri),
                message.clone(),
                session_id.clone(),
                auth,
                headers.clone(),
            );
            match sent.await {
                Err(error) => token = self.next(&uri, error, token, &mut attempts).await?,
                Ok(answer) => return Ok(answer),
            }
        }
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        max_sse_event_size: usize,
    ) -> Result<StreamableHttpPostResponse, StreamableHttpError<Self::Error>> {
        let mut attempts = Attempts::default();
        let mut token = self.current(&uri).await?;
        loop {
            let auth = exposed(token.as_ref());
            let sent = self.inner.post_message_with_max_sse_event_size(
                Arc::clone(&uri),
                message.clone(),
                session_id.clone(),
                auth,
                headers.clone(),
                max_sse_event_size,
            );
            match sent.await {
                Err(error) => token = self.next(&uri, error, token, &mut attempts).await?,
                Ok(answer) => return Ok(answer),
            }
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), StreamableHttpError<Self::Error>> {
        let token = self.current(&uri).await?;
        self.inner
            .delete_session(uri, session_id, exposed(token.as_ref()), headers)
            .await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, StreamableHttpError<Self::Error>> {
        let token = self.current(&uri).await?;
        self.inner
            .get_stream(uri, session_id, last_event_id, exposed(token.as_ref()), headers)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        max_sse_event_size: usize,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, StreamableHttpError<Self::Error>> {
        let token = self.current(&uri).await?;
        let auth = exposed(token.as_ref());
        self.inner
            .get_stream_with_max_sse_event_size(uri, session_id, last_event_id, auth, headers, max_sse_event_size)
            .await
    }
}
