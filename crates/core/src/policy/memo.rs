//! Decisions that were made before, under the same policy.
//!
//! Owns the bound. Never holds anything that is not a pure function of its key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How many entries one generation holds; at most twice as many stay in memory.
const GENERATION: usize = 2048;

/// A bounded memory in two generations: what was not asked for during a whole generation is forgotten.
#[derive(Debug)]
pub(super) struct Memo<T>(Mutex<Generations<T>>);

#[derive(Debug)]
struct Generations<T> {
    young: HashMap<Box<[u8]>, Arc<T>>,
    old: HashMap<Box<[u8]>, Arc<T>>,
}

impl<T> Memo<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Generations {
            young: HashMap::new(),
            old: HashMap::new(),
        }))
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Arc<T>> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = held.young.get(key) {
            return Some(Arc::clone(value));
        }
        let (key, value) = held.old.remove_entry(key)?;
        held.keep(key, Arc::clone(&value));
        Some(value)
    }

    pub(super) fn keep(&self, key: Vec<u8>, value: Arc<T>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keep(key.into_boxed_slice(), value);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let held = self.0.lock().unwrap();
        held.young.len() + held.old.len()
    }
}

impl<T> Generations<T> {
    fn keep(&mut self, key: Box<[u8]>, value: Arc<T>) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_stays_bounded_and_what_is_used_stays() {
        let memo = Memo::new();
        let hot = b"hot".to_vec();
        memo.keep(hot.clone(), Arc::new(u32::MAX));
        for n in 0..50_000_u32 {
            memo.keep(n.to_be_bytes().to_vec(), Arc::new(n));
            assert_eq!(memo.get(&hot).as_deref(), Some(&u32::MAX));
        }
        assert!(memo.len() <= 2 * GENERATION);
        assert_eq!(memo.get(&0_u32.to_be_bytes()), None);
    }
}
