//! The least that a proxy can do: a request in, the same request out, the answer back. No token, no message, no record.
//!
//! Owns the yardstick of a gateway's call. HTTP and connections are those that the gateway uses.

use std::convert::Infallible;

use anyhow::Context;
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Either, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// The answer of the server behind, or an empty one when there is none.
type Answer = Response<Either<Incoming, Empty<Bytes>>>;

/// Passes everything to one address.
#[derive(Clone)]
pub(crate) struct Pass {
    client: Client<HttpConnector, Full<Bytes>>,
    upstream: Uri,
}

impl Pass {
    /// To this address.
    pub(crate) fn new(upstream: &str) -> anyhow::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            upstream: upstream.parse().context("UPSTREAM")?,
        })
    }

    /// One request, whose body is read first as a gateway has to.
    pub(crate) async fn answer(self, request: Request<Incoming>) -> Result<Answer, Infallible> {
        let (mut head, body) = request.into_parts();
        head.headers.remove(http::header::HOST);
        head.uri = self.upstream;
        let refused = || {
            let mut response = Response::new(Either::Right(Empty::new()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        };
        let Ok(body) = body.collect().await else {
            return Ok(refused());
        };
        let request = Request::from_parts(head, Full::new(body.to_bytes()));
        Ok(match self.client.request(request).await {
            Ok(response) => response.map(Either::Left),
            Err(_) => refused(),
        })
    }
}
