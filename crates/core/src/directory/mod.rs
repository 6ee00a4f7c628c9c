//! People and groups.

pub mod group;
pub mod user;
