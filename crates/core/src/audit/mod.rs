//! The audit log: events, their record, their seal.

pub mod event;
