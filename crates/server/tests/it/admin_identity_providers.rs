//! `/admin/v1/identity-providers`: documents, links, and the test of a provider.

use lanyard_core::admin::token::AdminRole;
use lanyard_fetch::FetchError;
use serde_json::{Value, json};

use crate::admin_world::{Api, refused};
use crate::saml_exchange::{CORP, PROVIDER};
use crate::upstream_provider::{CLIENT, SECRET, UPSTREAM, response, with_status};
use crate::upstream_world::{Front, callback_path};

fn document() -> Value {
    json!({
        "name": "corp", "title": "Corp", "just_in_time": true, "domains": ["corp.example"],
        "groups": {"names": {"eng": "engineering"}},
        "oidc": {"issuer": UPSTREAM, "client_id": CLIENT, "client_secret": SECRET, "algorithms": ["ES256"]},
    })
}

async fn api() -> (Front, Api) {
    let front = Front::new().await;
    let api = Api::over(&front);
    (front, api)
}

#[tokio::test]
async fn a_provider_is_set_shown_listed_and_removed_without_its_secret() {
    let (_, api) = api().await;
    let before = api.count();
    let set = api.ask("PUT", "/identity-providers/corp", document()).await;
    assert_eq!(
        (set.status.as_u16(), &set.json()["change"]),
        (200, &json!("changed")),
        "{}",
        set.text()
    );
    assert!(!set.text().contains(SECRET));
    let events = api.since(before);
    assert_eq!(events[0].kind, "admin.identity_provider.changed");
    assert_eq!(
        (
            &events[0].detail["before"]["title"],
            &events[0].detail["after"]["title"]
        ),
        (&json!("corp"), &json!("Corp"))
    );
    let shown = api.get("/identity-providers/corp").await;
    assert_eq!(
        shown["redirect_uri"],
        "https://login.northwind.example/upstream/corp/callback"
    );
    assert_eq!(shown["groups"]["names"]["eng"], "engineering");
    assert_eq!(
        api.get("/identity-providers").await["items"].as_array().unwrap().len(),
        1
    );
    let again = api.ask("PUT", "/identity-providers/corp", document()).await;
    assert_eq!(again.json()["change"], "unchanged");
    let other = api.ask("PUT", "/identity-providers/else", document()).await;
    assert_eq!(
        (refused(&other), other.json()["field"].as_str()),
        ((422, "invalid".to_owned()), Some("name"))
    );
    let gone = api.ask("DELETE", "/identity-providers/corp", Value::Null).await;
    assert_eq!(gone.json()["change"], "removed");
    assert_eq!(
        refused(&api.ask("GET", "/identity-providers/corp", Value::Null).await),
        (404, "not_found".to_owned())
    );
    assert_eq!(
        refused(&api.ask("DELETE", "/identity-providers/corp", Value::Null).await),
        (404, "not_found".to_owned())
    );
}

#[tokio::test]
async fn a_field_that_is_wrong_is_named() {
    let (_, api) = api().await;
    for (change, field) in [
        (
            json!({"oidc": {"issuer": "http://idp.example", "client_id": "x", "client_secret": "y"}}),
            "oidc.issuer",
        ),
        (json!({"domains": ["nonsense"]}), "domains"),
        (json!({"preset": "google"}), "oidc.issuer"),
    ] {
        let mut wrong = document();
        wrong
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().cloned().unwrap());
        let answer = api.ask("PUT", "/identity-providers/corp", wrong).await;
        assert_eq!(answer.json()["field"], field, "{}", answer.text());
    }
    let unknown = api
        .ask("PUT", "/identity-providers/corp", json!({"name": "corp", "isuer": "x"}))
        .await;
    assert_eq!(refused(&unknown), (400, "unreadable".to_owned()));
}

#[tokio::test]
async fn only_an_owner_changes_tests_or_links_and_an_auditor_reads() {
    let (_, api) = api().await;
    for role in [AdminRole::Operator, AdminRole::Approver, AdminRole::Auditor] {
        let token = api.token(role, None);
        for (method, path, body) in [
            ("PUT", "/identity-providers/corp", document()),
            ("DELETE", "/identity-providers/corp", Value::Null),
            ("POST", "/identity-providers/corp/test", Value::Null),
            ("GET", "/identity-providers/corp/test/x", Value::Null),
            (
                "POST",
                "/identity-providers/corp/links",
                json!({"subject": "s", "user": "alice"}),
            ),
            ("DELETE", "/identity-providers/corp/links/alice", Value::Null),
        ] {
            let answer = api.ask_as(&token, method, path, body).await;
            assert_eq!(
                refused(&answer),
                (403, "not_permitted".to_owned()),
                "{role:?} {method} {path}"
            );
        }
        for path in [
            "/identity-providers",
            "/identity-providers/corp",
            "/identity-providers/corp/links",
        ] {
            assert_eq!(
                api.ask_as(&token, "GET", path, Value::Null).await.status.as_u16(),
                200,
                "{role:?} {path}"
            );
        }
    }
    let gateway = api.token(AdminRole::Gateway, None);
    let answer = api.ask_as(&gateway, "GET", "/identity-providers", Value::Null).await;
    assert_eq!(refused(&answer), (403, "not_permitted".to_owned()));
}

#[tokio::test]
async fn a_link_is_made_listed_and_removed_by_an_owner_al_04() {
    let (front, api) = api().await;
    let asked = json!({"subject": "s-1", "user": "alice"});
    let linked = api.ask("POST", "/identity-providers/corp/links", asked.clone()).await;
    assert_eq!(
        (linked.status.as_u16(), &linked.json()["origin"]),
        (200, &json!("administrator")),
        "{}",
        linked.text()
    );
    assert_eq!(
        api.ask("POST", "/identity-providers/corp/links", asked)
            .await
            .status
            .as_u16(),
        200
    );
    let taken = api
        .ask(
            "POST",
            "/identity-providers/corp/links",
            json!({"subject": "s-1", "user": "carol"}),
        )
        .await;
    assert_eq!(refused(&taken), (409, "taken".to_owned()));
    assert_eq!(front.sign_in().await.status.as_u16(), 302);
    let links = api.get("/identity-providers/corp/links").await;
    assert_eq!(links["items"][0]["username"], "alice");
    assert!(links["items"][0]["last_seen_at"].is_string());
    let gone = api
        .ask("DELETE", "/identity-providers/corp/links/alice", Value::Null)
        .await;
    assert_eq!(gone.status.as_u16(), 200, "{}", gone.text());
    let kinds: Vec<String> = api
        .world
        .company
        .events()
        .into_iter()
        .map(|stored| stored.event.kind)
        .collect();
    assert_eq!(kinds[0], "idp.link.removed");
}

fn finding<'a>(test: &'a Value, check: &str) -> &'a Value {
    let all = test["findings"].as_array().unwrap();
    all.iter()
        .find(|one| one["check"] == check)
        .unwrap_or_else(|| panic!("{check}: {test}"))
}

#[tokio::test]
async fn a_test_of_a_healthy_provider_says_so_and_prepares_a_dry_sign_in() {
    let (front, api) = api().await;
    front.provider.lie(|lies| {
        drop(
            lies.claims
                .insert("groups".to_owned(), json!(["engineering", "unknown"])),
        )
    });
    let sessions = front.world.company.events().len();
    let test = api
        .ask("POST", "/identity-providers/corp/test", Value::Null)
        .await
        .json();
    assert_eq!(test["good"], true, "{test}");
    for check in ["discovery", "endpoints", "keys", "client", "mix-up"] {
        assert_eq!(finding(&test, check)["result"], "good", "{check}: {test}");
    }
    let (url, id) = (
        test["sign_in"]["url"].as_str().unwrap(),
        test["sign_in"]["id"].as_str().unwrap(),
    );
    let report = format!("/identity-providers/corp/test/{id}");
    assert_eq!(api.ask("GET", &report, Value::Null).await.status.as_u16(), 202);
    let path = url.strip_prefix("https://login.northwind.example").unwrap();
    let started = front.get(path).await;
    assert_eq!(started.status.as_u16(), 302, "{}", started.text());
    let query = front.provider.sign_in(started.header("location"));
    let page = front.get(&callback_path("corp", &query)).await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text());
    assert!(front.session_cookie().is_none());
    let found = api.get(&report).await;
    assert_eq!(
        (&found["accepted"], &found["subject"], &found["username"]),
        (&json!(true), &json!("s-1"), &json!("erin"))
    );
    assert_eq!(
        found["groups"],
        json!([{"value": "engineering", "group": "engineering"}, {"value": "unknown"}])
    );
    assert_eq!(
        (&found["claims"]["name"], &found["strength"]),
        (&json!("Erin Example"), &json!("password"))
    );
    assert_eq!(found["outcome"], "erin would be made and signed in.");
    // Nothing happened: no session, no person, no link, and the ticket is used up.
    let since: Vec<_> = front.world.company.events();
    assert_eq!((since.len(), front.people()), (sessions, 3));
    assert_eq!(front.get(path).await.status.as_u16(), 404);
    assert_eq!(
        refused(&api.ask("GET", "/identity-providers/corp/test/AAAA", Value::Null).await),
        (404, "not_found".to_owned())
    );
}

#[tokio::test]
async fn a_dry_sign_in_that_fails_names_the_check() {
    let (front, api) = api().await;
    front
        .provider
        .lie(|lies| drop(lies.claims.insert("aud".to_owned(), json!("other"))));
    let test = api
        .ask("POST", "/identity-providers/corp/test", Value::Null)
        .await
        .json();
    let path = test["sign_in"]["url"]
        .as_str()
        .unwrap()
        .strip_prefix("https://login.northwind.example")
        .unwrap();
    let query = front.provider.sign_in(front.get(path).await.header("location"));
    let _ = front.get(&callback_path("corp", &query)).await;
    let found = api
        .get(&format!(
            "/identity-providers/corp/test/{}",
            test["sign_in"]["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(
        (&found["accepted"], &found["reason"]),
        (&json!(false), &json!("audience"))
    );
}

#[tokio::test]
async fn each_finding_says_what_is_wrong_and_what_mends_it() {
    type Lie = Box<dyn FnOnce(&mut crate::upstream_provider::Lies)>;
    let answer = |path: &'static str, with: Result<_, FetchError>| -> Lie {
        Box::new(move |lies| drop(lies.answers.insert(path, with)))
    };
    let member = |name: &'static str, value: Value| -> Lie {
        Box::new(move |lies| drop(lies.metadata.insert(name.to_owned(), value)))
    };
    let slash = format!("{UPSTREAM}/");
    let cases: Vec<(Lie, &str, &str, &str)> = vec![
        (
            member("issuer", json!(slash)),
            "discovery",
            "only the slash at the end differs",
            "Set the issuer to https://idp.corp.example/",
        ),
        (
            member("issuer", json!("https://IDP.corp.example")),
            "discovery",
            "upper and lower case",
            "to the letter",
        ),
        (
            member("issuer", json!("https://evil.example")),
            "discovery",
            "calls itself https://evil.example",
            "stands in between",
        ),
        (
            member("issuer", json!("http://keycloak.inner:8080/realms/corp")),
            "discovery",
            "calls itself http://keycloak.inner:8080/realms/corp, not https://idp.corp.example",
            "--hostname",
        ),
        (
            member("issuer", json!("https://u:p@evil.example")),
            "discovery",
            "something that is no issuer",
            "issuer",
        ),
        (
            member("issuer", json!("<script>")),
            "discovery",
            "something that is no issuer",
            "issuer",
        ),
        (
            answer("configuration", Ok(response(404, "text/html", ""))),
            "discovery",
            "status 404",
            "/.well-known/openid-configuration",
        ),
        (
            answer("configuration", Err(FetchError::Unreachable)),
            "discovery",
            "nothing answers",
            "firewall",
        ),
        (
            answer("configuration", Err(FetchError::Tls)),
            "discovery",
            "certificate is not trusted",
            "ca_files",
        ),
        (
            answer("configuration", Err(FetchError::Timeout)),
            "discovery",
            "five seconds",
            "health",
        ),
        (
            answer("configuration", Err(FetchError::Forbidden("a redirect"))),
            "discovery",
            "redirects",
            "redirects to",
        ),
        (
            answer(
                "configuration",
                Err(FetchError::Forbidden("a private address without an allow rule")),
            ),
            "discovery",
            "private network",
            "outbound.allow",
        ),
        (
            member("code_challenge_methods_supported", Value::Null),
            "PKCE",
            "S256",
            "pkce_unannounced",
        ),
        (
            member("token_endpoint", json!("http://inner/token")),
            "endpoints",
            "token_endpoint",
            "proxy",
        ),
        (
            member("id_token_signing_alg_values_supported", json!(["HS256"])),
            "algorithms",
            "no algorithm",
            "HS256 is never",
        ),
        (
            member(
                "token_endpoint_auth_methods_supported",
                json!(["client_secret_post", "x"]),
            ),
            "client",
            "does not take client_secret_basic",
            "client_secret_post.",
        ),
        (
            member("token_endpoint_auth_methods_supported", json!(["tls_client_auth"])),
            "client",
            "does not take client_secret_basic",
            "at the provider",
        ),
        (
            answer("/keys", Ok(response(404, "text/html", "<h1>none</h1>"))),
            "keys",
            "/keys answered with status 404",
            "public address",
        ),
        (
            answer("/keys", Ok(response(200, "text/html", "<h1>none</h1>"))),
            "keys",
            "is no set of keys",
            "jwks_uri",
        ),
        (
            answer("/keys", Ok(with_status(200, &json!({"keys": []})))),
            "keys",
            "no key",
            "algorithms",
        ),
        (
            answer("/keys", Err(FetchError::Unreachable)),
            "keys",
            "nothing answers",
            "firewall",
        ),
        (
            answer("/token", Ok(with_status(401, &json!({"error": "invalid_client"})))),
            "client",
            "does not accept client",
            "secret",
        ),
        (
            answer("/token", Ok(with_status(400, &json!({"error": "unauthorized_client"})))),
            "client",
            "authorization code flow",
            "Standard flow",
        ),
    ];
    for (lie, check, text, remedy) in cases {
        let (front, api) = api().await;
        front.provider.lie(lie);
        let test = api
            .ask("POST", "/identity-providers/corp/test", Value::Null)
            .await
            .json();
        let found = test["findings"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["result"] == "failed")
            .unwrap_or_else(|| panic!("{check}: {test}"));
        assert_eq!(found["check"], check, "{test}");
        let said_twice = test["findings"]
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["check"] == check && one["result"] == "good");
        assert!(!said_twice, "{check}: {test}");
        assert!(found["text"].as_str().unwrap().contains(text), "{check}: {found}");
        assert!(found["remedy"].as_str().unwrap().contains(remedy), "{check}: {found}");
        assert_eq!((&test["good"], test.get("sign_in")), (&json!(false), None), "{check}");
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_found_by_the_date_of_the_answer_sec_07() {
    for (date, result) in [
        ("Mon, 14 Sep 2026 12:00:03 GMT", "good"),
        ("Mon, 14 Sep 2026 11:59:40 GMT", "notice"),
        ("Mon, 14 Sep 2026 12:05:00 GMT", "failed"),
        ("yesterday", "notice"),
    ] {
        let (front, api) = api().await;
        let good = front.provider.discovery();
        front.provider.lie(|lies| {
            let mut dated = good;
            dated.headers.insert("date", date.parse().unwrap());
            lies.answers.insert("configuration", Ok(dated));
        });
        let test = api
            .ask("POST", "/identity-providers/corp/test", Value::Null)
            .await
            .json();
        assert_eq!(finding(&test, "clock")["result"], result, "{date}: {test}");
    }
}

#[tokio::test]
async fn a_connection_that_is_off_can_be_tested_and_lets_nobody_in() {
    let (front, api) = api().await;
    let mut off = document();
    off["enabled"] = json!(false);
    assert_eq!(
        api.ask("PUT", "/identity-providers/corp", off).await.status.as_u16(),
        200
    );
    let test = api
        .ask("POST", "/identity-providers/corp/test", Value::Null)
        .await
        .json();
    let path = test["sign_in"]["url"]
        .as_str()
        .unwrap()
        .strip_prefix("https://login.northwind.example")
        .unwrap();
    let query = front.provider.sign_in(front.get(path).await.header("location"));
    assert_eq!(front.get(&callback_path("corp", &query)).await.status.as_u16(), 200);
    assert!(front.session_cookie().is_none());
    let start = front.get(&crate::upstream_world::start_path("corp", &[])).await;
    assert_eq!(start.status.as_u16(), 404);
}

fn metadata(sso: &str) -> String {
    format!(
        "<EntityDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{CORP}\"><IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\"><KeyDescriptor><KeyInfo \
         xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><X509Data><X509Certificate>{}</X509Certificate></X509Data></KeyInfo>\
         </KeyDescriptor><SingleSignOnService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:{sso}\" \
         Location=\"https://corp.example/sso\"/></IDPSSODescriptor></EntityDescriptor>",
        PROVIDER.certificate.to_base64()
    )
}

#[tokio::test]
async fn metadata_of_a_saml_provider_is_read_from_text_or_address_and_nothing_is_written() {
    let (front, api) = api().await;
    let place = "https://corp.example/metadata.xml";
    front.provider.lie(|lies| {
        let good = response(200, "application/samlmetadata+xml", &metadata("HTTP-Redirect"));
        lies.answers.insert("/metadata.xml", Ok(good));
        lies.answers.insert("/down", Err(FetchError::Unreachable));
    });
    let before = api.count();
    for asked in [json!({"xml": metadata("HTTP-Redirect")}), json!({"url": place})] {
        let read = api.ask("POST", "/saml-metadata", asked).await;
        assert_eq!(read.status.as_u16(), 200, "{}", read.text());
        let read = read.json();
        assert_eq!(
            (read["entity_id"].as_str(), read["sso_url"].as_str()),
            (Some(CORP), Some("https://corp.example/sso"))
        );
        assert_eq!(read["certificates"].as_array().unwrap().len(), 1);
    }
    assert_eq!(api.count(), before);
    for (asked, words) in [
        (json!({}), "exactly one"),
        (json!({"xml": "<html/>"}), "cannot be used"),
        (json!({"xml": metadata("HTTP-POST")}), "HTTP-Redirect"),
        (json!({"url": "https://corp.example/down"}), "nothing answers"),
        (json!({"url": "https://corp.example/none"}), "status 404"),
        (json!({"url": "nonsense"}), "no address"),
    ] {
        let answer = api.ask("POST", "/saml-metadata", asked).await;
        assert_eq!(refused(&answer), (422, "invalid".to_owned()), "{words}");
        assert!(answer.text().contains(words), "{}", answer.text());
    }
    let auditor = api.token(AdminRole::Auditor, None);
    let answer = api
        .ask_as(&auditor, "POST", "/saml-metadata", json!({"url": place}))
        .await;
    assert_eq!(refused(&answer), (403, "not_permitted".to_owned()));
}

#[tokio::test]
async fn a_saml_provider_is_tested_and_told_who_we_are() {
    let (_, api) = api().await;
    let saml = json!({
        "entity_id": CORP, "sso_url": "https://corp.example/sso", "certificates": [PROVIDER.certificate.to_base64()],
        "valid_until": "2020-01-01T00:00:00Z",
    });
    let document = json!({"name": "saml", "enabled": false, "saml": saml});
    let set = api.ask("PUT", "/identity-providers/saml", document).await;
    assert_eq!(set.status.as_u16(), 200, "{}", set.text());
    let base = "https://login.northwind.example/upstream/saml";
    let shown = api.get("/identity-providers/saml").await;
    assert_eq!(shown["at_provider"]["entity_id"], format!("{base}/saml/metadata"));
    assert_eq!(shown["at_provider"]["acs_url"], format!("{base}/saml/acs"));

    let xml = api.ask("GET", "/identity-providers/saml/metadata", Value::Null).await;
    assert_eq!(xml.header("content-type"), "application/samlmetadata+xml");
    assert!(
        xml.text().contains(&format!("entityID=\"{base}/saml/metadata\"")),
        "{}",
        xml.text()
    );
    let other = api.ask("GET", "/identity-providers/corp/metadata", Value::Null).await;
    assert_eq!(refused(&other), (422, "invalid".to_owned()));

    let test = api
        .ask("POST", "/identity-providers/saml/test", Value::Null)
        .await
        .json();
    assert_eq!(test["good"], true, "{test}");
    let start = test["sign_in"]["url"].as_str().unwrap();
    assert!(start.starts_with(&format!("{base}/start?test=")), "{start}");
    let findings = test["findings"].as_array().unwrap();
    let of = |check: &str| findings.iter().find(|one| one["check"] == check).unwrap();
    assert_eq!(of("certificates")["result"], "good", "{findings:?}");
    assert_eq!(of("metadata")["result"], "notice");
    // Only browsers need to reach it.
    assert_eq!(of("sign-in address")["result"], "notice");
    assert!(
        of("switch")["remedy"]
            .as_str()
            .unwrap()
            .contains("lanyard idp enable saml")
    );
    assert!(
        of("answers")["text"]
            .as_str()
            .unwrap()
            .ends_with("/upstream/saml/saml/acs")
    );
}
