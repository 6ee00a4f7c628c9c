//! The audit log: events, their record, their seal.

pub mod event;
pub mod record;
