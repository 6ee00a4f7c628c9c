//! Disk space: a reserve for acts that cut access off, and the bound of the database.
//!
//! Owns "full", and the way back. Never refuses a deactivation while the reserve lasts.
//!
//! Three things can end: the disk (then the reserve file is given back to it), the configured number of pages (then
//! reserved acts may use the last of them), the file size limit of the process (then the database stays so far below
//! it that the log can always be copied into it, and the log starts over).

use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use rusqlite::Connection;

use super::connection::{Checkpoint, PAGE, checkpoint_at_once, set_max_pages};
use super::{Shared, beside, private};

/// SQLite's own largest number of pages.
const UNBOUNDED: u32 = 4_294_967_294;
/// What must be free before a reserved act runs without touching the reserve.
const PROBE_BYTES: u64 = 256 << 10;

/// The writer's knowledge about space.
pub(super) struct Space {
    file: PathBuf,
    bytes: u64,
    configured: Option<u32>,
    limit: Option<u64>,
    intact: bool,
    full: bool,
}

impl Space {
    /// Makes the reserve. A disk that is full already is no reason not to start.
    pub(super) fn new(shared: &Shared) -> Self {
        let mut space = Self {
            file: beside(&shared.path, "-reserve"),
            bytes: shared.config.reserve_bytes,
            configured: shared.config.max_pages,
            limit: file_size_limit(),
            intact: false,
            full: false,
        };
        space.restore();
        space
    }

    /// Prepares for a batch; `false` when it must be refused as full.
    pub(super) fn admit(&mut self, connection: &Connection, reserved: bool) -> bool {
        if self.full {
            self.limit = file_size_limit();
        }
        if reserved {
            if self.full || !self.intact || !self.probe() {
                self.release();
                start_over(connection);
            }
        } else {
            if !self.intact && !self.restore() {
                return false;
            }
            if self.full {
                start_over(connection);
            }
        }
        true
    }

    /// The bound for a batch of this kind.
    pub(super) fn max_pages(&self, reserved: bool) -> u32 {
        let by_limit = self.limit.map(|bytes| u32::try_from(bytes / PAGE).unwrap_or(UNBOUNDED));
        let Some(all) = self.configured.into_iter().chain(by_limit).min() else {
            return UNBOUNDED;
        };
        let kept = u32::try_from(self.bytes / PAGE).unwrap_or(u32::MAX).min(all / 4);
        if reserved { all } else { all.saturating_sub(kept) }
    }

    /// Sets the bound on a connection.
    pub(super) fn bound(&self, connection: &Connection, reserved: bool) {
        if let Err(error) = set_max_pages(connection, self.max_pages(reserved)) {
            tracing::error!(error = %error, "the bound of the database cannot be set");
        }
    }

    /// Notes how a batch ended.
    pub(super) fn note(&mut self, shared: &Shared, reserved: bool, full: bool) {
        if full != self.full && (full || !reserved) {
            if full {
                self.limit = file_size_limit();
                tracing::error!("the store is full: only acts that cut access off are accepted until there is space");
            } else {
                tracing::info!("the store has space again");
            }
            self.full = full;
            shared.full.store(full, Ordering::Relaxed);
        }
    }

    /// Gives the reserve back to the disk.
    fn release(&mut self) {
        self.intact = false;
        let shrunk = OpenOptions::new()
            .write(true)
            .open(&self.file)
            .and_then(|file| file.set_len(0));
        if let Err(error) = shrunk {
            tracing::error!(error = %error, "the reserve of disk space cannot be released");
        }
    }

    /// Takes the reserve again; `false` while there is no space for it.
    fn restore(&mut self) -> bool {
        // A reserve larger than any file may be would never be complete.
        let bytes = self.limit.map_or(self.bytes, |limit| self.bytes.min(limit / 2));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        private(&mut options);
        let filled = options.open(&self.file).and_then(|mut file| fill(&mut file, bytes));
        if let Err(error) = &filled {
            tracing::debug!(error = %error, "no space for the reserve");
        }
        self.intact = filled.is_ok();
        self.intact
    }

    /// Whether a little more than the reserve is free.
    fn probe(&self) -> bool {
        let bytes = self.limit.map_or(self.bytes, |limit| self.bytes.min(limit / 2));
        let tried = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&self.file)
            .and_then(|mut file| {
                let more = fill(&mut file, bytes.saturating_add(PROBE_BYTES));
                file.set_len(bytes)?;
                more
            });
        tried.is_ok()
    }
}

/// Lets the log start over, so that the next commit overwrites instead of growing.
fn start_over(connection: &Connection) {
    if let Err(error) = checkpoint_at_once(connection, Checkpoint::Truncate) {
        tracing::debug!(error = %error, "the log cannot start over yet");
    }
}

/// Makes the file this long with blocks that are really taken.
fn fill(file: &mut File, bytes: u64) -> std::io::Result<()> {
    static BLOCK: [u8; 64 << 10] = [0; 64 << 10];
    let mut at = file.seek(SeekFrom::End(0))?;
    while at < bytes {
        let rest = usize::try_from(bytes.saturating_sub(at))
            .unwrap_or(BLOCK.len())
            .min(BLOCK.len());
        file.write_all(BLOCK.get(..rest).unwrap_or(&BLOCK))?;
        at = at.saturating_add(u64::try_from(rest).unwrap_or(0));
    }
    Ok(())
}

/// The file size limit of this process, where the system tells it without further ado.
pub(super) fn file_size_limit() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max file size"))?;
    line.split_whitespace().next()?.parse().ok()
}
