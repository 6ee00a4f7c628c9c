//! Discovery documents.

pub mod authorization_server;
pub mod protected_resource;
