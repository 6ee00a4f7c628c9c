//! The pages over their router, without sockets and without a browser.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it breaks"
)]

mod authorize;
mod logout;
mod sign_in;
mod support;
