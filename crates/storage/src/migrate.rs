//! Migrations: the same numbers in both folders, forward only.
//!
//! Owns the list of them. Never takes the lock; the engine does.

use refinery::{Migration, Runner};

/// One step on one engine: its name `V<number>__<name>` and its text.
type Step = (&'static str, &'static str);

/// The steps on SQLite.
#[cfg(feature = "sqlite")]
pub(crate) const SQLITE: &[Step] = &[
    ("V1__start", include_str!("../migrations/sqlite/V1__start.sql")),
    (
        "V2__how_people_signed_in",
        include_str!("../migrations/sqlite/V2__how_people_signed_in.sql"),
    ),
    (
        "V8__administrators_and_agents",
        include_str!("../migrations/sqlite/V8__administrators_and_agents.sql"),
    ),
];

/// The steps on PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) const POSTGRES: &[Step] = &[
    ("V1__start", include_str!("../migrations/postgres/V1__start.sql")),
    (
        "V2__how_people_signed_in",
        include_str!("../migrations/postgres/V2__how_people_signed_in.sql"),
    ),
    (
        "V8__administrators_and_agents",
        include_str!("../migrations/postgres/V8__administrators_and_agents.sql"),
    ),
];

/// The runner of these steps. A step that a newer release applied is no hindrance: schemas expand before they
/// contract, so this release runs on the next one's schema.
pub(crate) fn runner(steps: &[Step]) -> Result<Runner, refinery::Error> {
    let mut migrations = Vec::with_capacity(steps.len());
    for (name, text) in steps {
        migrations.push(Migration::unapplied(name, text)?);
    }
    Ok(Runner::new(&migrations)
        .set_abort_missing(false)
        .set_abort_divergent(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_folders_hold_the_same_steps() {
        let names = |steps: &[Step]| steps.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(names(SQLITE), names(POSTGRES));
    }
}
