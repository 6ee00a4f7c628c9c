//! HTTP for machines: the OAuth endpoints of both roles, health, metrics, and the background worker.
//!
//! Owns parsing, the unit of work and the translation to the wire. Never holds a rule and never shows a page.

pub mod admin;
pub mod cut_off;
pub mod feed;
#[doc(hidden)]
pub mod fuzz;
pub mod health;
pub mod http;
pub mod idp;
pub mod metrics;
pub mod oauth;
pub mod ras;
pub mod scim;
pub(crate) mod unit;
pub mod worker;
