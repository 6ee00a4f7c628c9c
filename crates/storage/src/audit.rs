//! The audit log.
//!
//! Owns the tables `audit_events`, `audit_seals`, `audit_checkpoints` and SQLite's list of subjects. Never computes a
//! hash or signs.

use lanyard_core::audit::event::{AuditEvent, Checkpoint};
use lanyard_core::store::StoreError;
use lanyard_core::store::audit::{AuditFilter, AuditStore, StoredEvent};
use lanyard_core::store::page::PageRequest;

use crate::dialect;
use crate::paging::fetch;
use crate::row::{Row, corrupt, doc};
use crate::sql::{SqlTx, Value};

fn event(row: &mut Row<'_>) -> Result<StoredEvent, StoreError> {
    let position = row.int()?;
    let seal = match (row.maybe_int()?, row.maybe_text()?) {
        (Some(sequence), Some(hash)) => Some((sequence, hash)),
        (None, None) => None,
        _ => return Err(corrupt("a seal without its hash")),
    };
    let text = row.text()?;
    let event = serde_json::from_str(&text)
        .map_err(|_| corrupt(format_args!("the audit event at position {position} does not parse")))?;
    Ok(StoredEvent {
        position,
        seal,
        text,
        event,
    })
}

fn checkpoint(row: &mut Row<'_>) -> Result<Checkpoint, StoreError> {
    Ok(Checkpoint {
        sequence: row.int()?,
        hash: row.text()?,
        at: row.time()?,
        signature: row.text()?,
    })
}

/// What is kept of an event, in the order of the statements.
fn columns<'a>(event: &'a AuditEvent, text: &'a str) -> [Value<'a>; 7] {
    [
        event.at.into(),
        (&event.kind).into(),
        event.outcome.as_str().into(),
        event.subject.as_ref().into(),
        event.client_id.as_ref().into(),
        (&event.request_id).into(),
        text.into(),
    ]
}

/// The range of kinds that a filter means: from, and below (`None`: no end).
fn kinds(kind: Option<&str>) -> (&str, Option<String>) {
    match kind {
        None => ("", None),
        // '/' follows '.', so that the range holds exactly what begins with the prefix.
        Some(prefix) if prefix.ends_with('.') => (prefix, Some(format!("{}/", prefix.trim_end_matches('.')))),
        Some(exact) => (exact, Some(format!("{exact}\u{1}"))),
    }
}

impl AuditStore for SqlTx<'_> {
    fn append_event(&mut self, event: &AuditEvent, text: &str) -> Result<(), StoreError> {
        self.wrote.audit = true;
        let [one, _] = dialect::APPEND;
        self.execute(one, &columns(event, text))?;
        Ok(())
    }

    fn append_events(&mut self, events: &[(AuditEvent, String)]) -> Result<(), StoreError> {
        if !self.is_embedded() {
            return events
                .iter()
                .try_for_each(|(event, text)| self.append_event(event, text));
        }
        self.wrote.audit |= !events.is_empty();
        self.insert_rows(dialect::APPEND, events, |(event, text)| columns(event, text))?;
        Ok(())
    }

    fn list_unsealed(&mut self, limit: u32) -> Result<Vec<(i64, String)>, StoreError> {
        let sql = self.choose(dialect::LIST_UNSEALED);
        self.list(sql, &[limit.into()], |row| Ok((row.int()?, row.text()?)))
    }

    fn last_seal(&mut self) -> Result<Option<(i64, String)>, StoreError> {
        self.find(
            "SELECT sequence, hash FROM audit_seals ORDER BY sequence DESC LIMIT 1",
            &[],
            |row| Ok((row.int()?, row.text()?)),
        )
    }

    fn seal_events(&mut self, seals: &[(i64, i64, String)]) -> Result<(), StoreError> {
        if self.is_embedded() {
            return self.seal_embedded(seals);
        }
        let sealed = self.execute(dialect::SEAL_ALL, &[(&doc(seals)?).into()])?;
        all(sealed, seals)
    }

    fn list_events(&mut self, filter: &AuditFilter, page: &PageRequest) -> Result<Vec<StoredEvent>, StoreError> {
        let below = match &page.after {
            None => i64::MAX,
            // A position that is none has nothing below it.
            Some(after) => after.parse().unwrap_or(i64::MIN),
        };
        let sql = match (&filter.request_id, &filter.subject) {
            (Some(_), _) => dialect::EVENTS_BY_REQUEST,
            (None, Some(_)) => self.choose(dialect::EVENTS_BY_SUBJECT),
            (None, None) => dialect::EVENTS,
        };
        let (from, to) = kinds(filter.kind.as_deref());
        self.list(
            sql,
            &[
                filter.subject.as_ref().into(),
                filter.request_id.as_ref().into(),
                filter.client_id.as_ref().into(),
                filter.outcome.as_ref().into(),
                from.into(),
                to.as_ref().into(),
                filter.since.map_or(i64::MIN, |at| at.micros()).into(),
                filter.until.map_or(i64::MAX, |at| at.micros()).into(),
                below.into(),
                fetch(page).saturating_sub(1).into(),
            ],
            event,
        )
    }

    fn list_sealed(&mut self, sequence: i64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        self.list(
            "SELECT e.position, s.sequence, s.hash, e.text FROM audit_seals s
             JOIN audit_events e ON e.position = s.position WHERE s.sequence >= $1 ORDER BY s.sequence LIMIT $2",
            &[sequence.into(), limit.into()],
            event,
        )
    }

    fn count_events(&mut self) -> Result<(i64, i64), StoreError> {
        // The sequence has no gaps, so its end is the count.
        let sealed = self.only("SELECT coalesce(max(sequence), 0) FROM audit_seals", &[], |row| {
            row.int()
        })?;
        let sql = self.choose(dialect::COUNT_UNSEALED);
        let unsealed = self.only(sql, &[], |row| row.int())?;
        Ok((sealed.saturating_add(unsealed), sealed))
    }

    fn insert_checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.add(
            "checkpoint",
            "INSERT INTO audit_checkpoints (sequence, hash, at, signature) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
            &[
                checkpoint.sequence.into(),
                (&checkpoint.hash).into(),
                checkpoint.at.into(),
                (&checkpoint.signature).into(),
            ],
        )
    }

    fn last_checkpoint(&mut self) -> Result<Option<Checkpoint>, StoreError> {
        self.find(
            "SELECT sequence, hash, at, signature FROM audit_checkpoints ORDER BY sequence DESC LIMIT 1",
            &[],
            checkpoint,
        )
    }

    fn list_checkpoints(&mut self, sequence: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError> {
        self.list(
            "SELECT sequence, hash, at, signature FROM audit_checkpoints WHERE sequence >= $1
             ORDER BY sequence LIMIT $2",
            &[sequence.into(), limit.into()],
            checkpoint,
        )
    }
}

impl SqlTx<'_> {
    /// Seals events by statements of this process and lists their subjects.
    fn seal_embedded(&mut self, seals: &[(i64, i64, String)]) -> Result<(), StoreError> {
        let Some((last, ..)) = seals.last() else {
            return Ok(());
        };
        let sealed = self.insert_rows(dialect::SEAL, seals, |(position, sequence, hash)| {
            [(*position).into(), (*sequence).into(), hash.into()]
        })?;
        all(sealed, seals)?;
        self.execute(dialect::LIST_SUBJECTS, &[(*last).into()])?;
        self.execute(dialect::LISTED, &[(*last).into()])?;
        Ok(())
    }

    /// Inserts rows by a statement for one and one for [`dialect::ROWS`]; how many were inserted.
    fn insert_rows<'v, T, const COLUMNS: usize>(
        &mut self,
        [one, many]: [&'static str; 2],
        rows: &'v [T],
        columns: impl Fn(&'v T) -> [Value<'v>; COLUMNS],
    ) -> Result<u64, StoreError> {
        let (chunks, rest) = rows.as_chunks::<{ dialect::ROWS }>();
        let chunks = chunks.iter().map(|rows| (many, rows.as_slice()));
        let mut values = Vec::with_capacity(COLUMNS * dialect::ROWS);
        let mut inserted = 0;
        for (sql, rows) in chunks.chain(rest.chunks(1).map(|row| (one, row))) {
            values.clear();
            values.extend(rows.iter().flat_map(&columns));
            inserted += self.execute(sql, &values)?;
        }
        Ok(inserted)
    }
}

/// Whether all of these were sealed.
fn all(sealed: u64, seals: &[(i64, i64, String)]) -> Result<(), StoreError> {
    if usize::try_from(sealed).is_ok_and(|sealed| sealed == seals.len()) {
        Ok(())
    } else {
        Err(StoreError::Conflict("audit seal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_of_kinds_does_not_reach_into_its_neighbour() {
        let (from, to) = kinds(Some("idp."));
        assert!("idp.id_jag.issued" >= from && "idp.id_jag.issued" < to.as_deref().unwrap());
        assert!("idp2.x" >= to.as_deref().unwrap());
    }
}
