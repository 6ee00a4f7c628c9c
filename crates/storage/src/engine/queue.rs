//! A bounded queue of units between callers and the engine's threads.
//!
//! Owns order, bound and waking. Never runs a unit. A taker gets all that waits under one lock and sleeps on the
//! kernel's futex: no spinning, which on few cores would take time from those who fill the queue.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lanyard_core::store::Unit;

/// The queue.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    bound: usize,
}

struct State {
    units: VecDeque<Unit>,
    waiting: usize,
    closed: bool,
}

/// What a taker got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Units, in the order of their coming.
    Units,
    /// None came in time.
    Nothing,
    /// None will come any more.
    Closed,
}

impl Queue {
    /// An empty queue for at most `bound` units.
    pub(crate) fn new(bound: usize) -> Self {
        let state = State {
            units: VecDeque::new(),
            waiting: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            bound,
        }
    }

    /// Adds a unit, or gives it back when the queue is full or closed.
    pub(crate) fn push(&self, unit: Unit) -> Result<(), Unit> {
        let mut state = self.lock();
        if state.closed || state.units.len() >= self.bound {
            return Err(unit);
        }
        state.units.push_back(unit);
        let wake = state.waiting > 0;
        drop(state);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits for units and moves at most `most` of them into `into`. With `patience`, gives up after it.
    pub(crate) fn take(&self, into: &mut VecDeque<Unit>, most: usize, patience: Option<Duration>) -> Taken {
        let mut state = self.lock();
        while state.units.is_empty() {
            if state.closed {
                return Taken::Closed;
            }
            state.waiting = state.waiting.saturating_add(1);
            let (next, timed_out) = match patience {
                None => (self.filled.wait(state).unwrap_or_else(PoisonError::into_inner), false),
                Some(patience) => {
                    let (next, end) = self
                        .filled
                        .wait_timeout(state, patience)
                        .unwrap_or_else(PoisonError::into_inner);
                    (next, end.timed_out())
                }
            };
            state = next;
            state.waiting = state.waiting.saturating_sub(1);
            if timed_out && state.units.is_empty() && !state.closed {
                return Taken::Nothing;
            }
        }
        let count = state.units.len().min(most);
        into.extend(state.units.drain(..count));
        Taken::Units
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.lock().units.len()
    }

    /// Takes no more; takers get what is left and then the end.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
