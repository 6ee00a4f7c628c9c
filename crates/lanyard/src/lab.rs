//! `lanyard lab`: the whole loop on loopback, for whoever builds or tests EMA software.
//!
//! Owns the lab's configuration, its organisation and its facts. Everything it runs is the product itself.

pub mod addresses;
pub mod browser;
pub mod catalogue;
pub mod facts;
pub mod id_token;
pub mod mcp;
pub mod mint;
pub mod oauth;
pub mod organisation;
pub mod people;
pub mod sample_server;
pub mod start;
