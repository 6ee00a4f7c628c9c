//! Client authentication, and keys that people enrol for native programs (IDP-TK-03 to IDP-TK-05, CL-ST-03).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::client::auth::{self, AuthDenial, Presented};
use lanyard_core::client::registration::{ClientSecret, KeyHolder, RegisteredKey, Side};
use lanyard_core::clock::Timestamp;
use lanyard_core::id::{Id, SecretId};
use lanyard_core::idp::native_key::{self, EnrolDenial};
use lanyard_core::idp::own_token;
use lanyard_core::idp::refresh_family::RefreshDenial;
use lanyard_core::idp::token_exchange::{Denial, Subject};
use lanyard_core::idp::token_grant::TokenGrant;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::client_id::ClientId;
use lanyard_testkit::company::{AGENT, ALICE, CAROL, CLI, Company, IDE, IDE_AT_RAS, IDE_SECRET};

use crate::idp_support::*;

fn refused(company: &Company, side: Side, presented: Presented) -> AuthDenial {
    let vault = Arc::clone(&company.vault);
    company
        .write(move |cx, tx| auth::authenticate(cx, tx, &vault, side, &presented))
        .into_result()
        .unwrap_err()
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn change_key(company: &Company, client_id: &'static str, change: impl FnOnce(&mut RegisteredKey) + Send + 'static) {
    let client = company.client(Side::Idp, client_id).key;
    company.write(move |_, tx| {
        let mut key = tx.list_client_keys(&client)?.remove(0);
        tx.remove_client_key(&client, &key.kid)?;
        change(&mut key);
        tx.insert_client_key(&key)
    });
}

#[test]
fn a_secret_with_odd_characters_proves_the_client_idp_tk_03() {
    let company = Company::new();
    let client = ide(&company);
    assert_eq!(client.client.client_id.as_str(), IDE);
    assert!(client.is_proven() && client.key.is_none());
    for (presented, denial) in [
        (with_secret(IDE, "wrong"), AuthDenial::WrongSecret),
        (with_secret(IDE, ""), AuthDenial::WrongSecret),
        (with_secret("nobody", IDE_SECRET), AuthDenial::UnknownClient),
        (with_secret(IDE_AT_RAS, IDE_SECRET), AuthDenial::UnknownClient),
        (with_secret(AGENT, IDE_SECRET), AuthDenial::WrongMethod),
        (with_secret(CLI, IDE_SECRET), AuthDenial::WrongMethod),
        (
            Presented::None {
                client_id: ClientId::parse(IDE).unwrap(),
            },
            AuthDenial::WrongMethod,
        ),
        (
            Presented::None {
                client_id: ClientId::parse(AGENT).unwrap(),
            },
            AuthDenial::WrongMethod,
        ),
        (Presented::Nothing, AuthDenial::NoCredentials),
    ] {
        let shown = format!("{presented:?}");
        assert!(!shown.contains(IDE_SECRET), "a secret is not printed");
        assert_eq!(refused(&company, Side::Idp, presented), denial, "{shown}");
    }
}

#[test]
fn two_secrets_overlap_and_the_retired_one_ends_idp_tk_04() {
    let company = Company::new();
    let client = company.client(Side::Idp, IDE).key;
    let digest = company
        .vault
        .digest_chosen_secret("a chosen secret of at least 32 characters");
    company.write(move |cx, tx| {
        tx.insert_client_secret(&ClientSecret {
            id: SecretId::from_stored("sec_second".to_owned()),
            client: client.clone(),
            digest,
            created_at: cx.now,
            expires_at: Some(cx.now.plus(Duration::from_secs(10))),
        })
    });
    let chosen = || with_secret(IDE, "a chosen secret of at least 32 characters");
    authenticated(&company, chosen());
    authenticated(&company, with_secret(IDE, IDE_SECRET));
    company.clock.advance(Duration::from_secs(10));
    assert_eq!(refused(&company, Side::Idp, chosen()), AuthDenial::SecretExpired);
    authenticated(&company, with_secret(IDE, IDE_SECRET));
}

#[test]
fn an_assertion_is_used_once_and_stays_used_when_the_act_is_refused_idp_tk_05_sec_05() {
    let company = Company::new();
    let first = || assertion_of(&company, AGENT, &company.agent_key, "once");
    let client = authenticated(&company, first());
    assert!(client.is_proven() && client.key.is_some());
    assert_eq!(refused(&company, Side::Idp, first()), AuthDenial::AssertionReplayed);
    company.clock.advance(Duration::from_secs(50));
    assert_eq!(refused(&company, Side::Idp, first()), AuthDenial::AssertionReplayed);
    authenticated(&company, assertion_of(&company, AGENT, &company.agent_key, "twice"));
}

#[test]
fn the_key_that_verified_must_still_be_the_registered_one() {
    let company = Company::new();
    let removed = assertion_of(&company, AGENT, &company.agent_key, "a");
    let client = company.client(Side::Idp, AGENT).key;
    let kid = company.agent_key.kid().to_owned();
    let restore = company.write(move |_, tx| {
        let key = tx.find_client_key(&client, &kid)?.unwrap();
        tx.remove_client_key(&client, &kid)?;
        Ok(key)
    });
    assert_eq!(refused(&company, Side::Idp, removed), AuthDenial::UnknownKey);
    company.write(move |_, tx| tx.insert_client_key(&restore));

    let replaced = assertion_of(&company, AGENT, &company.agent_key, "b");
    let other = key().public_jwk();
    change_key(&company, AGENT, move |key| key.jwk = other.with_kid(&key.kid));
    assert_eq!(refused(&company, Side::Idp, replaced), AuthDenial::UnknownKey);
}

#[test]
fn an_expired_key_proves_nothing() {
    let company = Company::new();
    change_key(&company, AGENT, |key| key.expires_at = Some(Timestamp::from_seconds(1)));
    let presented = assertion_of(&company, AGENT, &company.agent_key, "late");
    assert_eq!(refused(&company, Side::Idp, presented), AuthDenial::KeyExpired);
}

#[test]
fn a_native_program_without_a_key_has_no_business_at_the_ras_idp_tx_02() {
    let company = Company::new();
    let none = || Presented::None {
        client_id: ClientId::parse(CLI).unwrap(),
    };
    assert_eq!(refused(&company, Side::Ras, none()), AuthDenial::WrongMethod);
    assert!(!bare_cli(&company).is_proven());
}

#[test]
fn a_refused_client_can_be_recorded_without_its_secret() {
    let company = Company::new();
    company.write(|cx, tx| {
        let presented = with_secret(IDE, "guess-4711");
        auth::record_denial(cx, tx, Side::Idp, &presented, &AuthDenial::WrongSecret)
    });
    assert_eq!(
        company.last_event(),
        ("idp.client.refused".to_owned(), Some("wrong_secret".to_owned()))
    );
    assert!(!company.events()[0].text.contains("guess-4711"));
}

/// A person signed in through the CLI, with a key of theirs enrolled.
struct Enrolled {
    grant: TokenGrant,
    key: SigningKey,
}

fn try_enrol(
    company: &Company,
    grant: &TokenGrant,
    key: &SigningKey,
    label: &'static str,
    jti: &str,
) -> Result<RegisteredKey, EnrolDenial> {
    let token = access_token(company, grant);
    let proof = assertion(company, grant.client_id.as_str(), key, jti);
    let (settings, jwk) = (company.idp.clone(), key.public_jwk());
    company
        .write(move |cx, tx| {
            let bearer = own_token::bearer(cx, tx, &token, "connectors")?.into_result().unwrap();
            native_key::enrol(cx, tx, &settings, &bearer, &jwk, label, &proof)
        })
        .into_result()
}

fn enrolled(company: &Company, username: &'static str) -> Enrolled {
    let grant = tokens(company, &bare_cli(company), username);
    let key = key();
    let registered = try_enrol(company, &grant, &key, "laptop", &format!("enrol-{username}")).unwrap();
    assert_eq!(registered.kid, key.public_jwk().thumbprint());
    assert_eq!(registered.holder, Some(KeyHolder::User(company.user(username).id)));
    Enrolled { grant, key }
}

#[test]
fn an_enrolled_key_acts_for_its_person_only_cl_st_03() {
    let company = Company::new();
    let (alice, carol) = (enrolled(&company, ALICE), enrolled(&company, CAROL));
    assert_eq!(company.last_event().0, "idp.key.enrolled");
    let with_key = |key, jti| authenticated(&company, assertion_of(&company, CLI, key, jti));
    let read = || Exchange {
        scope: Some("linear.read"),
        ..Exchange::default()
    };

    let own = with_key(&alice.key, "1");
    let subject = || Subject::IdToken(Box::new(id_token(&company, &alice.grant)));
    assert!(read().run(&company, &own, subject()).is_ok());
    let other = with_key(&carol.key, "2");
    assert_eq!(read().run(&company, &other, subject()), Err(Denial::KeyOfOtherPerson));

    let token = alice.grant.refresh_token.clone().unwrap();
    assert_eq!(
        refresh(&company, &other, &token, None).err().unwrap().code(),
        "refresh_token_other_key"
    );
    assert_eq!(
        refresh(&company, &bare_cli(&company), &token, None)
            .err()
            .unwrap()
            .code(),
        "public_client"
    );
    assert!(refresh(&company, &own, &token, None).is_ok());
}

#[test]
fn a_family_is_bound_to_the_first_key_it_is_used_with() {
    let company = Company::new();
    let first = enrolled(&company, ALICE);
    let second = key();
    try_enrol(&company, &first.grant, &second, "desktop", "enrol-2").unwrap();
    let with_key = |key, jti| authenticated(&company, assertion_of(&company, CLI, key, jti));
    let token = first.grant.refresh_token.unwrap();
    let subject = || Subject::RefreshToken(token.clone());
    assert!(
        Exchange::default()
            .run(&company, &with_key(&first.key, "1"), subject())
            .is_ok()
    );
    let denied = Exchange::default().run(&company, &with_key(&second, "2"), subject());
    assert_eq!(denied, Err(Denial::RefreshToken(RefreshDenial::OtherKey)));
}

#[test]
fn a_removed_key_is_dead_with_everything_bound_to_it() {
    let company = Company::new();
    let alice = enrolled(&company, ALICE);
    let client = authenticated(&company, assertion_of(&company, CLI, &alice.key, "1"));
    let token = alice.grant.refresh_token.clone().unwrap();
    let token = refresh(&company, &client, &token, None).unwrap().refresh_token.unwrap();
    let late = assertion_of(&company, CLI, &alice.key, "2");

    let other = tokens(&company, &bare_cli(&company), CAROL);
    let remove = |grant: &TokenGrant| {
        let (token, kid) = (access_token(&company, grant), alice.key.kid().to_owned());
        company.write(move |cx, tx| {
            let bearer = own_token::bearer(cx, tx, &token, "connectors")?.into_result().unwrap();
            native_key::remove(cx, tx, &bearer, &kid)
        })
    };
    assert!(!remove(&other), "nobody removes somebody else's key");
    assert!(remove(&alice.grant));
    assert_eq!(refused(&company, Side::Idp, late), AuthDenial::UnknownKey);
    assert_eq!(
        refresh(&company, &client, &token, None).err().unwrap().code(),
        "refresh_token_revoked"
    );
}

#[test]
fn what_cannot_be_enrolled_is_refused_and_recorded() {
    let company = Company::new();
    let grant = tokens(&company, &bare_cli(&company), ALICE);
    let own = key();
    try_enrol(&company, &grant, &own, "laptop", "1").unwrap();
    assert_eq!(
        try_enrol(&company, &grant, &key(), "laptop", "1"),
        Err(EnrolDenial::ProofReplayed)
    );
    assert_eq!(try_enrol(&company, &grant, &key(), "", "2"), Err(EnrolDenial::Label));
    assert_eq!(
        try_enrol(&company, &grant, &key(), "a\nb", "3"),
        Err(EnrolDenial::Label)
    );
    let carol = tokens(&company, &bare_cli(&company), CAROL);
    assert_eq!(
        try_enrol(&company, &carol, &own, "mine now", "4"),
        Err(EnrolDenial::Taken)
    );
    assert_eq!(
        company.last_event(),
        ("idp.key.enrolled".to_owned(), Some("key_taken".to_owned()))
    );
    assert!(try_enrol(&company, &grant, &own, "laptop, renewed", "5").is_ok());
    let confidential = tokens(&company, &ide(&company), ALICE);
    assert_eq!(
        try_enrol(&company, &confidential, &key(), "laptop", "6"),
        Err(EnrolDenial::NotNative)
    );
    for n in 1..company.idp.native_keys_per_person {
        try_enrol(&company, &grant, &key(), "more", &format!("more-{n}")).unwrap();
    }
    assert_eq!(
        try_enrol(&company, &grant, &key(), "more", "last"),
        Err(EnrolDenial::TooMany)
    );
}

#[test]
fn a_key_is_listed_until_it_expires() {
    let company = Company::new();
    enrolled(&company, ALICE);
    let (user, client) = (company.user(ALICE).id, company.client(Side::Idp, CLI).key);
    let list = || {
        let (user, client) = (user.clone(), client.clone());
        company
            .write(move |cx, tx| native_key::list(cx, tx, &user, &client))
            .len()
    };
    assert_eq!(list(), 1);
    company.clock.advance(company.idp.native_key_ttl);
    assert_eq!(list(), 0);
}
