//! The audit log: events, their record, their seal, their export and its verification.

pub mod call;
pub mod event;
pub mod export;
pub mod record;
pub mod seal;
pub mod trail;
pub mod verify;
