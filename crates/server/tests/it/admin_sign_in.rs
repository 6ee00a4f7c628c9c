//! Administrators who sign in through the issuer: their tokens, and that each request reads who they are now.

use axum::body::Body;
use lanyard_core::admin::sign_in;
use lanyard_core::admin::token::AdminRole;
use lanyard_core::id::SessionId;
use lanyard_core::session::strength::Strength;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use lanyard_testkit::company::{ALICE, CAROL, IDP};
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};
use crate::support::{ASSERTION, VERIFIER, claims, to, token_url};

const CLIENT: &str = "lanyard-admin";
const CALLBACK: &str = "http://127.0.0.1:49711/callback";

/// Somebody at a terminal who ran `lanyard admin login`.
struct Terminal {
    session: SessionId,
    key: SigningKey,
    refresh_token: String,
}

fn proof(api: &Api, key: &SigningKey, jti: &str) -> String {
    // A key of another terminal has its own numbers.
    let jti = format!("{jti} of {}", key.kid());
    let now = lanyard_core::clock::Clock::now(&api.world.company.clock).seconds();
    let claims = json!({"iss": CLIENT, "sub": CLIENT, "aud": IDP, "jti": jti, "iat": now, "exp": now + 60});
    key.sign("client-authentication+jwt", &claims).unwrap()
}

impl Terminal {
    async fn of(api: &Api, username: &'static str) -> (Self, Value) {
        api.world.company.write(|cx, tx| sign_in::ensure_client(cx, tx));
        let session = api.world.session(username);
        let told = api.get("/sign-in").await;
        let code = api
            .world
            .code(&session, CLIENT, CALLBACK, told["scope"].as_str().unwrap());
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", CLIENT),
        ];
        let first = api.world.post_bare(&token_url(IDP), &fields).await.json();
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let body = json!({"jwk": key.public_jwk().to_value(), "label": "terminal", "proof": proof(api, &key, "enrol")});
        let request = to("POST", &format!("{IDP}/connectors/keys"))
            .header(
                "authorization",
                format!("Bearer {}", first["access_token"].as_str().unwrap()),
            )
            .header("content-type", "application/json");
        let answer = api
            .world
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.text());
        let terminal = Self {
            session,
            key,
            refresh_token: first["refresh_token"].as_str().unwrap().to_owned(),
        };
        (terminal, first)
    }

    async fn renew(&mut self, api: &Api, scope: Option<&str>, jti: &str) -> Value {
        let proof = proof(api, &self.key, jti);
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", self.refresh_token.as_str()),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", proof.as_str()),
        ];
        fields.extend(scope.map(|scope| ("scope", scope)));
        let answer = api.world.post_bare(&token_url(IDP), &fields).await.json();
        if let Some(token) = answer["refresh_token"].as_str() {
            token.clone_into(&mut self.refresh_token);
        }
        answer
    }

    async fn admin_token(&mut self, api: &Api, jti: &str) -> String {
        self.renew(api, Some("admin"), jti).await["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

async fn grant(api: &Api, username: &str, role: &str) {
    let answer = api
        .ask("PUT", "/administrators", json!({"person": username, "role": role}))
        .await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
}

async fn who(api: &Api, token: &str) -> crate::support::Answer {
    api.ask_as(token, "GET", "/whoami", Value::Null).await
}

#[tokio::test]
async fn a_person_with_a_role_administers_by_their_sign_in_and_the_log_names_them() {
    let api = Api::new().await;
    grant(&api, ALICE, "operator").await;
    let (mut terminal, _) = Terminal::of(&api, ALICE).await;
    let token = terminal.admin_token(&api, "a").await;
    let told = who(&api, &token).await.json();
    assert_eq!(
        (&told["kind"], &told["name"], &told["role"]),
        (&"person".into(), &ALICE.into(), &"operator".into())
    );
    assert!(told["permissions"].as_array().unwrap().contains(&"write".into()));
    let before = api.count();
    let answer = api.ask_as(&token, "PUT", "/groups/new", json!({"name": "new"})).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text());
    let actor = serde_json::to_value(&api.since(before)[0].actor).unwrap();
    assert_eq!(
        actor,
        json!({"kind": "admin", "id": api.world.company.user(ALICE).id.as_str()})
    );
    let answer = api
        .ask_as(&token, "POST", "/tokens", json!({"name": "x", "role": "owner"}))
        .await;
    assert_eq!(refused(&answer), (403, "not_permitted".to_owned()));
}

#[tokio::test]
async fn a_token_is_for_the_admin_api_or_for_the_issuer_and_never_for_both() {
    let api = Api::new().await;
    grant(&api, ALICE, "owner").await;
    let (mut terminal, first) = Terminal::of(&api, ALICE).await;
    let own = claims(first["access_token"].as_str().unwrap());
    assert_eq!(own["aud"], IDP);
    assert!(
        !own["scope"].as_str().unwrap().split(' ').any(|scope| scope == "admin"),
        "{own}"
    );
    assert_eq!(first["scope"], own["scope"], "what is told is what the token has");
    let admin = terminal.admin_token(&api, "a").await;
    let told = claims(&admin);
    assert_eq!(
        (&told["aud"], &told["scope"]),
        (&format!("{IDP}/admin").into(), &"admin".into())
    );
    assert!(told["exp"].as_i64().unwrap() - told["iat"].as_i64().unwrap() <= 600);
    let userinfo = api
        .world
        .get_with_token(&format!("{IDP}/oauth2/userinfo"), &admin)
        .await;
    assert_eq!(userinfo.error(), (401, "invalid_token".to_owned()));
    let whole = terminal.renew(&api, None, "b").await;
    let id_token = whole["id_token"].as_str().unwrap();
    for token in [
        first["access_token"].as_str().unwrap(),
        whole["access_token"].as_str().unwrap(),
        id_token,
    ] {
        assert_eq!(refused(&who(&api, token).await), (401, "unauthenticated".to_owned()));
        assert_eq!(api.world.company.last_event().0, "admin.authentication.refused");
    }
}

#[tokio::test]
async fn who_is_demoted_deactivated_or_signed_out_is_refused_at_the_next_request() {
    let last = |api: &Api| api.world.company.last_event().1.unwrap();
    let api = Api::new().await;
    grant(&api, ALICE, "operator").await;
    let (mut terminal, _) = Terminal::of(&api, ALICE).await;
    let token = terminal.admin_token(&api, "a").await;
    assert_eq!(who(&api, &token).await.json()["role"], "operator");
    grant(&api, ALICE, "auditor").await;
    assert_eq!(who(&api, &token).await.json()["role"], "auditor");
    let answer = api.ask_as(&token, "PUT", "/groups/new", json!({"name": "new"})).await;
    assert_eq!(refused(&answer), (403, "not_permitted".to_owned()));
    api.ask("DELETE", "/administrators/people/alice", Value::Null).await;
    assert_eq!(refused(&who(&api, &token).await), (403, "no_role".to_owned()));
    assert_eq!(last(&api), "no_role");

    grant(&api, ALICE, "operator").await;
    let session = terminal.session.clone();
    api.world
        .company
        .write(move |cx, tx| tx.end_session(&session, cx.now, false));
    assert_eq!(refused(&who(&api, &token).await), (401, "unauthenticated".to_owned()));
    assert_eq!(last(&api), "session_ended");
    // The grant outlives the sign-in, and does not administer without it.
    let later = terminal.admin_token(&api, "b").await;
    assert_eq!(refused(&who(&api, &later).await), (401, "unauthenticated".to_owned()));
    assert_eq!(last(&api), "session_ended");

    let (mut again, _) = Terminal::of(&api, ALICE).await;
    let token = again.admin_token(&api, "c").await;
    assert_eq!(who(&api, &token).await.status.as_u16(), 200);
    api.ask("POST", "/users/alice/deactivate", json!({})).await;
    assert_eq!(refused(&who(&api, &token).await), (401, "unauthenticated".to_owned()));
    assert_eq!(last(&api), "grant_ended");
}

#[tokio::test]
async fn a_group_makes_an_administrator_and_leaving_it_unmakes_them() {
    let api = Api::new().await;
    api.ask(
        "PUT",
        "/administrators",
        json!({"group": "contractors", "role": "approver"}),
    )
    .await;
    let (mut terminal, _) = Terminal::of(&api, CAROL).await;
    let token = terminal.admin_token(&api, "a").await;
    assert_eq!(who(&api, &token).await.json()["role"], "approver");
    api.ask("DELETE", "/groups/contractors/members/carol", Value::Null)
        .await;
    assert_eq!(refused(&who(&api, &token).await), (403, "no_role".to_owned()));
}

#[tokio::test]
async fn a_deployment_may_ask_its_administrators_for_a_second_factor_su_01() {
    let api = Api::asking(Some(Strength::MultiFactor)).await;
    grant(&api, ALICE, "owner").await;
    let (mut terminal, _) = Terminal::of(&api, ALICE).await;
    assert_eq!(api.get("/sign-in").await["acr_values"], Strength::MultiFactor.acr());
    let token = terminal.admin_token(&api, "a").await;
    let answer = who(&api, &token).await;
    assert_eq!(refused(&answer), (401, "insufficient_user_authentication".to_owned()));
    assert!(
        answer.json()["message"].as_str().unwrap().contains("/account/security"),
        "{}",
        answer.text()
    );
    assert!(answer.header("www-authenticate").contains(Strength::MultiFactor.acr()));
    assert_eq!(
        api.world.company.last_event().1.unwrap(),
        "insufficient_user_authentication"
    );
    // Machines are not people.
    let machine = api.token(AdminRole::Auditor, None);
    assert_eq!(who(&api, &machine).await.json()["kind"], "token");
}

#[tokio::test]
async fn a_forged_token_opens_nothing() {
    let api = Api::new().await;
    grant(&api, ALICE, "owner").await;
    let (mut terminal, _) = Terminal::of(&api, ALICE).await;
    let good = claims(&terminal.admin_token(&api, "a").await);
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let own = api.world.idp_key();
    let changed = |part: &str, value: Value| {
        let mut claims = good.clone();
        claims[part] = value;
        claims
    };
    let signed = |key: &SigningKey, typ: &str, claims: &Value| key.sign(typ, claims).unwrap();
    let now = good["iat"].as_i64().unwrap();
    for (token, reason) in [
        (signed(&stranger, "at+jwt", &good), "unknown_key"),
        (signed(&own, "JWT", &good), "typ"),
        (
            signed(&own, "at+jwt", &changed("aud", json!("https://other.example/admin"))),
            "audience",
        ),
        (
            signed(&own, "at+jwt", &changed("aud", json!([IDP, format!("{IDP}/admin")]))),
            "audience",
        ),
        (signed(&own, "at+jwt", &changed("exp", json!(now + 6000))), "lifetime"),
        (
            signed(&own, "at+jwt", &changed("iss", json!("https://other.example"))),
            "issuer",
        ),
        (
            signed(&own, "at+jwt", &changed("scope", json!("openid"))),
            "insufficient_scope",
        ),
        (signed(&own, "at+jwt", &changed("jti", json!("made-up"))), "grant_ended"),
        ("eyNothing".to_owned(), "malformed"),
    ] {
        let answer = who(&api, &token).await;
        assert_eq!(refused(&answer), (401, "unauthenticated".to_owned()), "{reason}");
        assert_eq!(api.world.company.last_event().1.as_deref(), Some(reason));
    }
}
