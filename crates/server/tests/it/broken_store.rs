//! When the store takes no work: nothing is granted, and the caller is told to come back (row 18; RAS-JB-13).

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use lanyard_core::store::{Mode, Store, StoreError, Unit};
use lanyard_server::health::{self, HealthDeps};
use lanyard_testkit::company::{ALICE, Company, IDE, IDE_AT_RAS, IDP, RAS};
use tower::ServiceExt;

use crate::support::{BEARER, World, token_url};

const HEALTHY: u8 = 0;
const UNREACHABLE: u8 = 1;
const FULL: u8 = 2;
const FAILING: u8 = 3;

/// A store that breaks when a test says so.
struct Breaking {
    inner: Arc<dyn Store>,
    state: Arc<AtomicU8>,
}

impl Store for Breaking {
    fn submit(&self, unit: Unit) {
        match (self.state.load(Ordering::SeqCst), unit.mode) {
            (HEALTHY, _) | (FULL, Mode::Read | Mode::WriteReserved) => self.inner.submit(unit),
            (FULL, Mode::Write) => (unit.done)(Err(StoreError::Full)),
            (FAILING, _) => (unit.done)(Err(StoreError::Corrupt("secret inner detail".to_owned()))),
            _ => (unit.done)(Err(StoreError::Unavailable)),
        }
    }

    fn engine(&self) -> &'static str {
        self.inner.engine()
    }
}

async fn breaking() -> (World, Arc<AtomicU8>) {
    let state = Arc::new(AtomicU8::new(HEALTHY));
    let mut company = Company::new();
    company.store = Arc::new(Breaking {
        inner: Arc::clone(&company.store),
        state: Arc::clone(&state),
    });
    (World::of(company).await, state)
}

#[tokio::test]
async fn an_unreachable_or_full_store_grants_nothing_and_asks_to_come_back_ras_jb_13() {
    let (world, state) = breaking().await;
    let id_token = world.id_token(ALICE).await;
    let id_jag = world.id_jag(ALICE).await;
    for broken in [UNREACHABLE, FULL] {
        state.store(broken, Ordering::SeqCst);
        for answer in [world.exchange(&id_token, &[]).await, world.redeem(&id_jag).await] {
            assert_eq!(answer.error(), (503, "temporarily_unavailable".to_owned()));
            assert_eq!(answer.header("retry-after"), "2");
        }
    }
    state.store(HEALTHY, Ordering::SeqCst);
    assert_eq!(
        world.redeem(&id_jag).await.status,
        StatusCode::OK,
        "nothing was used up"
    );
}

#[tokio::test]
async fn a_full_store_still_takes_revocations() {
    let (world, state) = breaking().await;
    let token = world.redeem(&world.id_jag(ALICE).await).await.token();
    state.store(FULL, Ordering::SeqCst);
    let answer = world
        .post(&format!("{RAS}/oauth2/revoke"), IDE_AT_RAS, &[("token", &token)])
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(world.view.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failure_of_ours_tells_nothing_about_the_inside_er_01() {
    let (world, state) = breaking().await;
    state.store(FAILING, Ordering::SeqCst);
    for (issuer, client) in [(IDP, IDE), (RAS, IDE_AT_RAS)] {
        let fields = [("grant_type", BEARER), ("assertion", "x"), ("grant_type_hint", "")];
        let grant = if issuer == IDP {
            [("grant_type", "refresh_token"), ("refresh_token", "x")]
        } else {
            [fields[0], fields[1]]
        };
        let answer = world.post(&token_url(issuer), client, &grant).await;
        assert_eq!(answer.error(), (500, "server_error".to_owned()));
        assert!(!answer.text().contains("secret inner detail"));
    }
}

#[tokio::test]
async fn a_refusal_that_cannot_be_recorded_is_not_given() {
    let (world, state) = breaking().await;
    state.store(UNREACHABLE, Ordering::SeqCst);
    let answer = world
        .post(&token_url(RAS), IDE_AT_RAS, &[("grant_type", "password")])
        .await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn readiness_follows_the_store_and_the_tasks() {
    let (world, state) = breaking().await;
    let ready = async |runs: bool| {
        let router = health::router(HealthDeps {
            store: Some(Arc::clone(&world.basis.store)),
            revocations: None,
            tasks: Arc::new(move || vec![("worker".to_owned(), runs)]),
            metrics: None,
        });
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (
            status.as_u16(),
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
        )
    };
    assert_eq!(ready(true).await.0, 200);
    let (status, told) = ready(false).await;
    assert_eq!((status, &told["stopped"][0]), (503, &"worker".into()));
    state.store(UNREACHABLE, Ordering::SeqCst);
    let (status, told) = ready(true).await;
    assert_eq!((status, &told["store"]), (503, &"unreachable".into()));
}

#[tokio::test]
async fn a_gateway_without_a_store_is_ready_while_its_revocations_are_fresh_rv_03() {
    for (fresh, expected) in [(true, 200), (false, 503)] {
        let router = health::router(HealthDeps {
            store: None,
            revocations: Some(Arc::new(move || fresh)),
            tasks: Arc::new(Vec::new),
            metrics: None,
        });
        let request = Request::get("/readyz").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), expected);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let words = if fresh { "fresh" } else { "stale" };
        assert_eq!((&told["store"], &told["revocations"]), (&"none".into(), &words.into()));
    }
}
