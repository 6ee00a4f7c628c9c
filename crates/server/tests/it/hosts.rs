//! Which hosts we answer for.

use axum::body::Body;
use http::{Request, StatusCode};
use lanyard_testkit::company::{IDP, RAS};

use crate::support::World;

#[tokio::test]
async fn a_rebound_name_gets_no_answer() {
    let world = World::new().await;
    let request = Request::get("/oauth2/jwks")
        .header("host", "evil.example")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::MISDIRECTED_REQUEST);
    let request = Request::get("/oauth2/jwks").body(Body::empty()).unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn two_issuers_on_one_listener_are_told_apart_by_host() {
    let world = World::new().await;
    let idp = world
        .get(&format!("{IDP}/.well-known/oauth-authorization-server"))
        .await
        .json();
    let ras = world
        .get(&format!("{RAS}/.well-known/oauth-authorization-server"))
        .await
        .json();
    assert_eq!((&idp["issuer"], &ras["issuer"]), (&IDP.into(), &RAS.into()));
}
