//! The checkpointer: copies the write-ahead log into the database beside the writer, so that no commit stalls on it.
//!
//! Owns when that happens. Never commits a unit.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use super::Shared;
use super::connection::{Checkpoint, checkpoint};

/// Frames in the log at which it should start over: 32 MiB.
const LONG: i64 = 8_192;
/// Frames at which the writer waits for readers, so that the log starts over at last: 128 MiB.
const TOO_LONG: i64 = 32_768;

/// What writer and checkpointer tell each other.
#[derive(Default)]
pub(super) struct Signal {
    state: Mutex<State>,
    changed: Condvar,
    frames: AtomicI64,
    start_over: AtomicBool,
}

#[derive(Default)]
struct State {
    wanted: bool,
    closed: bool,
}

impl Signal {
    /// Asks for a checkpoint beside the next commits.
    pub(super) fn request(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).wanted = true;
        self.changed.notify_one();
    }

    /// Ends the thread.
    pub(super) fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.notify_one();
    }

    /// The writer's turn: whether it should run the last piece itself, between two commits, and how. The log starts
    /// over only when all of it is copied, which never happens while commits go on.
    pub(super) fn turn(&self) -> Option<Checkpoint> {
        if !self.start_over.swap(false, Ordering::Relaxed) {
            return None;
        }
        let too_long = self.frames.load(Ordering::Relaxed) > TOO_LONG;
        Some(if too_long {
            Checkpoint::Restart
        } else {
            Checkpoint::Passive
        })
    }

    fn wait(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.closed {
                return false;
            }
            if std::mem::take(&mut state.wanted) {
                return true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn note(&self, frames: i64, long: i64) {
        self.frames.store(frames, Ordering::Relaxed);
        if frames > long {
            self.start_over.store(true, Ordering::Relaxed);
        }
    }
}

/// Serves until closed.
pub(super) fn serve(shared: &Shared, connection: &Connection) {
    while shared.checkpoint.wait() {
        match checkpoint(connection, Checkpoint::Passive) {
            Ok((frames, _)) => {
                // Under a file size limit the log must stay well below it.
                let limit = super::space::file_size_limit().map_or(i64::MAX, |bytes| {
                    i64::try_from(bytes / super::connection::PAGE / 2).unwrap_or(i64::MAX)
                });
                shared.checkpoint.note(frames, LONG.min(limit));
            }
            // The writer meets a full disk by itself.
            Err(error) => tracing::debug!(error = %error, "a checkpoint did not finish"),
        }
    }
}
