//! The body of an answer: boxed, streaming, with a watch on the token it was opened with.
//!
//! Owns how a stream ends early (RS-W26-08). Never decides who may open one.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};

/// What went wrong while a body was sent.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body that is known in full.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that ends when a future does, in good order.
pub(crate) struct Guarded {
    inner: Option<Body>,
    end: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Guarded {
    pub(crate) fn new(inner: Body, end: impl Future<Output = ()> + Send + 'static) -> Self {
        Self {
            inner: Some(inner),
            end: Box::pin(end),
        }
    }
}

impl http_body::Body for Guarded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = Pin::new(inner).poll_frame(cx);
        if matches!(frame, Poll::Ready(None)) {
            return frame;
        }
        if self.end.as_mut().poll(cx).is_ready() {
            // Dropping the inner body closes the exchange with the server behind.
            self.inner = None;
            return Poll::Ready(None);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
