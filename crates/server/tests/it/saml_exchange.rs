//! SAML assertions in token exchange, through HTTP: what a client gets for one, and every refusal on the wire and in the
//! log (SAML-01 … SAML-11).

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use http::StatusCode;
use lanyard_core::admin::connection;
use lanyard_core::admin::spec::connection::{ClaimsSpec, ConnectionSpec};
use lanyard_core::client::registration::Side;
use lanyard_core::clock::{Clock, Timestamp};
use lanyard_core::directory::provision;
use lanyard_core::idp::logout::{self, EndedBy};
use lanyard_core::outcome::Outcome;
use lanyard_core::saml::provider::ServiceProvider;
use lanyard_core::session::strength::Strength;
use lanyard_core::upstream::connection::{LinkBy, Preset};
use lanyard_core::upstream::link::{Link, LinkOrigin};
use lanyard_core::upstream::saml::SamlSettings;
use lanyard_jose::algorithm::Algorithm;
use lanyard_testkit::company::{ALICE, IDE, IDP as ISSUER};
use lanyard_testkit::saml::{Draft, IdentityProvider, base64};

use crate::support::{Answer, ID_JAG, REFRESH_TOKEN, World, claims, exchange_fields, token_url};

const SAML2: &str = "urn:ietf:params:oauth:token-type:saml2";
pub(crate) const CORP: &str = "https://corp.example/saml";
const SP: &str = "https://ide.contoso.example/saml/sp";
const ACS: &str = "https://ide.contoso.example/saml/acs";
const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";

pub(crate) static PROVIDER: LazyLock<IdentityProvider> =
    LazyLock::new(|| IdentityProvider::new(CORP, Algorithm::Es256));

pub(crate) fn spec() -> ConnectionSpec {
    ConnectionSpec {
        name: "corp".to_owned(),
        title: None,
        preset: Preset::Plain,
        domains: Vec::new(),
        default: false,
        enabled: true,
        just_in_time: false,
        link_by: LinkBy::Nothing,
        claims: ClaimsSpec::default(),
        groups: None,
        strengths: None,
        strength: Strength::Password,
        oidc: None,
        saml: Some(SamlSettings {
            entity_id: CORP.to_owned(),
            sso_url: "https://corp.example/sso".to_owned(),
            slo_url: None,
            slo_response_url: None,
            certificates: vec![PROVIDER.certificate.to_base64()],
            valid_until: None,
            idp_initiated: false,
            name_id_format: None,
            subject_attribute: None,
        }),
    }
}

pub(crate) fn put(world: &World, spec: ConnectionSpec) {
    let (vault, admin) = (Arc::clone(&world.company.vault), world.company.admin.clone());
    let done = world
        .company
        .write(move |cx, tx| connection::put(cx, tx, &vault, &admin, &spec));
    assert!(matches!(done, Outcome::Granted(_)));
}

/// A company with a SAML provider that knows Alice, and a client that is a service provider there.
async fn world() -> World {
    let world = World::new().await;
    put(&world, spec());
    let alice = world.company.user(ALICE);
    let ide = world.company.client(Side::Idp, IDE);
    world.company.write(move |cx, tx| {
        let connection = tx.find_connection_by_name("corp")?.unwrap();
        tx.insert_person_link(&Link {
            connection: connection.id,
            subject: "emailAddress:alice@corp.example".to_owned(),
            user: alice.id,
            origin: LinkOrigin::Administrator,
            linked_at: cx.now,
            last_seen_at: None,
        })?;
        tx.insert_service_provider(
            &ide.key,
            &ServiceProvider {
                entity_id: SP.to_owned(),
                acs_urls: vec![ACS.to_owned()],
            },
        )
    });
    world
}

fn draft(world: &World) -> Draft {
    let mut draft = PROVIDER.draft(world.company.clock.now(), SP, ACS);
    draft.format = Some(EMAIL.to_owned());
    draft.name = "alice@corp.example".to_owned();
    draft
}

fn later(world: &World, seconds: i64) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(world.company.clock.now().seconds() + seconds))
}

fn encoded(assertion: &str) -> String {
    base64(assertion.as_bytes())
        .replace('+', "-")
        .replace('/', "_")
        .trim_end_matches('=')
        .to_owned()
}

async fn for_id_jag(world: &World, token: &str) -> Answer {
    let fields = exchange_fields(token, &[("subject_token_type", SAML2)]);
    world.post(&token_url(ISSUER), IDE, &fields).await
}

async fn for_refresh_token(world: &World, token: &str) -> Answer {
    let changes = [
        ("subject_token_type", SAML2),
        ("requested_token_type", REFRESH_TOKEN),
        ("audience", ""),
        ("resource", ""),
        ("scope", ""),
    ];
    world
        .post(&token_url(ISSUER), IDE, &exchange_fields(token, &changes))
        .await
}

/// Refused on the wire like any other, and with the exact check in the log.
#[track_caller]
fn assert_refused(world: &World, answer: &Answer, reason: &str) {
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()), "{}", answer.text());
    world.assert_denied("idp.id_jag.denied", reason);
    assert!(!answer.text().contains(reason), "{}", answer.text());
}

#[tokio::test]
async fn an_assertion_buys_an_id_jag_with_the_facts_of_the_sign_in_saml_01_saml_08() {
    let world = world().await;
    let mut draft = draft(&world);
    draft.class_ref = Some("urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract".to_owned());
    let answer = for_id_jag(&world, &encoded(&PROVIDER.sign(&draft))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json()["issued_token_type"], ID_JAG);
    let said = claims(&answer.token());
    assert_eq!(said["auth_time"], draft.authn_instant.unwrap().seconds());
    assert_eq!(
        said["acr"],
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract"
    );
    assert_eq!(said["sub"], claims(&world.id_jag(ALICE).await)["sub"]);
}

#[tokio::test]
async fn an_assertion_buys_a_refresh_token_and_that_an_id_jag_saml_01_saml_10() {
    let world = world().await;
    let mut draft = draft(&world);
    draft.session_not_on_or_after = later(&world, 28_800);
    let answer = for_refresh_token(&world, &encoded(&PROVIDER.sign(&draft))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let told = answer.json();
    assert_eq!(told["issued_token_type"], REFRESH_TOKEN);
    assert_eq!(told["token_type"], "N_A");
    assert_eq!(told["expires_in"], 28_800, "capped by SessionNotOnOrAfter (SAML-08)");
    assert_eq!(told["scope"], "offline_access openid");
    assert!(told["refresh_token"].is_null());
    assert_eq!(answer.header("cache-control"), "no-store");
    world.assert_granted("idp.tokens.issued");

    let token = answer.token();
    let changes = [("subject_token_type", REFRESH_TOKEN)];
    let fields = exchange_fields(&token, &changes);
    let exchanged = world.post(&token_url(ISSUER), IDE, &fields).await;
    assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.text());
    assert_eq!(
        claims(&exchanged.token())["auth_time"],
        draft.authn_instant.unwrap().seconds(),
        "SU-04"
    );
    world.company.clock.advance(Duration::from_secs(28_801));
    let late = world.post(&token_url(ISSUER), IDE, &fields).await;
    assert_refused(&world, &late, "refresh_token_expired");
}

#[tokio::test]
async fn the_refresh_token_dies_with_the_session_and_with_the_person_saml_10() {
    for by_logout in [true, false] {
        let world = world().await;
        let token = for_refresh_token(&world, &encoded(&PROVIDER.sign(&draft(&world))))
            .await
            .token();
        let alice = world.company.user(ALICE);
        let (admin, vault) = (world.company.admin.clone(), Arc::clone(&world.company.vault));
        let issuer = world.company.idp.issuer.clone();
        world.company.write(move |cx, tx| {
            if by_logout {
                let connection = tx.find_connection_by_name("corp")?.unwrap();
                for session in tx.list_sessions_of_upstream(&connection.id, "s-1")? {
                    logout::end(cx, tx, &session.id, &EndedBy::Person)?;
                }
                return Ok(());
            }
            let done = provision::deactivate(cx, tx, &vault, &issuer, &admin, &alice.id)?;
            assert!(matches!(done, Outcome::Granted(_)));
            Ok(())
        });
        let changes = [("subject_token_type", REFRESH_TOKEN)];
        let answer = world
            .post(&token_url(ISSUER), IDE, &exchange_fields(&token, &changes))
            .await;
        let reason = if by_logout {
            "refresh_token_revoked"
        } else {
            "user_inactive"
        };
        assert_refused(&world, &answer, reason);
    }
}

#[tokio::test]
async fn an_assertion_is_used_once_in_any_writing_saml_09_d_17() {
    let world = world().await;
    let signed = PROVIDER.sign(&draft(&world));
    assert_eq!(for_id_jag(&world, &encoded(&signed)).await.status, StatusCode::OK);
    // Padded base64, a declaration in front: the same assertion still.
    for again in [
        encoded(&signed),
        base64(signed.as_bytes()),
        encoded(&format!("<?xml version=\"1.0\"?>\n{signed}")),
    ] {
        let answer = for_id_jag(&world, &again).await;
        assert_refused(&world, &answer, "saml_replayed");
    }
    let answer = for_refresh_token(&world, &encoded(&signed)).await;
    assert_eq!(answer.error(), (400, "invalid_grant".to_owned()));
    world.assert_denied("idp.tokens.denied", "saml_replayed");
}

#[tokio::test]
async fn a_refusal_that_can_be_mended_does_not_use_the_assertion_up_saml_09() {
    let world = world().await;
    let token = encoded(&PROVIDER.sign(&draft(&world)));
    let changes = [("subject_token_type", SAML2), ("resource", "https://unknown.example")];
    let fields = exchange_fields(&token, &changes);
    assert_eq!(
        world.post(&token_url(ISSUER), IDE, &fields).await.error().1,
        "invalid_target"
    );
    assert_eq!(for_id_jag(&world, &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_condition_is_checked_saml_05_saml_06_saml_07_saml_08() {
    let world = world().await;
    type Change = fn(&mut Draft, &World);
    let cases: [(Change, &str); 13] = [
        (
            |d, _| d.audiences = vec!["https://other.example".to_owned()],
            "saml_audience",
        ),
        (|d, _| d.audiences.clear(), "saml_audience"),
        (
            |d, _| d.recipient = Some("https://other.example/acs".to_owned()),
            "saml_recipient",
        ),
        (|d, _| d.recipient = None, "saml_recipient"),
        (|d, w| d.not_before = later(w, 61), "saml_not_yet_valid"),
        (|d, w| d.not_on_or_after = later(w, -60), "saml_expired"),
        (|d, w| d.confirmed_until = later(w, -60), "saml_too_late"),
        (|d, _| d.confirmed_until = None, "saml_confirmation"),
        (|d, _| d.authn_instant = None, "saml_no_authentication"),
        (|d, w| d.session_not_on_or_after = later(w, 0), "saml_session_over"),
        (
            |d, _| d.conditions = "<x:New xmlns:x=\"urn:x\"></x:New>".to_owned(),
            "saml_condition",
        ),
        (|d, _| d.format = Some(TRANSIENT.to_owned()), "saml_transient_name"),
        (|d, _| d.name = "bob@corp.example".to_owned(), "not_linked"),
    ];
    for (change, reason) in cases {
        let mut draft = draft(&world);
        change(&mut draft, &world);
        let answer = for_id_jag(&world, &encoded(&PROVIDER.sign(&draft))).await;
        assert_refused(&world, &answer, reason);
    }
}

#[tokio::test]
async fn every_defect_of_the_bytes_is_named_saml_02_saml_03_saml_04() {
    let world = world().await;
    let signed = PROVIDER.sign(&draft(&world));
    let stranger = IdentityProvider::new(CORP, Algorithm::Es256);
    let elsewhere = IdentityProvider::new("https://elsewhere.example", Algorithm::Es256);
    let (before, after) = draft(&world).parts();
    let cases = [
        (encoded(&stranger.sign(&draft(&world))), "saml_signature"),
        (
            encoded(&elsewhere.sign(&elsewhere.draft(world.company.clock.now(), SP, ACS))),
            "saml_unknown_issuer",
        ),
        (encoded(&signed.replace("alice@", "carol@")), "saml_signature"),
        (encoded(&format!("{before}{after}")), "saml_unsigned"),
        (encoded(&signed.replace("alice@", "alice<!-- -->@")), "saml_markup"),
        (
            encoded(&format!("<!DOCTYPE a [<!ENTITY b 'c'>]>{signed}")),
            "saml_markup",
        ),
        (encoded(&PROVIDER.respond(&draft(&world), &signed)), "saml_shape"),
        (
            encoded(&signed.replace("ecdsa-sha256", "hmac-sha256")),
            "saml_algorithm",
        ),
        (encoded("<a>"), "saml_malformed"),
        (encoded(&"<a>".repeat(65)), "saml_too_deep"),
        ("!".to_owned(), "saml_encoding"),
        (
            encoded(&signed.replace("<saml:Subject>", "<saml:Subject ID=\"_a1\">")),
            "saml_identifier",
        ),
        (
            encoded(&signed.replace("Version=\"2.0\"", "Version=\"1.1\"")),
            "saml_signature",
        ),
    ];
    for (token, reason) in cases {
        let answer = for_id_jag(&world, &token).await;
        assert_refused(&world, &answer, reason);
    }
}

#[tokio::test]
async fn an_oversized_assertion_is_refused_before_it_is_read_sec_22() {
    let world = world().await;
    let answer = for_id_jag(&world, &"A".repeat(61 * 1024)).await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn a_client_that_is_no_service_provider_gets_nothing_saml_05() {
    let world = world().await;
    let ide = world.company.client(Side::Idp, IDE);
    world.company.write(move |_, tx| tx.remove_service_providers(&ide.key));
    let answer = for_id_jag(&world, &encoded(&PROVIDER.sign(&draft(&world)))).await;
    assert_refused(&world, &answer, "saml_no_service_provider");
}

#[tokio::test]
async fn a_provider_that_is_off_or_has_other_certificates_vouches_for_nobody_saml_03() {
    let world = world().await;
    let token = encoded(&PROVIDER.sign(&draft(&world)));
    let mut off = spec();
    off.enabled = false;
    put(&world, off);
    assert_refused(&world, &for_id_jag(&world, &token).await, "saml_unknown_issuer");
    let mut rolled = spec();
    let next = IdentityProvider::new(CORP, Algorithm::Es256);
    if let Some(saml) = &mut rolled.saml {
        saml.certificates = vec![next.certificate.to_base64()];
    }
    put(&world, rolled);
    assert_refused(&world, &for_id_jag(&world, &token).await, "saml_signature");
    assert_eq!(
        for_id_jag(&world, &encoded(&next.sign(&draft(&world)))).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_name_for_one_session_is_whoever_has_that_session_saml_11() {
    let world = world().await;
    let first = for_refresh_token(&world, &encoded(&PROVIDER.sign(&draft(&world)))).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text());
    let mut transient = draft(&world);
    transient.id = "_a2".to_owned();
    transient.format = Some(TRANSIENT.to_owned());
    transient.name = "_t".to_owned();
    let known = for_id_jag(&world, &encoded(&PROVIDER.sign(&transient))).await;
    assert_eq!(known.status, StatusCode::OK, "{}", known.text());
    transient.id = "_a3".to_owned();
    transient.session_index = Some("s-other".to_owned());
    let unknown = for_id_jag(&world, &encoded(&PROVIDER.sign(&transient))).await;
    assert_refused(&world, &unknown, "saml_transient_name");
}

#[tokio::test]
async fn a_refresh_token_needs_offline_access_saml_10() {
    let world = world().await;
    let token = encoded(&PROVIDER.sign(&draft(&world)));
    let changes = [
        ("subject_token_type", SAML2),
        ("requested_token_type", REFRESH_TOKEN),
        ("audience", ""),
        ("resource", ""),
        ("scope", "openid"),
    ];
    let answer = world
        .post(&token_url(ISSUER), IDE, &exchange_fields(&token, &changes))
        .await;
    assert_eq!(answer.error(), (400, "invalid_scope".to_owned()));
    world.assert_denied("idp.tokens.denied", "offline_not_allowed");
    // Of a refresh token there is none for an ID token.
    let id_token = world.id_token(ALICE).await;
    let changes = [("requested_token_type", REFRESH_TOKEN), ("audience", "")];
    let answer = world
        .post(&token_url(ISSUER), IDE, &exchange_fields(&id_token, &changes))
        .await;
    assert_eq!(answer.error(), (400, "invalid_request".to_owned()));
}
