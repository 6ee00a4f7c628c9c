//! HTTP for people: the sign-in and sign-out pages of the IdP, and a person's own account.
//!
//! Owns pages, cookies and forms. Never holds a rule (core does) and never calls `server`.

mod account;
pub mod assets;
mod first_sign_in;
mod headers;
pub mod messages;
mod page;
mod passkeys;
pub mod sign_in;
