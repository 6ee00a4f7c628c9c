//! The rules on a real store.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod administrators;
mod agents;
mod audit;
mod both_legs;
mod corpora;
mod idp_clients;
mod idp_code;
mod idp_exchange;
mod idp_logout;
mod idp_refresh;
mod idp_step_up;
mod idp_support;
mod idp_targets;
mod keys;
mod passwords;
mod policy_cache;
mod policy_explain;
mod provision;
mod provision_document;
mod ras_account;
mod ras_edges;
mod ras_redeem;
mod ras_tokens;
mod ras_world;
mod scim_patch;
mod scim_people;
mod second_factor;
mod upstream;
mod upstream_admin;
mod upstream_attempts;
mod upstream_logout;
mod upstream_support;
