//! Integration tests of `lanyard-jose`: everything here uses the public interface only.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests"
)]

mod access_tokens;
mod corpora;
mod forge;
mod jwk;
mod keys;
mod kinds;
mod matrix;
mod redemption;
mod second_implementation;
mod vectors;
mod verdicts;
mod worked_examples;
