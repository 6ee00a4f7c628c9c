//! The fixture itself is healthy.

use lanyard_testkit::company::{ALICE, Company, DAVE};

#[test]
fn the_company_has_people_keys_and_an_audit_trail_of_how_it_was_made() {
    let company = Company::new();
    assert!(company.user(ALICE).is_active());
    assert!(!company.user(DAVE).is_active());
    assert!(company.rings().idp.is_some());
    assert!(
        company
            .events()
            .iter()
            .any(|event| event.event.kind == "admin.rule.created")
    );
}
