//! Limits and listeners as the configuration file sets them, on the real program.

use super::http::{Answer, Request};
use super::site::Site;

/// A token request of a client that nobody knows.
fn guess(site: &Site) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "guess"),
        ("client_id", "nobody"),
        ("client_secret", "guess"),
    ];
    Request::form(site.ports.idp, "/oauth2/token", &fields).send().unwrap()
}

#[test]
fn the_numbers_of_the_configuration_are_those_that_bite_idp_tk_04() {
    let mut site = Site::new();
    site.more = "[limits]\nfailures_at_once = 1\nfailures_per_minute = 1\nrefusals_recorded = 1\n\
                 headers_within = \"1s\"\ndocument_bytes = 1048576\n"
        .to_owned();
    let _server = site.start();
    site.claim();
    assert_eq!(guess(&site).status, 401);
    assert_eq!(guess(&site).status, 401);
    let third = guess(&site);
    assert_eq!(third.status, 429, "{third:?}");
    assert!(third.header("retry-after").is_some());
    let refused = |event: &&serde_json::Value| event["kind"] == "idp.client.refused";
    let log = site.admin("GET", "/admin/v1/audit?limit=100", None).json();
    let events = log["items"].as_array().unwrap();
    assert_eq!(events.iter().filter(refused).count(), 1, "{log}");

    let large = serde_json::json!({ "users": [], "groups": [{ "name": "x".repeat(1 << 20) }] });
    assert_eq!(site.admin("POST", "/admin/v1/apply", Some(&large)).status, 413);

    // A peer that begins a request and does not end it is let go.
    let mut silent = std::net::TcpStream::connect(("127.0.0.1", site.ports.idp)).unwrap();
    silent.set_read_timeout(Some(super::site::PATIENCE)).unwrap();
    std::io::Write::write_all(&mut silent, b"GET / HTTP/1.1\r\n").unwrap();
    let mut heard = Vec::new();
    std::io::Read::read_to_end(&mut silent, &mut heard).unwrap();
}

#[test]
fn a_limit_out_of_range_is_refused_with_field_and_remedy() {
    let mut site = Site::new();
    site.more = "[limits]\nconnections = 0\n".to_owned();
    let said = site.refused(&site.configure());
    for part in ["lanyard.toml", "limits.connections", "out of range", "from 1 to"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn our_own_listeners_answer_to_configured_names_only() {
    let mut site = Site::new();
    // A key of the section above: the last one is [metrics].
    site.more = "hosts = [\"metrics.example\"]\n".to_owned();
    let _server = site.start();
    let status = |port: u16, path: &str, host: &str| Request::get(port, path).named(host).send().unwrap().status;
    let (admin, metrics) = (site.ports.admin, site.ports.metrics);
    assert_eq!(status(metrics, "/readyz", "metrics.example:9"), 200);
    assert_eq!(status(metrics, "/readyz", "localhost"), 200);
    assert_eq!(status(metrics, "/readyz", "rebound.example"), 421);
    assert_eq!(status(admin, "/admin/v1/users", "127.0.0.1"), 401);
    assert_eq!(status(admin, "/admin/v1/users", "metrics.example"), 421);
}

#[test]
fn a_gateway_without_a_store_has_health_and_metrics() {
    let site = Site::new();
    let routes = site.path("routes.toml");
    std::fs::write(&routes, "version = 1\nroutes = []\n").unwrap();
    let file = site.path("gateway.toml");
    let (gateway, metrics) = (site.ports.gateway, site.ports.metrics);
    let text = format!(
        "development = true\nstate_dir = {:?}\n[log]\nformat = \"json\"\n\
         [gateway]\npublic_url = \"http://127.0.0.1:{gateway}\"\nlisten = \"127.0.0.1:{gateway}\"\n\
         routes_file = {routes:?}\non_stale = \"allow\"\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n",
        site.path("state"),
    );
    std::fs::write(&file, text).unwrap();
    let _server = site.start_with(&file);
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = Request::get(metrics, path).send().unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    let ready = Request::get(metrics, "/readyz").send().unwrap().json();
    assert_eq!(
        (&ready["store"], &ready["revocations"]),
        (&"none".into(), &"fresh".into())
    );
    assert!(!site.path("state/lanyard.db").exists(), "no store was made");
}
