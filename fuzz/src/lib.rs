//! Fuzz targets for every parser of foreign bytes (SEC-22).
//!
//! `cargo +nightly fuzz run TARGET` from the repository's root looks for more; the committed corpora are replayed on
//! stable by the tests of `lanyard-jose`, with the same bodies.

pub mod bodies;
