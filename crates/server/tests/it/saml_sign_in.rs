//! Sign-in at a SAML identity provider, through HTTP: our metadata, the request, the answer, the browser's return, and a
//! logout that the provider asks for.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::StatusCode;
use lanyard_core::clock::{Clock, Timestamp};
use lanyard_core::keys::record::Ring;
use lanyard_core::saml::assertion::NameId;
use lanyard_core::upstream::link::{Link, LinkOrigin};
use lanyard_core::upstream::saml::SamlSettings;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::message::{Envelope, logout_request};
use lanyard_federation::saml::redirect::{Carrier, Received, address};
use lanyard_jose::digest::s256_challenge;
use lanyard_protocol::form::Form;
use lanyard_testkit::company::{ALICE, IDE, IDP as ISSUER, REDIRECT};
use lanyard_testkit::saml::{Draft, base64};

use crate::saml_exchange::{CORP, PROVIDER, put, spec};
use crate::support::{Answer, VERIFIER, World, claims, form, get, post};

const BASE: &str = "https://login.northwind.example/oauth2/upstream/corp";

fn settings() -> SamlSettings {
    SamlSettings {
        slo_url: Some("https://corp.example/slo".to_owned()),
        ..spec().saml.unwrap()
    }
}

async fn world_with(settings: SamlSettings) -> World {
    let world = World::new().await;
    let mut spec = spec();
    spec.saml = Some(settings);
    put(&world, spec);
    let alice = world.company.user(ALICE);
    world.company.write(move |cx, tx| {
        let connection = tx.find_connection_by_name("corp")?.unwrap();
        tx.insert_person_link(&Link {
            connection: connection.id,
            subject: "persistent:alice-1f0a".to_owned(),
            user: alice.id,
            origin: LinkOrigin::Administrator,
            linked_at: cx.now,
            last_seen_at: None,
        })
    });
    world
}

async fn world() -> World {
    world_with(settings()).await
}

fn cookie(answer: &Answer, name: &str) -> Option<String> {
    answer
        .headers
        .get_all("set-cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter_map(|value| value.split(';').next())
        .find(|pair| pair.starts_with(&format!("{name}=")))
        .map(str::to_owned)
}

async fn get_with(world: &World, url: &str, cookie: &str) -> Answer {
    world
        .send(get(url).header("cookie", cookie).body(Body::empty()).unwrap())
        .await
}

/// A sign-in that began: the browser's cookie, the request's identifier, the state.
struct Begun {
    browser: String,
    id: String,
    state: String,
    received: Received,
}

async fn begin(world: &World) -> Begun {
    let asked = Form::default()
        .with("response_type", "code")
        .with("client_id", IDE)
        .with("redirect_uri", REDIRECT)
        .with("scope", "openid")
        .with("state", "st-1")
        .with("code_challenge", s256_challenge(VERIFIER))
        .with("code_challenge_method", "S256");
    let answer = world.get(&format!("{BASE}/saml?{}", asked.encode())).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let location = answer.header("location").to_owned();
    let (endpoint, query) = location.split_once('?').unwrap();
    assert_eq!(endpoint, "https://corp.example/sso");
    let received = Received::parse(query, Carrier::Request).unwrap();
    let message = String::from_utf8(received.message.clone()).unwrap();
    let id = message
        .split(" ID=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    Begun {
        browser: cookie(&answer, "__Host-lanyard_idp_form").unwrap(),
        id,
        state: received.relay_state.clone().unwrap(),
        received,
    }
}

fn draft(world: &World, in_response_to: Option<&str>) -> Draft {
    let own = format!("{BASE}/metadata");
    let mut draft = PROVIDER.draft(world.company.clock.now(), &own, &format!("{BASE}/acs"));
    draft.in_response_to = in_response_to.map(str::to_owned);
    draft
}

async fn deliver(world: &World, draft: &Draft, state: &str) -> Answer {
    let response = PROVIDER.respond_signed(draft, &PROVIDER.sign(draft));
    deliver_xml(world, &response, state).await
}

async fn deliver_xml(world: &World, response: &str, state: &str) -> Answer {
    let encoded = base64(response.as_bytes());
    let fields = [("SAMLResponse", encoded.as_str()), ("RelayState", state)];
    let request = post(&format!("{BASE}/acs")).body(Body::from(form(&fields))).unwrap();
    world.send(request).await
}

/// Nothing begins, the page says no reason, the log says which.
#[track_caller]
fn assert_refused(world: &World, answer: &Answer, reason: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    assert!(cookie(answer, "__Host-lanyard_idp").is_none());
    assert!(
        !answer.text().contains(reason) && answer.text().contains("req_"),
        "{}",
        answer.text()
    );
    world.assert_denied("idp.sign_in.failed", reason);
}

async fn own_certificates(world: &World) -> Vec<Certificate> {
    let text = world.get(&format!("{BASE}/metadata")).await.text();
    text.split("<ds:X509Certificate>")
        .skip(1)
        .map(|part| Certificate::parse(part.split('<').next().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn our_metadata_says_where_to_answer_and_with_which_keys() {
    let world = world().await;
    let answer = world.get(&format!("{BASE}/metadata")).await;
    assert_eq!(answer.header("content-type"), "application/samlmetadata+xml");
    let text = answer.text();
    assert!(text.contains(&format!("entityID=\"{BASE}/metadata\"")), "{text}");
    assert!(text.contains(&format!("Location=\"{BASE}/acs\"")), "{text}");
    assert!(text.contains("WantAssertionsSigned=\"true\""));
    // One key, for signing and for encryption, and the same at the next look.
    let certificates = own_certificates(&world).await;
    assert_eq!(certificates.len(), 2);
    assert_eq!(certificates, own_certificates(&world).await);
    assert_eq!(
        world.get(&format!("{}x/metadata", BASE)).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_person_signs_in_and_the_client_gets_a_code_saml_07_saml_08() {
    let world = world().await;
    let begun = begin(&world).await;
    let pinned = own_certificates(&world).await;
    begun.received.verify(&pinned).unwrap();

    let mut draft = draft(&world, Some(&begun.id));
    draft.session_not_on_or_after = Some(Timestamp::from_seconds(world.company.clock.now().seconds() + 600));
    let delivered = deliver(&world, &draft, &begun.state).await;
    assert_eq!(delivered.status, StatusCode::SEE_OTHER, "{}", delivered.text());
    assert!(
        cookie(&delivered, "__Host-lanyard_idp").is_none(),
        "the browser has to come back first"
    );
    let back = format!("https://login.northwind.example{}", delivered.header("location"));
    let done = get_with(&world, &back, &begun.browser).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text());
    assert!(cookie(&done, "__Host-lanyard_idp").is_some());
    let location = url::Url::parse(done.header("location")).unwrap();
    assert!(location.as_str().starts_with(REDIRECT));
    let told = |name: &str| {
        location
            .query_pairs()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(
        (told("state").as_deref(), told("iss").as_deref()),
        (Some("st-1"), Some(ISSUER))
    );

    let tokens = world.redeem_code(&told("code").unwrap()).await.json();
    let said = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(said["auth_time"], draft.authn_instant.unwrap().seconds());
    assert_eq!(said["acr"], draft.class_ref.clone().unwrap());
    // The session here ends with the one there (SAML-08).
    let alice = world.company.user(ALICE);
    let page = lanyard_core::store::page::PageRequest::new(None, 10);
    let sessions = world
        .company
        .read(move |tx| tx.list_sessions_of(&alice.id, &page))
        .items;
    assert_eq!(sessions[0].expires_at, draft.session_not_on_or_after.unwrap());
    assert_eq!(sessions[0].upstream_session.as_deref(), Some("s-1"));

    // The same answer again, and the same return again.
    let again = deliver(&world, &draft, &begun.state).await;
    assert_refused(&world, &again, "saml_unsolicited");
    let again = get_with(&world, &back, &begun.browser).await;
    assert_refused(&world, &again, "attempt_used");
}

#[tokio::test]
async fn an_answer_counts_only_in_the_browser_that_asked_sec_16() {
    let world = world().await;
    let (victim, attacker) = (begin(&world).await, begin(&world).await);
    let delivered = deliver(&world, &draft(&world, Some(&attacker.id)), &attacker.state).await;
    let back = format!("https://login.northwind.example{}", delivered.header("location"));
    assert_refused(
        &world,
        &get_with(&world, &back, &victim.browser).await,
        "attempt_of_other_browser",
    );
    assert_refused(&world, &world.get(&back).await, "attempt_of_other_browser");
    // And it still counts in its own.
    assert_eq!(
        get_with(&world, &back, &attacker.browser).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn every_check_of_an_answer_has_its_name_in_the_log_saml_04_saml_05_saml_07() {
    let world = world().await;
    let begun = begin(&world).await;
    type Change = fn(&mut Draft, Timestamp);
    let cases: [(Change, &str); 8] = [
        (
            |d, _| d.audiences = vec!["https://other.example".to_owned()],
            "saml_audience",
        ),
        (
            |d, _| d.in_response_to = Some("_other".to_owned()),
            "saml_in_response_to",
        ),
        (
            |d, _| d.recipient = Some("https://other.example/acs".to_owned()),
            "saml_destination",
        ),
        (
            |d, now| d.not_on_or_after = Some(now.minus(Duration::from_secs(60))),
            "saml_expired",
        ),
        (
            |d, now| d.not_before = Some(now.plus(Duration::from_secs(61))),
            "saml_not_yet_valid",
        ),
        (|d, _| d.authn_instant = None, "saml_no_authentication"),
        (
            |d, _| d.issuer = "https://other.example".to_owned(),
            "saml_other_issuer",
        ),
        (
            |d, _| d.format = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient".to_owned()),
            "saml_transient_name",
        ),
    ];
    for (change, reason) in cases {
        let mut draft = draft(&world, Some(&begun.id));
        change(&mut draft, world.company.clock.now());
        let answer = deliver(&world, &draft, &begun.state).await;
        assert_refused(&world, &answer, reason);
    }
    let good = draft(&world, Some(&begun.id));
    let signed = PROVIDER.respond_signed(&good, &PROVIDER.sign(&good));
    for (xml, reason) in [
        (signed.replace("alice-1f0a", "carol-1f0a"), "saml_signature"),
        (signed.replace("alice-1f0a", "alice<!-- -->-1f0a"), "saml_markup"),
        (PROVIDER.sign(&good), "saml_shape"),
        (String::new(), "saml_malformed"),
        (signed.replace(":status:Success", ":status:Responder"), "saml_status"),
    ] {
        let answer = deliver_xml(&world, &xml, &begun.state).await;
        assert_refused(&world, &answer, reason);
    }
    // None of that used anything up.
    assert_eq!(deliver(&world, &good, &begun.state).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_refused_unless_the_connection_allows_it() {
    let off = world().await;
    let answer = deliver(&off, &draft(&off, None), "").await;
    assert_refused(&off, &answer, "saml_unsolicited");

    let on = world_with(SamlSettings {
        idp_initiated: true,
        ..settings()
    })
    .await;
    let unasked = draft(&on, None);
    let answer = deliver(&on, &unasked, "https://evil.example/").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(cookie(&answer, "__Host-lanyard_idp").is_some());
    assert_eq!(answer.header("location"), "https://login.northwind.example/account");
    assert_refused(&on, &deliver(&on, &unasked, "").await, "saml_replayed");
    // One that claims to answer something is not one that nobody asked for.
    let mut claimed = draft(&on, Some("_other"));
    claimed.id = "_a2".to_owned();
    assert_refused(&on, &deliver(&on, &claimed, "").await, "saml_in_response_to");
}

#[tokio::test]
async fn a_logout_there_ends_the_sessions_here_and_is_answered() {
    let world = world().await;
    let begun = begin(&world).await;
    let delivered = deliver(&world, &draft(&world, Some(&begun.id)), &begun.state).await;
    let back = format!("https://login.northwind.example{}", delivered.header("location"));
    get_with(&world, &back, &begun.browser).await;

    let own = format!("{BASE}/slo");
    let ask = |id: &str, key: Option<&lanyard_jose::key::SigningKey>| {
        let name = NameId {
            value: "alice-1f0a".to_owned(),
            format: lanyard_core::saml::assertion::PERSISTENT.to_owned(),
            name_qualifier: None,
            sp_name_qualifier: None,
        };
        let envelope = Envelope {
            id,
            issuer: CORP,
            destination: &own,
            at: world.company.clock.now(),
        };
        address(
            &own,
            Carrier::Request,
            &logout_request(&envelope, &name, Some("s-1")),
            Some("r-1"),
            key,
        )
        .unwrap()
    };
    assert_refused(&world, &world.get(&ask("_l0", None)).await, "saml_unsigned");
    let answer = world.get(&ask("_l1", Some(&PROVIDER.key))).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let (endpoint, query) = answer.header("location").split_once('?').unwrap();
    assert_eq!(endpoint, "https://corp.example/slo");
    let received = Received::parse(query, Carrier::Response).unwrap();
    received.verify(&own_certificates(&world).await).unwrap();
    assert_eq!(received.relay_state.as_deref(), Some("r-1"));
    assert!(String::from_utf8_lossy(&received.message).contains("InResponseTo=\"_l1\""));
    let alice = world.company.user(ALICE);
    let page = lanyard_core::store::page::PageRequest::new(None, 10);
    let sessions = world
        .company
        .read(move |tx| tx.list_sessions_of(&alice.id, &page))
        .items;
    assert!(sessions[0].ended_at.is_some());
    assert_refused(
        &world,
        &world.get(&ask("_l1", Some(&PROVIDER.key))).await,
        "saml_replayed",
    );
}

#[tokio::test]
async fn a_new_key_is_published_long_before_it_signs_and_the_old_one_still_decrypts_after() {
    let world = world().await;
    let before = own_certificates(&world).await;
    let vault = Arc::clone(&world.company.vault);
    let admin = world.company.admin.clone();
    let fresh =
        lanyard_core::keys::rotation::FreshKey::generate(&vault, Ring::Saml, lanyard_jose::algorithm::Algorithm::Rs256)
            .unwrap();
    world.company.write(move |cx, tx| {
        let settings = lanyard_core::keys::rotation::RotationSettings::default();
        lanyard_core::keys::rotation::rotate(cx, tx, &settings, &admin, &fresh).map(|_| ())
    });
    let both = own_certificates(&world).await;
    assert_eq!(both.len(), 4);
    begin(&world).await.received.verify(&before[..1]).unwrap();
    world.company.clock.advance(Duration::from_secs(14 * 86_400 + 1));
    world.company.write(|cx, tx| {
        lanyard_core::keys::rotation::tend(cx, tx, &lanyard_core::keys::rotation::RotationSettings::default())
            .map(|_| ())
    });
    let after = own_certificates(&world).await;
    assert_eq!(after.len(), 4);
    assert_ne!(after[0], before[0], "the new key signs");
    begin(&world).await.received.verify(&after[..1]).unwrap();
}
