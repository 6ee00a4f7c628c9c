//! Sign-in at a SAML identity provider, through HTTP: our metadata, the request, the answer, the browser's return, and a
//! logout that the provider asks for.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::StatusCode;
use lanyard_core::clock::{Clock, Timestamp};
use lanyard_core::keys::record::Ring;
use lanyard_core::saml::assertion::NameId;
use lanyard_core::session::strength::Strength;
use lanyard_core::upstream::link::{Link, LinkOrigin};
use lanyard_core::upstream::mapping::{StrengthClaim, StrengthRule};
use lanyard_core::upstream::saml::SamlSettings;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::message::{Envelope, logout_request};
use lanyard_federation::saml::redirect::{Carrier, Received, address};
use lanyard_testkit::company::{ALICE, IDP as ISSUER, REDIRECT};
use lanyard_testkit::saml::{Draft, base64};
use secrecy::ExposeSecret;

use crate::saml_exchange::{CORP, PROVIDER, put, spec};
use crate::support::{Answer, World, claims, form, get, post};
use crate::upstream_world::{client_request, start_path};

const HOST: &str = "https://login.northwind.example";
const BASE: &str = "https://login.northwind.example/upstream/corp";

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
    begin_with(world, &[]).await
}

async fn begin_with(world: &World, more: &[(&str, &str)]) -> Begun {
    begin_at(world, &start_path("corp", more), None).await
}

/// Begins at a path of the issuer, in a new browser or in the one that has these cookies.
async fn begin_at(world: &World, path: &str, cookies: Option<&str>) -> Begun {
    let url = format!("{HOST}{path}");
    let answer = match cookies {
        Some(cookies) => get_with(world, &url, cookies).await,
        None => world.get(&url).await,
    };
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
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
        browser: cookie(&answer, "__Host-lanyard_idp_form")
            .or(cookies.map(str::to_owned))
            .unwrap(),
        id,
        state: received.relay_state.clone().unwrap(),
        received,
    }
}

fn draft(world: &World, in_response_to: Option<&str>) -> Draft {
    let own = format!("{BASE}/saml/metadata");
    let mut draft = PROVIDER.draft(world.company.clock.now(), &own, &format!("{BASE}/saml/acs"));
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
    let request = post(&format!("{BASE}/saml/acs"))
        .body(Body::from(form(&fields)))
        .unwrap();
    world.send(request).await
}

/// What the browser that began sees after an answer was refused: it is led back to our own site first.
async fn told(world: &World, delivered: Answer, begun: &Begun) -> Answer {
    assert_eq!(delivered.status, StatusCode::SEE_OTHER, "{}", delivered.text());
    let back = format!("{HOST}{}", delivered.header("location"));
    get_with(world, &back, &begun.browser).await
}

/// Nothing begins, the page says no reason, the log says which.
#[track_caller]
fn assert_refused(world: &World, answer: &Answer, reason: &str) {
    assert!(answer.status.is_client_error(), "{}: {}", answer.status, answer.text());
    assert!(cookie(answer, "__Host-lanyard_idp").is_none());
    assert!(
        !answer.text().contains(reason) && answer.text().contains("req_"),
        "{}",
        answer.text()
    );
    world.assert_denied("idp.sign_in.failed", reason);
}

async fn own_certificates(world: &World) -> Vec<Certificate> {
    let text = world.get(&format!("{BASE}/saml/metadata")).await.text();
    text.split("<ds:X509Certificate>")
        .skip(1)
        .map(|part| Certificate::parse(part.split('<').next().unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn our_metadata_says_where_to_answer_and_with_which_keys() {
    let world = world().await;
    let answer = world.get(&format!("{BASE}/saml/metadata")).await;
    assert_eq!(answer.header("content-type"), "application/samlmetadata+xml");
    let text = answer.text();
    assert!(text.contains(&format!("entityID=\"{BASE}/saml/metadata\"")), "{text}");
    assert!(text.contains(&format!("Location=\"{BASE}/saml/acs\"")), "{text}");
    assert!(text.contains("WantAssertionsSigned=\"true\""));
    // One key, for signing and for encryption, and the same at the next look.
    let certificates = own_certificates(&world).await;
    assert_eq!(certificates.len(), 2);
    assert_eq!(certificates, own_certificates(&world).await);
    assert_eq!(
        world.get(&format!("{}x/saml/metadata", BASE)).await.status,
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
    let back = format!("{HOST}{}", delivered.header("location"));
    let done = get_with(&world, &back, &begun.browser).await;
    assert_eq!(done.status, StatusCode::FOUND, "{}", done.text());
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
        (Some("zR4b9Qe1"), Some(ISSUER))
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
    let back = format!("{HOST}{}", delivered.header("location"));
    assert_refused(
        &world,
        &get_with(&world, &back, &victim.browser).await,
        "attempt_of_other_browser",
    );
    assert_refused(&world, &world.get(&back).await, "attempt_of_other_browser");
    // And it still counts in its own.
    assert_eq!(
        get_with(&world, &back, &attacker.browser).await.status,
        StatusCode::FOUND
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
        let begun = begin(&world).await;
        let mut draft = draft(&world, Some(&begun.id));
        change(&mut draft, world.company.clock.now());
        let delivered = deliver(&world, &draft, &begun.state).await;
        world.assert_denied("idp.sign_in.failed", reason);
        let page = told(&world, delivered, &begun).await;
        // The number on the page is the one in the log.
        let event = world.company.events().remove(0).event;
        let number = event.request_id.to_string();
        assert!(page.text().contains(&number), "{number}: {}", page.text());
        assert_refused(&world, &page, reason);
        // The same request again, another way.
        assert!(
            page.text().contains("[Sign in another way](/oauth2/authorize?"),
            "{}",
            page.text()
        );
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
        let delivered = deliver_xml(&world, &xml, &begun.state).await;
        assert_eq!(delivered.status, StatusCode::SEE_OTHER);
        world.assert_denied("idp.sign_in.failed", reason);
        // Nobody else is told anything but that it is not theirs.
        assert_refused(&world, &deliver_xml(&world, &xml, "another").await, reason);
    }
    // None of that used anything up.
    let delivered = deliver(&world, &good, &begun.state).await;
    let done = told(&world, delivered, &begun).await;
    assert!(done.header("location").starts_with(REDIRECT), "{}", done.text());
}

#[tokio::test]
async fn a_provider_that_says_no_is_told_in_other_words_than_an_answer_that_is_wrong() {
    let world = world().await;
    let begun = begin(&world).await;
    let good = draft(&world, Some(&begun.id));
    let signed = PROVIDER.respond_signed(&good, &PROVIDER.sign(&good));
    let no = signed.replace(":status:Success", ":status:Responder");
    let delivered = deliver_xml(&world, &no, &begun.state).await;
    let page = told(&world, delivered, &begun).await;
    assert!(page.text().contains("did not sign you in"), "{}", page.text());
}

#[tokio::test]
async fn what_a_client_asks_of_the_sign_in_is_asked_of_the_provider() {
    const MFA: &str = "https://refeds.org/profile/mfa";
    let world = world().await;
    let message = |begun: &Begun| String::from_utf8(begun.received.message.clone()).unwrap();
    let plain = message(&begin(&world).await);
    assert!(
        !plain.contains("ForceAuthn") && !plain.contains("RequestedAuthnContext"),
        "{plain}"
    );
    for more in [("prompt", "login"), ("max_age", "60")] {
        let asked = message(&begin_with(&world, &[more]).await);
        assert!(asked.contains("ForceAuthn=\"true\""), "{more:?}: {asked}");
    }
    // Another account is had by a new sign-in; whoever chose one without need not come again.
    let chosen = begin_with(&world, &[("prompt", "select_account")]).await;
    assert!(message(&chosen).contains("ForceAuthn"), "{}", message(&chosen));
    let mut earlier = draft(&world, Some(&chosen.id));
    earlier.id = "_a7".to_owned();
    earlier.authn_instant = Some(world.company.clock.now().minus(Duration::from_secs(3600)));
    let delivered = deliver(&world, &earlier, &chosen.state).await;
    let done = told(&world, delivered, &chosen).await;
    assert!(done.header("location").contains("code="), "{}", done.header("location"));
    // Without a rule of the operator no class is asked for: a provider refuses one that it does not know.
    let unruled = message(&begin_with(&world, &[("acr_values", "phr")]).await);
    assert!(!unruled.contains("RequestedAuthnContext"), "{unruled}");
    let mut ruled = spec();
    ruled.saml = Some(settings());
    ruled.strengths = Some(vec![StrengthRule {
        value: MFA.to_owned(),
        claim: StrengthClaim::Acr,
        strength: Strength::MultiFactor,
    }]);
    put(&world, ruled);
    let mfa = Strength::MultiFactor.acr();
    let begun = begin_with(&world, &[("acr_values", mfa)]).await;
    let asked = message(&begun);
    assert!(asked.contains(&format!("<saml:AuthnContextClassRef>{MFA}<")), "{asked}");

    // A provider that does it weaker all the same: told to the client, and no second round.
    let delivered = deliver(&world, &draft(&world, Some(&begun.id)), &begun.state).await;
    let done = told(&world, delivered, &begun).await;
    let location = done.header("location");
    assert!(
        location.contains("error=unmet_authentication_requirements"),
        "{location}"
    );
    let strong = begin_with(&world, &[("acr_values", mfa)]).await;
    let mut stronger = draft(&world, Some(&strong.id));
    stronger.id = "_a9".to_owned();
    stronger.class_ref = Some(MFA.to_owned());
    let delivered = deliver(&world, &stronger, &strong.state).await;
    let done = told(&world, delivered, &strong).await;
    assert!(done.header("location").contains("code="), "{}", done.header("location"));
}

#[tokio::test]
async fn a_page_of_the_account_is_reached_by_saml_and_an_earlier_session_is_replaced_sec_16() {
    let world = world().await;
    let path = "/upstream/corp/start?return_to=/account/security";
    let first = begin_at(&world, path, None).await;
    let delivered = deliver(&world, &draft(&world, Some(&first.id)), &first.state).await;
    let done = told(&world, delivered, &first).await;
    assert_eq!(done.header("location"), "/account/security");
    let session = cookie(&done, "__Host-lanyard_idp").unwrap();

    let both = format!("{}; {session}", first.browser);
    let second = begin_at(&world, path, Some(&both)).await;
    let mut again = draft(&world, Some(&second.id));
    again.id = "_a2".to_owned();
    let delivered = deliver(&world, &again, &second.state).await;
    let done = told(&world, delivered, &second).await;
    assert_ne!(cookie(&done, "__Host-lanyard_idp").unwrap(), session);
    let alice = world.company.user(ALICE);
    let page = lanyard_core::store::page::PageRequest::new(None, 10);
    let sessions = world
        .company
        .read(move |tx| tx.list_sessions_of(&alice.id, &page))
        .items;
    let live = sessions.iter().filter(|session| session.ended_at.is_none()).count();
    assert_eq!((sessions.len(), live), (2, 1));
}

#[tokio::test]
async fn a_dry_sign_in_shows_what_the_answer_says_and_signs_nobody_in() {
    let world = world().await;
    let mut off = spec();
    off.saml = Some(settings());
    off.enabled = false;
    put(&world, off);
    // Nobody else begins anything there.
    let closed = world.get(&format!("{HOST}{}", start_path("corp", &[]))).await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND);
    for (audience, accepted, reason) in [
        (None, true, None),
        (Some("https://x.example"), false, Some("saml_audience")),
    ] {
        let ticket = world.company.write(|cx, tx| {
            let connection = tx.find_connection_by_name("corp")?.unwrap();
            lanyard_core::upstream::attempt::ticket(cx, tx, &connection)
        });
        let path = format!("/upstream/corp/start?test={}", ticket.expose_secret());
        let begun = begin_at(&world, &path, None).await;
        let mut draft = draft(&world, Some(&begun.id));
        draft.id = format!("_{}", audience.is_some());
        if let Some(audience) = audience {
            draft.audiences = vec![audience.to_owned()];
        }
        let delivered = deliver(&world, &draft, &begun.state).await;
        let done = told(&world, delivered, &begun).await;
        assert_eq!(done.status, StatusCode::OK, "{}", done.text());
        assert!(cookie(&done, "__Host-lanyard_idp").is_none());
        let hash = lanyard_jose::digest::sha256(ticket.expose_secret().as_bytes());
        let found = world.company.read(move |tx| tx.find_attempt(&hash)).unwrap();
        let report: serde_json::Value = serde_json::from_str(&found.report.unwrap()).unwrap();
        assert_eq!(report["accepted"], accepted, "{report}");
        assert_eq!(report["reason"].as_str(), reason);
        if accepted {
            assert_eq!(report["subject"], "persistent:alice-1f0a");
        }
    }
    let alice = world.company.user(ALICE);
    let page = lanyard_core::store::page::PageRequest::new(None, 10);
    assert!(
        world
            .company
            .read(move |tx| tx.list_sessions_of(&alice.id, &page))
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn a_carried_request_that_is_damaged_begins_nothing() {
    let world = world().await;
    for query in ["", "request=x", "return_to=https://evil.example/", "test=wrong"] {
        let answer = world.get(&format!("{BASE}/start?{query}")).await;
        assert!(answer.status.is_client_error(), "{query}: {}", answer.text());
    }
    let foreign = client_request(&[])
        .encode()
        .replace("redirect_uri=", "redirect_uri=https%3A%2F%2Fevil.example%2F&x=");
    let query = lanyard_protocol::form::Form::default()
        .with("request", foreign)
        .encode();
    let answer = world.get(&format!("{BASE}/start?{query}")).await;
    assert!(answer.status.is_client_error(), "{}", answer.text());
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
    assert_eq!(answer.header("location"), "/account");
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
    let back = format!("{HOST}{}", delivered.header("location"));
    get_with(&world, &back, &begun.browser).await;

    let own = format!("{BASE}/saml/slo");
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
