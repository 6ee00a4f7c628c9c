//! Back-channel logout: clients are told that a session ended (RV-05).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use lanyard_core::clock::Clock;
use lanyard_core::directory::provision;
use lanyard_core::id::SessionId;
use lanyard_core::idp::logout::{EndedBy, end};
use lanyard_core::idp::sign_in::{Admission, admit};
use lanyard_core::outcome::Outcome;
use lanyard_core::session::strength::Strength;
use lanyard_fetch::{Fetch, FetchError, FetchFuture, FetchRequest, FetchResponse};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::token::{LogoutToken, Unverified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::form::Form;
use lanyard_server::idp::logout_tokens::LogoutTokens;
use lanyard_testkit::company::{ALICE, CAROL, Company, IDE, IDP};

use crate::support::{World, claims, header};

const URI: &str = "https://ide.contoso.example/backchannel-logout";

/// A client that answers with what it was told to, and 200 afterwards.
#[derive(Default)]
struct Receiver {
    answers: Mutex<VecDeque<Option<u16>>>,
    tokens: Mutex<Vec<String>>,
}

impl Fetch for Receiver {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", URI));
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
        let form = Form::parse(&request.body).unwrap();
        let token = form.once("logout_token").unwrap().unwrap().to_owned();
        self.tokens.lock().unwrap().push(token);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or(Some(200));
        Box::pin(async move {
            let status = answer.ok_or(FetchError::Unreachable)?;
            Ok(FetchResponse {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::new(),
                body: Vec::new().into(),
            })
        })
    }
}

struct Hearing {
    world: World,
    receiver: Arc<Receiver>,
    delivery: LogoutTokens,
}

impl Hearing {
    async fn new() -> Self {
        let company = Company::with(|organisation| {
            organisation.clients[0].backchannel_logout_uri = Some(URI.to_owned());
            organisation.clients[0].backchannel_logout_session_required = true;
        });
        let world = World::of(company).await;
        let receiver = Arc::new(Receiver::default());
        let settings = Arc::new(world.company.idp.clone());
        let fetch: Arc<dyn Fetch> = receiver.clone();
        Self {
            delivery: LogoutTokens::new(world.basis.clone(), settings, fetch),
            world,
            receiver,
        }
    }

    async fn signed_in(&self, username: &'static str) -> SessionId {
        let session = self.world.session(username);
        self.world.tokens_of(&session).await;
        session
    }

    fn end(&self, session: &SessionId) {
        let session = session.clone();
        self.world
            .company
            .write(move |cx, tx| end(cx, tx, &session, &EndedBy::Person).map(|_| ()));
    }

    /// What was delivered in one round.
    async fn round(&self) -> Vec<String> {
        self.delivery.round().await.unwrap();
        std::mem::take(&mut *self.receiver.tokens.lock().unwrap())
    }

    fn answers(&self, answers: impl IntoIterator<Item = Option<u16>>) {
        self.receiver.answers.lock().unwrap().extend(answers);
    }
}

#[tokio::test]
async fn a_logout_reaches_the_clients_of_the_session_with_a_logout_token_rv_05() {
    let own = Hearing::new().await;
    let session = own.signed_in(ALICE).await;
    own.signed_in(CAROL).await;
    assert!(own.round().await.is_empty(), "nobody is signed out");
    own.end(&session);
    let told = own.round().await;
    assert_eq!(told.len(), 1);
    assert_eq!(header(&told[0])["typ"], "logout+jwt");
    let said = claims(&told[0]);
    let user = own.world.company.user(ALICE);
    assert_eq!((said["iss"].as_str(), said["aud"].as_str()), (Some(IDP), Some(IDE)));
    assert_eq!(
        (said["sub"].as_str(), said["sid"].as_str()),
        (Some(user.id.as_str()), Some(session.as_str()))
    );
    let event = serde_json::json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    assert_eq!((&said["events"], said.get("nonce")), (&event, None));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 120);
    let keys = own.world.basis.rings.snapshot();
    let expected = Expected {
        issuer: IDP,
        audience: Audience::Sole(IDE),
        now: own.world.company.clock.now().seconds(),
        leeway: 0,
        algorithms: &[Algorithm::Es256],
        max_lifetime: None,
    };
    let token = Unverified::<LogoutToken>::parse(&told[0]).unwrap();
    verify(&token, &keys.idp.as_ref().unwrap().published, &expected).unwrap();
    own.world.assert_granted("idp.logout_token.delivered");
    assert!(own.round().await.is_empty(), "once");
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_tried_again_with_another_token_rv_05() {
    let own = Hearing::new().await;
    let session = own.signed_in(ALICE).await;
    own.end(&session);
    own.answers([None, Some(500), Some(400)]);
    let mut ids = Vec::new();
    for pause in [0, 1, 2, 4] {
        own.world.company.clock.advance(Duration::from_secs(pause));
        let told = own.round().await;
        assert_eq!(told.len(), 1, "after {pause} more seconds");
        assert!(own.round().await.is_empty(), "not at once again");
        ids.push(claims(&told[0])["jti"].as_str().unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "a client takes a jti once");
    own.world.assert_granted("idp.logout_token.delivered");
}

#[tokio::test]
async fn a_client_that_is_gone_for_an_hour_is_given_up_and_that_is_recorded_rv_05() {
    let own = Hearing::new().await;
    let session = own.signed_in(ALICE).await;
    own.end(&session);
    own.answers(std::iter::repeat_n(Some(503), 100));
    let mut tries = 0;
    for _ in 0..40 {
        tries += own.round().await.len();
        own.world.company.clock.advance(Duration::from_secs(300));
    }
    assert_eq!(tries, 20);
    own.world
        .assert_denied("idp.logout_token.undelivered", "receiver_failed");
    let event = own.world.company.events().remove(0).event;
    assert_eq!(
        (&event.detail["attempts"], &event.detail["status"]),
        (&20.into(), &503.into())
    );
}

#[tokio::test]
async fn a_slow_client_keeps_nobody_s_access_alive_p7() {
    let own = Hearing::new().await;
    let session = own.signed_in(ALICE).await;
    own.end(&session);
    // Jobs that end access are another queue: the act waits for those alone.
    assert_eq!(
        own.world.cut_off.complete().await,
        lanyard_server::cut_off::Effect::Complete
    );
    assert!(own.receiver.tokens.lock().unwrap().is_empty());
    assert_eq!(own.round().await.len(), 1);
}

#[tokio::test]
async fn a_deactivation_tells_the_clients_of_every_session_rv_05() {
    let own = Hearing::new().await;
    let sessions = [own.signed_in(ALICE).await, own.signed_in(ALICE).await];
    let company = &own.world.company;
    let (admin, user) = (company.admin.clone(), company.user(ALICE));
    let (vault, idp) = (Arc::clone(&company.vault), company.idp.issuer.clone());
    let done = company.write(move |cx, tx| provision::deactivate(cx, tx, &vault, &idp, &admin, &user.id));
    assert!(matches!(done, Outcome::Granted(_)));
    let mut told: Vec<String> = own
        .round()
        .await
        .iter()
        .map(|token| claims(token)["sid"].as_str().unwrap().to_owned())
        .collect();
    told.sort();
    let mut sessions = sessions.map(|session| session.as_str().to_owned());
    sessions.sort();
    assert_eq!(told, sessions);
}

#[tokio::test]
async fn a_client_that_was_switched_off_meanwhile_hears_nothing() {
    let own = Hearing::new().await;
    let session = own.signed_in(ALICE).await;
    own.end(&session);
    let mut organisation = own.world.company.organisation();
    organisation.clients[0].enabled = false;
    own.world.company.apply(&organisation);
    assert!(own.round().await.is_empty());
    own.world.company.clock.advance(Duration::from_secs(3600));
    assert!(own.round().await.is_empty());
}

#[tokio::test]
async fn who_signs_in_again_stays_signed_in_with_their_programs_and_who_takes_their_place_does_not() {
    let own = Hearing::new().await;
    let sign_in = |username: &'static str, replaces: Option<SessionId>| {
        let settings = own.world.company.idp.clone();
        own.world.company.write(move |cx, tx| {
            let user = tx.find_user_by_username(username)?.unwrap();
            let how = Admission::local(cx, Strength::MultiFactor, &["pwd", "otp"]);
            Ok(admit(cx, tx, &settings, user, how, replaces.as_ref())?.session.id)
        })
    };
    let first = own.signed_in(ALICE).await;
    let second = sign_in(ALICE, Some(first));
    assert!(own.round().await.is_empty(), "a step-up signs nobody out");
    own.world.tokens_of(&second).await;
    sign_in(CAROL, Some(second.clone()));
    let told = own.round().await;
    assert_eq!(claims(&told[0])["sid"], second.as_str());
}
