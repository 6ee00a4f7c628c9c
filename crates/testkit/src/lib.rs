//! Test support: a clock moved by hand, seeded randomness, and a healthy company to change one thing in.
//!
//! Never published, never in the binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "test support: a broken fixture should end the test where it broke"
)]

pub mod block_on;
pub mod clock;
pub mod company;
pub mod passwords;
pub mod postgres;
pub mod random;
pub mod saml;
pub mod store;
