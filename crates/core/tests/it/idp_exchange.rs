//! Token exchange: whom it is for, and what ends it (IDP-TX, IDP-MN).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::client::registration::{Side, SubjectMode};
use lanyard_core::directory::user::UserStatus;
use lanyard_core::idp::id_jag;
use lanyard_core::idp::logout::{self, EndedBy};
use lanyard_core::idp::refresh_family::RefreshDenial;
use lanyard_core::idp::token_exchange::{Denial, Subject};
use lanyard_core::store::page::PageRequest;
use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::TokenExchangeRequest;
use lanyard_testkit::company::{ALICE, CAROL, Company, IDE, IDE_AT_RAS, IDP, LINEAR, RAS};
use serde_json::json;

use crate::idp_support::*;

#[test]
fn an_employee_gets_exactly_what_was_granted_idp_mn_01_idp_mn_02() {
    let company = Company::new();
    let grant = exchange(&company, ALICE, Exchange::default()).unwrap();
    let claims = id_jag::claims(&company.idp, &grant);

    assert_eq!(claims.iss.as_str(), IDP);
    assert_eq!(claims.aud, OneOrMany::One(RAS.to_owned()));
    assert_eq!(
        claims.client_id.as_str(),
        IDE_AT_RAS,
        "the id at the RAS, never the one here"
    );
    assert_eq!(claims.sub.as_str(), company.user(ALICE).id.as_str());
    assert_eq!(claims.resource, Some(OneOrMany::One(LINEAR.to_owned())));
    assert_eq!(claims.scope, Some(scopes("linear.read linear.write")));
    assert_eq!(claims.exp.seconds() - claims.iat.seconds(), 300);
    assert_eq!(claims.acr.as_deref(), Some("urn:lanyard:acr:pwd"));
    assert_eq!(claims.amr, Some(vec!["pwd".to_owned()]));
    assert_eq!(claims.auth_time.unwrap().seconds(), claims.iat.seconds());
}

#[test]
fn an_id_jag_has_no_claim_beyond_the_list_tok_jg_02() {
    let company = Company::new();
    let grant = exchange(&company, ALICE, Exchange::default()).unwrap();
    let claims = serde_json::to_value(id_jag::claims(&company.idp, &grant)).unwrap();
    let mut names: Vec<&str> = claims.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let allowed = [
        "acr",
        "amr",
        "aud",
        "auth_time",
        "client_id",
        "exp",
        "iat",
        "iss",
        "jti",
        "resource",
        "scope",
        "sid",
        "sub",
    ];
    assert_eq!(names, allowed);
    assert!(
        !claims["sid"].as_str().unwrap().starts_with("ses_"),
        "never the client's own sid"
    );
}

#[test]
fn every_id_jag_has_an_identifier_of_its_own_idp_mn_04() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = id_token(&company, &grant);
    let mut seen = std::collections::HashSet::new();
    for _ in 0..20 {
        let jag = Exchange::default()
            .run(&company, &client, Subject::IdToken(Box::new(token.clone())))
            .unwrap();
        assert_eq!(jag.jti.as_str().len(), 33, "the time, and 128 bits in base64url");
        assert!(seen.insert(jag.jti));
    }
}

#[test]
fn the_ras_sees_its_own_sector_idp_mn_03() {
    let company = Company::with(|organisation| {
        organisation.audiences[0].subject = SubjectMode::Pairwise;
        organisation.clients[0].subject = SubjectMode::Pairwise;
    });
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let user = company.user(ALICE).id;
    let for_client = company.vault.pairwise(IDE, &user);
    let for_ras = company.vault.pairwise(RAS, &user);
    assert_eq!(grant.subject, for_client);
    let jag = Exchange::default()
        .run(
            &company,
            &client,
            Subject::IdToken(Box::new(id_token(&company, &grant))),
        )
        .unwrap();
    assert_eq!(jag.subject, for_ras);
    assert_ne!(for_client, for_ras);
}

#[test]
fn the_subject_token_must_be_for_this_client_idp_tx_09() {
    let company = Company::new();
    let (ide, agent) = (ide(&company), agent(&company));
    let grant = tokens(&company, &agent, ALICE);
    let foreign = Subject::IdToken(Box::new(id_token(&company, &grant)));
    assert_eq!(
        Exchange::default().run(&company, &ide, foreign),
        Err(Denial::SubjectOfOtherClient)
    );

    let own = tokens(&company, &ide, ALICE);
    let mut claims = lanyard_core::idp::id_token::claims(&company.idp, &own, "at", Algorithm::Es256).unwrap();
    claims.aud = OneOrMany::Many(vec![IDE.to_owned(), "somebody".to_owned()]);
    let without_azp = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert_eq!(
        Exchange::default().run(&company, &ide, without_azp),
        Err(Denial::SubjectOfOtherClient)
    );
    claims.azp = Some("somebody".to_owned());
    let other_azp = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert_eq!(
        Exchange::default().run(&company, &ide, other_azp),
        Err(Denial::SubjectOfOtherClient)
    );
    claims.azp = Some(IDE.to_owned());
    let good = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert!(Exchange::default().run(&company, &ide, good).is_ok());
}

#[test]
fn a_subject_of_another_person_than_the_session_is_refused() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, CAROL);
    let mut claims = lanyard_core::idp::id_token::claims(&company.idp, &grant, "at", Algorithm::Es256).unwrap();
    claims.sub = lanyard_protocol::claims::time::Subject::parse(company.user(ALICE).id.as_str()).unwrap();
    let mixed = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert_eq!(
        Exchange::default().run(&company, &client, mixed),
        Err(Denial::SubjectMismatch)
    );
}

#[test]
fn an_id_token_without_session_and_family_is_refused() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let mut claims = lanyard_core::idp::id_token::claims(&company.idp, &grant, "at", Algorithm::Es256).unwrap();
    claims.sid = None;
    claims.jti = None;
    let loose = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert_eq!(
        Exchange::default().run(&company, &client, loose),
        Err(Denial::SessionEnded)
    );
    claims.sid = Some("ses_unheard-of".to_owned());
    let unknown = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert_eq!(
        Exchange::default().run(&company, &client, unknown),
        Err(Denial::SessionEnded)
    );
}

#[test]
fn after_logout_the_id_token_is_no_subject_any_more_idp_tx_14() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, SCOPES);
    let token = id_token(&company, &grant);
    assert!(company.write(move |cx, tx| logout::end(cx, tx, &session.id, &EndedBy::Person)));
    let denied = Exchange::default().run(&company, &client, Subject::IdToken(Box::new(token)));
    assert_eq!(denied, Err(Denial::SessionEnded));
    assert_eq!(
        company.last_event(),
        ("idp.id_jag.denied".to_owned(), Some("session_ended".to_owned()))
    );
}

#[test]
fn a_deactivated_person_gets_nothing_and_the_trail_names_them_idp_tx_14() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = id_token(&company, &grant);
    let id = company.user(ALICE).id;
    company.write(move |cx, tx| {
        let mut user = tx.find_user(&id)?.unwrap();
        user.status = UserStatus::Deactivated;
        user.version += 1;
        user.updated_at = cx.now;
        tx.update_user(&user)
    });
    let denied = Exchange::default().run(&company, &client, Subject::IdToken(Box::new(token)));
    assert_eq!(denied, Err(Denial::UserDeactivated));
    let refresh = Subject::RefreshToken(grant.refresh_token.unwrap());
    let denied = Exchange::default().run(&company, &client, refresh);
    assert_eq!(denied, Err(Denial::RefreshToken(RefreshDenial::UserInactive)));
    let event = company.events().remove(0).event;
    assert_eq!(event.subject.as_deref(), Some(company.user(ALICE).id.as_str()));
}

#[test]
fn everything_from_before_a_cut_off_is_dead() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = id_token(&company, &grant);
    company.clock.advance(Duration::from_micros(1));
    let id = company.user(ALICE).id;
    company.write(move |cx, tx| {
        let mut user = tx.find_user(&id)?.unwrap();
        user.not_before = Some(cx.now);
        user.version += 1;
        tx.update_user(&user)
    });
    let old = Exchange::default().run(&company, &client, Subject::IdToken(Box::new(token)));
    assert_eq!(old, Err(Denial::SubjectCutOff));
    assert!(
        exchange(&company, ALICE, Exchange::default()).is_ok(),
        "a new sign-in in the same second is good"
    );
}

#[test]
fn a_revoked_grant_takes_its_id_token_along_rv_02() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = id_token(&company, &grant);
    company.write(move |cx, tx| tx.end_family(&grant.family, cx.now));
    let denied = Exchange::default().run(&company, &client, Subject::IdToken(Box::new(token)));
    assert_eq!(denied, Err(Denial::GrantEnded));
}

#[test]
fn a_refresh_token_is_a_subject_and_is_not_rotated_idp_tx_11() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = grant.refresh_token.unwrap();
    for _ in 0..3 {
        let jag = Exchange::default()
            .run(&company, &client, Subject::RefreshToken(token.clone()))
            .unwrap();
        assert_eq!(jag.authentication.auth_time, grant.authentication.auth_time, "SU-04");
    }
    let other = Exchange::default().run(&company, &agent(&company), Subject::RefreshToken(token.clone()));
    assert_eq!(other, Err(Denial::RefreshToken(RefreshDenial::OtherClient)));
    company.clock.advance(Duration::from_secs(14 * 24 * 3600));
    let idle = Exchange::default().run(&company, &client, Subject::RefreshToken(token));
    assert_eq!(idle, Err(Denial::RefreshToken(RefreshDenial::Expired)));
}

#[test]
fn groups_are_read_at_the_exchange_and_not_at_the_sign_in_idp_tx_12() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = grant.refresh_token.unwrap();
    assert!(
        Exchange::default()
            .run(&company, &client, Subject::RefreshToken(token.clone()))
            .is_ok()
    );
    let id = company.user(ALICE).id;
    company.write(move |_, tx| {
        let group = tx.find_group_by_name("engineering")?.unwrap();
        tx.remove_member(&group.id, &id)
    });
    let denied = Exchange::default().run(&company, &client, Subject::RefreshToken(token));
    assert_eq!(denied, Err(Denial::NotPermitted));
}

#[test]
fn an_offline_refresh_token_survives_logout_but_not_an_administrator_rv_07() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, SCOPES);
    let token = grant.refresh_token.unwrap();
    let id = session.id.clone();
    company.write(move |cx, tx| logout::end(cx, tx, &id, &EndedBy::Person));
    assert!(
        Exchange::default()
            .run(&company, &client, Subject::RefreshToken(token.clone()))
            .is_ok()
    );

    // What a refresh gives now names no session, and is a subject as long as the family stands.
    let fresh = refresh(&company, &client, &token, None).unwrap();
    let claims = lanyard_core::idp::id_token::claims(&company.idp, &fresh, "at", Algorithm::Es256).unwrap();
    assert_eq!(claims.sid, None);
    let subject = Subject::IdToken(Box::new(id_token_of(&company, &claims)));
    assert!(Exchange::default().run(&company, &client, subject).is_ok());

    let other = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &other, SCOPES);
    let admin = EndedBy::Administrator(lanyard_core::audit::event::Actor::Admin("adm_1".to_owned()));
    company.write(move |cx, tx| logout::end(cx, tx, &other.id, &admin));
    let denied = Exchange::default().run(&company, &client, Subject::RefreshToken(grant.refresh_token.unwrap()));
    assert_eq!(denied, Err(Denial::RefreshToken(RefreshDenial::Revoked)));
}

#[test]
fn a_client_without_the_grant_is_refused_before_anything_is_read() {
    let company = Company::with(|organisation| {
        organisation.clients[0].grants = Some(
            [GrantType::AuthorizationCode, GrantType::RefreshToken]
                .map(|g| g.as_str().to_owned())
                .to_vec(),
        );
    });
    let denied = exchange(&company, ALICE, Exchange::default());
    assert_eq!(denied, Err(Denial::GrantNotAllowed));
}

#[test]
fn a_native_program_without_a_key_is_refused_idp_tx_02() {
    let company = Company::new();
    let cli = bare_cli(&company);
    let grant = tokens(&company, &cli, ALICE);
    let token = Subject::IdToken(Box::new(id_token(&company, &grant)));
    assert_eq!(
        Exchange::default().run(&company, &cli, token),
        Err(Denial::PublicClient)
    );
}

#[test]
fn only_id_jags_are_given_and_only_for_known_subjects_idp_tx_01_idp_tx_08() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let subject = || Subject::IdToken(Box::new(id_token(&company, &grant)));
    let form = |requested: &str, kind: &str| {
        let urn = |name: &str| format!("urn:ietf:params:oauth:token-type:{name}");
        lanyard_protocol::form::Form::default()
            .with("requested_token_type", urn(requested))
            .with("audience", RAS)
            .with("resource", LINEAR)
            .with("subject_token", "x")
            .with("subject_token_type", urn(kind))
    };
    for other in ["access_token", "refresh_token", "jwt", "id_token"] {
        let denied = run_form(&company, &client, subject(), &form(other, "id_token"));
        assert_eq!(denied, Err(Denial::RequestedTokenType), "{other}");
    }
    for kind in ["access_token", "jwt", "id-jag", "saml1"] {
        assert!(
            TokenExchangeRequest::parse(&form("id-jag", kind)).is_err(),
            "{kind} is no identity assertion"
        );
    }
}

#[test]
fn an_actor_adds_nothing_idp_tx_15() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let subject = Subject::IdToken(Box::new(id_token(&company, &grant)));
    let form = Exchange::default()
        .form(&subject)
        .with("actor_token", "whatever")
        .with("actor_token_type", "urn:ietf:params:oauth:token-type:jwt");
    let jag = run_form(&company, &client, subject, &form).unwrap();
    let claims = serde_json::to_value(id_jag::claims(&company.idp, &jag)).unwrap();
    assert!(claims.get("act").is_none());
}

#[test]
fn an_event_names_enough_rules_for_every_scope_and_counts_the_others_idp_pl_06() {
    let company = Company::with(|organisation| {
        let rule = |n: usize, scope: &str| {
            let title = format!("Rule {n}");
            let rule = json!({"title": title, "groups": ["engineering"], "clients": "all", "connectors": ["linear"],
                              "scopes": [scope]});
            serde_json::from_value(rule).unwrap()
        };
        organisation.rules = (0..40).map(|n| rule(n, "linear.read")).collect();
        organisation.rules.push(rule(40, "linear.write"));
    });
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = id_token(&company, &grant);
    Exchange::default()
        .run(&company, &client, Subject::IdToken(Box::new(token)))
        .unwrap();
    let detail = &company.events()[0].event.detail;
    let named = detail["rules"].as_array().unwrap();
    let granting = |scope: &str| named.iter().filter(|rule| rule["scope"] == scope).count();
    assert!(
        granting("linear.write") == 1 && granting("linear.read") >= 15,
        "{named:?}"
    );
    let more = detail["more_rules"].as_u64().unwrap();
    assert_eq!(u64::try_from(named.len()).unwrap() + more, 41);
    assert!(more > 20, "{more}");
}

#[test]
fn a_grant_is_one_event_with_everything_but_the_token_idp_pl_06() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = id_token(&company, &grant);
    let before = company.events().len();
    let jag = Exchange {
        scope: Some("linear.read linear.unknown"),
        ..Exchange::default()
    }
    .run(&company, &client, Subject::IdToken(Box::new(token)))
    .unwrap();
    let events = company.events();
    assert_eq!(events.len(), before + 1, "one event per act");
    let event = &events[0].event;
    assert_eq!(event.kind, "idp.id_jag.issued");
    assert_eq!(event.subject.as_deref(), Some(company.user(ALICE).id.as_str()));
    assert_eq!(event.client_id.as_deref(), Some(IDE));
    assert_eq!(event.target.as_deref(), Some(LINEAR));
    assert_eq!(event.detail["audience"], RAS);
    assert_eq!(event.detail["jti"], jag.jti.as_str());
    assert_eq!(event.detail["scope"], "linear.read");
    assert_eq!(event.detail["rules"][0]["title"], "Engineering uses every connector");
    assert_eq!(event.detail["refused"][0]["scope"], "linear.unknown");
    assert!(
        !events.iter().any(|event| event.text.contains("eyJ")),
        "no token material in any event"
    );
}

#[test]
fn a_refused_exchange_leaves_an_event_and_no_grant() {
    let company = Company::new();
    let before = company.events().len();
    let denied = exchange(
        &company,
        CAROL,
        Exchange {
            scope: Some("linear.write"),
            ..Exchange::default()
        },
    );
    assert_eq!(denied, Err(Denial::NoScopeGranted));
    assert_eq!(
        company.last_event(),
        ("idp.id_jag.denied".to_owned(), Some("no_scope_granted".to_owned()))
    );
    // Sign-in, code, tokens, denial.
    assert_eq!(company.events().len(), before + 4);
    let why = company.events()[0].event.detail["why"].to_string();
    assert!(why.contains("no rule grants linear.write"), "{why}");
}

#[test]
fn a_client_switched_off_gets_nothing_at_once_rv_03() {
    let company = Company::new();
    company.write(|_, tx| {
        let page = tx.list_clients(Some(Side::Idp), &PageRequest::new(None, 100))?;
        let mut client = page
            .items
            .into_iter()
            .find(|client| client.client_id.as_str() == IDE)
            .unwrap();
        client.enabled = false;
        client.version += 1;
        tx.update_client(&client)
    });
    let vault = Arc::clone(&company.vault);
    let presented = with_secret(IDE, lanyard_testkit::company::IDE_SECRET);
    let end =
        company.write(move |cx, tx| lanyard_core::client::auth::authenticate(cx, tx, &vault, Side::Idp, &presented));
    assert_eq!(end.into_result().unwrap_err().code(), "client_disabled");
}
