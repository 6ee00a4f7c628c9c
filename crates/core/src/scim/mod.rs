//! Provisioning by SCIM: directories, their tokens, and what they may do to their people and groups.
//!
//! Owns the meaning of SCIM requests here (SC-01 to SC-20). Never knows HTTP and never reads bytes.

pub mod denial;
pub mod directories;
pub mod directory;
pub mod document;
pub mod facts;
pub mod group;
pub mod members;
pub mod patch;
pub mod provisioner;
pub mod search;
pub mod selection;
pub mod show;
pub mod tokens;
pub mod user;
