//! A logout that a provider tells us of: which sessions end, once (OpenID Connect Back-Channel Logout; RV-06).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::outcome::Outcome;
use lanyard_core::session::record::Session;
use lanyard_core::upstream::logout::{LogoutDenial, end_sessions};
use lanyard_protocol::claims::logout_token::LogoutTokenClaims;
use lanyard_testkit::company::Company;
use serde_json::{Value, json};

use crate::ras_world::{denied, granted};
use crate::upstream_support::{asserted, company, put, sign_in, spec};

fn session(company: &Company, subject: &str, sid: &str) -> Session {
    let mut said = asserted(subject, json!({"preferred_username": subject}));
    said.session = Some(sid.to_owned());
    granted(sign_in(company, said)).session.session
}

fn token(company: &Company, changes: Value) -> LogoutTokenClaims {
    let now = company.cx().now.seconds();
    let mut claims = json!({
        "iss": "https://corp.example", "aud": "lanyard", "iat": now, "exp": now + 120, "jti": "j-1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    serde_json::from_value(claims).unwrap()
}

fn tell(company: &Company, name: &'static str, token: LogoutTokenClaims) -> Outcome<u64, LogoutDenial> {
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    company.write(move |cx, tx| {
        let connection = tx.find_connection_by_name(name)?.unwrap();
        end_sessions(cx, tx, &vault, &issuer, &connection, &token, Duration::from_secs(30))
    })
}

fn is_open(company: &Company, session: &Session) -> bool {
    let id = session.id.clone();
    company.read(move |tx| tx.find_session(&id)).unwrap().ended_at.is_none()
}

#[test]
fn a_provider_ends_sessions_that_it_began_and_no_others_rv_06() {
    let company = company(|_| {});
    let _ = granted(put(&company, &spec("other")));
    let erin = session(&company, "erin", "up-1");
    assert_eq!(
        granted(tell(&company, "other", token(&company, json!({"sid": "up-1"})))),
        0
    );
    assert_eq!(
        granted(tell(
            &company,
            "other",
            token(&company, json!({"sub": "erin", "jti": "j-2"}))
        )),
        0
    );
    assert!(is_open(&company, &erin));
    assert_eq!(
        granted(tell(&company, "corp", token(&company, json!({"sid": "up-1"})))),
        1
    );
    assert!(!is_open(&company, &erin));
}

#[test]
fn a_session_identifier_says_exactly_which_of_a_persons_sessions_ends_rv_06() {
    let company = company(|_| {});
    let (one, two) = (session(&company, "erin", "up-1"), session(&company, "erin", "up-2"));
    let frank = session(&company, "frank", "up-3");
    let which = json!({"sid": "up-1", "sub": "erin"});
    assert_eq!(granted(tell(&company, "corp", token(&company, which))), 1);
    assert!(!is_open(&company, &one) && is_open(&company, &two));
    let everywhere = json!({"sub": "erin", "jti": "j-2"});
    assert_eq!(granted(tell(&company, "corp", token(&company, everywhere))), 1);
    assert!(!is_open(&company, &two) && is_open(&company, &frank));
}

#[test]
fn a_logout_token_is_taken_once_and_while_it_is_young_rv_06() {
    let company = company(|_| {});
    let first = token(&company, json!({"sid": "up-1"}));
    assert_eq!(granted(tell(&company, "corp", first.clone())), 0);
    assert_eq!(denied(tell(&company, "corp", first)), LogoutDenial::Replayed);
    let lasting = token(&company, json!({"sid": "up-1", "jti": "j-2", "exp": 9_999_999_999_i64}));
    company.clock.advance(Duration::from_secs(630));
    assert_eq!(denied(tell(&company, "corp", lasting)), LogoutDenial::TooOld);
    let refused = (
        "idp.upstream_logout.refused".to_owned(),
        Some("logout_token_too_old".to_owned()),
    );
    assert_eq!(company.last_event(), refused);
}

#[test]
fn a_connection_that_changed_while_the_token_was_verified_ends_nothing() {
    let company = company(|_| {});
    let erin = session(&company, "erin", "up-1");
    let before = company.read(|tx| tx.find_connection_by_name("corp")).unwrap();
    let mut changed = spec("corp");
    changed.title = Some("Another".to_owned());
    let _ = granted(put(&company, &changed));
    let (vault, issuer) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let told = token(&company, json!({"sid": "up-1"}));
    let end =
        company.write(move |cx, tx| end_sessions(cx, tx, &vault, &issuer, &before, &told, Duration::from_secs(30)));
    assert_eq!(denied(end), LogoutDenial::ConnectionChanged);
    assert!(is_open(&company, &erin));
}
