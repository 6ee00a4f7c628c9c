//! Registered OAuth clients, on each side (MT-08: three separate registrations).

pub mod auth;
pub mod redirect;
pub mod registration;
