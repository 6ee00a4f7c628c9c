//! Starts, refusals, the first owner, and the stop.

use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use super::audit_log::AuditLog;
use super::http::{self, Request};
use super::load::Desk;
use super::site::Site;

/// A configuration with something exchanged.
fn with(site: &Site, from: &str, to: &str) -> PathBuf {
    let file = site.configure();
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    std::fs::write(&file, text.replace(from, to)).unwrap();
    file
}

#[test]
fn a_configuration_file_is_enough_and_both_issuers_answer_discovery_md_idp_md_ras() {
    let site = Site::new();
    let _server = site.start();
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ] {
        let document = Request::get(site.ports.idp, path).send().unwrap();
        assert_eq!(document.json()["issuer"], site.issuer(), "{path}");
    }
    let document = Request::get(site.ports.ras, "/.well-known/oauth-authorization-server")
        .send()
        .unwrap();
    assert_eq!(document.json()["issuer"], site.ras());
    assert_ne!(site.issuer(), site.ras());
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = Request::get(site.ports.metrics, path).send().unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        // Health and metrics are no part of a public listener.
        assert_eq!(Request::get(site.ports.idp, path).send().unwrap().status, 404, "{path}");
    }
}

#[test]
fn one_issuer_for_both_roles_is_refused_with_file_field_and_remedy() {
    let site = Site::new();
    let said = site.refused(&with(
        &site,
        &format!("{:?}", site.ras()),
        &format!("{:?}", site.issuer()),
    ));
    for part in [
        "lanyard.toml",
        "ras.issuer",
        "it equals idp.issuer",
        "give each its own",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_file_and_line() {
    let site = Site::new();
    let said = site.refused(&with(&site, "[log]", "colour = 1\n[log]"));
    for part in ["lanyard.toml", "line 3", "unknown field `colour`"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_public_address_in_development_is_refused_with_field_and_remedy_sec_09() {
    let site = Site::new();
    let listen = format!("listen = \"127.0.0.1:{}\"", site.ports.idp);
    let said = site.refused(&with(&site, &listen, &listen.replace("127.0.0.1", "0.0.0.0")));
    for part in [
        "lanyard.toml",
        "idp.listen",
        "development = true",
        "Listen on 127.0.0.1",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn another_key_encryption_key_is_refused_by_name() {
    let mut site = Site::new();
    drop(site.start());
    let key = site.path("other-kek");
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    site.more = format!("[kek]\nfile = {key:?}\n");
    let said = site.refused(&site.configure());
    assert!(
        said.contains("kek") && said.contains("another key-encryption key"),
        "{said}"
    );
}

#[test]
fn the_first_start_writes_a_private_one_time_token_that_is_claimed_once() {
    let site = Site::new();
    let server = site.start();
    let token = site.path("state/owner-token");
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read(&token).unwrap();
    // The link carries it in the fragment, which no browser sends.
    let link = site.path("state/owner-link");
    assert_eq!(std::fs::metadata(&link).unwrap().permissions().mode() & 0o777, 0o600);
    let linked = std::fs::read_to_string(&link).unwrap();
    assert!(linked.ends_with(&format!(
        "/first-sign-in#token={}",
        String::from_utf8(kept.clone()).unwrap()
    )));
    site.claim();
    assert!(!link.exists(), "the link outlived its token");
    assert_eq!(site.admin("GET", "/admin/v1/users", None).status, 200);

    // Once: also for somebody who kept a copy of the file.
    std::fs::write(&token, kept).unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
    let url = format!("http://127.0.0.1:{}", site.ports.admin);
    let again = site
        .lanyard(&["admin", "claim", "--url", &url, "--token-file", token.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(!again.status.success());

    // And not again at the next start.
    std::fs::remove_file(&token).unwrap();
    server.kill();
    let _server = site.start();
    assert!(!token.exists());
    assert_eq!(site.admin("GET", "/admin/v1/users", None).status, 200);
}

#[test]
fn the_store_holds_no_owner_or_administrator_token_in_the_clear() {
    let site = Site::new();
    let server = site.start();
    let owner = std::fs::read_to_string(site.path("state/owner-token")).unwrap();
    site.claim();
    let admin = site.admin_token();
    server.kill();
    for entry in std::fs::read_dir(site.path("state")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        if path.file_name().unwrap().to_str().unwrap().starts_with("lanyard.db") {
            for secret in [owner.trim(), &admin] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_termination_finishes_the_request_under_way_accepts_no_other_and_ends_well() {
    let site = Site::new();
    let mut server = site.start();
    let request = Request::form(site.ports.ras, "/oauth2/token", &[("grant_type", "refresh_token")]);
    let bytes = request.bytes();
    let (first, last) = bytes.split_at(bytes.len() - 5);
    let mut stream = TcpStream::connect(("127.0.0.1", site.ports.ras)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    // Connections are taken in their order: when this one is answered, the other one was accepted before it.
    assert_eq!(Request::get(site.ports.ras, "/oauth2/jwks").send().unwrap().status, 200);

    server.signal("TERM");
    server.until("stopping");
    while TcpStream::connect(("127.0.0.1", site.ports.admin)).is_ok() {
        assert!(server.runs());
    }
    stream.write_all(last.as_bytes()).unwrap();
    let answer = http::read(&mut stream).unwrap();
    assert_eq!(
        answer.json()["error"],
        "unsupported_grant_type",
        "an answer as ever: {answer:?}"
    );
    assert!(server.wait().success());
}

#[test]
fn what_a_stopped_server_knew_the_next_one_knows_and_the_log_is_sealed_to_its_end() {
    let site = Site::new();
    let mut server = site.start();
    site.claim();
    site.populate();
    let desk = Desk::sign_in(&site, "alice");
    let token = desk.chain();
    server.signal("TERM");
    assert!(server.wait().success());

    let _server = site.start();
    assert_eq!(desk.introspect(&token)["active"], true);
    desk.chain();
    AuditLog::verify_chain(&site);
}

#[test]
fn a_store_is_looked_at_and_brought_to_this_release_apart_from_a_start() {
    let site = Site::new();
    let config = site.configure();
    let run = |arguments: &[&str]| {
        let output = site.lanyard(arguments).arg("--config").arg(&config).output().unwrap();
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), said)
    };
    let none = serde_json::json!([]);
    let (code, before) = run(&["migrate", "--check", "--json"]);
    assert_eq!(
        (code, &before["applied"], &before["schema"]),
        (Some(1), &none, &0.into())
    );
    assert!(!site.path("state/lanyard.db").exists(), "looking made a store");
    let (code, did) = run(&["migrate", "--json"]);
    assert_eq!(
        (code, &did["applied"], &did["missing"]),
        (Some(0), &before["missing"], &none)
    );
    let (code, again) = run(&["migrate", "--json"]);
    assert_eq!((code, &again["applied"]), (Some(0), &none));
    assert_eq!(run(&["migrate", "--check", "--json"]).0, Some(0));
    drop(site.start());
}
