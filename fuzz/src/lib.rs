//! Fuzz targets for every parser of foreign bytes (SEC-22).
//!
//! `cargo +nightly fuzz run TARGET` from the repository's root looks for more; the committed corpora are replayed on
//! stable by the tests of the crates that own the parsers, with the same bodies.

pub mod bodies;
// The program has no library: this is its module, by a link beside this file.
#[expect(dead_code, unused_imports, reason = "the program uses the rest")]
mod config;
