//! Where call events go: the server's audit log, or a file of this machine.
//!
//! Owns the ways out. Never numbers or batches.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use lanyard_fetch::{DEFAULT_TIMEOUT, Fetch, FetchRequest};
use lanyard_protocol::gateway::CallEvent;
use url::Url;

/// Takes batches of events and answers when they are on disk. The same event may come twice after a failure: its
/// gateway and number tell.
pub trait CallDelivery: Send + Sync {
    /// Delivers a batch in order.
    fn deliver(&self, events: Vec<CallEvent>) -> BoxFuture<'_, Result<(), DeliveryError>>;
}

/// Why a batch was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The receiver did not take it.
    #[error("the receiver did not take the events: {0}")]
    Refused(String),
    /// The file could not be written.
    #[error("the file could not be written")]
    File(#[from] io::Error),
}

/// Posts batches as a JSON array to the server's admin API.
pub struct HttpDelivery {
    fetch: Arc<dyn Fetch>,
    url: Url,
    authorization: HeaderValue,
}

impl HttpDelivery {
    /// Posts to `url`. `authorization` is the whole header value; it is never printed.
    pub fn new(fetch: Arc<dyn Fetch>, url: Url, mut authorization: HeaderValue) -> Self {
        authorization.set_sensitive(true);
        Self {
            fetch,
            url,
            authorization,
        }
    }
}

impl CallDelivery for HttpDelivery {
    fn deliver(&self, events: Vec<CallEvent>) -> BoxFuture<'_, Result<(), DeliveryError>> {
        Box::pin(async move {
            let body = serde_json::to_vec(&events).map_err(|error| DeliveryError::Refused(error.to_string()))?;
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, self.authorization.clone());
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let request = FetchRequest {
                method: Method::POST,
                url: self.url.clone(),
                headers,
                body,
                max_body: 4096,
                timeout: DEFAULT_TIMEOUT,
                show_redirects: false,
            };
            let response = self
                .fetch
                .fetch(request)
                .await
                .map_err(|error| DeliveryError::Refused(error.to_string()))?;
            if response.status.is_success() {
                return Ok(());
            }
            Err(DeliveryError::Refused(response.status.to_string()))
        })
    }
}

/// Appends one JSON document per line and syncs before it answers.
pub struct FileDelivery {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl FileDelivery {
    /// Opens or makes the file. A last line that a crash cut off stays as it is and is ended.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
        if file.metadata()?.len() > 0 {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self {
            path,
            file: Arc::new(Mutex::new(file)),
        })
    }

    /// Where the events go.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl CallDelivery for FileDelivery {
    fn deliver(&self, events: Vec<CallEvent>) -> BoxFuture<'_, Result<(), DeliveryError>> {
        Box::pin(async move {
            let mut lines = Vec::with_capacity(events.len() * 256);
            for event in &events {
                serde_json::to_writer(&mut lines, event).map_err(io::Error::from)?;
                lines.push(b'\n');
            }
            let file = Arc::clone(&self.file);
            let written = tokio::task::spawn_blocking(move || {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(&lines)?;
                file.sync_data()
            });
            written.await.map_err(io::Error::other)??;
            Ok(())
        })
    }
}
