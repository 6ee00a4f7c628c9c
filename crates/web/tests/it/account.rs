//! A person's own account: who may look, what may be changed, and what is recorded.

use std::time::Duration;

use http::StatusCode;
use lanyard_core::directory::settings::SecondFactorRule;
use lanyard_core::id::{ClientKey, SessionId};
use lanyard_core::session::refresh::RefreshFamily;
use lanyard_protocol::scope::ScopeSet;
use lanyard_testkit::company::{ALICE, CAROL, Company, IDP, PASSWORD};

use crate::authenticator::Authenticator;
use crate::passkeys::added;
use crate::second_factor::with_app;
use crate::support::{Answer, Jar, World};

const SESSION: &str = "__Host-lanyard_idp";
const NEW: &str = "seven green bicycles";

/// A browser of Alice's on her account's page.
async fn signed_in(world: &World, path: &str) -> Answer {
    let asked = world.get(path).await;
    assert!(
        asked.body.contains("to continue to <strong>your account"),
        "{}",
        asked.body
    );
    let done = world.submit(&asked, ALICE, PASSWORD).await;
    assert_eq!(
        (done.status, done.header("location")),
        (StatusCode::SEE_OTHER, path),
        "{}",
        done.body
    );
    world.get(path).await
}

#[track_caller]
fn told(world: &World, kind: &str, reason: Option<&str>) {
    let expected = (kind.to_owned(), reason.map(str::to_owned));
    let newest = world.told(3);
    assert!(newest.contains(&expected), "{newest:?}");
}

#[tokio::test]
async fn nobody_sees_an_account_without_a_session() {
    let world = World::new();
    for path in [
        "/account",
        "/account/security",
        "/account/sessions",
        "/account/programs",
        "/account/app",
    ] {
        let page = world.get(path).await;
        assert!(page.body.contains("<h1>Sign in</h1>"), "{path}");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    let page = world.get("/account").await;
    let post = world
        .fill("/account/password", &page, &[("old", PASSWORD), ("new", NEW)])
        .await;
    assert!(post.body.contains("<h1>Sign in</h1>"));
}

#[tokio::test]
async fn a_form_without_this_browsers_token_changes_nothing_sec_16() {
    let world = World::new();
    let page = signed_in(&world, "/account/security").await;
    let events = world.company.events().len();
    for path in [
        "password",
        "confirm",
        "app",
        "app/remove",
        "codes",
        "passkeys",
        "passkeys/remove",
        "sign-out",
    ] {
        let with = [
            ("form_token", "x"),
            ("old", PASSWORD),
            ("new", NEW),
            ("password", PASSWORD),
        ];
        let answer = world.fill(&format!("/account/{path}"), &page, &with).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    for path in [
        "sessions/end",
        "sessions/end-others",
        "programs/remove",
        "profile",
        "passkeys/name",
    ] {
        let answer = world
            .fill(&format!("/account/{path}"), &page, &[("form_token", "")])
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
    assert_eq!(world.company.events().len(), events, "something was written");
    assert!(world.cookie(SESSION).is_some());
    let huge = "x".repeat(70_000);
    let answer = world.fill("/account/password", &page, &[("old", huge.as_str())]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_password_is_changed_with_the_old_one_by_the_rules_and_ends_every_other_session() {
    let world = World::new();
    world.sign_in(ALICE).await;
    let other = world.swap(Jar::new());
    let page = signed_in(&world, "/account/security").await;
    let change = async |old: &str, new: &str| {
        let with = [("old", old), ("new", new)];
        world.fill("/account/password", &page, &with).await
    };
    let wrong = change("not it", NEW).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    told(&world, "directory.password.change_refused", Some("wrong_password"));
    for (new, reason) in [
        ("zq8!", "password_too_short"),
        ("alice example", "password_own_name"),
        (PASSWORD, "password_unchanged"),
    ] {
        let refused = change(PASSWORD, new).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{new}");
        assert!(refused.body.contains("role=\"alert\"") && !refused.body.contains(new));
        told(&world, "directory.password.change_refused", Some(reason));
    }
    let done = change(PASSWORD, NEW).await;
    assert_eq!(
        done.header("location"),
        "/account/security?done=password",
        "{}",
        done.body
    );
    told(&world, "directory.password.changed", None);
    assert!(
        world.get("/account").await.body.contains("Alice Example"),
        "this session is over too"
    );
    world.swap(other);
    assert!(
        world.get("/account").await.body.contains("<h1>Sign in</h1>"),
        "the other session stands"
    );
}

#[tokio::test]
async fn after_five_minutes_factors_change_only_for_whoever_proves_again_who_they_are() {
    let world = World::new();
    let page = signed_in(&world, "/account/security").await;
    assert!(page.body.contains("Set up an app") && !page.body.contains("Confirm that it is you"));
    world.company.clock.advance(Duration::from_secs(301));
    let stale = world.get("/account/security").await;
    assert!(stale.body.contains("Confirm that it is you") && !stale.body.contains("Set up an app"));
    for path in ["app/remove", "codes"] {
        let answer = world.fill(&format!("/account/{path}"), &stale, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        told(&world, "directory.factor.refused", Some("not_confirmed"));
    }
    let wrong = world.fill("/account/confirm", &stale, &[("password", "no")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    told(&world, "idp.session.confirmation_refused", Some("wrong_password"));
    let right = world.fill("/account/confirm", &stale, &[("password", PASSWORD)]).await;
    assert_eq!(
        right.header("location"),
        "/account/security?done=confirmed",
        "{}",
        right.body
    );
    told(&world, "idp.session.confirmed", None);
    assert!(world.get("/account/security").await.body.contains("Set up an app"));
}

#[tokio::test]
async fn passkeys_are_added_named_and_removed_and_the_first_brings_recovery_codes_once() {
    let world = World::new();
    let page = signed_in(&world, "/account/security").await;
    let mut device = Authenticator::new(1, IDP);
    let made = device.create(&page.attribute("data-options"));
    let with = [("name", "Work laptop"), ("answer", made.as_str())];
    let codes = world.fill("/account/passkeys", &page, &with).await;
    assert_eq!(codes.body.matches("<li><code>").count(), 10, "{}", codes.body);
    told(&world, "directory.passkey.added", None);
    // The same answer again, and an answer for another site.
    let again = world.fill("/account/passkeys", &page, &with).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    told(&world, "directory.factor.refused", Some("challenge_replayed"));
    let page = world.get("/account/security").await;
    assert!(page.body.contains("Work laptop") && page.body.contains("You have 10 left"));
    let mut elsewhere = Authenticator::new(2, "https://evil.example");
    let made = elsewhere.create(&page.attribute("data-options"));
    let answer = world
        .fill("/account/passkeys", &page, &[("name", "x"), ("answer", &made)])
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    told(&world, "directory.factor.refused", Some("passkey_other_origin"));

    let mut second = Authenticator::new(3, IDP);
    let made = second.create(&page.attribute("data-options"));
    let done = world
        .fill("/account/passkeys", &page, &[("name", "Key"), ("answer", &made)])
        .await;
    assert_eq!(
        done.header("location"),
        "/account/security?done=passkey",
        "{}",
        done.body
    );

    let page = world.get("/account/security").await;
    let id = page.hidden("passkey");
    let renamed = world
        .fill(
            "/account/passkeys/name",
            &page,
            &[("passkey", &id), ("name", "Old laptop")],
        )
        .await;
    assert_eq!(renamed.header("location"), "/account/security?done=passkey-name");
    let removed = world.fill("/account/passkeys/remove", &page, &[("passkey", &id)]).await;
    assert_eq!(removed.header("location"), "/account/security?done=passkey-removed");
    let page = world.get("/account/security").await;
    assert!(!page.body.contains("Old laptop") && page.body.contains("Key"));
}

#[tokio::test]
async fn somebody_elses_passkey_is_neither_renamed_nor_removed_nor_proves_anything() {
    let world = World::new();
    added(&world, CAROL, 2);
    let page = signed_in(&world, "/account/security").await;
    let carol = world.company.user(CAROL);
    let theirs = world.company.read(move |tx| tx.list_passkeys(&carol.id)).remove(0).id;
    for path in ["passkeys/name", "passkeys/remove"] {
        let with = [("passkey", theirs.as_str()), ("name", "mine")];
        let answer = world.fill(&format!("/account/{path}"), &page, &with).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        told(&world, "directory.factor.refused", Some("gone"));
    }
}

#[tokio::test]
async fn an_app_is_set_up_with_its_first_code_and_removed_and_codes_are_made_anew() {
    let world = World::new();
    with_app(&world);
    let second = {
        let asked = world.get("/account/security").await;
        world.submit(&asked, ALICE, PASSWORD).await
    };
    let code = crate::second_factor::code_at(&world, 0);
    let done = world.fill("/oauth2/sign-in/code", &second, &[("code", &code)]).await;
    assert_eq!(done.header("location"), "/account/security", "{}", done.body);
    let page = world.get("/account/security").await;
    assert!(page.body.contains("An authenticator app is set up since"));
    let codes = world.fill("/account/codes", &page, &[]).await;
    assert_eq!(codes.body.matches("<li><code>").count(), 10);
    told(&world, "directory.recovery_codes.made", None);
    let removed = world.fill("/account/app/remove", &page, &[]).await;
    assert_eq!(removed.header("location"), "/account/security?done=app");
    told(&world, "directory.app.removed", None);
    let app = world.get("/account/app").await;
    assert!(app.body.contains("<svg class=\"qr\"") && app.body.contains("otpauth://totp/"));
    let wrong = world.fill("/account/app", &app, &[("code", "000000")]).await;
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    told(&world, "directory.factor.refused", Some("code_wrong"));
}

#[tokio::test]
async fn the_last_factor_stays_where_everyone_must_have_one() {
    let mut company = Company::new();
    company.idp.people.second_factor = SecondFactorRule::Everyone;
    let world = World::of(company);
    let mut device = added(&world, ALICE, 1);
    let asked = world.get("/account/security").await;
    let said = device.get(&asked.attribute("data-options"));
    let done = world
        .fill("/oauth2/sign-in/passkey", &asked, &[("answer", &said)])
        .await;
    assert_eq!(done.header("location"), "/account/security", "{}", done.body);
    let page = world.get("/account/security").await;
    let id = page.hidden("passkey");
    let kept = world.fill("/account/passkeys/remove", &page, &[("passkey", &id)]).await;
    assert_eq!(kept.status, StatusCode::FORBIDDEN);
    told(&world, "directory.factor.refused", Some("last_factor"));
}

#[tokio::test]
async fn sessions_are_listed_with_their_browser_and_ended_one_by_one_or_all_others() {
    let world = World::new();
    let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
    *world.agent.lock().unwrap() = firefox.to_owned();
    world.sign_in(ALICE).await;
    let other = world.swap(Jar::new());
    world.company.clock.advance(Duration::from_secs(1));
    *world.agent.lock().unwrap() = "curl/8".to_owned();
    let page = signed_in(&world, "/account/sessions").await;
    assert!(
        page.body.contains("Firefox on Linux") && page.body.contains("192.0.2.1"),
        "{}",
        page.body
    );
    assert_eq!(page.body.matches("This browser").count(), 1);

    world.swap(Jar::new());
    world.sign_in(CAROL).await;
    let carols = world.get("/account/sessions").await;
    let id = carols.hidden("session");
    world.forget_cookies();
    let page = signed_in(&world, "/account/sessions").await;
    let theirs = world.fill("/account/sessions/end", &page, &[("session", &id)]).await;
    assert_eq!(
        theirs.status,
        StatusCode::FORBIDDEN,
        "somebody else's session was ended"
    );
    let ended = world.fill("/account/sessions/end-others", &page, &[]).await;
    assert_eq!(ended.header("location"), "/account/sessions?done=sessions");
    told(&world, "idp.session.ended", None);
    assert_eq!(
        world
            .get("/account/sessions")
            .await
            .body
            .matches("name=\"session\"")
            .count(),
        1
    );
    let own = world.swap(other);
    assert!(world.get("/account").await.body.contains("<h1>Sign in</h1>"));
    world.swap(own);
    let out = world.fill("/account/sign-out", &page, &[]).await;
    assert!(out.body.contains("You are signed out") && world.cookie(SESSION).is_none());
}

#[tokio::test]
async fn programs_that_stay_signed_in_are_listed_and_removed_by_their_person_only() {
    let world = World::new();
    let page = signed_in(&world, "/account/programs").await;
    assert!(page.body.contains("There are none."));
    let (alice, carol) = (world.company.user(ALICE).id, world.company.user(CAROL).id);
    let client = world
        .company
        .client(lanyard_core::client::registration::Side::Idp, "ide");
    let key: ClientKey = client.key.clone();
    let theirs = world.company.write(move |cx, tx| {
        let mut made = None;
        for user in [alice, carol] {
            let family = RefreshFamily {
                id: cx.new_id(),
                client: key.clone(),
                bound_kid: None,
                user,
                session: cx.new_id::<SessionId>(),
                offline: true,
                scope: ScopeSet::empty(),
                authentication: lanyard_core::idp::sign_in::Admission::local(
                    cx,
                    lanyard_core::session::strength::Strength::Password,
                    &["pwd"],
                )
                .authentication,
                created_at: cx.now,
                expires_at: cx.now.plus(Duration::from_secs(3600)),
                ended_at: None,
            };
            tx.insert_family(&family)?;
            made = Some(family.id);
        }
        Ok(made.unwrap())
    });
    let page = world.get("/account/programs").await;
    assert!(page.body.contains(&client.name), "{}", page.body);
    let with = [("kind", "family"), ("id", theirs.as_str())];
    let refused = world.fill("/account/programs/remove", &page, &with).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    told(&world, "idp.refresh_family.ending_refused", Some("gone"));
    let gone = world
        .fill("/account/programs/remove", &page, &[("kind", "key"), ("id", "none")])
        .await;
    assert_eq!(gone.status, StatusCode::FORBIDDEN);
    told(&world, "idp.key.removal_refused", Some("gone"));
    let done = world.fill("/account/programs/remove", &page, &[]).await;
    assert_eq!(
        done.header("location"),
        "/account/programs?done=program",
        "{}",
        done.body
    );
    told(&world, "idp.refresh_family.ended", None);
}

#[tokio::test]
async fn name_and_address_are_changed_only_where_the_deployment_leaves_them_to_people() {
    let world = World::new();
    let page = signed_in(&world, "/account").await;
    let with = [("display_name", "Alice Other"), ("email", "other@northwind.example")];
    let refused = world.fill("/account/profile", &page, &with).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    told(&world, "directory.profile.change_refused", Some("not_editable"));

    let mut company = Company::new();
    company.idp.people.profile_editable = true;
    let world = World::of(company);
    let page = signed_in(&world, "/account").await;
    for (name, email, reason) in [("", "a@b.example", "name"), ("Alice", "nonsense", "email")] {
        let with = [("display_name", name), ("email", email)];
        let refused = world.fill("/account/profile", &page, &with).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        told(&world, "directory.profile.change_refused", Some(reason));
    }
    let done = world.fill("/account/profile", &page, &with).await;
    assert_eq!(done.header("location"), "/account?done=profile", "{}", done.body);
    let alice = world.company.user(ALICE);
    assert_eq!(
        (alice.display_name.as_str(), alice.email.as_deref()),
        ("Alice Other", Some("other@northwind.example"))
    );
    told(&world, "directory.profile.changed", None);
}
