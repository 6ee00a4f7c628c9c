//! Administrators, what they may do, and the services behind the admin API, `lanyard apply` and the console.

pub mod administrators;
pub mod agent;
pub mod apply;
pub mod audience;
pub mod change;
pub mod client;
pub mod connection;
pub mod connector;
pub mod denial;
pub mod grant;
pub mod link;
pub mod owner;
pub mod permission;
pub mod requirement;
pub mod resource;
pub mod rule;
pub mod session;
pub mod sign_in;
pub mod spec;
pub mod standing;
pub mod token;
pub mod tokens;
pub mod trust;
