//! The pages over their router, without sockets and without a browser.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it breaks")]

mod authorize;
mod logout;
mod sign_in;
mod support;
