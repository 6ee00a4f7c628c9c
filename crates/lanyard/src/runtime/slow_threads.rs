//! Threads for work that is slow on purpose: password hashes.
//!
//! Owns how many run at once and how many wait. Never knows what they do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use lanyard_core::session::passwords::{Busy, SlowWork, Threads};

/// Starts `at_once` threads; at most `waiting` pieces of work wait for them. They end when nobody can give them work
/// any more.
///
/// # Errors
/// When the system gives no thread.
pub(crate) fn start(at_once: usize, waiting: usize) -> anyhow::Result<Threads> {
    let (sender, receiver) = sync_channel::<SlowWork>(waiting);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..at_once.max(1) {
        let receiver = Arc::clone(&receiver);
        std::thread::Builder::new()
            .name("passwords".to_owned())
            .spawn(move || serve(&receiver))
            .context("a thread for passwords cannot be started")?;
    }
    Ok(Arc::new(move |work| sender.try_send(work).map_err(|_| Busy)))
}

fn serve(receiver: &Mutex<Receiver<SlowWork>>) {
    loop {
        // The lock is held while waiting: whoever has it takes the next piece, the others queue behind.
        let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            tracing::error!("a password could not be hashed: its thread panicked and goes on");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_waits_is_bounded_and_a_panic_ends_no_thread() {
        let threads = start(1, 1).unwrap();
        let (release, released) = channel::<()>();
        let (began, begun) = channel();
        threads(Box::new(move || {
            began.send(()).unwrap();
            released.recv().unwrap();
            panic!("on purpose");
        }))
        .unwrap();
        begun.recv().unwrap();
        let (done, finished) = channel();
        threads(Box::new(move || done.send(()).unwrap())).unwrap();
        assert_eq!(threads(Box::new(|| ())), Err(Busy), "one runs, one waits");
        release.send(()).unwrap();
        finished.recv().unwrap();
    }
}
