//! Policy of the IdP: who may reach which connector through which client, with which scopes.

pub mod rule;
