//! Administrators who sign in through the issuer: its client for them, and the scope of their tokens.
//!
//! Owns the names. Never authenticates a person.

/// The scope of an access token for the admin API.
pub const ADMIN_SCOPE: &str = "admin";
