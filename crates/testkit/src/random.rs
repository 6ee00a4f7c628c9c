//! Randomness that is the same in every run.

use std::sync::Mutex;

use lanyard_jose::digest::sha256;
use lanyard_jose::random::Random;

/// SHA-256 over a counter and a seed.
#[derive(Debug)]
pub struct SeededRandom {
    seed: u64,
    count: Mutex<u64>,
}

impl SeededRandom {
    /// A source of its own sequence.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            count: Mutex::new(0),
        }
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        let mut count = self.count.lock().unwrap();
        for chunk in out.chunks_mut(32) {
            *count += 1;
            let mut text = self.seed.to_be_bytes().to_vec();
            text.extend(count.to_be_bytes());
            chunk.copy_from_slice(&sha256(&text)[..chunk.len()]);
        }
    }
}
