//! The machine endpoints over their routers, without sockets: what is on the wire, and what is in the audit log.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it breaks"
)]

mod admin_acts;
mod admin_agents;
mod admin_apply;
mod admin_authentication;
mod admin_documents;
mod admin_factors;
mod admin_identity_providers;
mod admin_log;
mod admin_roles;
mod admin_samples;
mod admin_sign_in;
mod admin_world;
mod broken_store;
mod client_authentication;
mod code_and_refresh;
mod connectors_and_keys;
mod corpora;
mod cut_off;
mod exchange;
mod exchange_refusals;
mod hosts;
mod introspection_and_revocation;
mod logout_tokens;
mod metadata;
mod policy;
mod redemption;
mod redemption_refusals;
mod requests;
mod saml_exchange;
mod saml_sign_in;
mod scim;
mod sessions;
mod step_up;
mod support;
mod upstream_logout;
mod upstream_provider;
mod upstream_refusals;
mod upstream_sign_in;
mod upstream_world;
mod worker;
