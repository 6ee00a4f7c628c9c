//! The log on a real store: recorded with the change, sealed without gaps, exported, verified offline (P1, P2).

use std::collections::BTreeSet;
use std::time::Duration;

use lanyard_core::admin::token::{Admin, AdminRole};
use lanyard_core::audit::call;
use lanyard_core::audit::event::{Actor, AuditEvent, Checkpoint};
use lanyard_core::audit::export::Export;
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_core::audit::seal::{self, SealSettings, chain_hash};
use lanyard_core::audit::verify::{Fault, Known, Report, verify};
use lanyard_core::clock::Clock;
use lanyard_core::store::StoreError;
use lanyard_protocol::gateway::CallEvent;
use lanyard_testkit::company::Company;

use crate::ras_world::{denied, granted};

fn note(company: &Company, count: u64) {
    company.write(move |cx, tx| {
        for n in 0..count {
            let event = NewEvent::granted("test.thing.done").actor(Actor::System("test".to_owned()));
            record(cx, tx, event.target("a \"quoted\"\nname").detail("n", n))?;
        }
        Ok(())
    });
}

fn seal_all(company: &Company) {
    while company.write(|_, tx| seal::seal_batch(tx, 100)) > 0 {}
}

fn checkpoint(company: &Company, forced: bool) -> Option<Checkpoint> {
    let now = company.clock.now();
    let due = company.read(move |tx| seal::checkpoint_due(tx, now, &SealSettings::default(), forced))?;
    let made = due.sign(&company.rings().audit.unwrap().active).unwrap();
    let stored = made.clone();
    assert!(company.write(move |_, tx| seal::store_checkpoint(tx, &stored)));
    Some(made)
}

fn export(company: &Company, first: i64) -> String {
    let now = company.clock.now();
    let (mut export, mut text) = company.read(move |tx| Export::begin(tx, now, first));
    while !export.is_done() {
        let mut step = export.clone();
        let (next, chunk) = company.read(move |tx| step.chunk(tx, 7).map(|chunk| (step, chunk)));
        export = next;
        text.push_str(&chunk);
    }
    text
}

fn check(text: &str, known: &Known) -> Report {
    verify(text.as_bytes(), known).unwrap()
}

#[test]
fn a_unit_that_fails_leaves_no_event_and_one_that_commits_leaves_its_own_p1() {
    let company = Company::new();
    let before = company.events().len();
    let failed = company.try_write(|cx, tx| {
        record(cx, tx, NewEvent::granted("test.thing.done"))?;
        Err::<(), _>(StoreError::Unavailable)
    });
    assert!(failed.is_err());
    assert_eq!(company.events().len(), before);
    note(&company, 1);
    assert_eq!(company.last_event().0, "test.thing.done");
}

#[test]
fn the_text_of_an_event_reads_back_as_the_event() {
    let company = Company::new();
    note(&company, 3);
    for stored in company.events() {
        assert_eq!(serde_json::from_str::<AuditEvent>(&stored.text).unwrap(), stored.event);
        assert!(!stored.text.contains('\n'));
    }
}

#[test]
fn sealing_numbers_every_event_once_in_the_order_of_writing_p2() {
    let company = Company::new();
    note(&company, 250);
    seal_all(&company);
    let (all, sealed) = company.read(|tx| tx.count_events());
    assert_eq!(all, sealed);
    let events = company.read(|tx| tx.list_sealed(1, 1000));
    let mut hash = String::new();
    let mut positions = BTreeSet::new();
    for (n, event) in events.iter().enumerate() {
        let (sequence, own) = event.seal.clone().unwrap();
        hash = chain_hash(&hash, sequence, &event.text);
        assert_eq!((sequence, &own), (i64::try_from(n).unwrap() + 1, &hash));
        assert!(positions.last().is_none_or(|last| *last < event.position));
        positions.insert(event.position);
    }
    assert_eq!(events.len(), usize::try_from(all).unwrap());
}

#[test]
fn a_checkpoint_comes_after_a_minute_or_a_thousand_events_and_not_for_nothing_p2() {
    let company = Company::new();
    assert!(checkpoint(&company, true).is_none(), "nothing is sealed");
    seal_all(&company);
    let first = checkpoint(&company, false).unwrap();
    assert!(checkpoint(&company, true).is_none(), "nothing new");
    note(&company, 999);
    seal_all(&company);
    assert!(checkpoint(&company, false).is_none(), "neither old nor many");
    note(&company, 1);
    seal_all(&company);
    let second = checkpoint(&company, false).unwrap();
    assert_eq!(second.sequence, first.sequence + 1000);
    note(&company, 1);
    seal_all(&company);
    assert!(checkpoint(&company, false).is_none());
    company.clock.advance(Duration::from_secs(60));
    assert!(checkpoint(&company, false).is_some());
    assert!(
        !company.write(move |_, tx| seal::store_checkpoint(tx, &first)),
        "an older one is not stored again"
    );
}

#[test]
fn an_export_verifies_offline_and_shows_what_is_not_sealed_p2() {
    let company = Company::new();
    note(&company, 30);
    seal_all(&company);
    checkpoint(&company, true);
    note(&company, 10);
    seal_all(&company);
    note(&company, 4);
    let report = check(&export(&company, 1), &Known::default());
    assert_eq!(report.problem, None);
    assert_eq!(
        (report.unsigned(), report.counts.unsealed, report.counts.checkpoints),
        (10, 4, 1)
    );
    let known = Known {
        keys: vec![company.rings().audit.unwrap().active.kid().to_owned()],
        since: None,
    };
    assert!(check(&export(&company, 1), &known).is_sound());
}

#[test]
fn a_part_is_exported_and_verified_like_the_whole() {
    let company = Company::new();
    note(&company, 30);
    seal_all(&company);
    let kept = checkpoint(&company, true).unwrap();
    note(&company, 5);
    seal_all(&company);
    let report = check(
        &export(&company, kept.sequence + 1),
        &Known {
            since: Some(kept.clone()),
            keys: Vec::new(),
        },
    );
    assert_eq!((report.problem, report.since_met), (None, Some(true)));
    assert_eq!((report.after, report.counts.events), (kept.sequence, 5));
}

#[test]
fn rotation_of_the_audit_key_leaves_old_checkpoints_good() {
    use lanyard_core::keys::record::Ring;
    use lanyard_core::keys::rotation::{FreshKey, RotationSettings, rotate, tend};
    let company = Company::new();
    seal_all(&company);
    checkpoint(&company, true).unwrap();
    let key = FreshKey::generate(&company.vault, Ring::Audit, lanyard_jose::algorithm::Algorithm::Es256).unwrap();
    let admin = company.admin.clone();
    granted(company.write(move |cx, tx| rotate(cx, tx, &RotationSettings::default(), &admin, &key)));
    company.clock.advance(Duration::from_secs(300));
    assert!(company.write(|cx, tx| tend(cx, tx, &RotationSettings::default())));
    seal_all(&company);
    checkpoint(&company, true).unwrap();
    let report = check(&export(&company, 1), &Known::default());
    assert_eq!(
        (report.is_sound(), report.signers.len(), report.unsigned()),
        (true, 2, 0)
    );
}

#[test]
fn a_log_that_was_rewritten_in_the_store_is_found_by_the_kept_checkpoint_p2() {
    let company = Company::new();
    note(&company, 20);
    seal_all(&company);
    let kept = checkpoint(&company, true).unwrap();
    // Whoever owns the store can seal another history; another company stands for it.
    let forged = Company::new();
    note(&forged, 25);
    seal_all(&forged);
    let text = export(&forged, 1);
    assert!(check(&text, &Known::default()).is_sound());
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[0] = export(&company, 1).lines().next().unwrap().to_owned();
    let mixed: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let found = check(
        &mixed,
        &Known {
            since: Some(kept),
            keys: Vec::new(),
        },
    )
    .problem
    .unwrap();
    assert!(
        matches!(found.fault, Fault::HeadRewritten { .. } | Fault::SinceRewritten { .. }),
        "{found}"
    );
}

fn calls(numbers: &[u64]) -> Vec<CallEvent> {
    numbers
        .iter()
        .map(|number| CallEvent {
            gateway: "gw-1".to_owned(),
            number: *number,
            at: 1_800_000_000_000_000,
            connector: "linear".to_owned(),
            issuer: Some("https://ras.example".to_owned()),
            subject: Some("acct_1".to_owned()),
            client_id: Some("ide".to_owned()),
            jti: Some("at_1".to_owned()),
            method: Some("tools/call".to_owned()),
            name: Some("x".repeat(10_000)),
            decision: if number % 2 == 0 {
                "allowed".to_owned()
            } else {
                "tool_not_mapped".to_owned()
            },
            request_id: "req_abc".to_owned(),
        })
        .collect()
}

#[test]
fn calls_are_events_delivered_at_least_once_and_recorded_once_with_gaps_shown_rs_gw_06() {
    let company = Company::new();
    let gateway = Admin {
        role: AdminRole::Gateway,
        ..company.admin.clone()
    };
    let deliver = |numbers: &'static [u64]| {
        let gateway = gateway.clone();
        granted(company.write(move |cx, tx| call::deliver(cx, tx, &gateway, &calls(numbers))))
    };
    assert_eq!(deliver(&[1, 2, 3]), 3);
    assert_eq!(deliver(&[1, 2, 3]), 0, "the same batch again");
    assert_eq!(deliver(&[3, 4, 7]), 2);
    let events: Vec<AuditEvent> = company
        .events()
        .into_iter()
        .take(2)
        .map(|stored| stored.event)
        .collect();
    assert_eq!(
        (events[0].kind.as_str(), events[1].kind.as_str()),
        ("gateway.call.refused", "gateway.call.forwarded")
    );
    assert_eq!(events[0].detail["missing_before"], 2);
    assert_eq!(events[0].reason.as_deref(), Some("tool_not_mapped"));
    assert_eq!(events[0].request_id.as_str(), "req_abc");
    assert_eq!(events[0].subject.as_deref(), Some("https://ras.example|acct_1"));
    assert_eq!(
        events[0].detail["name"].as_str().unwrap().len(),
        256,
        "what a caller chooses is cut"
    );
    assert!(!events[1].detail.contains_key("missing_before"));
}

#[test]
fn only_a_gateway_delivers_calls() {
    let company = Company::new();
    let auditor = Admin {
        role: AdminRole::Auditor,
        ..company.admin.clone()
    };
    let end = company.write(move |cx, tx| call::deliver(cx, tx, &auditor, &calls(&[1])));
    assert_eq!(denied(end).code(), "not_permitted");
}
