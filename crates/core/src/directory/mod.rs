//! People and groups.

pub mod factor;
pub mod group;
pub mod membership;
pub mod name;
pub mod password_rules;
pub mod provision;
pub mod put;
pub mod settings;
pub mod user;
