//! HTTP for people: the sign-in and sign-out pages of the IdP.
//!
//! Owns pages, cookies and forms. Never holds a rule (core does) and never calls `server`.

pub mod assets;
mod headers;
mod page;
pub mod sign_in;
