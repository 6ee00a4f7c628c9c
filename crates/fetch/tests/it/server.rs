//! Servers on a free loopback port that say what they are told, plain or with TLS.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A server and the requests it has seen.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Sends `answer` to every request, then waits for the other side to close.
    pub(crate) fn plain(answer: &str) -> Self {
        Self::start(answer, |stream| Some(Box::new(stream)))
    }

    /// As [`plain`](Self::plain), with the certificate for `good.example`, `localhost` and 127.0.0.1.
    pub(crate) fn tls(answer: &str) -> Self {
        let config = Arc::new(
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(
                    vec![CertificateDer::from_pem_file(fixture("server.pem")).unwrap()],
                    PrivateKeyDer::from_pem_file(fixture("server.key")).unwrap(),
                )
                .unwrap(),
        );
        Self::start(answer, move |stream| {
            Some(Box::new(StreamOwned::new(
                ServerConnection::new(Arc::clone(&config)).ok()?,
                stream,
            )))
        })
    }

    fn start(answer: &str, wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (answer.to_owned(), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(mut stream) = wrap(stream) else { continue };
                let Some(request) = read_request(&mut stream) else {
                    continue;
                };
                log.lock().unwrap().push(request);
                let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
                // Hold the connection: a slow answer must be ended by the client.
                let _ = stream.read(&mut [0; 64]);
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/", self.address.port())
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// Head and body as announced.
fn read_request(stream: &mut dyn Stream) -> Option<String> {
    let mut text = Vec::new();
    let mut chunk = [0; 1024];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&chunk[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length:")
                    .map(|n| n.trim().to_owned())
            })
            .map_or(0, |length| length.parse().unwrap());
        if body.len() >= length {
            return Some(so_far);
        }
    }
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// A complete answer with a JSON body.
pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
