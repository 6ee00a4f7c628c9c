//! Administrators at the command line, against running programs.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::lab::{Lab, Machine, Said};
use crate::ports;

/// An administrator of a lab, with a token file of their own.
struct Office {
    machine: Machine,
    url: String,
    token_file: String,
    lab: Lab,
}

impl Office {
    fn open() -> Self {
        let lab = Lab::start();
        let machine = lab.machine("office");
        let token_file = machine.home().join("token");
        write_private(&token_file, lab.facts["admin"]["token"].as_str().unwrap());
        Self {
            url: lab.facts["admin"]["url"].as_str().unwrap().to_owned(),
            token_file: token_file.display().to_string(),
            machine,
            lab,
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.machine.command(arguments);
        command
            .env("LANYARD_ADMIN_URL", &self.url)
            .env("LANYARD_ADMIN_TOKEN_FILE", &self.token_file);
        command.current_dir(self.machine.home());
        command
    }

    fn run(&self, arguments: &[&str]) -> Said {
        finished(self.command(arguments).spawn().unwrap())
    }

    fn run_with(&self, arguments: &[&str], input: &str) -> Said {
        let mut child = self.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        finished(child)
    }

    #[track_caller]
    fn good(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.machine.home().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.machine.home().join(name)).unwrap()
    }
}

fn finished(child: Child) -> Said {
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn people_groups_and_clients_are_managed_from_the_command_line() {
    let office = Office::open();
    let said = office.run_with(
        &[
            "users",
            "set",
            "zoe",
            "--name",
            "Zoe",
            "--group",
            "employees",
            "--password-file",
            "-",
        ],
        "a password from stdin\n",
    );
    assert_eq!(
        (said.code, said.out.as_str()),
        (0, "user zoe: created\n"),
        "{}",
        said.err
    );
    let zoe = office.good(&["users", "show", "zoe", "--json"]).json();
    assert_eq!((&zoe["groups"][0], &zoe["active"]), (&"employees".into(), &true.into()));
    assert!(zoe.get("password").is_none());

    assert_eq!(
        office.good(&["users", "deactivate", "zoe", "--json"]).json()["active"],
        false
    );
    office.good(&["users", "reactivate", "zoe"]);
    assert_eq!(
        office
            .run_with(&["users", "password", "zoe"], "another password\n")
            .code,
        0
    );
    let short = office.run_with(&["users", "password", "zoe"], "zq8!\n");
    assert_eq!(short.code, 1);
    assert!(
        short.err.contains("at least 12 characters") && short.err.contains("req_"),
        "{}",
        short.err
    );
    assert!(!short.err.contains("zq8!"), "the password is shown: {}", short.err);
    let none = office.good(&["users", "factors", "zoe", "--json"]).json();
    assert_eq!(none["recovery_codes"], 0);
    let reset = office.good(&["users", "factors", "zoe", "--reset", "--yes"]);
    assert!(reset.out.contains("no second factor any more"), "{}", reset.out);
    let on_the_line = office.run(&["users", "password", "zoe", "--password", "on the command line"]);
    assert_eq!(on_the_line.code, 2, "a password was taken from the command line");

    office.good(&["groups", "set", "admins", "--kind", "role"]);
    let members = office
        .good(&["groups", "members", "admins", "--add", "zoe", "--json"])
        .json();
    assert_eq!(members["items"][0]["username"], "zoe");

    // Without a kind it keeps the one it has.
    office.good(&["groups", "set", "admins"]);
    office.good(&["groups", "set", "fresh"]);
    let groups = office.good(&["groups", "list", "--json"]).json();
    let kind = |name: &str| {
        let all = groups["items"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["kind"].clone()
    };
    assert_eq!((kind("admins"), kind("fresh")), ("role".into(), "group".into()));

    let nobody = office.good(&["users", "list", "--search", "nobody at all"]);
    assert_eq!(nobody.err, "Nothing matches.\n");
    let nameless = office.run(&["users", "set", ""]);
    assert_eq!(
        (nameless.code, nameless.err.contains("A name is empty.")),
        (2, true),
        "{}",
        nameless.err
    );
    let out = office.good(&["users", "sign-out", "zoe", "--yes"]);
    assert!(out.out.contains("signed out everywhere"), "{}", out.out);

    let create = ["admin", "tokens", "create", "jo", "--out", "jo.token"];
    office.good(&create);
    let (first, before) = (
        office.read("jo.token"),
        office.good(&["admin", "tokens", "list", "--json"]),
    );
    let again = office.run(&create);
    assert!(again.code == 1 && again.err.contains("exists already"), "{}", again.err);
    let after = office.good(&["admin", "tokens", "list", "--json"]);
    assert_eq!(
        after.json()["items"].as_array().unwrap().len(),
        before.json()["items"].as_array().unwrap().len()
    );
    assert_eq!(office.read("jo.token"), first);
    let dead = office.run(&[
        "admin",
        "tokens",
        "create",
        "jo",
        "--expires-at",
        "2020-01-01T00:00:00Z",
    ]);
    assert_eq!(
        (dead.code, dead.err.contains("is over already")),
        (2, true),
        "{}",
        dead.err
    );

    office.write("client.toml", &office.good(&["clients", "show", "web-at-idp"]).out);
    assert_eq!(
        office.good(&["clients", "set", "-f", "client.toml"]).out,
        "client web-at-idp: unchanged\n"
    );
    let both = office.run(&["clients", "show", "lanyard-cli"]);
    assert_eq!(both.code, 2);
    assert!(both.err.contains("--side"), "{}", both.err);
    let secret = office.good(&["clients", "add-secret", "web-at-ras", "--out", "secret"]);
    assert!(!secret.out.contains(office.read("secret").trim()));
    let mode = std::fs::metadata(office.machine.home().join("secret"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn connectors_trusts_rules_and_keys_are_managed_from_the_command_line() {
    let office = Office::open();
    office.write("linear.toml", &office.good(&["connectors", "show", "linear"]).out);
    assert_eq!(
        office.good(&["connectors", "set", "-f", "linear.toml"]).out,
        "connector linear: unchanged\n"
    );
    assert_eq!(
        office.good(&["connectors", "status", "linear", "off"]).out,
        "connector linear: changed\n"
    );
    let denied = office.good(&[
        "rules",
        "test",
        "--user",
        "alice",
        "--client",
        "desk-at-idp",
        "--connector",
        "linear",
        "--json",
    ]);
    assert_eq!(denied.json()["allowed"], false);
    assert_eq!(office.good(&["connectors", "status", "linear", "active"]).code, 0);
    let carol = office.good(&[
        "rules",
        "test",
        "--user",
        "carol",
        "--client",
        "desk-at-idp",
        "--connector",
        "linear",
    ]);
    assert!(carol.out.contains("granted  linear.read\n"), "{}", carol.out);

    let issuer = office.lab.issuer().to_owned();
    office.write("trust.toml", &office.good(&["trusts", "show", &issuer]).out);
    assert!(
        office
            .good(&["trusts", "set", "-f", "trust.toml"])
            .out
            .ends_with("unchanged\n")
    );
    office.good(&["keys", "rotate", "ras", "--algorithm", "EdDSA"]);
    let keys = office.good(&["keys", "list", "--json"]).json();
    let next = keys["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["state"] == "next")
        .unwrap();
    assert_eq!((&next["ring"], &next["algorithm"]), (&"ras".into(), &"EdDSA".into()));
    let removed = office
        .good(&["keys", "remove", next["kid"].as_str().unwrap(), "--json"])
        .json();
    assert_eq!(removed["kid"], next["kid"]);
    for list in [
        "users",
        "groups",
        "clients",
        "audiences",
        "trusts",
        "resources",
        "rules",
        "keys",
    ] {
        let items = office.good(&[list, "list", "--json"]).json();
        assert!(!items["items"].as_array().unwrap().is_empty(), "{list}");
        assert!(!office.good(&[list, "list"]).out.is_empty(), "{list}");
    }
}

#[test]
fn applying_a_file_twice_does_nothing_the_second_time_and_a_mistake_does_nothing_at_all() {
    let office = Office::open();
    write_private(
        &office.machine.home().join("robot.secret"),
        "0123456789abcdef0123456789abcdef\n",
    );
    let organisation = r#"
[[groups]]
name = "sales"

[[users]]
username = "sam"
groups = ["sales"]
password = "the password of sam"

[[clients]]
side = "ras"
client_id = "robot"
auth = "secret"
secret_file = "robot.secret"

[[rules]]
title = "Sales reads Linear"
groups = ["sales"]
clients = "all"
connectors = ["linear"]
scopes = ["linear.read"]
"#;
    office.write("org.toml", organisation);
    let first = office.good(&["apply", "-f", "org.toml"]);
    assert!(
        first.out.ends_with("Applied: 4 created, 0 changed, 0 unchanged.\n"),
        "{}",
        first.out
    );
    assert_eq!(
        office.good(&["apply", "-f", "org.toml"]).out,
        "Nothing to do: 4 unchanged.\n"
    );

    office.write(
        "bad.toml",
        &organisation
            .replace("\"sam\"", "\"tom\"")
            .replace("[\"linear\"]", "[\"linaer\"]"),
    );
    let bad = office.run(&["apply", "-f", "bad.toml"]);
    assert_eq!(bad.code, 1);
    assert!(
        bad.err.contains("rule Sales reads Linear") && bad.err.contains("linaer"),
        "{}",
        bad.err
    );
    assert_eq!(office.run(&["users", "show", "tom"]).code, 1, "a part was applied");

    office.write(
        "worse.toml",
        &organisation.replace("clients = \"all\"", "clients = \"all\"\nshoe_size = 4"),
    );
    let worse = office.run(&["apply", "-f", "worse.toml"]);
    assert_eq!(worse.code, 2);
    assert!(
        worse.err.contains("worse.toml, line 20: unknown field `shoe_size`"),
        "{}",
        worse.err
    );
}

#[test]
fn an_exported_log_verifies_offline_and_a_touched_one_names_its_first_broken_line() {
    let office = Office::open();
    office.good(&["groups", "set", "sales"]);
    let last = "admin.act.refused";
    assert_eq!(office.run(&["groups", "remove", "employees"]).code, 1);
    let listed = office.good(&["audit", "list", "--kind", "admin.act.", "--json"]).json();
    assert_eq!(
        (&listed["items"][0]["kind"], &listed["items"][0]["reason"]),
        (&last.into(), &"invalid".into())
    );

    // Events are sealed within a second; until then an altered one is only not covered.
    let sealed = (0..200).any(|_| {
        std::thread::yield_now();
        let newest = office.good(&["audit", "list", "--kind", last, "--json"]).json();
        newest["items"][0]["sequence"].is_i64()
    });
    assert!(sealed, "the newest event was not sealed");
    // A checkpoint is signed within seconds; until then there is none to keep.
    let kept = (0..100).any(|_| {
        std::thread::yield_now();
        office.run(&["audit", "checkpoint", "-o", "kept.json"]).code == 0
    });
    assert!(kept, "no checkpoint was signed");
    office.good(&["audit", "export", "-o", "log.jsonl"]);
    let sound = office.run(&["audit", "verify", "log.jsonl", "--since", "kept.json", "--json"]);
    assert_eq!((sound.code, &sound.json()["sound"]), (0, &true.into()), "{}", sound.out);
    let signer = sound.json()["signers"][0].as_str().unwrap().to_owned();
    assert_eq!(office.run(&["audit", "verify", "log.jsonl", "--key", &signer]).code, 0);
    assert_eq!(
        office
            .run(&["audit", "verify", "log.jsonl", "--key", "another-key"])
            .code,
        1
    );

    let log = office.read("log.jsonl");
    let line = log
        .lines()
        .position(|line| line.contains("directory.group.created"))
        .unwrap();
    office.write(
        "touched.jsonl",
        &log.replacen("directory.group.created", "directory.group.credited", 1),
    );
    let touched = office.run(&["audit", "verify", "touched.jsonl"]);
    assert_eq!(touched.code, 1);
    assert!(touched.out.contains(&format!("line {}:", line + 1)), "{}", touched.out);

    let cut: String = log.lines().take(3).map(|line| format!("{line}\n")).collect();
    office.write("cut.jsonl", &cut);
    assert_eq!(
        office
            .run(&["audit", "verify", "cut.jsonl", "--since", "kept.json"])
            .code,
        1
    );
    assert_eq!(office.run(&["audit", "verify", "no-such-file"]).code, 1);
}

#[test]
fn a_refusal_says_what_failed_what_mends_it_and_the_request() {
    let office = Office::open();
    office.good(&[
        "admin", "tokens", "create", "reader", "--role", "auditor", "--out", "reader",
    ]);
    let mut command = office.command(&["users", "set", "zoe"]);
    command.env("LANYARD_ADMIN_TOKEN_FILE", office.machine.home().join("reader"));
    let refused = finished(command.spawn().unwrap());
    assert_eq!(refused.code, 4);
    for part in ["auditor", "admins list", "req_"] {
        assert!(refused.err.contains(part), "{part} is missing: {}", refused.err);
    }
    assert_eq!(
        office.run(&["users", "list", "--admin-url", "http://192.0.2.1:1"]).code,
        2
    );
    assert_eq!(
        office.run(&["users", "list", "--admin-url", "http://127.0.0.1:1"]).code,
        1
    );
    std::fs::set_permissions(&office.token_file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(office.run(&["users", "list"]).err.contains("chmod 600"));
}

#[test]
fn the_first_start_makes_an_owner_once_and_a_reset_makes_another() {
    let server = Server::start();
    let home = server.directory.path();
    let lanyard = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", home)
            .current_dir(home)
            .stdin(Stdio::null());
        finished(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let one_time = home.join("state/owner-token");
    assert_eq!(
        std::fs::metadata(&one_time).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let kept = std::fs::read_to_string(&one_time).unwrap();
    assert_eq!(lanyard(&["users", "list"]).code, 3, "nobody is an administrator yet");
    let claim = [
        "admin",
        "claim",
        "--url",
        &server.url,
        "--token-file",
        "state/owner-token",
    ];
    let claimed = lanyard(&claim);
    assert_eq!(claimed.code, 0, "{}", claimed.err);
    assert!(!claimed.out.contains("lny_admin_"), "the token is printed");
    let file = home.join(".config/lanyard/admin.toml");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(lanyard(&["users", "list", "--json"]).code, 0);

    write_private(&one_time, &kept);
    let again = lanyard(&claim);
    assert_eq!(again.code, 1);
    assert!(
        again.err.contains("used before") && again.err.contains("reset-owner"),
        "{}",
        again.err
    );

    let reset = lanyard(&["admin", "reset-owner", "--config", "lanyard.toml"]);
    assert_eq!(reset.code, 0, "{}", reset.err);
    assert_eq!(lanyard(&["users", "list"]).code, 3, "the old owner token still opens");
    assert_eq!(lanyard(&claim).code, 0);
    let log = lanyard(&["audit", "list", "--kind", "admin.", "--json"]).json();
    let kinds: Vec<&str> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"admin.owner.reset") && kinds.contains(&"admin.owner_token.refused"),
        "{kinds:?}"
    );
}

#[test]
fn a_configuration_is_checked_without_being_started() {
    let directory = tempfile::tempdir().unwrap();
    let check = |text: &str| {
        std::fs::write(directory.path().join("lanyard.toml"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command
            .args(["config", "check", "--config", "lanyard.toml", "--json"])
            .env_clear();
        command.env("HOME", directory.path()).current_dir(directory.path());
        finished(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    };
    let healthy = configuration(directory.path(), 4001);
    let good = check(&healthy);
    assert_eq!((good.code, &good.json()["ok"]), (0, &Value::Bool(true)), "{}", good.out);
    assert!(!directory.path().join("state").exists(), "a check made something");

    let bad = check(&healthy.replace(
        "[ras]\nissuer = \"http://127.0.0.1:4002\"",
        "[ras]\nissuer = \"http://127.0.0.1:4001\"",
    ));
    assert_eq!(bad.code, 1);
    let problem = &bad.json()["problems"][0];
    assert_eq!(
        (&problem["file"], &problem["field"]),
        (&"lanyard.toml".into(), &"ras.issuer".into())
    );
    assert!(!problem["remedy"].as_str().unwrap().is_empty());
    assert_eq!(check(&format!("{healthy}\nshoe_size = 4\n")).code, 1);
}

/// `lanyard serve` with an admin API.
struct Server {
    child: Child,
    url: String,
    directory: tempfile::TempDir,
}

fn configuration(directory: &Path, port: u16) -> String {
    format!(
        "development = true\nstate_dir = \"{}\"\n\
         [idp]\nissuer = \"http://127.0.0.1:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
         [ras]\nissuer = \"http://127.0.0.1:{}\"\nlisten = \"127.0.0.1:{}\"\n\
         [admin]\nlisten = \"127.0.0.1:{}\"\n",
        directory.join("state").display(),
        port + 1,
        port + 1,
        port + 2
    )
}

impl Server {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // Three ports in a row that are free now; another test may take one before the server does.
        for _ in 0..10 {
            let port = ports::free(3);
            std::fs::write(
                directory.path().join("lanyard.toml"),
                configuration(directory.path(), port),
            )
            .unwrap();
            let mut child = Command::new(env!("CARGO_BIN_EXE_lanyard"))
                .args(["serve", "--config", "lanyard.toml"])
                .env_clear()
                .env("HOME", directory.path())
                .current_dir(directory.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            // Where the log goes is not this test's business: the token's file is there when it is ready.
            let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
            let ready = directory.path().join("state/owner-token");
            let errors = std::thread::spawn(move || BufReader::new(err).lines().map_while(Result::ok).last());
            let lines = std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).last());
            while !ready.exists() && child.try_wait().unwrap().is_none() {
                std::thread::yield_now();
            }
            if ready.exists() {
                let url = format!("http://127.0.0.1:{}", port + 2);
                return Self { child, url, directory };
            }
            let _ = (errors.join(), lines.join());
        }
        panic!("the server did not start");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
