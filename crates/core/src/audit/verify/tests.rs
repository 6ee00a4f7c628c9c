//! P2: an exported log cannot be edited unseen. The log is made in memory; the store's part is tested in `tests/it`.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;

use super::*;
use crate::audit::event::Checkpoint;
use crate::audit::export::Entry;
use crate::audit::seal::Statement;
use crate::clock::Timestamp;

const EVENTS: i64 = 400;
const EVERY: i64 = 50;

fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| SigningKey::generate(Algorithm::Es256).unwrap())
}

fn checkpoint(key: &SigningKey, sequence: i64, hash: &str) -> Checkpoint {
    Statement {
        sequence,
        hash: hash.to_owned(),
        at: Timestamp::from_seconds(1_700_000_000 + sequence),
    }
    .sign(key)
    .unwrap()
}

/// An honest log: `events` entries, a checkpoint every [`EVERY`], `unsealed` more. With the checkpoints made.
struct Log {
    lines: Vec<String>,
    checkpoints: BTreeMap<i64, Checkpoint>,
}

impl Log {
    fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The line of an entry, from 0.
    fn line_of(&self, sequence: i64) -> usize {
        let prefix = format!("{{\"sequence\":{sequence},");
        self.lines.iter().position(|line| line.starts_with(&prefix)).unwrap()
    }
}

fn event(n: i64) -> String {
    format!(r#"{{"id":"evt_{n}","kind":"idp.id_jag.issued","detail":{{"scope":"read \"quoted\" ä","n":{n}}}}}"#)
}

fn log(events: i64, unsealed: i64) -> Log {
    log_with(key(), events, unsealed, event)
}

fn log_with(key: &SigningKey, events: i64, unsealed: i64, event: impl Fn(i64) -> String) -> Log {
    let mut body = Vec::new();
    let mut checkpoints = BTreeMap::new();
    let mut hash = String::new();
    for sequence in 1..=events {
        let text = event(sequence);
        hash = chain_hash(&hash, sequence, &text);
        body.push(serde_json::json!({"sequence": sequence, "hash": hash, "event": text}));
        if sequence % EVERY == 0 {
            let made = checkpoint(key, sequence, &hash);
            body.push(serde_json::json!({"checkpoint": made}));
            checkpoints.insert(sequence, made);
        }
    }
    body.extend((0..unsealed).map(|n| serde_json::json!({"unsealed": event(events + 1 + n)})));
    let counts = Counts {
        events: events.unsigned_abs(),
        checkpoints: u64::try_from(checkpoints.len()).unwrap(),
        unsealed: unsealed.unsigned_abs(),
    };
    let header = Header {
        lanyard_audit_export: VERSION,
        exported_at: Timestamp::from_seconds(1_800_000_000),
        keys: vec![key.public_jwk()],
        removed: Vec::new(),
        after: Entry::default(),
        head: checkpoints.values().last().cloned(),
    };
    let mut lines = vec![serde_json::to_string(&header).unwrap()];
    // `json!` sorts members; the format begins a line with its kind.
    lines.extend(body.iter().map(|line| match line.get("sequence") {
        Some(sequence) => format!(
            r#"{{"sequence":{sequence},"hash":{},"event":{}}}"#,
            line["hash"], line["event"]
        ),
        None => line.to_string(),
    }));
    lines.push(serde_json::json!({"end": counts}).to_string());
    Log { lines, checkpoints }
}

fn check(text: &str, known: &Known) -> Report {
    verify(text.as_bytes(), known).unwrap()
}

fn problem(lines: &[String], known: &Known) -> Option<Broken> {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    check(&text, known).problem
}

/// Repeatable positions over the whole range.
fn positions(count: usize, below: usize) -> impl Iterator<Item = usize> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    (0..count).map(move |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    })
}

#[test]
fn an_honest_log_is_sound_and_says_what_is_not_sealed_yet() {
    let report = check(&log(EVENTS + 7, 3).text(), &Known::default());
    assert_eq!(report.problem, None);
    assert_eq!((report.last, report.signed, report.unsigned()), (EVENTS + 7, EVENTS, 7));
    assert_eq!((report.counts.events, report.counts.unsealed), (407, 3));
    assert_eq!(report.signers, [key().kid()]);
    assert!(!report.keys_expected && report.is_sound());
}

#[test]
fn an_empty_log_is_sound() {
    assert_eq!(check(&log(0, 0).text(), &Known::default()).problem, None);
}

#[test]
fn a_hundred_of_a_hundred_flipped_bits_are_found_at_their_line_p2() {
    let log = log(EVENTS, 0);
    for at in positions(100, log.lines.len() - 2) {
        let line = at + 1;
        let mut lines = log.lines.clone();
        let mut bytes = lines[line].clone().into_bytes();
        let byte = (at * 31) % bytes.len();
        bytes[byte] ^= 1 << (at % 7);
        // A line break in the middle makes two lines, the first of which is broken.
        lines[line] = String::from_utf8_lossy(&bytes).into_owned();
        let broken = problem(&lines, &Known::default());
        assert_eq!(
            broken.as_ref().map(|broken| broken.line),
            Some(u64::try_from(line).unwrap() + 1),
            "{broken:?} {}",
            lines[line]
        );
    }
}

#[test]
fn a_hundred_of_a_hundred_deleted_records_are_found_at_the_line_after_them_p2() {
    let log = log(EVENTS, 0);
    for at in positions(100, usize::try_from(EVENTS).unwrap()) {
        let sequence = i64::try_from(at).unwrap() + 1;
        let line = log.line_of(sequence);
        let mut lines = log.lines.clone();
        lines.remove(line);
        let broken = problem(&lines, &Known::default()).unwrap();
        assert_eq!(broken.line, u64::try_from(line).unwrap() + 1, "{sequence}: {broken}");
    }
}

#[test]
fn a_hundred_of_a_hundred_exchanged_records_are_found_at_the_first_of_them_p2() {
    let log = log(EVENTS, 0);
    let count = usize::try_from(EVENTS).unwrap();
    for (at, step) in positions(100, count - 1).zip(positions(100, 20)) {
        let first = i64::try_from(at).unwrap() + 1;
        let second = (first + 1 + i64::try_from(step).unwrap()).min(EVENTS);
        let (one, two) = (log.line_of(first), log.line_of(second));
        let mut lines = log.lines.clone();
        lines.swap(one, two);
        let broken = problem(&lines, &Known::default()).unwrap();
        assert_eq!(broken.line, u64::try_from(one).unwrap() + 1);
        assert!(matches!(broken.fault, Fault::OutOfPlace { expected, found } if (expected, found) == (first, second)));
    }
}

#[test]
fn a_hundred_of_a_hundred_inserted_records_are_found_at_their_line_p2() {
    let log = log(EVENTS, 0);
    for at in positions(100, usize::try_from(EVENTS).unwrap()) {
        let sequence = i64::try_from(at).unwrap() + 1;
        let line = log.line_of(sequence);
        let mut lines = log.lines.clone();
        // The best a forger can do: the right sequence and the right hash over its predecessor.
        let before = lines[..line].iter().rev().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line.get("hash").and_then(|hash| hash.as_str()).map(str::to_owned)
        });
        let hash = chain_hash(&before.unwrap_or_default(), sequence, "{}");
        lines.insert(
            line,
            format!(r#"{{"sequence":{sequence},"hash":"{hash}","event":"{{}}"}}"#),
        );
        let broken = problem(&lines, &Known::default()).unwrap();
        // The inserted record reads well; the one it displaced does not, and no place is nearer to the truth.
        assert_eq!(broken.line, u64::try_from(line).unwrap() + 2, "{broken}");
        assert!(matches!(broken.fault, Fault::OutOfPlace { .. }));
    }
}

#[test]
fn a_hundred_of_a_hundred_truncations_are_found_p2() {
    let log = log(EVENTS, 2);
    let text = log.text();
    for at in positions(100, text.len() - 1) {
        let Some(cut) = text.get(..at) else { continue };
        assert!(check(cut, &Known::default()).problem.is_some(), "cut at {at}");
    }
}

#[test]
fn rewriting_all_of_history_under_the_same_key_is_found_by_a_kept_checkpoint_p2() {
    let honest = log(EVENTS, 0);
    for at in positions(100, usize::try_from(EVENTS).unwrap()) {
        let sequence = i64::try_from(at).unwrap() + 1;
        // Whoever holds the store and the audit key can make this; only what was kept elsewhere tells.
        let forged = log_with(
            key(),
            EVENTS,
            0,
            |n| if n == sequence { "{}".to_owned() } else { event(n) },
        );
        assert_eq!(check(&forged.text(), &Known::default()).problem, None);
        let kept = honest.checkpoints[&(sequence.rounded_up_to(EVERY))].clone();
        let known = Known {
            since: Some(kept.clone()),
            ..Known::default()
        };
        let broken = check(&forged.text(), &known).problem.unwrap();
        assert_eq!(
            broken.fault,
            Fault::SinceRewritten {
                sequence: kept.sequence
            }
        );
        if at > 15 {
            continue;
        }
        assert_eq!(check(&honest.text(), &known).since_met, Some(true));
    }
}

trait RoundUp {
    fn rounded_up_to(self, step: i64) -> i64;
}

impl RoundUp for i64 {
    fn rounded_up_to(self, step: i64) -> i64 {
        (self + step - 1) / step * step
    }
}

#[test]
fn rewriting_without_the_audit_key_is_found_at_the_next_checkpoint_p2() {
    let honest = log(EVENTS, 0);
    let forged = log_with(key(), EVENTS, 0, |n| if n == 120 { "{}".to_owned() } else { event(n) });
    // The forger keeps the signed checkpoints, for want of others.
    let mut lines = forged.lines.clone();
    for (own, line) in lines.iter_mut().zip(&honest.lines) {
        if line.starts_with("{\"checkpoint\"") {
            own.clone_from(line);
        }
    }
    let broken = problem(&lines, &Known::default()).unwrap();
    assert_eq!(broken.fault, Fault::CheckpointMismatch { sequence: 150 });
}

#[test]
fn a_tail_cut_off_before_the_end_line_was_made_is_found_by_what_was_signed_p2() {
    let long = log(EVENTS, 0);
    let short = log(EVENTS - 60, 0);
    let known = Known {
        since: Some(long.checkpoints[&EVENTS].clone()),
        ..Known::default()
    };
    let broken = check(&short.text(), &known).problem.unwrap();
    assert_eq!(
        broken.fault,
        Fault::CutTail {
            last: EVENTS - 60,
            signed: EVENTS
        }
    );
    // Without a kept checkpoint the header's own tells, unless that was replaced as well.
    let mut lines = short.lines.clone();
    lines[0].clone_from(&long.lines[0]);
    assert!(matches!(
        problem(&lines, &Known::default()).unwrap().fault,
        Fault::CutTail { .. }
    ));
}

#[test]
fn a_checkpoint_by_another_key_is_refused_and_an_expected_key_is_the_only_one_that_counts() {
    let foreign = SigningKey::generate(Algorithm::Es256).unwrap();
    let forged = log_with(&foreign, EVENTS, 0, event);
    assert_eq!(
        check(&forged.text(), &Known::default()).problem,
        None,
        "the file alone cannot tell"
    );
    let known = Known {
        keys: vec![key().kid().to_owned()],
        since: None,
    };
    assert!(matches!(
        check(&forged.text(), &known).problem.unwrap().fault,
        Fault::HeadInvalid(_)
    ));
    let report = check(&log(EVENTS, 0).text(), &known);
    assert!(report.is_sound() && report.keys_expected);
}

#[test]
fn what_a_removed_audit_key_signed_counts_as_unsigned() {
    let mut log = log(EVENTS, 0);
    let mut header: Header = serde_json::from_str(&log.lines[0]).unwrap();
    header.removed = vec![key().kid().to_owned()];
    log.lines[0] = serde_json::to_string(&header).unwrap();
    let report = check(&log.text(), &Known::default());
    assert_eq!((report.is_sound(), report.signed), (true, 0));
}

#[test]
fn a_part_of_the_log_hangs_on_the_entry_before_it() {
    let whole = log(EVENTS, 0);
    let line: serde_json::Value = serde_json::from_str(&whole.lines[whole.line_of(100)]).unwrap();
    let mut header: Header = serde_json::from_str(&whole.lines[0]).unwrap();
    header.after = Entry {
        sequence: 100,
        hash: line["hash"].as_str().unwrap().to_owned(),
    };
    let mut lines = vec![serde_json::to_string(&header).unwrap()];
    lines.extend(whole.lines[whole.line_of(101)..].iter().cloned());
    let end = lines.len() - 1;
    lines[end] = r#"{"end":{"events":300,"checkpoints":6,"unsealed":0}}"#.to_owned();
    let known = Known {
        since: Some(whole.checkpoints[&100].clone()),
        ..Known::default()
    };
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let report = check(&text, &known);
    assert_eq!(
        (report.problem, report.after, report.since_met),
        (None, 100, Some(true))
    );
    header
        .after
        .hash
        .replace_range(..1, if header.after.hash.starts_with('0') { "1" } else { "0" });
    lines[0] = serde_json::to_string(&header).unwrap();
    assert!(problem(&lines, &known).is_some());
}

#[test]
fn lines_after_the_end_long_lines_and_other_formats_are_refused() {
    let good = log(10, 0);
    let with = |line: String| {
        let mut lines = good.lines.clone();
        lines.push(line);
        problem(&lines, &Known::default()).unwrap().fault
    };
    assert_eq!(with("{}".to_owned()), Fault::AfterEnd);
    assert!(matches!(
        check("", &Known::default()).problem.unwrap().fault,
        Fault::NoHeader
    ));
    assert!(matches!(
        check("hello\n", &Known::default()).problem.unwrap().fault,
        Fault::NoHeader
    ));
    let version = good
        .text()
        .replace("\"lanyard_audit_export\":1", "\"lanyard_audit_export\":2");
    assert_eq!(
        check(&version, &Known::default()).problem.unwrap().fault,
        Fault::Version(2)
    );
    let long = format!("{}\n{}", good.lines[0], "x".repeat(3 * MAX_LINE));
    assert_eq!(check(&long, &Known::default()).problem.unwrap().line, 2);
    let mut miscounted = good.lines.clone();
    let end = miscounted.len() - 1;
    miscounted[end] = r#"{"end":{"events":9,"checkpoints":0,"unsealed":0}}"#.to_owned();
    assert_eq!(problem(&miscounted, &Known::default()).unwrap().fault, Fault::Counts);
}

/// Makes the lines of a log while they are read, so that only the verifier's own memory counts.
struct Generated {
    next: i64,
    events: i64,
    hash: String,
    checkpoints: u64,
    pending: io::Cursor<Vec<u8>>,
}

impl io::Read for Generated {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.pending.read(out)?;
        if read > 0 || self.next > self.events + 1 {
            return Ok(read);
        }
        let mut lines = String::new();
        if self.next == 0 {
            lines.push_str(&log(0, 0).lines[0]);
            lines.push('\n');
        } else if self.next <= self.events {
            let text = event(self.next);
            self.hash = chain_hash(&self.hash, self.next, &text);
            let text = serde_json::to_string(&text).unwrap();
            lines = format!(
                "{{\"sequence\":{},\"hash\":\"{}\",\"event\":{text}}}\n",
                self.next, self.hash
            );
            if self.next % 1000 == 0 {
                let made = checkpoint(key(), self.next, &self.hash);
                lines.push_str(&format!("{}\n", serde_json::json!({ "checkpoint": made })));
                self.checkpoints += 1;
            }
        } else {
            let end = Counts {
                events: self.events.unsigned_abs(),
                checkpoints: self.checkpoints,
                unsealed: 0,
            };
            lines = format!("{}\n", serde_json::json!({ "end": end }));
        }
        self.next += 1;
        self.pending = io::Cursor::new(lines.into_bytes());
        self.pending.read(out)
    }
}

#[test]
fn a_log_is_verified_while_it_is_read_whatever_its_length_p2() {
    let log = Generated {
        next: 0,
        events: 20_000,
        hash: String::new(),
        checkpoints: 0,
        pending: io::Cursor::default(),
    };
    let report = verify(io::BufReader::new(log), &Known::default()).unwrap();
    assert_eq!((report.problem, report.last), (None, 20_000));
}
