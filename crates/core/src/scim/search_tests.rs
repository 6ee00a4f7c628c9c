//! What filters mean to the store.

use super::*;

fn condition(text: &str) -> Condition<UserTest> {
    users(&Filter::parse(text).unwrap()).unwrap_or_else(|denial| panic!("{text}: {denial}"))
}

fn is_text(field: UserText, test: Text) -> Condition<UserTest> {
    Condition::Is(UserTest::Text(field, test))
}

fn equals(value: &str) -> Text {
    Text::Equals(value.to_owned())
}

#[test]
fn user_names_are_compared_in_lower_case_and_ids_as_they_are_sc_03() {
    assert_eq!(
        condition(r#"USERNAME EQ "Ada@X""#),
        is_text(UserText::UserName, equals("ada@x"))
    );
    assert_eq!(
        condition(r#"externalId eq "AbC""#),
        is_text(UserText::ExternalId, equals("AbC"))
    );
    let urn = r#"urn:ietf:params:scim:schemas:core:2.0:User:userName eq "a""#;
    assert_eq!(condition(urn), is_text(UserText::UserName, equals("a")));
}

#[test]
fn the_two_ways_to_ask_for_a_work_address_mean_the_same_sc_03() {
    let inner = Condition::All(vec![
        Condition::Is(EmailTest::Type(equals("work"))),
        Condition::Is(EmailTest::Value(equals("a@x"))),
    ]);
    let meant = Condition::Is(UserTest::AnyEmail(inner));
    assert_eq!(condition(r#"emails[type eq "work" and value eq "A@x"]"#), meant);
    assert_eq!(condition(r#"emails[type eq "work"].value eq "a@X""#), meant);
    assert_eq!(
        condition(r#"emails eq "a@x""#),
        Condition::Is(UserTest::AnyEmail(Condition::Is(EmailTest::Value(equals("a@x")))))
    );
}

#[test]
fn not_equal_means_that_no_address_is_so() {
    let inner = Condition::Is(EmailTest::Value(equals("a@x")));
    let meant = Condition::Not(Box::new(Condition::Is(UserTest::AnyEmail(inner))));
    assert_eq!(condition(r#"emails.value ne "a@x""#), meant);
}

#[test]
fn active_is_compared_with_true_and_false_in_each_form_sc_10() {
    let not = |inner| Condition::Not(Box::new(inner));
    assert_eq!(condition("active eq true"), Condition::Is(UserTest::Active));
    assert_eq!(condition(r#"active eq "False""#), not(Condition::Is(UserTest::Active)));
    assert_eq!(condition("active ne true"), not(Condition::Is(UserTest::Active)));
}

#[test]
fn a_membership_is_asked_for_in_each_form_sc_12() {
    let groups = |text: &str| groups(&Filter::parse(text).unwrap()).unwrap();
    let member = Condition::Is(GroupTest::HasMember(Some("usr_1".to_owned())));
    assert_eq!(groups(r#"members eq "usr_1""#), member);
    assert_eq!(groups(r#"members.value eq "usr_1""#), member);
    assert_eq!(groups(r#"members[value eq "usr_1"]"#), member);
    let id = Condition::Is(GroupTest::Text(GroupText::Id, equals("grp_1")));
    assert_eq!(
        groups(r#"id eq "grp_1" and members eq "usr_1""#),
        Condition::All(vec![id, member])
    );
}

#[test]
fn times_are_compared_as_times() {
    let at = Timestamp::parse("2026-05-13T04:42:34Z").unwrap();
    assert_eq!(
        condition(r#"meta.lastModified gt "2026-05-13T06:42:34+02:00""#),
        Condition::Is(UserTest::At(Moment::Changed, Order::After, at))
    );
}

#[test]
fn what_cannot_be_filtered_by_is_refused_sc_03() {
    for bad in [
        r#"title eq "x""#,
        r#"nothing eq "x""#,
        r#"password sw "a""#,
        r#"userName eq true"#,
        r#"active gt true"#,
        r#"active eq "perhaps""#,
        r#"meta.created gt "yesterday""#,
        r#"meta.created co "2026""#,
        r#"emails[shoe eq "x"]"#,
        r#"emails.display eq "x""#,
        r#"phoneNumbers[type eq "work"]"#,
        r#"userName[a eq "x"]"#,
        r#"groups[display eq "x"]"#,
        r#"urn:example:X:userName eq "x""#,
    ] {
        let filter = Filter::parse(bad).unwrap();
        assert!(matches!(users(&filter), Err(ScimDenial::Filter(_))), "{bad}");
    }
    for bad in [r#"userName eq "x""#, r#"members co "x""#, r#"members[type eq "User"]"#] {
        assert!(groups(&Filter::parse(bad).unwrap()).is_err(), "{bad}");
    }
}
