//! Work that outlives a request: the outbox and its schedule.

pub mod outbox;
pub mod run;
pub mod schedule;
