//! Token exchange: what it is for, and which scopes remain (IDP-TX-03 to IDP-TX-07, IDP-PL).

use lanyard_core::admin::spec::{AllOr, AudienceSpec, Organisation, RuleSpec, ScopeSpec};
use lanyard_core::client::registration::SubjectMode;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::idp::connectors;
use lanyard_core::idp::token_exchange::Denial;
use lanyard_core::policy::rule::Effect;
use lanyard_core::store::page::PageRequest;
use lanyard_protocol::audience::OneOrMany;
use lanyard_testkit::company::{ALICE, CAROL, Company, FIGMA, IDE_AT_RAS, LINEAR, RAS};
use std::sync::Arc;

use crate::idp_support::*;

const OTHER_RAS: &str = "https://auth.other.example";

fn rule(title: &str, effect: Effect, group: &str, connector: &str, scope: &str) -> RuleSpec {
    RuleSpec {
        title: title.to_owned(),
        effect,
        everyone: false,
        groups: vec![group.to_owned()],
        users: Vec::new(),
        clients: AllOr::ALL,
        connectors: AllOr::only([connector]),
        scopes: AllOr::only([scope]),
        requires: None,
        enabled: true,
    }
}

fn other_audience(organisation: &mut Organisation, mapped: bool) {
    let mapping = mapped.then(|| [("ide".to_owned(), "ide-at-other".to_owned())].into());
    organisation.audiences.push(AudienceSpec {
        issuer: OTHER_RAS.to_owned(),
        name: None,
        subject: SubjectMode::Public,
        aud_tenant: None,
        allow_missing_resource: false,
        id_jag_ttl_seconds: 120,
        enabled: true,
        clients: mapping,
    });
}

/// Both connectors have a scope of the same name.
fn shared_scope(organisation: &mut Organisation) {
    for connector in &mut organisation.connectors {
        connector.scopes.push(ScopeSpec {
            scope: "files".to_owned(),
            description: String::new(),
            high_impact: false,
            requires: None,
        });
    }
}

#[test]
fn an_unknown_audience_is_no_target_idp_tx_03() {
    let company = Company::new();
    for unknown in [
        "https://nobody.example",
        "https://auth.ledger.example/",
        "urn:somebody",
        "not a url",
    ] {
        let denied = exchange(
            &company,
            ALICE,
            Exchange {
                audience: unknown,
                ..Exchange::default()
            },
        );
        assert_eq!(denied, Err(Denial::UnknownAudience), "{unknown}");
    }
    let company = Company::with(|organisation| organisation.audiences[0].enabled = false);
    assert_eq!(
        exchange(&company, ALICE, Exchange::default()),
        Err(Denial::AudienceDisabled)
    );
}

#[test]
fn audience_and_resource_are_one_pair_idp_tx_06_sec_02() {
    let company = Company::with(|organisation| other_audience(organisation, true));
    let crossed = Exchange {
        audience: OTHER_RAS,
        ..Exchange::default()
    };
    let denied = exchange(&company, ALICE, crossed);
    assert_eq!(
        denied,
        Err(Denial::UnknownPair {
            resource: LINEAR.to_owned()
        })
    );
    let slashed = Exchange {
        resources: vec!["https://mcp.ledger.example/linear/mcp/"],
        ..Exchange::default()
    };
    assert!(matches!(
        exchange(&company, ALICE, slashed),
        Err(Denial::UnknownPair { .. })
    ));
}

#[test]
fn a_client_without_an_id_at_the_ras_gets_nothing_idp_mn_02() {
    let company = Company::with(|organisation| {
        if let Some(clients) = &mut organisation.audiences[0].clients {
            clients.remove("ide");
        }
    });
    assert_eq!(exchange(&company, ALICE, Exchange::default()), Err(Denial::NoMapping));
}

#[test]
fn a_connector_that_is_not_active_is_not_available() {
    for status in [ConnectorStatus::Staged, ConnectorStatus::Off] {
        let company = Company::with(|organisation| organisation.connectors[0].status = status);
        let denied = exchange(&company, ALICE, Exchange::default());
        let expected = Denial::ConnectorNotActive {
            connector: "linear".to_owned(),
            status: status.as_str(),
        };
        assert_eq!(denied, Err(expected));
    }
}

#[test]
fn a_missing_resource_is_filled_when_there_is_one_idp_tx_07() {
    let company = Company::with(|organisation| organisation.connectors[1].status = ConnectorStatus::Staged);
    let jag = exchange(
        &company,
        ALICE,
        Exchange {
            resources: vec![],
            ..Exchange::default()
        },
    )
    .unwrap();
    assert_eq!(jag.resource(), Some(OneOrMany::One(LINEAR.to_owned())));
}

#[test]
fn a_missing_resource_among_several_needs_the_audience_to_allow_it_idp_tx_07() {
    let company = Company::new();
    let unnamed = || Exchange {
        resources: vec![],
        scope: Some("linear.read"),
        ..Exchange::default()
    };
    assert_eq!(exchange(&company, ALICE, unnamed()), Err(Denial::ResourceNeeded));

    let company = Company::with(|organisation| {
        shared_scope(organisation);
        organisation.audiences[0].allow_missing_resource = true;
    });
    let both = || Exchange {
        resources: vec![],
        scope: Some("files"),
        ..Exchange::default()
    };
    let jag = exchange(&company, ALICE, both()).unwrap();
    assert_eq!((jag.resource(), jag.scope), (None, scopes("files")));
    // It could be redeemed for each, so whoever is not admitted to one gets none.
    assert_eq!(exchange(&company, CAROL, unnamed()), Err(Denial::NoScopeGranted));
    assert_eq!(exchange(&company, ALICE, unnamed()), Err(Denial::NoScopeGranted));
}

#[test]
fn several_resources_are_one_grant_idp_pl_05() {
    let company = Company::new();
    let both = || Exchange {
        resources: vec![LINEAR, FIGMA, LINEAR],
        scope: Some("linear.read figma.read figma.write"),
        ..Exchange::default()
    };
    let jag = exchange(&company, ALICE, both()).unwrap();
    assert_eq!(
        jag.resource(),
        Some(OneOrMany::Many(vec![LINEAR.to_owned(), FIGMA.to_owned()]))
    );
    assert_eq!(jag.scope, scopes("figma.read figma.write linear.read"));
    // The contractor's part of it.
    let jag = exchange(&company, CAROL, both()).unwrap();
    assert_eq!(
        (jag.resource(), jag.scope),
        (Some(OneOrMany::One(LINEAR.to_owned())), scopes("linear.read"))
    );
}

#[test]
fn equal_scope_names_on_two_servers_are_two_permissions_sec_02() {
    let company = Company::with(|organisation| {
        shared_scope(organisation);
        organisation.rules = vec![
            rule("Files of Linear", Effect::Allow, "engineering", "linear", "files"),
            rule("Figma reads", Effect::Allow, "engineering", "figma", "figma.read"),
        ];
    });
    let both = Exchange {
        resources: vec![LINEAR, FIGMA],
        scope: Some("files figma.read"),
        ..Exchange::default()
    };
    let jag = exchange(&company, ALICE, both).unwrap();
    // With both resources in one ID-JAG the permission for Linear would open Figma's files as well.
    assert_eq!(
        (jag.resource(), jag.scope),
        (Some(OneOrMany::One(FIGMA.to_owned())), scopes("figma.read"))
    );
    let alone = Exchange {
        scope: Some("files figma.read"),
        ..Exchange::default()
    };
    assert_eq!(exchange(&company, ALICE, alone).unwrap().scope, scopes("files"));
}

#[test]
fn without_a_scope_the_default_ones_are_asked_for() {
    let company = Company::with(|organisation| {
        organisation.connectors[0].default_scopes = Some("linear.read".to_owned());
    });
    let jag = exchange(
        &company,
        ALICE,
        Exchange {
            scope: None,
            ..Exchange::default()
        },
    )
    .unwrap();
    assert_eq!(jag.scope, scopes("linear.read"));
}

#[test]
fn unknown_scopes_are_narrowed_away_and_sign_in_scopes_never_granted_idp_pl_02() {
    let company = Company::with(|organisation| {
        for name in ["openid", "offline_access"] {
            organisation.connectors[0].scopes.push(ScopeSpec {
                scope: name.to_owned(),
                description: String::new(),
                high_impact: false,
                requires: None,
            });
        }
    });
    let wide = Exchange {
        scope: Some("linear.read linear.fly openid offline_access"),
        ..Exchange::default()
    };
    assert_eq!(exchange(&company, ALICE, wide).unwrap().scope, scopes("linear.read"));
    let only = Exchange {
        scope: Some("openid offline_access linear.fly"),
        ..Exchange::default()
    };
    assert_eq!(exchange(&company, ALICE, only), Err(Denial::NoScopeGranted));
}

#[test]
fn a_contractor_gets_the_part_that_is_allowed_idp_pl_02_idp_pl_05() {
    let company = Company::new();
    let jag = exchange(&company, CAROL, Exchange::default()).unwrap();
    assert_eq!(jag.scope, scopes("linear.read"));
    let event = &company.events()[0].event;
    assert_eq!(event.detail["refused"][0]["scope"], "linear.write");
    assert!(event.detail["refused"][0]["rule"].is_null());
}

#[test]
fn who_is_not_admitted_is_denied_and_who_asks_too_much_gets_no_scope_d_08() {
    let company = Company::new();
    let figma = Exchange {
        resources: vec![FIGMA],
        scope: Some("figma.read"),
        ..Exchange::default()
    };
    assert_eq!(exchange(&company, CAROL, figma), Err(Denial::NotPermitted));
    assert_eq!(
        company.last_event(),
        ("idp.id_jag.denied".to_owned(), Some("not_permitted".to_owned()))
    );
    let write = Exchange {
        scope: Some("linear.write"),
        ..Exchange::default()
    };
    assert_eq!(exchange(&company, CAROL, write), Err(Denial::NoScopeGranted));
}

#[test]
fn without_rules_everybody_is_denied_idp_pl_01() {
    let company = Company::with(|organisation| organisation.rules.clear());
    assert_eq!(
        exchange(&company, ALICE, Exchange::default()),
        Err(Denial::NotPermitted)
    );
}

#[test]
fn a_deny_rule_wins_and_is_named_idp_pl_06() {
    let company = Company::with(|organisation| {
        organisation.rules.push(rule(
            "Nobody writes Linear",
            Effect::Deny,
            "engineering",
            "linear",
            "linear.write",
        ));
    });
    let jag = exchange(&company, ALICE, Exchange::default()).unwrap();
    assert_eq!(jag.scope, scopes("linear.read"));
    let denier = company
        .read(|tx| tx.find_rule_by_title("Nobody writes Linear"))
        .unwrap();
    assert_eq!(
        company.events()[0].event.detail["refused"][0]["rule"],
        denier.id.as_str()
    );

    let refused = exchange(
        &company,
        ALICE,
        Exchange {
            scope: Some("linear.write"),
            ..Exchange::default()
        },
    );
    assert_eq!(refused, Err(Denial::NoScopeGranted));
    let why = company.events()[0].event.detail["why"].to_string();
    assert!(
        why.contains("rule 'Nobody writes Linear' denies linear.write to group engineering"),
        "{why}"
    );
}

#[test]
fn a_changed_rule_holds_at_the_next_exchange_rv_03() {
    let company = Company::new();
    assert!(exchange(&company, ALICE, Exchange::default()).is_ok());
    company.write(|_, tx| {
        let mut rule = tx.find_rule_by_title("Engineering uses every connector")?.unwrap();
        rule.enabled = false;
        rule.version += 1;
        tx.update_rule(&rule)
    });
    assert_eq!(
        exchange(&company, ALICE, Exchange::default()),
        Err(Denial::NotPermitted)
    );
}

#[test]
fn the_lifetime_and_tenant_are_those_of_the_audience_mt_06() {
    let company = Company::with(|organisation| {
        organisation.audiences[0].id_jag_ttl_seconds = 60;
        organisation.audiences[0].aud_tenant = Some("lg-0042".to_owned());
    });
    let jag = exchange(&company, ALICE, Exchange::default()).unwrap();
    let claims = lanyard_core::idp::id_jag::claims(&company.idp, &jag);
    assert_eq!(claims.exp.seconds() - claims.iat.seconds(), 60);
    assert_eq!(claims.aud_tenant.as_deref(), Some("lg-0042"));
}

#[test]
fn a_person_sees_what_an_exchange_would_be_granted_for() {
    let company = Company::with(|organisation| {
        other_audience(organisation, false);
    });
    let list = |username: &'static str| {
        let (policy, user) = (Arc::clone(&company.policy), company.user(username));
        let client = ide(&company).client.key;
        company
            .read(move |tx| connectors::reachable(tx, &policy, &user, &client))
            .connectors
    };
    let alice = list(ALICE);
    let names: Vec<&str> = alice.iter().map(|connector| connector.name.as_str()).collect();
    assert_eq!(names, ["figma", "linear"]);
    assert_eq!(alice[1].audience.as_str(), RAS);
    assert_eq!(alice[1].client_id.as_str(), IDE_AT_RAS);
    assert_eq!(alice[1].scopes, scopes("linear.read linear.write"));
    assert_eq!(alice[1].rule, "Engineering uses every connector");

    let carol = list(CAROL);
    assert_eq!(carol.len(), 1, "a connector that policy refuses is not shown");
    assert_eq!(
        (carol[0].name.as_str(), &carol[0].scopes),
        ("linear", &scopes("linear.read"))
    );

    company.write(|_, tx| {
        let page = tx.list_connectors(&PageRequest::new(None, 10))?;
        for mut connector in page.items {
            connector.status = ConnectorStatus::Staged;
            connector.version += 1;
            tx.update_connector(&connector)?;
        }
        Ok(())
    });
    assert!(list(ALICE).is_empty(), "a staged connector is not shown");
}
