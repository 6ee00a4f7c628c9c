//! People and groups.

pub mod group;
pub mod membership;
pub mod provision;
pub mod put;
pub mod user;
