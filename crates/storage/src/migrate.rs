//! Migrations: the same numbers in both folders, forward only.
//!
//! Owns the list of them, and what a store has of it. Never takes the lock; the engine does.

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
        "V3__identity_providers",
        include_str!("../migrations/sqlite/V3__identity_providers.sql"),
    ),
    ("V4__saml", include_str!("../migrations/sqlite/V4__saml.sql")),
    (
        "V5__second_factors",
        include_str!("../migrations/sqlite/V5__second_factors.sql"),
    ),
    (
        "V6__step_up_and_logout",
        include_str!("../migrations/sqlite/V6__step_up_and_logout.sql"),
    ),
    (
        "V7__provisioning",
        include_str!("../migrations/sqlite/V7__provisioning.sql"),
    ),
    (
        "V8__administrators_and_agents",
        include_str!("../migrations/sqlite/V8__administrators_and_agents.sql"),
    ),
    ("V9__registry", include_str!("../migrations/sqlite/V9__registry.sql")),
    (
        "V10__subjects_by_block",
        include_str!("../migrations/sqlite/V10__subjects_by_block.sql"),
    ),
    ("V11__kept_out", include_str!("../migrations/sqlite/V11__kept_out.sql")),
    (
        "V12__subjects_by_batch",
        include_str!("../migrations/sqlite/V12__subjects_by_batch.sql"),
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
        "V3__identity_providers",
        include_str!("../migrations/postgres/V3__identity_providers.sql"),
    ),
    ("V4__saml", include_str!("../migrations/postgres/V4__saml.sql")),
    (
        "V5__second_factors",
        include_str!("../migrations/postgres/V5__second_factors.sql"),
    ),
    (
        "V6__step_up_and_logout",
        include_str!("../migrations/postgres/V6__step_up_and_logout.sql"),
    ),
    (
        "V7__provisioning",
        include_str!("../migrations/postgres/V7__provisioning.sql"),
    ),
    (
        "V8__administrators_and_agents",
        include_str!("../migrations/postgres/V8__administrators_and_agents.sql"),
    ),
    ("V9__registry", include_str!("../migrations/postgres/V9__registry.sql")),
    (
        "V10__subjects_by_block",
        include_str!("../migrations/postgres/V10__subjects_by_block.sql"),
    ),
    (
        "V11__kept_out",
        include_str!("../migrations/postgres/V11__kept_out.sql"),
    ),
    (
        "V12__subjects_by_batch",
        include_str!("../migrations/postgres/V12__subjects_by_batch.sql"),
    ),
];

/// The runner of these steps. A step that a newer release applied is no hindrance: schemas expand before they
/// contract, so this release runs on the next one's schema (decision 0062 has the one thing that it then does not find).
pub(crate) fn runner(steps: &[Step]) -> Result<Runner, refinery::Error> {
    let mut migrations = Vec::with_capacity(steps.len());
    for (name, text) in steps {
        migrations.push(Migration::unapplied(name, text)?);
    }
    Ok(Runner::new(&migrations)
        .set_abort_missing(false)
        .set_abort_divergent(true))
}

/// The steps of a store against those of this release, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schema {
    /// Steps of this release that the store has.
    pub applied: Vec<String>,
    /// Steps of this release that it lacks.
    pub missing: Vec<String>,
    /// Steps that a newer release applied.
    pub newer: Vec<String>,
}

impl Schema {
    /// Compares what the history of a store holds, (number, name), with the steps of this release.
    pub(crate) fn of(steps: &[Step], history: Vec<(i64, String)>) -> Self {
        let has = |step: &str| {
            history
                .iter()
                .any(|(number, name)| format!("V{number}__{name}") == step)
        };
        let (applied, missing) = steps
            .iter()
            .map(|(step, _)| (*step).to_owned())
            .partition(|step| has(step));
        let names = history.iter().map(|(number, name)| format!("V{number}__{name}"));
        let newer = names
            .filter(|name| !steps.iter().any(|(step, _)| step == name))
            .collect();
        Self {
            applied,
            missing,
            newer,
        }
    }

    /// The number of the last step in the store; 0 when it is empty.
    pub fn last(&self) -> u64 {
        let number = |step: &String| step.strip_prefix('V')?.split("__").next()?.parse().ok();
        self.applied
            .iter()
            .chain(&self.newer)
            .filter_map(number)
            .max()
            .unwrap_or(0)
    }
}

/// The history of a store, when it has one: (number, name).
pub(crate) const HISTORY: &str = "SELECT version, name FROM refinery_schema_history ORDER BY version";

/// The names of what a run applied.
pub(crate) fn names(report: &refinery::Report) -> Vec<String> {
    report.applied_migrations().iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_steps_and_those_of_a_newer_release_are_told_apart() {
        let steps: &[Step] = &[("V1__start", ""), ("V2__more", "")];
        let schema = Schema::of(steps, vec![(1, "start".to_owned()), (7, "later".to_owned())]);
        assert_eq!(schema.applied, ["V1__start"]);
        assert_eq!(schema.missing, ["V2__more"]);
        assert_eq!(
            (schema.newer.as_slice(), schema.last()),
            (["V7__later".to_owned()].as_slice(), 7)
        );
        assert_eq!(Schema::of(steps, Vec::new()).last(), 0);
    }

    #[test]
    fn both_folders_hold_the_same_steps() {
        let names = |steps: &[Step]| steps.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        assert_eq!(names(SQLITE), names(POSTGRES));
    }

    #[test]
    fn events_that_were_sealed_before_subjects_were_listed_by_batch_are_found_by_subject() {
        use lanyard_core::store::StoreExt as _;
        use lanyard_core::store::audit::AuditFilter;
        use lanyard_core::store::page::PageRequest;
        use lanyard_testkit::block_on::block_on;

        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("old.db");
        let mut old = rusqlite::Connection::open(&path).unwrap();
        let before = SQLITE.iter().position(|(name, _)| name.starts_with("V12__")).unwrap();
        runner(&SQLITE[..before]).unwrap().run(&mut old).unwrap();
        let text = r#"{"id":"evt_1","at":"2026-01-01T00:00:00Z","kind":"k","outcome":"granted","actor":{"kind":"anonymous"},"request_id":"req_1"}"#;
        let sql = "INSERT INTO audit_events (at, kind, outcome, subject, request_id, text) VALUES (0, 'k', 'granted', ?1, 'req_1', ?2)";
        for subject in [Some("ada"), None, Some("ada"), Some("ada")] {
            old.execute(sql, rusqlite::params![subject, text]).unwrap();
        }
        old.execute(
            "INSERT INTO audit_seals VALUES (1, 1, 'h1'), (2, 2, 'h2'), (3, 3, 'h3')",
            [],
        )
        .unwrap();
        drop(old);

        let opened = crate::open(&crate::StoreConfig::sqlite(&path)).unwrap();
        let found = || {
            let filter = AuditFilter {
                subject: Some("ada".to_owned()),
                ..AuditFilter::default()
            };
            let list = opened
                .store
                .read(move |tx| tx.list_events(&filter, &PageRequest::new(None, 9)));
            let events = block_on(list).unwrap();
            events.iter().map(|event| event.position).collect::<Vec<_>>()
        };
        assert_eq!(found(), [4, 3, 1]);
        block_on(opened.store.write(|tx| tx.seal_events(&[(4, 4, "h4".to_owned())]))).unwrap();
        assert_eq!(found(), [4, 3, 1]);
    }
}
