//! The audit log.

use lanyard_core::audit::event::{AuditOutcome, Checkpoint};
use lanyard_core::store::StoreError;
use lanyard_core::store::audit::AuditFilter;
use lanyard_core::store::page::PageRequest;

use crate::sample::{at, event, first};
use crate::support::{Bench, Place};

fn append(b: &Bench, names: &[&str]) {
    for name in names {
        let (event, text) = event(name, "idp.id_jag.issued", 0);
        b.write(move |tx| tx.append_event(&event, &text)).unwrap();
    }
}

/// Waits until so many events may be sealed: on PostgreSQL a transaction of another test holds the horizon back.
fn settle(b: &Bench, count: usize) {
    while b.read(|tx| tx.list_unsealed(1000)).unwrap().len() < count {
        std::thread::yield_now();
    }
}

/// Seals everything that may be sealed; how many.
fn seal(b: &Bench) -> usize {
    seal_some(b, 1000)
}

/// Seals at most so many events; how many.
fn seal_some(b: &Bench, limit: u32) -> usize {
    b.write(move |tx| {
        let start = tx.last_seal()?.map_or(0, |(sequence, _)| sequence);
        let unsealed = tx.list_unsealed(limit)?;
        let seals: Vec<_> = unsealed
            .iter()
            .zip(start + 1..)
            .map(|((position, _), sequence)| (*position, sequence, format!("hash-{sequence}")))
            .collect();
        tx.seal_events(&seals)?;
        Ok(seals.len())
    })
    .unwrap()
}

fn texts(b: &Bench, filter: AuditFilter) -> Vec<String> {
    let events = b.read(move |tx| tx.list_events(&filter, &first(100))).unwrap();
    events
        .into_iter()
        .map(|stored| stored.event.id.as_str().trim_start_matches("evt_").to_owned())
        .collect()
}

conformance! {
    fn events_are_sealed_in_their_order_without_gaps(b) {
        append(b, &["1", "2", "3"]);
        assert_eq!(b.read(|tx| tx.last_seal()).unwrap(), None);
        settle(b, 3);
        let unsealed = b.read(|tx| tx.list_unsealed(2)).unwrap();
        assert_eq!(unsealed.iter().map(|(_, text)| text.clone()).collect::<Vec<_>>(),
            [event("1", "idp.id_jag.issued", 0).1, event("2", "idp.id_jag.issued", 0).1]);
        assert_eq!(b.read(|tx| tx.count_events()).unwrap(), (3, 0));
        assert_eq!(seal(b), 3);
        assert_eq!(seal(b), 0);
        append(b, &["4"]);
        assert_eq!(b.read(|tx| tx.count_events()).unwrap(), (4, 3));
        settle(b, 1);
        assert_eq!(seal(b), 1);
        assert_eq!(b.read(|tx| tx.last_seal()).unwrap(), Some((4, "hash-4".to_owned())));
        let sealed = b.read(|tx| tx.list_sealed(2, 2)).unwrap();
        let seals: Vec<_> = sealed.iter().map(|stored| stored.seal.clone().unwrap()).collect();
        assert_eq!(seals, [(2, "hash-2".to_owned()), (3, "hash-3".to_owned())]);
        assert_eq!(sealed[0].text, event("2", "idp.id_jag.issued", 0).1);
        assert_eq!(sealed[0].event, event("2", "idp.id_jag.issued", 0).0);
    }

    fn an_event_is_sealed_once(b) {
        append(b, &["1", "2"]);
        settle(b, 2);
        let unsealed = b.read(|tx| tx.list_unsealed(9)).unwrap();
        let seals = vec![(unsealed[0].0, 1, "h1".to_owned())];
        let (one, two) = (seals.clone(), seals);
        b.write(move |tx| tx.seal_events(&one)).unwrap();
        assert!(matches!(b.write(move |tx| tx.seal_events(&two)), Err(StoreError::Conflict("audit seal"))));
        let same = vec![(unsealed[1].0, 1, "h2".to_owned())];
        assert!(matches!(b.write(move |tx| tx.seal_events(&same)), Err(StoreError::Conflict("audit seal"))));
        settle(b, 1);
        assert_eq!(b.read(|tx| tx.list_unsealed(9)).unwrap().len(), 1);
    }

    fn a_batch_that_cannot_be_sealed_whole_is_not_sealed_at_all(b) {
        let names: Vec<_> = (0..40).map(|n| format!("{n:02}")).collect();
        append(b, &names.iter().map(String::as_str).collect::<Vec<_>>());
        settle(b, 40);
        let unsealed = b.read(|tx| tx.list_unsealed(40)).unwrap();
        let seals: Vec<_> = unsealed.iter().zip(1..).map(|((position, _), n)| (*position, n, format!("h{n}"))).collect();
        // Among those that share a statement, and among those at the end of a batch.
        for taken in [20, 38] {
            let mut twice = seals.clone();
            twice[taken].1 = twice[taken - 1].1;
            assert!(matches!(b.write(move |tx| tx.seal_events(&twice)), Err(StoreError::Conflict("audit seal"))));
            assert_eq!(b.read(|tx| tx.count_events()).unwrap(), (40, 0));
            assert_eq!(texts(b, AuditFilter { subject: Some("sub-07".to_owned()), ..AuditFilter::default() }), ["07"]);
        }
        b.write(move |tx| tx.seal_events(&seals)).unwrap();
        assert_eq!(b.read(|tx| tx.count_events()).unwrap(), (40, 40));
        assert_eq!(b.read(|tx| tx.list_sealed(33, 1)).unwrap()[0].seal, Some((33, "h33".to_owned())));
    }

    fn many_events_are_appended_at_once_as_one_by_one(b) {
        let mut all = Vec::new();
        for count in [0, 1, 8, 15, 16, 17, 40] {
            let start = all.len();
            let many: Vec<_> = (start..start + count)
                .map(|n| {
                    let (mut record, _) = event(&format!("{n:02}"), "gateway.call.forwarded", 0);
                    record.subject = (n % 2 > 0).then(|| format!("sub-{n:02}"));
                    record.client_id = (n % 3 > 0).then(|| format!("client-{n:02}"));
                    let text = serde_json::to_string(&record).unwrap();
                    (record, text)
                })
                .collect();
            all.extend(many.clone());
            b.write(move |tx| tx.append_events(&many)).unwrap();
            settle(b, all.len());
            let unsealed = b.read(|tx| tx.list_unsealed(1000)).unwrap();
            assert!(unsealed.iter().map(|(_, text)| text).eq(all.iter().map(|(_, text)| text)), "after {count}");
        }
        seal(b);
        let stored = b.read(|tx| tx.list_sealed(1, 1000)).unwrap();
        assert!(stored.iter().map(|stored| &stored.event).eq(all.iter().map(|(record, _)| record)));
        for (record, _) in &all {
            let wanted = AuditFilter {
                subject: record.subject.clone(),
                client_id: record.client_id.clone(),
                request_id: Some(record.request_id.as_str().to_owned()),
                kind: Some("gateway.call.forwarded".to_owned()),
                outcome: Some("denied".to_owned()),
                since: Some(record.at),
                ..AuditFilter::default()
            };
            let found = b.read(move |tx| tx.list_events(&wanted, &first(100))).unwrap();
            assert!(found.iter().any(|stored| stored.event == *record), "{}", record.id.as_str());
        }
    }

    fn events_of_a_subject_are_found_however_many_were_sealed_at_once(b) {
        b.write(|tx| {
            for n in 0..120 {
                let (mut record, _) = event(&format!("{n:03}"), "idp.id_jag.issued", 0);
                record.subject = (n % 4 > 0).then(|| format!("sub-{}", n % 4));
                tx.append_event(&record, &serde_json::to_string(&record).unwrap())?;
            }
            Ok(())
        }).unwrap();
        settle(b, 120);
        let of = |subject: usize| texts(b, AuditFilter { subject: Some(format!("sub-{subject}")), ..AuditFilter::default() });
        let all = |subject| (0..120).rev().filter(|n| n % 4 == subject).map(|n| format!("{n:03}")).collect::<Vec<_>>();
        for limit in [1, 16, 17, 40, 31, 1000] {
            assert!(seal_some(b, limit) > 0);
            for subject in 1..4 {
                assert_eq!(of(subject), all(subject), "after a batch of {limit}");
            }
        }
        assert_eq!(b.read(|tx| tx.count_events()).unwrap(), (120, 120));
        assert_eq!(of(0), Vec::<String>::new());
        let sealed = b.read(|tx| tx.list_sealed(1, 1000)).unwrap();
        assert_eq!(sealed.iter().map(|e| e.seal.clone().unwrap()).collect::<Vec<_>>(),
            (1..=120).map(|n| (n, format!("hash-{n}"))).collect::<Vec<_>>());
    }

    fn an_event_of_a_unit_that_rolls_back_is_never_there(b) {
        let (record, text) = event("1", "idp.id_jag.issued", 0);
        let refused: Result<(), _> = b.write(move |tx| {
            tx.append_event(&record, &text)?;
            Err(StoreError::Unavailable)
        });
        assert!(refused.is_err());
        append(b, &["2"]);
        assert_eq!(texts(b, AuditFilter::default()), ["2"]);
    }

    fn sealing_beside_writers_misses_nothing_and_keeps_the_order_of_each(b) {
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..8).map(|w| scope.spawn(move || {
                for n in 0..25 {
                    let (record, text) = event(&format!("{w}-{n:02}"), "gw.call.allowed", 0);
                    b.write(move |tx| tx.append_event(&record, &text)).unwrap();
                }
            })).collect();
            let sealer = scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    seal(b);
                }
                while seal(b) > 0 {}
            });
            writers.into_iter().for_each(|writer| writer.join().unwrap());
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            sealer.join().unwrap();
        });
        // Another transaction of the server may hold the horizon back for a moment.
        while b.read(|tx| tx.count_events()).unwrap() != (200, 200) {
            seal(b);
        }
        let sealed = b.read(|tx| tx.list_sealed(1, 1000)).unwrap();
        assert_eq!(sealed.iter().map(|e| e.seal.as_ref().unwrap().0).collect::<Vec<_>>(), (1..=200).collect::<Vec<_>>());
        for w in 0..8 {
            let prefix = format!("evt_{w}-");
            let mine: Vec<_> = sealed.iter().map(|e| e.event.id.to_string()).filter(|id| id.starts_with(&prefix)).collect();
            let mut sorted = mine.clone();
            sorted.sort();
            assert_eq!(mine, sorted);
        }
    }

    fn events_are_listed_newest_first_and_paged_by_position(b) {
        append(b, &["1", "2", "3"]);
        settle(b, 3);
        seal(b);
        append(b, &["4"]);
        assert_eq!(texts(b, AuditFilter::default()), ["4", "3", "2", "1"]);
        let page = b.read(|tx| tx.list_events(&AuditFilter::default(), &first(3))).unwrap();
        assert_eq!((page.len(), page[0].seal.clone()), (3, None));
        let after = page[2].position.to_string();
        let rest = b.read(move |tx| tx.list_events(&AuditFilter::default(), &PageRequest::new(Some(after), 3))).unwrap();
        assert_eq!((rest.len(), rest[0].event.id.as_str()), (1, "evt_1"));
        let nonsense = PageRequest::new(Some("x".to_owned()), 3);
        assert_eq!(b.read(move |tx| tx.list_events(&AuditFilter::default(), &nonsense)).unwrap(), []);
    }

    fn every_field_of_the_filter_narrows_the_list(b) {
        b.write(|tx| {
            for (name, kind, seconds) in [("a", "idp.id_jag.issued", 1), ("b", "idp.session.started", 2), ("c", "idp2.x", 3)] {
                let (mut record, _) = event(name, kind, seconds);
                if name == "b" {
                    record.outcome = AuditOutcome::Granted;
                    record.client_id = None;
                    record.subject = None;
                }
                let text = serde_json::to_string(&record).unwrap();
                tx.append_event(&record, &text)?;
            }
            Ok(())
        }).unwrap();
        settle(b, 3);
        // One is sealed, two are not: the lists do not differ for it.
        b.write(|tx| {
            let first = tx.list_unsealed(1)?.remove(0).0;
            tx.seal_events(&[(first, 1, "h".to_owned())])
        }).unwrap();
        let none = AuditFilter::default;
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(texts(b, AuditFilter { kind: some("idp."), ..none() }), ["b", "a"]);
        assert_eq!(texts(b, AuditFilter { kind: some("idp.session.started"), ..none() }), ["b"]);
        assert_eq!(texts(b, AuditFilter { kind: some("idp.session"), ..none() }), Vec::<String>::new());
        assert_eq!(texts(b, AuditFilter { subject: some("sub-a"), ..none() }), ["a"]);
        assert_eq!(texts(b, AuditFilter { subject: some("sub-c"), ..none() }), ["c"]);
        assert_eq!(texts(b, AuditFilter { client_id: some("agent"), ..none() }), ["c", "a"]);
        assert_eq!(texts(b, AuditFilter { request_id: some("req_c"), ..none() }), ["c"]);
        assert_eq!(texts(b, AuditFilter { request_id: some("req_c"), subject: some("sub-a"), ..none() }), Vec::<String>::new());
        assert_eq!(texts(b, AuditFilter { outcome: some("granted"), ..none() }), ["b"]);
        assert_eq!(texts(b, AuditFilter { since: Some(at(2)), until: Some(at(3)), ..none() }), ["b"]);
        assert_eq!(texts(b, AuditFilter { since: Some(at(1)), kind: some("idp2."), ..none() }), ["c"]);
    }

    fn checkpoints_read_back_in_order(b) {
        let checkpoint = |sequence: i64| Checkpoint {
            sequence, hash: format!("h{sequence}"), at: at(sequence), signature: "a.b.c".to_owned(),
        };
        assert_eq!(b.read(|tx| tx.last_checkpoint()).unwrap(), None);
        b.write(move |tx| [10, 20, 30].into_iter().try_for_each(|n| tx.insert_checkpoint(&checkpoint(n)))).unwrap();
        assert_eq!(b.read(|tx| tx.last_checkpoint()).unwrap(), Some(checkpoint(30)));
        assert_eq!(b.read(|tx| tx.list_checkpoints(11, 1)).unwrap(), [checkpoint(20)]);
        assert!(matches!(b.write(move |tx| tx.insert_checkpoint(&checkpoint(10))), Err(StoreError::Conflict("checkpoint"))));
    }
}

#[test]
fn what_an_earlier_release_seals_is_found_by_subject_and_listed_with_the_next_batch() {
    let b = Bench::sqlite();
    let of = |name: &str| {
        let subject = Some(format!("sub-{name}"));
        texts(
            &b,
            AuditFilter {
                subject,
                ..AuditFilter::default()
            },
        )
    };
    append(&b, &["1", "2", "3", "4"]);
    assert_eq!(seal_some(&b, 1), 1);
    // It knows nothing of the list.
    b.meddle(
        "INSERT INTO audit_seals (position, sequence, hash) VALUES (2, 2, 'h')",
        "",
    );
    for _ in 0..2 {
        for name in ["1", "2", "3", "4"] {
            assert_eq!(of(name), [name]);
        }
        seal_some(&b, 1);
    }
    assert_eq!(b.read(|tx| tx.count_events()).unwrap(), (4, 4));
    let Place::File(place) = &b.place else {
        panic!("a file was asked for")
    };
    let connection = rusqlite::Connection::open(place.path().join("lanyard.db")).unwrap();
    let count = connection.query_row("SELECT count(*) FROM audit_subjects", [], |row| row.get::<_, i64>(0));
    assert_eq!(count, Ok(4));
}
