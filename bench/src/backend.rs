//! The server behind the gateway: answers every POST with a small JSON-RPC result, so that the gateway is measured.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// Binds a backend; the returned future serves it.
pub(crate) async fn start() -> anyhow::Result<(String, impl Future<Output = ()>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/mcp", listener.local_addr()?);
    let serve = async move {
        let connections = tokio::task::LocalSet::new();
        let accept = async {
            while let Ok((stream, _)) = listener.accept().await {
                // A broken connection shows at the caller.
                let _ = stream.set_nodelay(true);
                tokio::task::spawn_local(async move {
                    let service = hyper::service::service_fn(answer);
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        };
        connections.run_until(accept).await;
    };
    Ok((url, serve))
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let body =
        br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"ok"}]}}"#;
    let mut response = Response::new(Full::new(Bytes::from_static(body)));
    response.headers_mut().insert(
        http::header::CONTENT_TYPE,
        http::HeaderValue::from_static("application/json"),
    );
    Ok(response)
}
