//! Administrators, what they may do, and the services behind the admin API, `lanyard apply` and the console.

pub mod apply;
pub mod audience;
pub mod change;
pub mod client;
pub mod connector;
pub mod denial;
pub mod owner;
pub mod permission;
pub mod resource;
pub mod rule;
pub mod spec;
pub mod token;
pub mod tokens;
pub mod trust;
