//! Sign-in, authorization request and code (IDP-AU).

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::directory::user::UserStatus;
use lanyard_core::idp::authorization_code::Denial;
use lanyard_core::idp::authorize::{
    self, AuthorizeDenial, AuthorizeRefusal, AuthorizeRequest, AuthorizeStep, PageDenial, SignInReason, ValidAuthorize,
};
use lanyard_core::idp::logout::{self, EndedBy};
use lanyard_core::idp::token_exchange::{self, Subject};
use lanyard_core::idp::{id_token, own_token, session, sign_in, userinfo};
use lanyard_core::outcome::Outcome;
use lanyard_core::session::password;
use lanyard_core::session::record::Session;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::at_hash;
use lanyard_protocol::form::Form;
use lanyard_testkit::company::{AGENT, ALICE, Company, DAVE, IDE, PASSWORD, REDIRECT};
use secrecy::ExposeSecret;

use crate::idp_support::*;

fn check(company: &Company, form: &Form) -> Result<ValidAuthorize, AuthorizeRefusal> {
    let request = AuthorizeRequest::parse(form);
    company.write(move |cx, tx| authorize::check_client(cx, tx, &request))
}

fn denial(company: &Company, form: &Form) -> AuthorizeDenial {
    match check(company, form).unwrap_err() {
        AuthorizeRefusal::Redirect {
            redirect_uri,
            state,
            denial,
        } => {
            assert_eq!(
                (redirect_uri.as_str(), state.as_deref()),
                (REDIRECT, Some("zR4b9Qe1")),
                "IDP-AU-04"
            );
            denial
        }
        AuthorizeRefusal::ShowPage(denial) => panic!("a page: {denial}"),
    }
}

/// The good request with one parameter replaced, or left out.
fn changed(name: &str, value: Option<&str>) -> Form {
    let good = request(IDE, REDIRECT, SCOPES);
    let mut form = Form::default();
    for own in good.names().map(str::to_owned).collect::<Vec<_>>() {
        if own != name {
            form = form.with(&own, good.all(&own)[0]);
        }
    }
    match value {
        Some(value) => form.with(name, value),
        None => form,
    }
}

fn step(company: &Company, form: &Form, session: Option<&Session>) -> AuthorizeStep {
    let valid = check(company, form).unwrap();
    let cx = company.cx();
    authorize::decide(&cx, &company.idp, &valid, session)
}

fn enter(company: &Company, username: &'static str, typed: &str) -> Result<sign_in::NewSession, sign_in::SignInDenial> {
    let candidate = company.read(move |tx| sign_in::lookup(tx, username));
    let fits = password::verify(candidate.hash(), typed);
    let settings = company.idp.clone();
    company
        .write(move |cx, tx| sign_in::complete(cx, tx, &settings, &candidate, fits, None))
        .into_result()
}

#[test]
fn a_password_opens_a_session_and_only_the_right_one_does() {
    let company = Company::new();
    let new = enter(&company, " Alice ", PASSWORD).unwrap();
    assert_eq!(new.user.username, ALICE);
    let (settings, secret) = (company.idp.clone(), new.secret.expose_secret().to_owned());
    let found = company.write(move |cx, tx| session::find(cx, tx, &settings, &secret));
    assert_eq!(found.unwrap().0.id, new.session.id);
    for (username, typed, code) in [
        (ALICE, "wrong", "wrong_password"),
        (ALICE, "", "wrong_password"),
        ("nobody", PASSWORD, "unknown_user"),
        ("", PASSWORD, "unknown_user"),
        (DAVE, PASSWORD, "user_deactivated"),
    ] {
        let denied = enter(&company, username, typed).err().unwrap();
        assert_eq!(denied.code(), code, "{username}");
        assert_eq!(
            company.last_event(),
            ("idp.sign_in.failed".to_owned(), Some(code.to_owned()))
        );
    }
    assert!(
        !company.events().iter().any(|event| event.text.contains("nobody")),
        "typed names are not kept"
    );
}

#[test]
fn a_name_that_does_not_exist_costs_a_hash_as_well_sec_23() {
    let company = Company::new();
    let candidate = company.read(|tx| sign_in::lookup(tx, "nobody"));
    assert_eq!(candidate.hash(), password::DUMMY_HASH);
    assert!(candidate.user().is_none());
}

#[test]
fn a_password_changed_while_it_is_checked_does_not_open_a_session() {
    let company = Company::new();
    let candidate = company.read(|tx| sign_in::lookup(tx, ALICE));
    let id = company.user(ALICE).id;
    company.write(move |cx, tx| {
        let mut credential = tx.find_credential(&id)?.unwrap();
        credential.password_hash = password::DUMMY_HASH.to_owned();
        credential.changed_at = cx.now;
        tx.put_credential(&id, &credential)
    });
    let settings = company.idp.clone();
    let end = company.write(move |cx, tx| sign_in::complete(cx, tx, &settings, &candidate, true, None));
    assert_eq!(end.into_result().err().unwrap().code(), "password_changed");
}

#[test]
fn a_new_sign_in_ends_the_session_that_the_browser_had_sec_16() {
    let company = Company::new();
    let old = sign_in(&company, ALICE);
    let (settings, replaced) = (company.idp.clone(), old.id.clone());
    let new = company.write(move |cx, tx| {
        let candidate = sign_in::lookup(tx, ALICE)?;
        sign_in::complete(cx, tx, &settings, &candidate, true, Some(&replaced))
    });
    assert_ne!(new.into_result().ok().unwrap().session.id, old.id);
    assert!(
        company
            .read(move |tx| tx.find_session(&old.id))
            .unwrap()
            .ended_at
            .is_some()
    );
}

#[test]
fn a_session_ends_when_idle_and_in_any_case() {
    let company = Company::new();
    let new = enter(&company, ALICE, PASSWORD).unwrap();
    let live = || {
        let (settings, secret) = (company.idp.clone(), new.secret.expose_secret().to_owned());
        company
            .write(move |cx, tx| {
                let found = session::find(cx, tx, &settings, &secret)?;
                if let Some((session, _)) = &found {
                    session::touch(cx, tx, session)?;
                }
                Ok(found)
            })
            .is_some()
    };
    for _ in 0..3 {
        company.clock.advance(Duration::from_secs(3 * 3600));
        assert!(live(), "used before four hours were over");
    }
    company.clock.advance(Duration::from_secs(3 * 3600));
    assert!(!live(), "twelve hours are over");
    let new = enter(&company, ALICE, PASSWORD).unwrap();
    company.clock.advance(company.idp.session_idle);
    let (settings, secret) = (company.idp.clone(), new.secret.expose_secret().to_owned());
    assert!(
        company
            .write(move |cx, tx| session::find(cx, tx, &settings, &secret))
            .is_none(),
        "idle"
    );
}

#[test]
fn an_unknown_client_or_redirect_uri_gets_a_page_idp_au_03_idp_au_04() {
    let company = Company::new();
    for (form, expected) in [
        (changed("client_id", None), PageDenial::ClientMissing),
        (changed("client_id", Some("nobody")), PageDenial::ClientUnknown),
        (changed("client_id", Some("n\u{f6}body")), PageDenial::ClientUnknown),
        (changed("redirect_uri", None), PageDenial::RedirectMissing),
        (
            changed("redirect_uri", Some("https://ide.contoso.example/cb/x")),
            PageDenial::RedirectMismatch,
        ),
        (
            changed("redirect_uri", Some("https://evil.example/cb")),
            PageDenial::RedirectMismatch,
        ),
        (
            request(IDE, REDIRECT, SCOPES).with("redirect_uri", "https://evil.example/cb"),
            PageDenial::RedirectMissing,
        ),
        (
            request(IDE, REDIRECT, SCOPES).with("client_id", AGENT),
            PageDenial::ClientMissing,
        ),
    ] {
        assert_eq!(
            check(&company, &form).unwrap_err(),
            AuthorizeRefusal::ShowPage(expected),
            "{form:?}"
        );
    }
    let company = Company::with(|organisation| organisation.clients[0].enabled = false);
    let refused = check(&company, &request(IDE, REDIRECT, SCOPES)).unwrap_err();
    assert_eq!(refused, AuthorizeRefusal::ShowPage(PageDenial::ClientUnknown));
}

#[test]
fn every_other_mistake_is_told_to_the_client_idp_au_01_idp_au_02() {
    let company = Company::new();
    let malformed = AuthorizeDenial::Malformed;
    for (name, value, expected) in [
        ("response_type", Some("token"), AuthorizeDenial::ResponseType),
        ("response_type", Some("code id_token"), AuthorizeDenial::ResponseType),
        ("response_type", None, malformed("response_type")),
        ("response_mode", Some("fragment"), malformed("response_mode")),
        ("request", Some("eyJ"), AuthorizeDenial::RequestObject),
        ("request_uri", Some("https://x.example"), AuthorizeDenial::RequestUri),
        ("code_challenge", None, AuthorizeDenial::ChallengeMissing),
        ("code_challenge", Some("short"), malformed("code_challenge")),
        (
            "code_challenge_method",
            Some("plain"),
            AuthorizeDenial::ChallengeMissing,
        ),
        ("code_challenge_method", None, AuthorizeDenial::ChallengeMissing),
        ("scope", Some("a\"b"), AuthorizeDenial::Scope),
        ("scope", Some("somebody.elses"), AuthorizeDenial::Scope),
        ("prompt", Some("none login"), malformed("prompt")),
        ("prompt", Some("create"), malformed("prompt")),
        ("max_age", Some("-1"), malformed("max_age")),
        ("max_age", Some("+1"), malformed("max_age")),
        ("max_age", Some("1.5"), malformed("max_age")),
    ] {
        assert_eq!(denial(&company, &changed(name, value)), expected, "{name}={value:?}");
    }
    let twice = request(IDE, REDIRECT, SCOPES).with("nonce", "again");
    assert_eq!(denial(&company, &twice), AuthorizeDenial::Repeated("nonce"));
}

#[test]
fn a_request_without_scope_asks_for_openid_and_gets_it_only_if_the_client_may() {
    let company = Company::new();
    for value in [None, Some("")] {
        let valid = check(&company, &changed("scope", value)).unwrap();
        assert_eq!(valid.scope, scopes("openid"), "{value:?}");
    }
    let company = Company::with(|organisation| organisation.clients[0].scopes = Some("connectors".to_owned()));
    assert_eq!(denial(&company, &changed("scope", None)), AuthorizeDenial::Scope);
}

#[test]
fn more_scopes_than_the_client_may_have_are_left_out() {
    let company = Company::with(|organisation| organisation.clients[0].scopes = Some("openid email".to_owned()));
    let valid = check(&company, &request(IDE, REDIRECT, SCOPES)).unwrap();
    assert_eq!(valid.scope, scopes("openid email"));
}

#[test]
fn prompt_and_max_age_decide_about_a_sign_in_idp_au_07_idp_au_08() {
    let company = Company::new();
    let session = sign_in(&company, ALICE);
    company.clock.advance(Duration::from_secs(100));
    let with = |name, value| changed(name, Some(value));
    let plain = request(IDE, REDIRECT, SCOPES);
    let signs_in = AuthorizeStep::SignIn;
    let login_required = AuthorizeStep::Refuse(AuthorizeDenial::LoginRequired);
    for (form, session, expected) in [
        (plain.clone(), None, signs_in(SignInReason::NoSession)),
        (plain.clone(), Some(&session), AuthorizeStep::Issue),
        (with("prompt", "none"), None, login_required),
        (with("prompt", "none"), Some(&session), AuthorizeStep::Issue),
        (
            with("prompt", "none").with("max_age", "10"),
            Some(&session),
            login_required,
        ),
        (with("prompt", "login"), Some(&session), signs_in(SignInReason::Asked)),
        (
            with("prompt", "select_account"),
            Some(&session),
            signs_in(SignInReason::Asked),
        ),
        (with("prompt", "consent"), Some(&session), AuthorizeStep::Issue),
        (with("max_age", "0"), Some(&session), signs_in(SignInReason::TooOld)),
        (with("max_age", "99"), Some(&session), signs_in(SignInReason::TooOld)),
        (with("max_age", "100"), Some(&session), AuthorizeStep::Issue),
    ] {
        assert_eq!(step(&company, &form, session), expected, "{form:?}");
    }
    let fresh = sign_in(&company, ALICE);
    for form in [
        with("prompt", "login"),
        with("prompt", "select_account"),
        with("max_age", "0"),
    ] {
        assert_eq!(
            step(&company, &form, Some(&fresh)),
            AuthorizeStep::Issue,
            "signed in since it was asked"
        );
    }
    // Which account was chosen just now; when its person last proved who they are is another question.
    let mut chosen = fresh;
    chosen.authentication.auth_time = session.authentication.auth_time;
    for (form, expected) in [
        (with("prompt", "select_account"), AuthorizeStep::Issue),
        (with("prompt", "login"), signs_in(SignInReason::Asked)),
        (with("prompt", "login select_account"), signs_in(SignInReason::Asked)),
        (
            with("prompt", "select_account").with("max_age", "0"),
            signs_in(SignInReason::TooOld),
        ),
    ] {
        assert_eq!(step(&company, &form, Some(&chosen)), expected, "{form:?}");
    }
    company.clock.advance(company.idp.session_idle);
    assert_eq!(
        step(&company, &plain, Some(&session)),
        signs_in(SignInReason::NoSession)
    );
}

#[test]
fn a_code_is_not_issued_in_a_session_that_ended_meanwhile() {
    let company = Company::new();
    let session = sign_in(&company, ALICE);
    let valid = check(&company, &request(IDE, REDIRECT, SCOPES)).unwrap();
    let (settings, id) = (company.idp.clone(), session.id);
    let end = company.write(move |cx, tx| {
        logout::end(cx, tx, &id, &EndedBy::Person)?;
        authorize::issue_code(cx, tx, &settings, &valid, &id)
    });
    assert_eq!(end.into_result().err(), Some(AuthorizeDenial::SessionGone));
    assert_eq!(
        company.last_event(),
        ("idp.code.denied".to_owned(), Some("session_ended".to_owned()))
    );
}

#[test]
fn the_answer_has_code_state_and_iss_idp_au_05() {
    let company = Company::new();
    let session = sign_in(&company, ALICE);
    let valid = check(&company, &request(IDE, REDIRECT, SCOPES)).unwrap();
    let (settings, id) = (company.idp.clone(), session.id);
    let end = company.write(move |cx, tx| authorize::issue_code(cx, tx, &settings, &valid, &id));
    let issued = end.into_result().ok().unwrap();
    let expected = format!(
        "{REDIRECT}?code={}&state=zR4b9Qe1&iss=https%3A%2F%2Flogin.northwind.example",
        issued.code.expose_secret()
    );
    assert_eq!(issued.location.expose_secret(), expected);
}

#[test]
fn a_code_gives_tokens_of_the_sign_in_once_idp_au_06() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let code = code(&company, &session, &request(IDE, REDIRECT, SCOPES));
    let grant = redeem(&company, &client, code_request(&code, REDIRECT)).ok().unwrap();
    let claims = id_token::claims(&company.idp, &grant, "the-access-token", Algorithm::Es256).unwrap();
    assert_eq!(claims.nonce.as_deref(), Some("n-6TtV0c"));
    assert_eq!(claims.sid.as_deref(), Some(session.id.as_str()));
    assert_eq!(claims.at_hash, Some(at_hash("the-access-token")));
    assert_eq!(
        claims.auth_time.unwrap().seconds(),
        session.authentication.auth_time.seconds()
    );
    assert_eq!(claims.email.as_deref(), Some("alice@northwind.example"));
    assert!(grant.refresh_token.is_some());

    let again = redeem(&company, &client, code_request(&code, REDIRECT)).err().unwrap();
    assert_eq!(again, Denial::Reused);
    assert_eq!(
        company.last_event(),
        ("idp.tokens.denied".to_owned(), Some("code_reused".to_owned()))
    );
    // What the first use gave is dead: the refresh token, the access token, and the ID token as a subject.
    let token = grant.refresh_token.clone().unwrap();
    assert_eq!(
        refresh(&company, &client, &token, None).err().unwrap().code(),
        "refresh_token_revoked"
    );
    let bearer = access_token(&company, &grant);
    let end = company.write(move |cx, tx| own_token::bearer(cx, tx, &bearer, "openid"));
    assert_eq!(end.into_result().unwrap_err().code(), "grant_ended");
    let subject = Subject::IdToken(Box::new(id_token(&company, &grant)));
    let denied = Exchange::default().run(&company, &client, subject);
    assert_eq!(denied, Err(token_exchange::Denial::GrantEnded));
}

#[test]
fn a_code_is_bound_to_client_redirect_uri_verifier_and_time_idp_au_02_idp_au_06() {
    let company = Company::new();
    let (ide, agent) = (ide(&company), agent(&company));
    let session = sign_in(&company, ALICE);
    let code = code(&company, &session, &request(IDE, REDIRECT, SCOPES));
    let good = || code_request(&code, REDIRECT);
    let refused = |client, request| redeem(&company, client, request).err().unwrap();

    assert_eq!(refused(&agent, good()), Denial::OtherClient);
    let mut other = good();
    other.redirect_uri = Some("https://ide.contoso.example/other".to_owned());
    assert_eq!(refused(&ide, other), Denial::RedirectMismatch);
    let mut none = good();
    none.redirect_uri = None;
    assert_eq!(refused(&ide, none), Denial::RedirectMismatch);
    for verifier in [
        None,
        Some("x".repeat(43)),
        Some("short".to_owned()),
        Some("x".repeat(129)),
    ] {
        let mut wrong = good();
        wrong.code_verifier = verifier;
        assert_eq!(refused(&ide, wrong), Denial::VerifierMismatch);
    }
    let mut unknown = good();
    unknown.code = "unknown".to_owned();
    assert_eq!(refused(&ide, unknown), Denial::UnknownCode);
    company.clock.advance(Duration::from_secs(60));
    assert_eq!(refused(&ide, good()), Denial::Expired);
}

#[test]
fn a_code_dies_with_its_session_and_its_person() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let one = code(&company, &session, &request(IDE, REDIRECT, SCOPES));
    let two = code(&company, &sign_in(&company, ALICE), &request(IDE, REDIRECT, SCOPES));
    company.write(move |cx, tx| logout::end(cx, tx, &session.id, &EndedBy::Person));
    assert_eq!(
        redeem(&company, &client, code_request(&one, REDIRECT)).err(),
        Some(Denial::SessionEnded)
    );
    let id = company.user(ALICE).id;
    company.write(move |_, tx| {
        let mut user = tx.find_user(&id)?.unwrap();
        user.status = UserStatus::Deactivated;
        user.version += 1;
        tx.update_user(&user)
    });
    assert_eq!(
        redeem(&company, &client, code_request(&two, REDIRECT)).err(),
        Some(Denial::UserInactive)
    );
}

#[test]
fn a_refresh_token_needs_offline_access_and_an_id_token_needs_openid_idp_au_09() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, "openid");
    assert!(grant.refresh_token.is_none());
    let claims = id_token::claims(&company.idp, &grant, "at", Algorithm::Es256).unwrap();
    assert_eq!(
        (claims.email, claims.name, claims.preferred_username),
        (None, None, None),
        "SEC-19"
    );
    let grant = tokens_in(&company, &client, &session, "connectors offline_access");
    assert!(id_token::claims(&company.idp, &grant, "at", Algorithm::Es256).is_none());
    assert!(grant.refresh_token.is_some());
}

#[test]
fn the_issuers_own_token_serves_while_everything_behind_it_stands() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let grant = tokens_in(&company, &client, &session, "openid profile connectors");
    let token = access_token(&company, &grant);
    let ask = |needed: &'static str| {
        let token = token.clone();
        company
            .write(move |cx, tx| own_token::bearer(cx, tx, &token, needed))
            .into_result()
    };
    let bearer = ask("connectors").unwrap();
    let info = userinfo::claims(&bearer);
    assert_eq!(
        (info.sub, info.name.as_deref(), info.email),
        (grant.subject, Some("Alice Example"), None)
    );
    assert_eq!(ask("email").unwrap_err().code(), "insufficient_scope");
    company.write(move |cx, tx| logout::end(cx, tx, &session.id, &EndedBy::Person));
    assert_eq!(ask("connectors").unwrap_err().code(), "grant_ended");
}

#[test]
fn two_codes_at_once_are_two_grants_and_one_code_at_once_is_one() {
    let company = Company::new();
    let client = ide(&company);
    let session = sign_in(&company, ALICE);
    let code = code(&company, &session, &request(IDE, REDIRECT, SCOPES));
    let (vault, settings) = (Arc::clone(&company.vault), company.idp.clone());
    let (one, two) = (code_request(&code, REDIRECT), code_request(&code, REDIRECT));
    let granted = company.write(move |cx, tx| {
        let mut granted = 0;
        for request in [one, two] {
            let end = lanyard_core::idp::authorization_code::redeem(cx, tx, &vault, &settings, &client, &request)?;
            granted += u32::from(matches!(end, Outcome::Granted(_)));
        }
        Ok(granted)
    });
    assert_eq!(granted, 1);
}
