//! The client's commands against a lab.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use crate::browser;
use crate::lab::{Lab, Machine, Said};

fn sign_in(lab: &Lab, machine: &Machine, username: &str) -> Said {
    sign_in_by(
        lab,
        machine,
        &["login", "--issuer", lab.issuer(), "--no-browser"],
        username,
    )
}

/// A command that prints the address of a sign-in, with the person who does it.
pub(crate) fn sign_in_by(lab: &Lab, machine: &Machine, command: &[&str], username: &str) -> Said {
    let mut child = machine.command(command).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut page = String::new();
    out.read_line(&mut page).unwrap();
    assert!(
        page.starts_with(lab.issuer()),
        "the address alone stands on stdout: {page}"
    );
    browser::sign_in(page.trim(), username, lab.password(username));
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    let end = child.wait_with_output().unwrap();
    Said {
        code: end.status.code().unwrap(),
        out: rest,
        err: String::from_utf8(end.stderr).unwrap(),
    }
}

#[test]
fn one_sign_in_reaches_every_approved_connector_until_the_sign_out() {
    let lab = Lab::start();
    let machine = lab.machine("alice");
    assert_eq!(machine.run(&["status"]).code, 3, "nobody is signed in");

    let signed_in = sign_in(&lab, &machine, "alice");
    assert_eq!(signed_in.code, 0, "{}", signed_in.err);
    assert_eq!(machine.run(&["status", "--json"]).json()["issuer"], lab.issuer());

    let connectors = machine.run(&["connectors", "--json"]).json();
    let connectors = connectors["connectors"].as_array().unwrap();
    assert!(connectors.len() >= 2, "{connectors:?}");
    for connector in connectors {
        let name = connector["name"].as_str().unwrap();
        let tools = machine.run(&["tools", name, "--json"]);
        let tools = tools.json();
        let tool = tools["tools"][0]["name"].as_str().unwrap();
        let called = machine.run(&["call", name, tool, "{}"]);
        assert_eq!(called.code, 0, "{name} {tool}: {}", called.err);
    }

    let name = connectors[0]["name"].as_str().unwrap();
    let token = machine.run(&["token", name]);
    assert_eq!(
        token.out.trim().split('.').count(),
        3,
        "the token alone stands on stdout"
    );
    let explained = inspect(&machine, &["inspect", "-", "--verify", "--json"], &token.out);
    assert_eq!(explained.json()["kind"], "access_token");
    assert_eq!(explained.json()["verification"]["state"], "good");
    let altered = format!("{}AA", token.out.trim());
    assert_eq!(inspect(&machine, &["inspect", "-", "--verify"], &altered).code, 1);

    let signed_out = machine.run(&["logout"]);
    assert_eq!(signed_out.code, 0, "{}", signed_out.err);
    assert_eq!(machine.run(&["connectors"]).code, 3);
}

fn inspect(machine: &Machine, arguments: &[&str], token: &str) -> Said {
    let mut child = machine.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn policy_denies_with_its_own_code_and_a_request_id_and_no_browser_cl_di_07() {
    let lab = Lab::start();
    let machine = lab.machine("carol");
    assert_eq!(sign_in(&lab, &machine, "carol").code, 0);

    let all = lab.facts["connectors"].as_array().unwrap();
    let reachable = machine.run(&["connectors", "--json"]).json();
    let reachable: Vec<&str> = reachable["connectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["name"].as_str().unwrap())
        .collect();
    let refused = all
        .iter()
        .find(|connector| !reachable.contains(&connector["name"].as_str().unwrap()))
        .unwrap();

    let by_name = machine.run(&["tools", refused["name"].as_str().unwrap()]);
    assert_eq!(by_name.code, 4, "{}", by_name.err);
    let by_url = machine.run(&["tools", refused["mcp_url"].as_str().unwrap()]);
    assert_eq!(by_url.code, 4, "{}", by_url.err);
    assert!(
        by_url.err.contains("Request id") && !by_url.err.contains("oauth2/authorize"),
        "{}",
        by_url.err
    );

    // A scope that an employee has and a contractor has not.
    let allowed = all.iter().find(|connector| connector["name"] == reachable[0]).unwrap();
    let tools = allowed["tools"].as_array().unwrap();
    let write = tools
        .iter()
        .find(|tool| !tool["scope"].as_str().unwrap().ends_with(".read"))
        .unwrap();
    let called = machine.run(&["call", reachable[0], write["name"].as_str().unwrap(), "{}"]);
    assert_eq!(called.code, 4, "{}", called.err);
    assert!(called.err.contains(write["scope"].as_str().unwrap()), "{}", called.err);
}

#[cfg(unix)]
#[test]
fn what_is_kept_can_be_read_by_its_owner_only_cl_st_01() {
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::start();
    let machine = lab.machine("alice");
    assert_eq!(sign_in(&lab, &machine, "alice").code, 0);
    let state = machine.home().join(".local/state/lanyard");
    let secrets = state.join("secrets");
    for directory in [&state, &secrets] {
        assert_eq!(
            std::fs::metadata(directory).unwrap().permissions().mode() & 0o777,
            0o700
        );
        for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let path = entry.path();
            // A lock file is empty.
            if path.is_file() && path.extension().is_none_or(|extension| extension != "lock") {
                assert_eq!(
                    entry.metadata().unwrap().permissions().mode() & 0o777,
                    0o600,
                    "{}",
                    path.display()
                );
            }
        }
    }
    let client = std::fs::read_to_string(state.join("client.json")).unwrap();
    assert!(!client.contains("eyJ") && !client.contains("\"d\""), "{client}");

    // A secret that others can read is not used.
    let secret = std::fs::read_dir(&secrets).unwrap().map(|entry| entry.unwrap().path());
    let secret = secret.filter(|path| path.extension().is_none()).min().unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = machine.run(&["connectors"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("chmod 600"), "{}", refused.err);
}

#[test]
fn wrong_usage_has_its_own_code() {
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", home.path())
            .output()
            .unwrap()
            .status
            .code()
            .unwrap()
    };
    assert_eq!(run(&["login", "--issuer", "http://not-loopback.example"]), 2);
    assert_eq!(run(&["call", "linear", "list_issues", "[1]"]), 2);
    assert_eq!(run(&["connectors"]), 3);
}
