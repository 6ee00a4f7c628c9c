//! The manual says what is there: keys, example files, conformance.

mod conformance;
mod configuration;
mod examples;
