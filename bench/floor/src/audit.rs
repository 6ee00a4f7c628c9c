//! One line for each decision, on disk before the answer: what waits is written and flushed together.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::anyhow;
use tokio::sync::oneshot;

type Line = (Vec<u8>, oneshot::Sender<()>);

pub(crate) struct Audit(Sender<Line>);

impl Audit {
    /// Appends to a file, on a thread of its own.
    pub(crate) fn start(path: &Path) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let (sender, lines) = channel();
        std::thread::Builder::new().spawn(move || write(file, &lines))?;
        Ok(Self(sender))
    }

    /// Answers once the line is on disk.
    pub(crate) async fn record(&self, line: Vec<u8>) -> anyhow::Result<()> {
        let (done, written) = oneshot::channel();
        self.0
            .send((line, done))
            .map_err(|_| anyhow!("the audit file is gone"))?;
        written.await.map_err(|_| anyhow!("the audit file is gone"))
    }
}

/// Ends with the first error: whoever waits then hears that nothing was written.
fn write(mut file: File, lines: &Receiver<Line>) {
    while let Ok((mut bytes, first)) = lines.recv() {
        let mut waiting = vec![first];
        while let Ok((line, done)) = lines.try_recv() {
            bytes.extend_from_slice(&line);
            waiting.push(done);
        }
        if file.write_all(&bytes).and_then(|()| file.sync_data()).is_err() {
            return;
        }
        for done in waiting {
            // Whoever asked may have left.
            let _ = done.send(());
        }
    }
}
