//! The few statements whose text differs between the engines, and why.
//!
//! Owns those texts. Never decides which engine runs.

use crate::sql::Texts;

/// Claims free jobs. PostgreSQL: rows that another replica is claiming are skipped, and the array pins the choice,
/// so that the limit holds whatever the plan is.
pub(crate) const CLAIM_JOBS: Texts = Texts {
    sqlite: "UPDATE jobs SET leased_until = $1 WHERE id IN
             (SELECT id FROM jobs WHERE due_at <= $2 AND (leased_until IS NULL OR leased_until <= $2) AND queue = $3
             ORDER BY due_at, id LIMIT $4)
             RETURNING id, task, due_at, attempts, leased_until",
    postgres: "UPDATE jobs SET leased_until = $1 WHERE id = ANY (ARRAY
               (SELECT id FROM jobs WHERE due_at <= $2 AND (leased_until IS NULL OR leased_until <= $2) AND queue = $3
               ORDER BY due_at, id LIMIT $4 FOR UPDATE SKIP LOCKED))
               RETURNING id, task, due_at, attempts, leased_until",
};

/// Events after the last sealed one. SQLite has one writer, so the position is the order of the commits.
/// PostgreSQL: ordered by the writing transaction, and only transactions older than every running one; whatever
/// commits later has a higher number.
pub(crate) const LIST_UNSEALED: Texts = Texts {
    sqlite: "SELECT position, text FROM audit_events
             WHERE position > (SELECT coalesce(max(position), 0) FROM audit_seals)
             ORDER BY position LIMIT $1",
    postgres: "SELECT e.position, e.text FROM audit_events e
               WHERE (e.written_by, e.position) > (
                   coalesce((SELECT l.written_by FROM audit_events l WHERE l.position =
                       (SELECT s.position FROM audit_seals s ORDER BY s.sequence DESC LIMIT 1)), 0),
                   coalesce((SELECT s.position FROM audit_seals s ORDER BY s.sequence DESC LIMIT 1), 0))
               AND e.written_by < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
               ORDER BY e.written_by, e.position LIMIT $1",
};

/// SQLite: so many rows are inserted by one statement, where one each would cost half as much again.
pub(crate) const ROWS: usize = 16;

/// A statement for one row, and SQLite's for [`ROWS`].
macro_rules! insert {
    ($into:literal, $one:literal, $row:literal, $end:literal) => {
        [
            concat!($into, " VALUES ", $one, $end),
            concat!(
                $into, " VALUES ", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row,
                ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, ",", $row, $end
            ),
        ]
    };
}

/// Appends events.
pub(crate) const APPEND: [&str; 2] = insert!(
    "INSERT INTO audit_events (at, kind, outcome, subject, client_id, request_id, text)",
    "($1, $2, $3, $4, $5, $6, $7)",
    "(?, ?, ?, ?, ?, ?, ?)",
    ""
);

/// SQLite: seals events.
pub(crate) const SEAL: [&str; 2] = insert!(
    "INSERT INTO audit_seals (position, sequence, hash)",
    "(?, ?, ?)",
    "(?, ?, ?)",
    " ON CONFLICT DO NOTHING"
);

/// SQLite: lists the subjects of every event up to this position that is not listed yet.
pub(crate) const LIST_SUBJECTS: &str = "INSERT INTO audit_subjects (block, subject, position)
    SELECT position / 4096, subject, position FROM audit_events
    WHERE position > (SELECT position FROM audit_listed) AND position <= $1 AND subject IS NOT NULL";

/// SQLite: keeps the position up to which subjects are listed.
pub(crate) const LISTED: &str = "UPDATE audit_listed SET position = $1";

/// PostgreSQL: seals a batch in one statement; the batch is a JSON list of `[position, sequence, hash]`.
pub(crate) const SEAL_ALL: &str = "INSERT INTO audit_seals (position, sequence, hash)
    SELECT (value ->> 0)::bigint, (value ->> 1)::bigint, value ->> 2
    FROM json_array_elements($1::text::json) AS batch (value)
    ON CONFLICT DO NOTHING";

/// Puts many people into a group; the people are a JSON list of ids.
pub(crate) const INSERT_MEMBERS: Texts = Texts {
    sqlite: "INSERT INTO memberships (group_id, since, user_id)
             SELECT $1, $2, value FROM json_each($3) WHERE true
             ON CONFLICT (user_id, group_id) DO NOTHING RETURNING user_id",
    postgres: "INSERT INTO memberships (group_id, since, user_id)
               SELECT $1, $2::bigint, value FROM json_array_elements_text($3::text::json) AS batch (value)
               ON CONFLICT (user_id, group_id) DO NOTHING RETURNING user_id",
};

/// Takes many people out of a group.
pub(crate) const REMOVE_MEMBERS: Texts = Texts {
    sqlite: "DELETE FROM memberships WHERE group_id = $1 AND user_id IN (SELECT value FROM json_each($2))
             RETURNING user_id",
    postgres: "DELETE FROM memberships WHERE group_id = $1
               AND user_id IN (SELECT value FROM json_array_elements_text($2::text::json) AS batch (value))
               RETURNING user_id",
};

/// Those of many people whom a directory provisions.
pub(crate) const PROVISIONED_AMONG: Texts = Texts {
    sqlite: "SELECT s.user_id FROM json_each($1) b CROSS JOIN scim_users s ON s.user_id = b.value
             WHERE s.directory = $2",
    postgres: "SELECT s.user_id FROM json_array_elements_text($1::text::json) AS b (value)
               JOIN scim_users s ON s.user_id = b.value WHERE s.directory = $2",
};

/// How many events are not sealed yet, whether or not they may be sealed already.
pub(crate) const COUNT_UNSEALED: Texts = Texts {
    sqlite: "SELECT count(*) FROM audit_events
             WHERE position > (SELECT coalesce(max(position), 0) FROM audit_seals)",
    postgres: "SELECT count(*) FROM audit_events e
               WHERE (e.written_by, e.position) > (
                   coalesce((SELECT l.written_by FROM audit_events l WHERE l.position =
                       (SELECT s.position FROM audit_seals s ORDER BY s.sequence DESC LIMIT 1)), 0),
                   coalesce((SELECT s.position FROM audit_seals s ORDER BY s.sequence DESC LIMIT 1), 0))",
};

/// A list of events, newest first. `$1` and `$2` are subject and request id.
macro_rules! events {
    ($lead:literal) => {
        concat!(
            "SELECT e.position, s.sequence, s.hash, e.text FROM audit_events e
             LEFT JOIN audit_seals s ON s.position = e.position WHERE ",
            $lead,
            " AND (CAST($3 AS TEXT) IS NULL OR e.client_id = $3)
             AND (CAST($4 AS TEXT) IS NULL OR e.outcome = $4)
             AND e.kind >= $5 AND (CAST($6 AS TEXT) IS NULL OR e.kind < $6)
             AND e.at >= $7 AND e.at < $8 AND e.position < $9 ORDER BY e.position DESC LIMIT $10"
        )
    };
}

/// Events of a subject. SQLite: the sealed ones by a table that sealing fills, block by block, the others by looking
/// through them.
pub(crate) const EVENTS_BY_SUBJECT: Texts = Texts {
    sqlite: events!(
        "e.position IN (SELECT s.position FROM (
             WITH RECURSIVE blocks (block) AS (
                 SELECT position / 4096 FROM audit_listed
                 UNION ALL SELECT block - 1 FROM blocks WHERE block > 0
             ) SELECT block FROM blocks
         ) b CROSS JOIN audit_subjects s ON s.block = b.block AND s.subject = $1
         UNION ALL SELECT u.position FROM audit_events u
         WHERE u.position > (SELECT position FROM audit_listed) AND u.subject = $1)
         AND (CAST($2 AS TEXT) IS NULL OR e.request_id = $2)"
    ),
    postgres: events!("e.subject = $1 AND (CAST($2 AS TEXT) IS NULL OR e.request_id = $2)"),
};

/// Events of a request; the same on both.
pub(crate) const EVENTS_BY_REQUEST: &str =
    events!("(CAST($1 AS TEXT) IS NULL OR e.subject = $1) AND e.request_id = $2");

/// Events of neither; the same on both.
pub(crate) const EVENTS: &str =
    events!("(CAST($1 AS TEXT) IS NULL OR e.subject = $1) AND (CAST($2 AS TEXT) IS NULL OR e.request_id = $2)");
