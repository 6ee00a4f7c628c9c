//! Conformance of the store: every case runs on SQLite and on PostgreSQL and expects the same.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

/// Declares cases; each becomes one test per engine.
macro_rules! conformance {
    ($($(#[$meta:meta])* fn $name:ident($bench:ident) $body:block)*) => {$(
        $(#[$meta])*
        fn $name($bench: &crate::support::Bench) $body

        mod $name {
            use super::$name as case;

            #[test]
            fn on_sqlite() {
                case(&crate::support::Bench::sqlite());
            }

            #[test]
            fn on_postgres() {
                case(&crate::support::Bench::postgres());
            }
        }
    )*};
}

mod accounts;
mod admins;
mod agents;
mod audit;
mod clients;
mod commits;
mod complete;
mod connectors;
mod directory;
mod factors;
mod full;
mod grants;
mod held;
mod jobs;
mod keys;
mod opening;
mod replay;
mod rules;
mod sample;
mod scim;
mod sessions;
mod support;
mod trusts;
mod upstream;
