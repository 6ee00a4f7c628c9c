//! Agents: registered programs that act for people, each with people who answer for it.

pub mod orphan;
pub mod record;
pub mod warning;
