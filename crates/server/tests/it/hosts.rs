//! Which hosts we answer for.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{Request, StatusCode};
use lanyard_server::http::host::private;
use lanyard_testkit::company::{IDP, RAS};
use tower::ServiceExt;

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

#[tokio::test]
async fn the_admin_listener_answers_no_rebound_name_and_no_foreign_page() {
    let router = Router::new().route("/admin/v1/users", get(|| async { "people" }));
    let router = private(router, IpAddr::from([127, 0, 0, 1]), vec!["admin.example".to_owned()]);
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = Request::get("/admin/v1/users");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        router.clone().oneshot(request).await.unwrap().status().as_u16()
    };
    assert_eq!(ask(&[("host", "127.0.0.1:4503")]).await, 200);
    assert_eq!(ask(&[("host", "admin.example")]).await, 200);
    assert_eq!(ask(&[("host", "rebound.example:4503")]).await, 421);
    assert_eq!(ask(&[]).await, 421, "no host at all");
    assert_eq!(ask(&[("host", "127.0.0.1"), ("host", "127.0.0.1")]).await, 421);
    let own = ("origin", "https://admin.example");
    assert_eq!(ask(&[("host", "admin.example"), own]).await, 200);
    for foreign in ["https://evil.example", "null"] {
        assert_eq!(
            ask(&[("host", "admin.example"), ("origin", foreign)]).await,
            403,
            "{foreign}"
        );
    }
}
