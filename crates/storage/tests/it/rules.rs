//! Policy rules and settings.

use lanyard_core::policy::rule::{People, ScopeSelection, Selection};
use lanyard_core::store::StoreError;

use crate::sample::{id, rule};

conformance! {
    fn a_rule_reads_back_and_every_change_moves_the_policy_version(b) {
        let version = || b.read(|tx| tx.policy_version()).unwrap();
        let start = version();
        let first = rule("b");
        let mut wide = rule("a");
        (wide.people, wide.clients, wide.scopes) = (People::Everyone, Selection::Only(vec![]), ScopeSelection::All);
        wide.requires = None;
        let (one, two) = (first.clone(), wide.clone());
        b.write(move |tx| tx.insert_rule(&one).and_then(|()| tx.insert_rule(&two))).unwrap();
        let made = version();
        assert!(made > start);
        assert_eq!(b.read(|tx| tx.list_rules()).unwrap(), [wide.clone(), first.clone()]);
        assert_eq!(b.read(|tx| tx.find_rule(&id("b"))).unwrap(), Some(first));
        assert_eq!(b.read(|tx| tx.find_rule_by_title("Title a")).unwrap(), Some(wide));
        let mut twin = rule("c");
        twin.title = "Title a".to_owned();
        assert!(matches!(b.write(move |tx| tx.insert_rule(&twin)), Err(StoreError::Conflict("rule title"))));
        assert_eq!(version(), made);
        let mut changed = rule("b");
        changed.version = 2;
        changed.enabled = false;
        let (one, two) = (changed.clone(), changed.clone());
        b.write(move |tx| tx.update_rule(&one)).unwrap();
        let moved = version();
        assert!(moved > made);
        assert!(matches!(b.write(move |tx| tx.update_rule(&two)), Err(StoreError::Conflict("rule"))));
        assert_eq!(b.read(|tx| tx.find_rule(&id("b"))).unwrap(), Some(changed));
        assert!(b.write(|tx| tx.remove_rule(&id("b"))).unwrap());
        assert!(version() > moved);
        assert!(!b.write(|tx| tx.remove_rule(&id("b"))).unwrap());
    }

    fn the_first_value_of_a_setting_stands_until_it_is_replaced(b) {
        assert_eq!(b.read(|tx| tx.find_setting("salt")).unwrap(), None);
        assert_eq!(b.write(|tx| tx.insert_setting("salt", "one")).unwrap(), "one");
        assert_eq!(b.write(|tx| tx.insert_setting("salt", "two")).unwrap(), "one");
        b.write(|tx| tx.put_setting("salt", "three")).unwrap();
        b.write(|tx| tx.put_setting("other", "x")).unwrap();
        assert_eq!(b.read(|tx| tx.find_setting("salt")).unwrap().as_deref(), Some("three"));
    }
}
