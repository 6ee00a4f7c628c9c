//! The pages over their router, without sockets and without a browser.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it breaks"
)]

mod account;
mod authenticator;
mod authorize;
mod choose;
mod first_sign_in;
mod lockout;
mod logout;
mod passkeys;
mod second_factor;
mod sign_in;
mod support;
