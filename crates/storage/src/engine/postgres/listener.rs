//! The listener: what other replicas committed.
//!
//! Owns the notifications and the look once a second, because notifications are lost while the connection is gone.
//! Never runs a unit.

use std::sync::atomic::Ordering;
use std::time::Duration;

use postgres::Client;
use postgres::fallible_iterator::FallibleIterator as _;

use super::Shared;
use crate::sql::Committed;

/// Tells the other replicas, in the transaction of the change. Audit events are not told: a notification takes a lock
/// that all commits share, and each of them writes an event.
pub(super) const NOTIFY: &str = "SELECT pg_notify('lanyard', $1)";
/// Wakes listeners that shall end.
pub(super) const WAKE: &str = "SELECT pg_notify('lanyard', '')";

const LOOK: Duration = Duration::from_secs(1);
/// What the look compares: positions and versions, and whether jobs wait.
const EPOCH: &str = "SELECT
    (SELECT coalesce(max(position), 0) FROM audit_events),
    (SELECT count(*) FROM (SELECT 1 FROM jobs LIMIT 1) waiting),
    (SELECT value FROM versions WHERE name = 'revocations'),
    (SELECT sum(value)::bigint FROM versions WHERE name <> 'revocations')";

/// What is to be told about a commit, if anything.
pub(super) fn notice(wrote: Committed) -> Option<&'static str> {
    match (wrote.jobs, wrote.revocations, wrote.records) {
        (false, false, false) => None,
        (true, false, false) => Some("j"),
        (false, true, false) => Some("v"),
        (false, false, true) => Some("r"),
        (true, true, false) => Some("jv"),
        (true, false, true) => Some("jr"),
        (false, true, true) => Some("vr"),
        (true, true, true) => Some("jvr"),
    }
}

fn read(payload: &str) -> Committed {
    Committed {
        jobs: payload.contains('j'),
        audit: false,
        revocations: payload.contains('v'),
        records: payload.contains('r'),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Epoch {
    position: i64,
    jobs: i64,
    revocations: i64,
    records: i64,
}

impl Epoch {
    fn read(client: &mut Client) -> Result<Self, postgres::Error> {
        let row = client.query_one(EPOCH, &[])?;
        Ok(Self {
            position: row.try_get(0)?,
            jobs: row.try_get(1)?,
            revocations: row.try_get(2)?,
            records: row.try_get(3)?,
        })
    }

    fn since(self, before: Option<Self>) -> Committed {
        let differs = |value: fn(Self) -> i64| before.is_none_or(|before| value(before) != value(self));
        Committed {
            jobs: self.jobs > 0,
            audit: differs(|epoch| epoch.position),
            revocations: differs(|epoch| epoch.revocations),
            records: differs(|epoch| epoch.records),
        }
    }
}

/// Serves until the store closes.
pub(super) fn serve(shared: &Shared) {
    let mut before = None;
    while !shared.closing.load(Ordering::Acquire) {
        let listened = shared
            .connector
            .connect()
            .and_then(|mut client| listen(shared, &mut client, &mut before));
        if let Err(error) = listened {
            tracing::warn!(error = %super::worded(&error), "the listener lost its connection to PostgreSQL");
            std::thread::sleep(LOOK);
        }
    }
}

/// Serves on one connection.
fn listen(shared: &Shared, client: &mut Client, before: &mut Option<Epoch>) -> Result<(), postgres::Error> {
    client.batch_execute("LISTEN lanyard")?;
    while !shared.closing.load(Ordering::Acquire) {
        let now = Epoch::read(client)?;
        let changed = now.since(*before);
        *before = Some(now);
        shared.listeners.tell(changed);
        let deadline = std::time::Instant::now().checked_add(LOOK);
        while let Some(left) = deadline.and_then(|deadline| deadline.checked_duration_since(std::time::Instant::now()))
        {
            let told = client.notifications().timeout_iter(left).next()?;
            let Some(told) = told else { break };
            if shared.closing.load(Ordering::Acquire) {
                return Ok(());
            }
            shared.listeners.tell(read(told.payload()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_what_is_heard() {
        for (jobs, revocations, records) in [(true, false, true), (false, true, false), (true, true, true)] {
            let wrote = Committed {
                jobs,
                audit: true,
                revocations,
                records,
            };
            let heard = read(notice(wrote).unwrap());
            assert_eq!(heard, Committed { audit: false, ..wrote });
        }
        assert_eq!(
            notice(Committed {
                audit: true,
                ..Committed::default()
            }),
            None
        );
    }
}
