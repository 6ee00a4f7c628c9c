//! Setting, removing and linking: the acts of an owner on identity providers.

use std::sync::Arc;

use lanyard_core::admin::change::Change;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::spec::connection::ConnectionSpec;
use lanyard_core::admin::token::{Admin, AdminRole};
use lanyard_core::admin::{connection, link};
use lanyard_core::outcome::Outcome;
use lanyard_core::store::page::PageRequest;
use lanyard_core::upstream::connection::{Kind, Preset};
use lanyard_core::upstream::home_realm;
use lanyard_core::upstream::oidc::UpstreamAuth;
use lanyard_core::upstream::secret;
use lanyard_testkit::company::{ALICE, CAROL, Company};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::ras_world::{denied, granted};
use crate::upstream_support::{asserted, company, groups_of, put, sign_in, spec};

fn field(denial: &AdminDenial) -> &str {
    match denial {
        AdminDenial::Invalid { field, .. } => field,
        other => panic!("{other:?}"),
    }
}

fn changed(company: &Company, spec: &ConnectionSpec) -> Change {
    let (vault, admin, spec) = (Arc::clone(&company.vault), company.admin.clone(), spec.clone());
    granted(company.write(move |cx, tx| connection::put(cx, tx, &vault, &admin, &spec))).1
}

#[test]
fn a_document_reads_back_and_the_same_again_changes_nothing() {
    let company = Company::new();
    let wanted = spec("corp");
    assert_eq!(changed(&company, &wanted), Change::Created);
    assert_eq!(changed(&company, &wanted), Change::Unchanged);
    let shown = company.read(|tx| {
        let found = tx.find_connection_by_name("corp")?.unwrap();
        connection::describe(tx, &found)
    });
    assert_eq!(
        changed(&company, &shown),
        Change::Unchanged,
        "what is shown can be set again"
    );
    let text = serde_json::to_string(&shown).unwrap();
    assert!(!text.contains("upstream-secret"), "{text}");
    let event = company.events().remove(0).event;
    assert_eq!(
        (event.kind.as_str(), &event.detail["after"]["client_secret"]),
        ("admin.identity_provider.created", &json!("new"))
    );
    assert!(!serde_json::to_string(&event).unwrap().contains("upstream-secret"));
}

#[test]
fn the_secret_rests_sealed_to_its_row_and_is_replaced_when_given_sec_12() {
    let company = company(|_| {});
    let first = granted(put(&company, &spec("corp")));
    let open = |connection: &lanyard_core::upstream::connection::Connection| {
        let sealed = connection.sealed_secret.clone().unwrap();
        secret::open_credential(&company.vault, &connection.id, &sealed)
            .unwrap()
            .expose_secret()
            .to_vec()
    };
    assert_eq!(open(&first), b"upstream-secret");
    let other = granted(put(&company, &spec("other")));
    let sealed = first.sealed_secret.clone().unwrap();
    assert!(secret::open_credential(&company.vault, &other.id, &sealed).is_err());
    let mut without = spec("corp");
    without.oidc.as_mut().unwrap().client_secret = None;
    assert_eq!(granted(put(&company, &without)).sealed_secret, first.sealed_secret);
    let mut new = spec("corp");
    new.oidc.as_mut().unwrap().client_secret = Some("another".to_owned());
    assert_eq!(open(&granted(put(&company, &new))), b"another");
    let mut nothing = spec("third");
    nothing.oidc.as_mut().unwrap().client_secret = None;
    assert_eq!(field(&denied(put(&company, &nothing))), "oidc.client_secret");
}

#[test]
fn a_key_of_our_own_is_made_once_and_its_public_half_shown() {
    let company = Company::new();
    let mut signed = spec("corp");
    let oidc = signed.oidc.as_mut().unwrap();
    (oidc.client_auth, oidc.client_secret) = (UpstreamAuth::PrivateKeyJwt, None);
    let key = |connection: lanyard_core::upstream::connection::Connection| match connection.kind {
        Kind::Oidc(settings) => settings.public_key.unwrap(),
        Kind::Saml(_) => panic!("not saml"),
    };
    let first = key(granted(put(&company, &signed)));
    assert_eq!(first["alg"], "ES256");
    assert!(first.get("d").is_none());
    assert_eq!(key(granted(put(&company, &signed))), first);
}

#[test]
fn a_domain_and_the_default_belong_to_one_connection() {
    let company = company(|spec| {
        spec.domains = vec!["Northwind.Example".to_owned()];
        spec.default = true;
    });
    let mut other = spec("other");
    other.domains = vec!["northwind.example".to_owned()];
    assert!(matches!(
        denied(put(&company, &other)),
        AdminDenial::Taken { what: "domain", .. }
    ));
    other.domains = Vec::new();
    other.default = true;
    assert_eq!(field(&denied(put(&company, &other))), "default");
    let found = company.read(|tx| home_realm::find(tx, "Ada@NORTHWIND.example"));
    assert_eq!(found.unwrap().name, "corp");
    assert!(company.read(|tx| home_realm::find(tx, "ada@else.example")).is_none());
}

#[test]
fn entra_takes_one_tenant_by_id_and_says_what_to_write() {
    let company = Company::new();
    let with = |issuer: &str| {
        let mut entra = spec("entra");
        entra.preset = Preset::Entra;
        entra.oidc.as_mut().unwrap().issuer = issuer.to_owned();
        put(&company, &entra)
    };
    for open in ["common", "organizations", "consumers"] {
        let denial = denied(with(&format!("https://login.microsoftonline.com/{open}/v2.0")));
        assert!(denial.to_string().contains("Directory (tenant) ID"), "{denial}");
    }
    for wrong in [
        "https://login.microsoftonline.com/acme.onmicrosoft.com/v2.0",
        "https://sts.windows.net/7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e/",
        "https://login.microsoftonline.com/",
    ] {
        assert_eq!(field(&denied(with(wrong))), "oidc.issuer", "{wrong}");
    }
    let good = granted(with(
        "https://login.microsoftonline.com/7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e/v2.0",
    ));
    let Kind::Oidc(settings) = good.kind else { panic!() };
    assert!(settings.pkce_unannounced);
    assert_eq!(good.title, "Microsoft");
}

#[test]
fn an_issuer_whose_product_has_rules_needs_its_preset() {
    let company = Company::new();
    for (issuer, needed) in [
        (
            "https://login.microsoftonline.com/7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e/v2.0",
            "--preset entra",
        ),
        (
            "https://Login.MicrosoftOnline.com/7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e/v2.0",
            "--preset entra",
        ),
        (
            "https://sts.windows.net/7b54a3f1-7e5d-4a0c-9a51-0b4d5a1c2d3e/",
            "--preset entra",
        ),
        ("https://accounts.google.com", "--preset google"),
    ] {
        for preset in [Preset::Plain, Preset::Okta, Preset::Keycloak] {
            let mut bare = spec("bare");
            bare.preset = preset;
            bare.domains = vec!["northwind.example".to_owned()];
            bare.oidc.as_mut().unwrap().issuer = issuer.to_owned();
            let denial = denied(put(&company, &bare));
            assert_eq!(field(&denial), "oidc.issuer", "{issuer}");
            assert!(denial.to_string().contains(needed), "{denial}");
        }
    }
}

#[test]
fn a_domain_is_a_host_name() {
    let company = Company::new();
    for wrong in ["*.northwind.example", "a_b.example", "-a.example", "a..example", "x"] {
        let mut wild = spec("corp");
        wild.domains = vec![wrong.to_owned()];
        assert_eq!(field(&denied(put(&company, &wild))), "domains", "{wrong}");
    }
    let mut good = spec("corp");
    good.domains = vec!["münchen.example".to_owned(), "a-1.Northwind.example.".to_owned()];
    assert_eq!(
        granted(put(&company, &good)).domains,
        ["a-1.northwind.example", "xn--mnchen-3ya.example"]
    );
}

#[test]
fn google_needs_its_domains() {
    let company = Company::new();
    let mut google = spec("google");
    google.preset = Preset::Google;
    google.oidc.as_mut().unwrap().issuer = "https://accounts.google.com".to_owned();
    assert_eq!(field(&denied(put(&company, &google))), "domains");
    google.domains = vec!["northwind.example".to_owned()];
    assert_eq!(granted(put(&company, &google)).mapping.username, "email");
    google.oidc.as_mut().unwrap().issuer = "https://accounts.google.com/".to_owned();
    assert_eq!(field(&denied(put(&company, &google))), "oidc.issuer");
}

#[test]
fn a_document_that_cannot_be_is_refused_by_field() {
    let company = Company::new();
    let refused = |change: fn(&mut ConnectionSpec)| {
        let mut wrong = spec("corp");
        change(&mut wrong);
        denied(put(&company, &wrong))
    };
    assert_eq!(field(&refused(|s| s.name = "Not A Slug".to_owned())), "name");
    assert_eq!(field(&refused(|s| s.domains = vec!["localhost".to_owned()])), "domains");
    assert_eq!(field(&refused(|s| s.oidc = None)), "oidc");
    assert_eq!(field(&refused(|s| s.title = Some("a\nb".to_owned()))), "title");
    assert_eq!(
        field(&refused(|s| s.claims.username = Some(String::new()))),
        "claims.username"
    );
    assert_eq!(
        field(&refused(
            |s| s.oidc.as_mut().unwrap().issuer = "http://idp.example".to_owned()
        )),
        "oidc.issuer"
    );
    assert_eq!(
        field(&refused(
            |s| s.oidc.as_mut().unwrap().scopes = Some("profile".to_owned())
        )),
        "oidc.scopes"
    );
    assert_eq!(
        field(&refused(
            |s| s.oidc.as_mut().unwrap().algorithms = vec!["HS256".to_owned()]
        )),
        "oidc.algorithms"
    );
    assert_eq!(
        field(&refused(|s| s.oidc.as_mut().unwrap().client_id = " ".to_owned())),
        "oidc.client_id"
    );
    let unknown = refused(|s| {
        let groups = s.groups.as_mut().unwrap();
        groups.names.insert("x".to_owned(), "nowhere".to_owned());
    });
    assert!(matches!(
        unknown,
        AdminDenial::NotFound {
            what: "group or role",
            ..
        }
    ));
}

#[test]
fn the_issuer_is_not_exchanged_under_people_who_are_linked_al_04() {
    let company = company(|_| {});
    let mut moved = spec("corp");
    moved.oidc.as_mut().unwrap().issuer = "https://elsewhere.example".to_owned();
    let _ = granted(sign_in(
        &company,
        asserted("s-1", json!({"preferred_username": "erin"})),
    ));
    assert_eq!(field(&denied(put(&company, &moved))), "oidc.issuer");
}

#[test]
fn a_removed_provider_takes_its_groups_links_and_sessions_along() {
    let company = company(|_| {});
    let erin = asserted("s-1", json!({"preferred_username": "erin", "groups": ["engineering"]}));
    let session = granted(sign_in(&company, erin)).session.session.id;
    let admin = company.admin.clone();
    granted(company.write(move |cx, tx| connection::remove(cx, tx, &admin, "corp")));
    assert_eq!(groups_of(&company, "erin"), [""; 0]);
    assert!(company.user("erin").is_active());
    let ended = company.read(move |tx| tx.find_session(&session)).unwrap();
    assert!(ended.ended_at.is_some());
    let admin = company.admin.clone();
    let again = company.write(move |cx, tx| connection::remove(cx, tx, &admin, "corp"));
    assert_eq!(denied(again).code(), "not_found");
}

#[test]
fn a_provider_that_is_switched_off_ends_its_sessions() {
    let company = company(|_| {});
    let erin = asserted("s-1", json!({"preferred_username": "erin"}));
    let session = granted(sign_in(&company, erin)).session.session.id;
    let mut off = spec("corp");
    off.enabled = false;
    let _ = granted(put(&company, &off));
    assert!(
        company
            .read(move |tx| tx.find_session(&session))
            .unwrap()
            .ended_at
            .is_some()
    );
}

#[test]
fn a_link_stands_until_it_is_removed_and_then_nothing_of_it_is_left_al_04() {
    let company = company(|_| {});
    let act = |subject: &'static str, person: &'static str| {
        let admin = company.admin.clone();
        company.write(move |cx, tx| link::link(cx, tx, &admin, "corp", subject, person))
    };
    let _ = granted(act("s-1", ALICE));
    let _ = granted(act("s-1", ALICE));
    assert_eq!(denied(act("s-1", CAROL)).code(), "taken");
    assert_eq!(denied(act("s-2", ALICE)).code(), "taken");
    assert_eq!(denied(act("s-2", "nobody")).code(), "not_found");
    assert_eq!(field(&denied(act("a\nb", CAROL))), "subject");
    let claims = json!({"groups": ["contractors"]});
    let session = granted(sign_in(&company, asserted("s-1", claims))).session.session.id;
    assert_eq!(groups_of(&company, ALICE), ["contractors", "engineering"]);
    let admin = company.admin.clone();
    let listed = granted(company.read(move |tx| link::list(tx, &admin, "corp", &PageRequest::new(None, 10))));
    assert_eq!((listed.items[0].username.as_str(), listed.items.len()), (ALICE, 1));
    let admin = company.admin.clone();
    granted(company.write(move |cx, tx| link::unlink(cx, tx, &admin, "corp", ALICE)));
    assert_eq!(groups_of(&company, ALICE), ["engineering"]);
    assert!(
        company
            .read(move |tx| tx.find_session(&session))
            .unwrap()
            .ended_at
            .is_some()
    );
    let admin = company.admin.clone();
    let again = company.write(move |cx, tx| link::unlink(cx, tx, &admin, "corp", ALICE));
    assert_eq!(denied(again).code(), "not_found");
}

#[test]
fn only_an_owner_changes_identity_providers() {
    let company = company(|_| {});
    for role in [
        AdminRole::Operator,
        AdminRole::Approver,
        AdminRole::Auditor,
        AdminRole::Gateway,
        AdminRole::Provisioner,
    ] {
        let admin = Admin {
            role,
            ..company.admin.clone()
        };
        let (vault, one) = (Arc::clone(&company.vault), admin.clone());
        let set = company.write(move |cx, tx| connection::put(cx, tx, &vault, &one, &spec("corp")));
        assert_eq!(denied(set).code(), "not_permitted");
        let one = admin.clone();
        let removed: Outcome<(), AdminDenial> = company.write(move |cx, tx| connection::remove(cx, tx, &one, "corp"));
        assert_eq!(denied(removed).code(), "not_permitted");
        let one = admin.clone();
        let linked = company.write(move |cx, tx| link::link(cx, tx, &one, "corp", "s", ALICE));
        assert_eq!(denied(linked).code(), "not_permitted");
        let unlinked = company.write(move |cx, tx| link::unlink(cx, tx, &admin, "corp", ALICE));
        assert_eq!(denied(unlinked).code(), "not_permitted");
    }
}
