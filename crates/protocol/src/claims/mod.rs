//! The claims of every token kind, one file each (SEC-01: kinds are never interchangeable).

pub mod access_token;
pub mod client_assertion;
pub mod id_jag;
pub mod id_token;
pub mod time;
