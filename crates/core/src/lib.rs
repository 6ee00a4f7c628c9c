//! The rules of Lanyard as plain Rust: given a context, a transaction and parsed input, decide.
//!
//! Owns domain types, store traits and services. Never knows HTTP, SQL, sockets, tasks or the system clock.

pub mod account;
pub mod admin;
pub mod agent;
pub mod audit;
pub mod client;
pub mod clock;
pub mod connector;
pub mod cx;
pub mod directory;
pub mod id;
pub mod idp;
pub mod jobs;
pub mod keys;
pub mod outcome;
pub mod policy;
pub mod ras;
pub mod saml;
pub mod scim;
pub mod session;
pub mod store;
pub mod trust;
pub mod upstream;
