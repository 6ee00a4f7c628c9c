//! The gateway on loopback: a real server behind it, tokens signed here.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "test")]

mod admission;
mod audit;
mod corpora;
mod feed;
mod forwarding;
mod routes;
mod sessions;
mod stateless;
mod streams;
mod tools;
mod upstream;
mod world;
