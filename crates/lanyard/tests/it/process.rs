//! The real program as processes: starts and refusals, kills, a full disk, two replicas.
//!
//! Owns everything that needs `lanyard serve`. Waits for what a process says or answers, never for a time.

mod audit_log;
mod full_disk;
mod http;
mod kill;
mod lab_facts;
mod limits;
mod load;
mod replicas;
mod site;
mod start;
