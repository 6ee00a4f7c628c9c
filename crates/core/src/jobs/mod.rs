//! Work that outlives a request: the outbox and its schedule.

pub mod outbox;
