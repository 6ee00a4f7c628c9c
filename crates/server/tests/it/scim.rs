//! SCIM over its router: what provisioning clients send, what they get, and what the audit log says.

mod access;
mod discovery;
mod groups;
mod hostile;
mod recorded;
mod users;
mod world;
