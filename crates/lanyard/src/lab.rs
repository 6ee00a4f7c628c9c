//! `lanyard lab`: the whole loop on loopback, for whoever builds or tests EMA software.
//!
//! Owns the lab's configuration, its organisation and its facts. Everything it runs is the product itself.

pub(crate) mod addresses;
pub(crate) mod browser;
pub(crate) mod catalogue;
pub(crate) mod facts;
pub(crate) mod id_token;
pub(crate) mod mcp;
pub(crate) mod mint;
pub(crate) mod oauth;
pub(crate) mod organisation;
pub(crate) mod people;
pub(crate) mod sample_server;
pub(crate) mod start;
