//! A changed rule: it counts in the next exchange, and the unit that writes does not wait until it is compiled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use lanyard_core::admin::rule;
use lanyard_core::outcome::Outcome;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_core::store::{Mode, Store, Unit};
use lanyard_testkit::company::{ALICE, Company};

use crate::support::World;

/// Counts the writing units in which the policy was compiled.
struct Watched {
    inner: Arc<dyn Store>,
    policy: Arc<PolicyCache>,
    compiled: Arc<AtomicUsize>,
}

impl Store for Watched {
    fn submit(&self, unit: Unit) {
        if unit.mode == Mode::Read {
            return self.inner.submit(unit);
        }
        let (policy, compiled) = (Arc::clone(&self.policy), Arc::clone(&self.compiled));
        let run = unit.run;
        self.inner.submit(Unit {
            run: Box::new(move |tx| {
                let before = policy.version();
                let ran = run(tx);
                compiled.fetch_add(usize::from(policy.version() != before), Ordering::SeqCst);
                ran
            }),
            ..unit
        });
    }

    fn engine(&self) -> &'static str {
        self.inner.engine()
    }
}

#[tokio::test]
async fn a_changed_rule_counts_at_once_and_is_never_compiled_where_everybody_waits() {
    let mut company = Company::new();
    let compiled = Arc::new(AtomicUsize::new(0));
    company.store = Arc::new(Watched {
        inner: Arc::clone(&company.store),
        policy: Arc::clone(&company.policy),
        compiled: Arc::clone(&compiled),
    });
    let world = World::of(company).await;
    let id_token = world.id_token(ALICE).await;
    world.exchange(&id_token, &[]).await.token();
    let first = world.company.policy.version();
    assert!(first.is_some(), "compiled for the first exchange");

    let admin = world.company.admin.clone();
    let rules = world.company.read(|tx| tx.list_rules());
    for rule in rules {
        let admin = admin.clone();
        let removed = world
            .company
            .write(move |cx, tx| rule::remove(cx, tx, &admin, &rule.id));
        assert!(matches!(removed, Outcome::Granted(_)));
    }
    let events = world.company.events().len();
    let refused = world.exchange(&id_token, &[]).await;
    assert_eq!(refused.status.as_u16(), 400, "no rule is left: {}", refused.text());
    assert_eq!(world.company.events().len(), events + 1, "decided and recorded once");
    assert_ne!(world.company.policy.version(), first);
    assert_eq!(compiled.load(Ordering::SeqCst), 0);
}
