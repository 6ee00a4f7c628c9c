//! The store traits of core on SQLite and PostgreSQL.
//!
//! Owns every statement of SQL, both engines and the migrations. Never decides anything.

mod account;
mod admin;
mod agent;
mod audience;
mod audit;
mod client;
mod connector;
mod dialect;
mod directory;
mod engine;
mod factor;
mod grant;
mod held;
mod job;
mod key;
mod migrate;
mod open;
mod paging;
mod replay;
mod resource;
mod revocation;
mod row;
mod rule;
mod scim;
mod session;
mod setting;
mod sql;
mod trust;
mod upstream;
mod version;

pub use engine::{Committed, Handle, Health};
pub use migrate::Schema;
pub use open::{Location, OpenError, Opened, StoreConfig, migrate, open, schema};
