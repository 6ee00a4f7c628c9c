//! SAML messages from outside: what is read, and what is refused for which reason.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes,
    reason = "a test should end where it broke"
)]

mod attacks;
mod corpora;
mod corpus;
mod differential;
mod encrypted;
mod reading;
mod support;
