//! The manual says what is there: keys, example files, conformance.

mod audit;
mod commands;
mod configuration;
mod conformance;
mod examples;
mod identity_providers;
mod roles;
