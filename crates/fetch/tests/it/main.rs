//! Integration tests of `lanyard-fetch`: servers on loopback, names from memory, time that is moved by hand.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod destinations;
mod exchange;
mod jwks;
mod memory;
mod metadata;
mod server;
