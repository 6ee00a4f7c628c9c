//! What `lanyard lab` tells foreign programs: docs/lab.md, "Facts".

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::lab::Lab;

fn has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(!value[field].is_null(), "{field} is missing in {value}");
    }
}

fn list<'a>(facts: &'a Value, name: &str) -> &'a [Value] {
    facts[name].as_array().unwrap()
}

#[test]
fn the_facts_of_a_lab_are_private_complete_and_hold_the_people_and_clients_that_are_promised() {
    let lab = Lab::start();
    let file = lab.directory.path().join("facts.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let facts = &lab.facts;
    assert_eq!(facts["version"], 1);
    has(
        &facts["issuer"],
        &["url", "token_endpoint", "authorization_endpoint", "jwks_uri"],
    );
    has(
        &facts["ras"],
        &[
            "url",
            "token_endpoint",
            "introspection_endpoint",
            "revocation_endpoint",
            "jwks_uri",
        ],
    );
    has(&facts["admin"], &["url", "token"]);
    has(&facts["introspection"], &["client_id", "client_secret"]);
    has(facts, &["store"]);
    for client in list(facts, "clients") {
        has(client, &["name", "redirect_uris"]);
        has(&client["idp"], &["client_id"]);
        has(&client["ras"], &["client_id"]);
    }
    for user in list(facts, "users") {
        has(user, &["username", "password", "sub", "email", "groups", "active"]);
    }
    for connector in list(facts, "connectors") {
        has(
            connector,
            &[
                "name",
                "mcp_url",
                "resource",
                "audience",
                "scopes",
                "tools",
                "status",
                "allowed_groups",
            ],
        );
        assert_eq!(
            connector["resource"], connector["mcp_url"],
            "the resource is the MCP URL byte for byte"
        );
        assert_eq!(connector["audience"], facts["ras"]["url"]);
        list(connector, "tools")
            .iter()
            .for_each(|tool| has(tool, &["name", "scope"]));
    }

    let with = |side: &str, field: &str| {
        let clients = list(facts, "clients").iter();
        clients.filter(|client| !client[side][field].is_null()).count()
    };
    for side in ["idp", "ras"] {
        assert!(
            with(side, "client_secret") >= 2,
            "two confidential clients with secrets"
        );
        assert!(with(side, "private_jwk") >= 1, "one with a key");
    }
    let in_group = |group: &str, active: bool| {
        let users = list(facts, "users").iter();
        users
            .filter(|user| user["active"] == active && list(user, "groups").iter().any(|own| own == group))
            .count()
    };
    assert!(in_group("employees", true) >= 2 && in_group("employees", false) >= 1);
    assert!(in_group("contractors", true) >= 1);
    let open = |group: &str| {
        let connectors = list(facts, "connectors").iter().filter(|one| one["status"] == "active");
        connectors
            .filter(|one| list(one, "allowed_groups").iter().any(|own| own == group))
            .count()
    };
    assert!(open("employees") >= 2);
    assert_eq!(open("contractors"), 1);
}

#[test]
fn a_lab_prints_a_fresh_id_token_of_a_person_for_a_client() {
    let lab = Lab::start();
    let client = list(&lab.facts, "clients")[0]["name"].as_str().unwrap();
    let print = |user: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command.args(["lab", "id-token", "--user", user, "--client", client, "--facts"]);
        command.arg(lab.directory.path().join("facts.json")).output().unwrap()
    };
    let printed = print("alice");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let (first, second) = (printed.stdout, print("alice").stdout);
    assert_eq!(first.iter().filter(|byte| **byte == b'.').count(), 2);
    assert_ne!(first, second, "fresh each time");
    assert!(!print("dave").status.success(), "a deactivated person signs in nowhere");
}
