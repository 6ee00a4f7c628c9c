//! The program, as a person runs it.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod admin;
mod administrators;
mod architecture;
mod browser;
mod client;
mod corpora;
mod docs;
mod idp;
mod lab;
mod ports;
mod process;
