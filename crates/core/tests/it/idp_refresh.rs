//! Refresh tokens: rotation, reuse, ends (IDP-AU-09; BCP, section 4.14).

use std::time::Duration;

use lanyard_core::idp::id_token;
use lanyard_core::idp::refresh_family::RefreshDenial;
use lanyard_core::idp::refresh_token::Denial;
use lanyard_core::idp::revoke::{self, Revocable};
use lanyard_core::idp::token_exchange::{self, Subject};
use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_testkit::company::{ALICE, Company};
use secrecy::{ExposeSecret, SecretString};

use crate::idp_support::*;

fn text(token: &Option<SecretString>) -> &str {
    token.as_ref().unwrap().expose_secret()
}

fn reason(end: Result<lanyard_core::idp::token_grant::TokenGrant, Denial>) -> &'static str {
    end.err().unwrap().code()
}

#[test]
fn every_refresh_gives_a_new_token_of_the_same_sign_in_su_04() {
    let company = Company::new();
    let client = ide(&company);
    let first = tokens(&company, &client, ALICE);
    company.clock.advance(Duration::from_secs(3600));
    let second = refresh(&company, &client, first.refresh_token.as_ref().unwrap(), None).unwrap();
    assert_ne!(text(&first.refresh_token), text(&second.refresh_token));
    assert_eq!(
        second.authentication, first.authentication,
        "refreshing moves neither acr nor auth_time"
    );
    let claims = id_token::claims(&company.idp, &second, "at", Algorithm::Es256).unwrap();
    assert_eq!(claims.nonce, None);
    assert_eq!(claims.sub, first.subject);
    assert_eq!(company.last_event().0, "idp.tokens.refreshed");
}

#[test]
fn the_immediate_predecessor_gets_the_same_successor_for_ten_seconds() {
    let company = Company::new();
    let client = ide(&company);
    let first = tokens(&company, &client, ALICE).refresh_token.unwrap();
    let second = refresh(&company, &client, &first, None).unwrap().refresh_token;
    company.clock.advance(Duration::from_secs(10));
    let again = refresh(&company, &client, &first, None).unwrap().refresh_token;
    assert_eq!(text(&second), text(&again));
    let third = refresh(&company, &client, second.as_ref().unwrap(), None)
        .unwrap()
        .refresh_token;
    assert_ne!(text(&second), text(&third));
}

#[test]
fn reuse_after_the_grace_ends_the_family_idp_au_09() {
    let company = Company::new();
    let client = ide(&company);
    let first = tokens(&company, &client, ALICE).refresh_token.unwrap();
    let second = refresh(&company, &client, &first, None).unwrap().refresh_token.unwrap();
    company.clock.advance(Duration::from_micros(10_000_001));
    assert_eq!(reason(refresh(&company, &client, &first, None)), "refresh_token_reused");
    assert_eq!(
        company.last_event(),
        ("idp.tokens.denied".to_owned(), Some("refresh_token_reused".to_owned()))
    );
    assert_eq!(
        reason(refresh(&company, &client, &second, None)),
        "refresh_token_revoked"
    );
}

#[test]
fn a_token_older_than_the_predecessor_ends_the_family_even_at_once() {
    let company = Company::new();
    let client = ide(&company);
    let first = tokens(&company, &client, ALICE).refresh_token.unwrap();
    let second = refresh(&company, &client, &first, None).unwrap().refresh_token.unwrap();
    let third = refresh(&company, &client, &second, None)
        .unwrap()
        .refresh_token
        .unwrap();
    assert_eq!(reason(refresh(&company, &client, &first, None)), "refresh_token_reused");
    assert_eq!(
        reason(refresh(&company, &client, &third, None)),
        "refresh_token_revoked"
    );
}

#[test]
fn reuse_as_the_subject_of_an_exchange_ends_the_family_too_idp_tx_11() {
    let company = Company::new();
    let client = ide(&company);
    let first = tokens(&company, &client, ALICE).refresh_token.unwrap();
    let second = refresh(&company, &client, &first, None).unwrap().refresh_token.unwrap();
    company.clock.advance(Duration::from_secs(11));
    let denied = Exchange::default().run(&company, &client, Subject::RefreshToken(first));
    assert_eq!(denied, Err(token_exchange::Denial::RefreshToken(RefreshDenial::Reused)));
    let denied = Exchange::default().run(&company, &client, Subject::RefreshToken(second));
    assert_eq!(
        denied,
        Err(token_exchange::Denial::RefreshToken(RefreshDenial::Revoked))
    );
}

#[test]
fn a_family_lives_fourteen_idle_days_and_thirty_in_all() {
    let company = Company::new();
    let client = ide(&company);
    let day = Duration::from_secs(24 * 3600);
    let idle = tokens(&company, &client, ALICE).refresh_token.unwrap();
    let mut used = tokens(&company, &client, ALICE).refresh_token.unwrap();
    for _ in 0..2 {
        company.clock.advance(13 * day);
        used = refresh(&company, &client, &used, None).unwrap().refresh_token.unwrap();
    }
    assert_eq!(reason(refresh(&company, &client, &idle, None)), "refresh_token_expired");
    company.clock.advance(3 * day);
    used = refresh(&company, &client, &used, None).unwrap().refresh_token.unwrap();
    company.clock.advance(day);
    assert_eq!(
        reason(refresh(&company, &client, &used, None)),
        "refresh_token_expired",
        "30 days are over"
    );
}

#[test]
fn a_refresh_may_narrow_and_never_widen() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let token = tokens_in(&company, &client, &session, "openid email offline_access")
        .refresh_token
        .unwrap();
    let wide = refresh(&company, &client, &token, Some("openid connectors")).err();
    assert_eq!(wide, Some(Denial::ScopeExceeded));
    let narrow = refresh(&company, &client, &token, Some("openid")).unwrap();
    assert_eq!(narrow.scope, scopes("openid"));
    let back = refresh(&company, &client, narrow.refresh_token.as_ref().unwrap(), None).unwrap();
    assert_eq!(back.scope, scopes("openid email offline_access"));
}

#[test]
fn a_refresh_token_is_bound_to_its_client() {
    let company = Company::new();
    let (ide, agent) = (ide(&company), agent(&company));
    let token = tokens(&company, &ide, ALICE).refresh_token.unwrap();
    assert_eq!(
        reason(refresh(&company, &agent, &token, None)),
        "refresh_token_other_client"
    );
    assert!(
        refresh(&company, &ide, &token, None).is_ok(),
        "a foreign attempt does not end it"
    );
    let unknown = SecretString::from("unknown".to_owned());
    assert_eq!(reason(refresh(&company, &ide, &unknown, None)), "refresh_token_unknown");
}

#[test]
fn a_client_without_the_grant_gets_no_refresh_token_and_no_refresh() {
    let company = Company::with(|organisation| {
        organisation.clients[0].grants = Some(vec![GrantType::AuthorizationCode.as_str().to_owned()]);
    });
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, SCOPES);
    assert!(grant.refresh_token.is_none() && !grant.scope.contains_str("offline_access"));
    let token = SecretString::from("x".to_owned());
    assert_eq!(
        refresh(&company, &client, &token, None).err(),
        Some(Denial::GrantNotAllowed)
    );
}

#[test]
fn a_revoked_refresh_token_ends_its_family_for_its_owner_only_rv_01_rv_02() {
    let company = Company::new();
    let (ide, agent) = (ide(&company), agent(&company));
    let token = tokens(&company, &ide, ALICE).refresh_token.unwrap();
    let revoke_by = |client: &lanyard_core::client::auth::AuthenticatedClient, token: &SecretString| {
        let (client, token) = (client.clone(), Revocable::Opaque(token.clone()));
        company
            .write(move |cx, tx| revoke::revoke(cx, tx, &client, &token))
            .into_result()
            .unwrap()
    };
    assert!(!revoke_by(&agent, &token));
    assert!(!revoke_by(&ide, &SecretString::from("unknown".to_owned())));
    assert!(
        Exchange::default()
            .run(&company, &ide, Subject::RefreshToken(token.clone()))
            .is_ok()
    );
    assert!(revoke_by(&ide, &token));
    assert!(!revoke_by(&ide, &token), "again: nothing more to end, and no error");
    assert_eq!(reason(refresh(&company, &ide, &token, None)), "refresh_token_revoked");
    let denied = Exchange::default().run(&company, &ide, Subject::RefreshToken(token));
    assert_eq!(
        denied,
        Err(token_exchange::Denial::RefreshToken(RefreshDenial::Revoked))
    );
}

#[test]
fn revoking_the_access_token_ends_the_grant() {
    let company = Company::new();
    let client = ide(&company);
    let grant = tokens(&company, &client, ALICE);
    let token = Revocable::Access(Box::new(access_token(&company, &grant)));
    let by = client.clone();
    assert!(
        company
            .write(move |cx, tx| revoke::revoke(cx, tx, &by, &token))
            .into_result()
            .unwrap()
    );
    assert_eq!(
        reason(refresh(&company, &client, &grant.refresh_token.unwrap(), None)),
        "refresh_token_revoked"
    );
}
