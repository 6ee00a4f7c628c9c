//! Where requests may go (SEC-08, SEC-09). Wherever a request is refused, the server on loopback has seen nothing.

use std::sync::Arc;

use lanyard_fetch::{AllowRule, Fetch, FetchError, FetchRequest, HttpFetch, Outbound};
use url::Url;

use crate::memory::Names;
use crate::server::{Server, fixture, ok};

fn outbound(development: bool, rules: &[&str]) -> Outbound {
    Outbound {
        development,
        allow: rules.iter().map(|rule| AllowRule::parse(rule).unwrap()).collect(),
        ca_files: vec![fixture("ca.pem")],
    }
}

async fn get(fetch: &HttpFetch, url: &str) -> Result<u16, FetchError> {
    fetch
        .fetch(FetchRequest::get(Url::parse(url).unwrap()))
        .await
        .map(|answer| answer.status.as_u16())
}

fn is_forbidden(outcome: &Result<u16, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Forbidden(_)))
}

#[tokio::test]
async fn loopback_is_reached_in_development_only_sec_09() {
    let server = Server::plain(&ok("{}"));
    let url = server.url("http", "127.0.0.1");
    let open = HttpFetch::new(&outbound(true, &[])).unwrap();
    assert_eq!(get(&open, &url).await, Ok(200));
    let closed = HttpFetch::new(&outbound(false, &[])).unwrap();
    assert!(is_forbidden(&get(&closed, &url).await));
    assert!(is_forbidden(&get(&closed, &server.url("https", "127.0.0.1")).await));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn plain_http_leaves_the_machine_never_ht_01() {
    let server = Server::plain(&ok("{}"));
    let names = Arc::new(Names::new(&[&["127.0.0.1"]]));
    let fetch = HttpFetch::with_lookup(&outbound(true, &["0.0.0.0/0", "good.example"]), names).unwrap();
    for host in [
        "good.example",
        "10.0.0.1",
        "8.8.8.8",
        "localhost.example",
        "127.0.0.1.example",
    ] {
        assert_eq!(
            get(&fetch, &server.url("http", host)).await,
            Err(FetchError::Forbidden("plain http")),
            "{host}"
        );
    }
    // And `localhost` is loopback or nothing.
    let elsewhere = Arc::new(Names::new(&[&["8.8.8.8"]]));
    let fetch = HttpFetch::with_lookup(&outbound(true, &["0.0.0.0/0"]), elsewhere).unwrap();
    assert!(is_forbidden(&get(&fetch, &server.url("http", "localhost")).await));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn addresses_in_any_spelling_are_checked_sec_08() {
    let server = Server::plain(&ok("{}"));
    let fetch = HttpFetch::new(&outbound(false, &[])).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "100.64.0.1",
        "[fc00::1]",
        "224.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "\u{2460}\u{2461}7.0.0.1",
        "127\u{3002}0\u{3002}0\u{3002}1",
    ] {
        let outcome = get(&fetch, &server.url("https", host)).await;
        assert!(is_forbidden(&outcome), "{host}: {outcome:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn metadata_addresses_stay_closed_whatever_is_allowed_sec_08() {
    let fetch = HttpFetch::new(&outbound(true, &["0.0.0.0/0", "::/0"])).unwrap();
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "100.100.100.200",
        "[::ffff:127.0.0.1]",
    ] {
        let outcome = get(&fetch, &format!("https://{host}/")).await;
        assert!(is_forbidden(&outcome), "{host}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_name_with_one_inner_address_is_refused_sec_08() {
    let server = Server::tls(&ok("{}"));
    for answer in [
        &["127.0.0.1"][..],
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
        &["::ffff:127.0.0.1"],
        &["169.254.169.254"],
        &["10.0.0.1"],
        &["2600::1", "fe80::1"],
    ] {
        let fetch = HttpFetch::with_lookup(&outbound(false, &[]), Arc::new(Names::new(&[answer]))).unwrap();
        let outcome = get(&fetch, &server.url("https", "good.example")).await;
        assert!(is_forbidden(&outcome), "{answer:?}: {outcome:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_checked_every_time_sec_08() {
    let server = Server::tls(&ok("{}"));
    let names = Arc::new(Names::new(&[&["127.0.0.1"], &["169.254.169.254"]]));
    let fetch = HttpFetch::with_lookup(&outbound(false, &["good.example"]), names).unwrap();
    let url = server.url("https", "good.example");
    // The first answer is checked and is the one that is connected to: there is no second look-up in between.
    assert_eq!(get(&fetch, &url).await, Ok(200));
    assert!(is_forbidden(&get(&fetch, &url).await));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_private_destination_needs_a_rule_for_its_name_or_address_and_port() {
    let server = Server::tls(&ok("{}"));
    let port = server.address.port();
    let url = server.url("https", "good.example");
    for (rule, reached) in [
        ("good.example".to_owned(), true),
        (format!("good.example:{port}"), true),
        ("127.0.0.0/8".to_owned(), true),
        (format!("127.0.0.1:{port}"), true),
        ("good.example:1".to_owned(), false),
        ("127.0.0.1:1".to_owned(), false),
        ("other.example".to_owned(), false),
    ] {
        let names = Arc::new(Names::new(&[&["127.0.0.1"]]));
        let fetch = HttpFetch::with_lookup(&outbound(false, &[rule.as_str()]), names).unwrap();
        let outcome = get(&fetch, &url).await;
        assert_eq!(outcome.is_ok(), reached, "{rule}: {outcome:?}");
        assert_eq!(is_forbidden(&outcome), !reached, "{rule}");
    }
}

#[tokio::test]
async fn other_schemes_and_user_information_are_refused() {
    let fetch = HttpFetch::new(&outbound(true, &[])).unwrap();
    for url in [
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "data:,x",
        "javascript:alert(1)",
    ] {
        assert!(is_forbidden(&get(&fetch, url).await), "{url}");
    }
    for url in [
        "https://user@good.example/",
        "https://user:password@good.example/",
        "http://a@127.0.0.1/",
    ] {
        assert!(is_forbidden(&get(&fetch, url).await), "{url}");
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = Server::tls(&ok("{}"));
    let url = server.url("https", "good.example");
    let names = || Arc::new(Names::new(&[&["127.0.0.1"]]));
    let trusted = outbound(false, &["good.example"]);
    assert_eq!(
        get(&HttpFetch::with_lookup(&trusted, names()).unwrap(), &url).await,
        Ok(200)
    );
    // In development a machine without roots starts; nothing is trusted then.
    let untrusted = Outbound {
        development: true,
        ca_files: Vec::new(),
        ..trusted.clone()
    };
    assert_eq!(
        get(&HttpFetch::with_lookup(&untrusted, names()).unwrap(), &url).await,
        Err(FetchError::Tls)
    );
    let renamed = Outbound {
        allow: vec![AllowRule::parse("bad.example").unwrap()],
        ..trusted
    };
    let fetch = HttpFetch::with_lookup(&renamed, names()).unwrap();
    assert_eq!(
        get(&fetch, &server.url("https", "bad.example")).await,
        Err(FetchError::Tls)
    );
}

#[test]
fn a_file_that_is_no_certificate_is_refused_at_start_by_name() {
    for file in ["server.key", "missing.pem"] {
        let outbound = Outbound {
            ca_files: vec![fixture(file)],
            ..Outbound::default()
        };
        let error = HttpFetch::new(&outbound).unwrap_err();
        assert!(matches!(error, FetchError::Configuration(_)));
        assert!(error.to_string().contains(file), "{error}");
    }
}
