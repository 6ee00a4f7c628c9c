//! Policy of the IdP: who may reach which connector through which client, with which scopes.

pub mod cache;
mod cedar;
pub mod evaluate;
pub mod explain;
mod memo;
pub mod rule;
pub mod step_up;
