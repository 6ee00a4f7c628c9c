//! Redeeming an ID-JAG: RAS-JB, RAS-AT, D-02 to D-06.

use std::time::Duration;

use lanyard_core::client::registration::KeyHolder;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::id::{Id, UserId};
use lanyard_core::ras::access_token;
use lanyard_core::ras::denial::Denial;
use lanyard_core::ras::jwt_bearer::{self, Verification};
use lanyard_core::store::Mode;
use lanyard_core::trust::issuer::{Allowed, ScopeRule};
use lanyard_jose::verify::VerifyError;
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::id_jag::IdJagClaims;

use crate::ras_world::{
    A, B, IDP, RAS, World, client_id, granted, issuer, request, resource_id, run, scopes, subject, submit,
};

fn code(result: Result<impl std::fmt::Debug, Denial>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn a_healthy_grant_buys_a_token_for_its_resource_and_scopes_ras_jb_01_ras_at_01() {
    let world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    let claims = access_token::claims(&world.settings, &grant).unwrap();
    assert_eq!(claims.iss, issuer(RAS));
    assert_eq!(claims.aud, OneOrMany::One(A.to_owned()));
    assert_eq!(claims.client_id, client_id("agent"));
    assert_eq!(claims.scope, Some(scopes("comment read")));
    // RAS-AT-04: ten minutes by default.
    assert_eq!(
        (
            claims.exp.seconds() - claims.iat.seconds(),
            access_token::expires_in(&grant)
        ),
        (600, 600)
    );
    world.last_is("ras.access_token.issued", None);
}

#[test]
fn the_token_names_the_account_and_copies_the_sign_in_but_no_personal_data_tok_at_02() {
    let world = World::new();
    let grant = world
        .redeem(&world.id_jag(|claims| claims.email = Some("alice@idp.example".to_owned())))
        .unwrap();
    let claims = access_token::claims(&world.settings, &grant).unwrap();
    assert!(claims.sub.as_str().starts_with("acct_"), "never the IdP's sub");
    assert_eq!(claims.acr.as_deref(), Some("urn:example:acr:mfa"));
    assert!(claims.auth_time.is_some() && claims.amr.is_some());
    let text = serde_json::to_string(&claims).unwrap();
    assert!(!text.contains("alice"), "{text}");
    let token = world.access_token(&grant);
    assert_eq!(token.jti.as_str(), grant.jti);
}

#[test]
fn the_grant_links_token_issuer_subject_tenant_id_jag_and_session_ras_at_05() {
    let world = World::new();
    let id_jag = world.id_jag(|_| ());
    let jti = world.redeem(&id_jag).unwrap().jti;
    let grant = world.read(move |tx| tx.find_access_grant(&jti)).unwrap();
    assert_eq!((grant.issuer, grant.subject), (issuer(IDP), subject("alice")));
    assert_eq!(
        (grant.tenant, grant.id_jag_jti),
        (world.trust.tenant.clone(), id_jag.jti.as_str().to_owned())
    );
    assert_eq!(grant.sid.as_deref(), Some("handle"));
}

#[test]
fn the_tenant_is_named_only_where_there_are_several_tok_at() {
    let mut world = World::new();
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    assert_eq!(access_token::claims(&world.settings, &grant).unwrap().tenant, None);
    world.settings.emit_tenant = true;
    assert_eq!(
        access_token::claims(&world.settings, &grant).unwrap().tenant.as_deref(),
        Some("ten_1")
    );
}

#[test]
fn a_token_never_lives_longer_than_the_ceiling_ras_at_04() {
    let world = World::with(|trust| trust.access_token_ttl_seconds = 86_400);
    let grant = world.redeem(&world.id_jag(|_| ())).unwrap();
    assert_eq!(access_token::expires_in(&grant), 3600);
}

#[test]
fn a_client_without_the_grant_is_unauthorized_whatever_it_presents_ras_jb_02_ras_jb_03() {
    let world = World::new();
    let mut client = world.client("agent");
    client.client.grants.clear();
    let used = Verification::by(&world.trust);
    let id_jag = world.id_jag(|claims| claims.client_id = client_id("other"));
    assert_eq!(
        world.redeem_by(client.clone(), &id_jag, None, &[], &used),
        Err(Denial::GrantNotAllowed)
    );
    let cx = world.cx();
    let told = world.write(move |tx| jwt_bearer::refuse(&cx, tx, &client, Denial::NotVerified(VerifyError::Typ)));
    assert_eq!(told.unwrap(), Denial::GrantNotAllowed);
    world.last_is("ras.id_jag.denied", Some("grant_not_allowed"));
}

#[test]
fn a_refusal_before_the_unit_is_recorded_with_its_exact_reason() {
    let world = World::new();
    let (cx, client) = (world.cx(), world.client("agent"));
    let told = world
        .write(move |tx| jwt_bearer::refuse(&cx, tx, &client, Denial::UntrustedIssuer))
        .unwrap();
    assert_eq!(told, Denial::UntrustedIssuer);
    world.last_is("ras.id_jag.denied", Some("untrusted_issuer"));
}

#[test]
fn only_enabled_records_of_exactly_that_issuer_give_keys_ras_jb_06() {
    let world = World::new();
    let look = |issuer: &'static str| {
        let settings = world.settings.clone();
        world
            .read(move |tx| jwt_bearer::candidates(tx, &settings, issuer))
            .len()
    };
    assert_eq!(look(IDP), 1);
    for unknown in ["https://idp.example/", "https://personal.example", "not a url", ""] {
        assert_eq!(look(unknown), 0, "{unknown}");
    }
    assert_eq!(look(RAS), 0, "our own issuer gives no keys");
    let off = World::with(|trust| trust.enabled = false);
    let settings = off.settings.clone();
    assert!(
        off.read(move |tx| jwt_bearer::candidates(tx, &settings, IDP))
            .is_empty()
    );
}

#[test]
fn what_this_server_issued_itself_is_never_redeemed_row_17() {
    let world = World::new();
    let (_, key) = world.trust_also(9, RAS, |_| ());
    let mut claims = world.claims();
    claims.iss = issuer(RAS);
    let id_jag = crate::ras_world::verified(&claims, &key, world.now());
    assert_eq!(code(world.redeem(&id_jag)), "self_issued");
}

#[test]
fn a_trust_record_that_changed_since_the_verification_refuses_ras_jb_06() {
    let world = World::new();
    let id_jag = world.id_jag(|_| ());
    let used = Verification::by(&world.trust);
    let mut trust = world.trust.clone();
    trust.version = 2;
    world.write(move |tx| tx.update_trust(&trust)).unwrap();
    assert_eq!(
        world.redeem_by(world.client("agent"), &id_jag, None, &[], &used),
        Err(Denial::TrustChanged)
    );
    let mut off = world.trust.clone();
    (off.version, off.enabled) = (3, false);
    let used = Verification::by(&off);
    world.write(move |tx| tx.update_trust(&off)).unwrap();
    assert_eq!(
        world.redeem_by(world.client("agent"), &id_jag, None, &[], &used),
        Err(Denial::TrustChanged)
    );
}

#[test]
fn a_grant_that_lives_longer_than_the_record_allows_is_refused_ras_jb_10() {
    let world = World::with(|trust| trust.max_id_jag_ttl_seconds = 299);
    assert_eq!(code(world.redeem(&world.id_jag(|_| ()))), "lives_too_long");
    let world = World::with(|trust| trust.max_id_jag_ttl_seconds = 300);
    assert!(world.redeem(&world.id_jag(|_| ())).is_ok());
}

#[test]
fn a_grant_for_another_client_is_refused_and_not_burnt_ras_jb_11_ras_jb_14() {
    let world = World::new();
    let id_jag = world.id_jag(|_| ());
    assert_eq!(code(world.redeem_as("other", &id_jag, None, &[])), "client_mismatch");
    world.last_is("ras.id_jag.denied", Some("client_mismatch"));
    assert!(world.redeem(&id_jag).is_ok(), "the right client still gets its token");
}

#[test]
fn fifty_redemptions_at_once_give_one_token_ras_jb_12() {
    let world = World::new();
    let id_jag = world.id_jag(|_| ());
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let (cx, settings, client) = (world.cx(), world.settings.clone(), world.client("agent"));
            let (id_jag, used) = (id_jag.clone(), Verification::by(&world.trust));
            submit(&*world.store, Mode::Write, move |tx| {
                jwt_bearer::redeem(&cx, tx, &settings, &client, &request(None, &[]), &id_jag, &used)
            })
        })
        .collect();
    let results: Vec<_> = waiting.into_iter().map(|wait| wait().unwrap().into_result()).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(
        results
            .iter()
            .filter(|result| **result == Err(Denial::Replayed))
            .count(),
        49
    );
}

#[test]
fn a_used_grant_is_remembered_past_expiry_and_leeway_ras_jb_12() {
    let world = World::new();
    let id_jag = world.id_jag(|_| ());
    world.redeem(&id_jag).unwrap();
    // The last instant at which a verification with full leeway could accept it.
    world.advance(Duration::from_secs(300 + 60));
    let now = world.now();
    world.write(move |tx| tx.purge_uses(now, 1000)).unwrap();
    assert_eq!(world.redeem(&id_jag), Err(Denial::Replayed));
}

#[test]
fn the_same_jti_of_two_issuers_is_two_grants_sec_05() {
    let world = World::new();
    let (trust, key) = world.trust_also(2, "https://other-idp.example", |_| ());
    let mut claims = world.claims();
    let first = crate::ras_world::verified(&claims, &world.idp_key, world.now());
    claims.iss = trust.issuer.clone();
    let second = crate::ras_world::verified(&claims, &key, world.now());
    assert!(world.redeem(&first).is_ok());
    let used = Verification::by(&trust);
    assert!(
        world
            .redeem_by(world.client("agent"), &second, None, &[], &used)
            .is_ok()
    );
}

#[test]
fn every_claimed_resource_must_be_registered_here_ras_jb_15() {
    let world = World::new();
    for foreign in [
        "https://elsewhere.example/mcp",
        "https://mcp.example/a/mcp/",
        "not a url",
        "",
    ] {
        let id_jag = world.id_jag(|claims| claims.resource = Some(OneOrMany::One(foreign.to_owned())));
        assert_eq!(code(world.redeem(&id_jag)), "unknown_resource", "{foreign}");
    }
    let mixed = OneOrMany::Many(vec![A.to_owned(), "https://elsewhere.example/mcp".to_owned()]);
    let id_jag = world.id_jag(|claims| claims.resource = Some(mixed));
    assert_eq!(code(world.redeem_as("agent", &id_jag, None, &[A])), "unknown_resource");
    let none = world.id_jag(|claims| claims.resource = Some(OneOrMany::Many(Vec::new())));
    assert_eq!(code(world.redeem(&none)), "unknown_resource");
}

#[test]
fn without_a_claim_the_sole_configured_resource_is_meant_ras_jb_16_d_02() {
    let absent = |claims: &mut IdJagClaims| claims.resource = None;
    let one = World::with(|trust| trust.resources = Allowed::Only(vec![resource_id(B)]));
    assert_eq!(one.redeem(&one.id_jag(absent)).unwrap().resource, resource_id(B));
    assert_eq!(
        code(one.redeem_as("agent", &one.id_jag(absent), None, &[A])),
        "resource_outside_claim"
    );
    let two = World::new();
    assert_eq!(code(two.redeem(&two.id_jag(absent))), "no_sole_resource");
    assert_eq!(
        two.redeem_as("agent", &two.id_jag(absent), None, &[B])
            .unwrap()
            .resource,
        resource_id(B)
    );
}

#[test]
fn the_parameter_picks_among_the_claimed_and_never_widens_ras_jb_17() {
    let world = World::new();
    let both = OneOrMany::Many(vec![A.to_owned(), B.to_owned()]);
    let several = |claims: &mut IdJagClaims| claims.resource = Some(both.clone());
    assert_eq!(
        code(world.redeem_as("agent", &world.id_jag(|_| ()), None, &[B])),
        "resource_outside_claim"
    );
    assert_eq!(
        code(world.redeem_as("agent", &world.id_jag(|_| ()), None, &[A, B])),
        "resource_outside_claim"
    );
    assert_eq!(code(world.redeem(&world.id_jag(several))), "resource_not_chosen");
    assert_eq!(
        code(world.redeem_as("agent", &world.id_jag(several), None, &[A, B])),
        "resource_not_chosen"
    );
    let grant = world.redeem_as("agent", &world.id_jag(several), None, &[B]).unwrap();
    assert_eq!(grant.resource, resource_id(B));
}

#[test]
fn one_list_of_scopes_for_several_resources_buys_only_those_of_the_chosen_one_d_06() {
    let world = World::new();
    world
        .write(|tx| {
            let mut resource = tx.find_resource(&resource_id(B))?.unwrap();
            (resource.scopes, resource.default_scopes, resource.version) = (scopes("pay"), scopes("pay"), 2);
            tx.update_resource(&resource)
        })
        .unwrap();
    let with = |list: &'static str| {
        world.id_jag(move |claims| {
            claims.resource = Some(OneOrMany::Many(vec![A.to_owned(), B.to_owned()]));
            claims.scope = Some(scopes(list));
        })
    };
    let redeem = |list, requested, chosen| world.redeem_as("agent", &with(list), requested, &[chosen]);
    assert_eq!(redeem("read pay", None, A).unwrap().scope, scopes("read"));
    assert_eq!(redeem("read pay", Some("pay"), B).unwrap().scope, scopes("pay"));
    assert_eq!(code(redeem("read payroll", None, A)), "unknown_scope");
    assert_eq!(code(redeem("read", None, B)), "no_scope");
    let alone = world.id_jag(|claims| claims.scope = Some(scopes("read pay")));
    assert_eq!(code(world.redeem(&alone)), "unknown_scope");
}

#[test]
fn nothing_is_issued_for_a_staged_or_switched_off_resource() {
    for status in [ConnectorStatus::Staged, ConnectorStatus::Off] {
        let world = World::new();
        world
            .write(move |tx| {
                let mut resource = tx.find_resource(&resource_id(A))?.unwrap();
                (resource.status, resource.version) = (status, 2);
                tx.update_resource(&resource)
            })
            .unwrap();
        assert_eq!(code(world.redeem(&world.id_jag(|_| ()))), "resource_not_open");
    }
}

#[test]
fn a_narrower_request_is_refused_or_narrows_by_the_record_ras_jb_18_d_04() {
    let strict = World::new();
    assert_eq!(
        code(strict.redeem_as("agent", &strict.id_jag(|_| ()), Some("read"), &[])),
        "narrower_request"
    );
    let wide = strict
        .redeem_as("agent", &strict.id_jag(|_| ()), Some("read comment approve"), &[])
        .unwrap();
    assert_eq!(wide.scope, scopes("comment read"));
    let downscope = World::with(|trust| trust.scope_rule = ScopeRule::Downscope);
    let grant = downscope
        .redeem_as("agent", &downscope.id_jag(|_| ()), Some("read"), &[])
        .unwrap();
    assert_eq!(grant.scope, scopes("read"));
}

#[test]
fn without_a_scope_claim_only_the_defaults_are_granted_d_05() {
    let world = World::new();
    let absent = |claims: &mut IdJagClaims| claims.scope = None;
    assert_eq!(world.redeem(&world.id_jag(absent)).unwrap().scope, scopes("read"));
    assert_eq!(
        code(world.redeem_as("agent", &world.id_jag(absent), Some("approve"), &[])),
        "no_scope"
    );
    let empty = |claims: &mut IdJagClaims| claims.scope = Some(scopes(""));
    assert_eq!(code(world.redeem(&world.id_jag(empty))), "no_scope");
}

#[test]
fn a_scope_unknown_for_the_resource_refuses_the_grant_d_06() {
    let world = World::new();
    let id_jag = world.id_jag(|claims| claims.scope = Some(scopes("read payroll")));
    assert_eq!(code(world.redeem(&id_jag)), "unknown_scope");
}

#[test]
fn local_policy_narrows_and_the_record_says_what_was_withheld_ras_jb_20() {
    let world = World::with(|trust| trust.scopes = Some(scopes("read")));
    assert_eq!(world.redeem(&world.id_jag(|_| ())).unwrap().scope, scopes("read"));
    assert_eq!(world.events()[0].detail["withheld"], "comment");
    let refusing = World::with(|trust| trust.scopes = Some(scopes("approve")));
    assert_eq!(code(refusing.redeem(&refusing.id_jag(|_| ()))), "no_scope");
}

#[test]
fn a_registration_narrows_too_ras_jb_18() {
    let world = World::new();
    let mut client = world.client("agent");
    client.client.scopes = scopes("comment approve");
    let used = Verification::by(&world.trust);
    let grant = world
        .redeem_by(client, &world.id_jag(|_| ()), None, &[], &used)
        .unwrap();
    assert_eq!(grant.scope, scopes("comment"));
}

#[test]
fn rights_and_bindings_that_are_not_understood_refuse_rather_than_vanish_row_10_row_15() {
    let world = World::new();
    let details = world.id_jag(|claims| claims.authorization_details = Some(serde_json::json!([{"type": "x"}])));
    assert_eq!(code(world.redeem(&details)), "authorization_details");
    let bound = world.id_jag(|claims| claims.cnf = Some(serde_json::json!({"jkt": "x"})));
    assert_eq!(code(world.redeem(&bound)), "key_bound");
}

#[test]
fn a_persons_key_redeems_for_that_person_only_cl_st_03() {
    let world = World::new();
    let held_by = |issuer_text: &str, sub: &str| {
        Some(KeyHolder::Subject {
            issuer: issuer(issuer_text),
            subject: subject(sub),
        })
    };
    let used = Verification::by(&world.trust);
    let id_jag = || world.id_jag(|claims| claims.client_id = client_id("cli"));
    let try_with = |holder| world.redeem_by(world.native(holder), &id_jag(), None, &[], &used);
    assert!(try_with(held_by(IDP, "alice")).is_ok());
    for other in [
        held_by(IDP, "bob"),
        held_by("https://other.example", "alice"),
        Some(KeyHolder::User(UserId::from_stored("usr_alice".to_owned()))),
        None,
    ] {
        assert_eq!(code(try_with(other)), "holder_mismatch");
    }
    let mut keyless = world.native(None);
    keyless.key = None;
    assert_eq!(
        world.redeem_by(keyless, &id_jag(), None, &[], &used),
        Err(Denial::GrantNotAllowed)
    );
}

#[test]
fn what_is_wrong_with_the_request_hides_whether_the_person_is_known_sec_23() {
    let world = World::with(|trust| trust.just_in_time = false);
    let unknown = |claims: &mut IdJagClaims| claims.sub = subject("nobody");
    for (scope, resources, expected) in [
        (Some("read"), &[][..], "narrower_request"),
        (None, &[B][..], "resource_outside_claim"),
        (None, &[][..], "unknown_subject"),
    ] {
        assert_eq!(
            code(world.redeem_as("agent", &world.id_jag(unknown), scope, resources)),
            expected
        );
    }
}

#[test]
fn a_failure_after_the_decision_leaves_neither_token_nor_used_grant() {
    let world = World::new();
    let id_jag = world.id_jag(|_| ());
    let before = world.events().len();
    let (cx, settings, client) = (world.cx(), world.settings.clone(), world.client("agent"));
    let (same, used) = (id_jag.clone(), Verification::by(&world.trust));
    let failed = run(&*world.store, Mode::Write, move |tx| {
        granted(jwt_bearer::redeem(
            &cx,
            tx,
            &settings,
            &client,
            &request(None, &[]),
            &same,
            &used,
        )?);
        Err::<(), _>(lanyard_core::store::StoreError::Unavailable)
    });
    assert!(failed.is_err());
    assert_eq!(world.events().len(), before);
    assert!(world.redeem(&id_jag).is_ok());
}

#[test]
fn two_hundred_tokens_have_two_hundred_names_ras_at_06() {
    let world = World::new();
    let mut names: Vec<String> = (0..200)
        .map(|_| world.redeem(&world.id_jag(|_| ())).unwrap().jti)
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 200);
}
