//! Administrators who are people, and agents, at the command line against a lab.

use serde_json::Value;

use crate::client::sign_in_by;
use crate::lab::{Lab, Machine, Said};

/// The lab's owner token at a machine of its own.
pub(crate) struct Owner {
    pub(crate) machine: Machine,
    url: String,
}

impl Owner {
    pub(crate) fn of(lab: &Lab) -> Self {
        use std::os::unix::fs::PermissionsExt as _;
        let machine = lab.machine("safe");
        let token = machine.home().join("token");
        std::fs::write(&token, lab.facts["admin"]["token"].as_str().unwrap()).unwrap();
        std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600)).unwrap();
        Self {
            machine,
            url: lab.facts["admin"]["url"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The program with this token.
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Command {
        let token = self.machine.home().join("token");
        let token = token.to_str().unwrap().to_owned();
        let at = ["--admin-url", &self.url, "--admin-token-file", &token];
        self.machine.command(&[arguments, &at].concat())
    }

    #[track_caller]
    pub(crate) fn good(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.out, said.err);
        said
    }
}

fn login(lab: &Lab, owner: &Owner, machine: &Machine, username: &str) -> Said {
    sign_in_by(
        lab,
        machine,
        &["admin", "login", "--url", &owner.url, "--no-browser"],
        username,
    )
}

#[test]
fn a_person_administers_by_their_sign_in_until_it_or_their_role_ends() {
    let lab = Lab::start();
    let owner = Owner::of(&lab);
    let desk = lab.machine("desk");
    let nobody = desk.run(&["users", "list"]);
    assert_eq!(nobody.code, 3, "{}", nobody.err);
    assert!(nobody.err.contains("lanyard admin login"), "{}", nobody.err);

    let refused = login(&lab, &owner, &desk, "alice");
    assert_eq!(refused.code, 4, "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("no administrator's role"), "{}", refused.err);
    assert_eq!(desk.run(&["admin", "whoami"]).code, 3, "nothing was kept");

    owner.good(&["admins", "grant", "alice", "--role", "operator"]);
    let signed_in = login(&lab, &owner, &desk, "alice");
    assert_eq!(signed_in.code, 0, "{}", signed_in.err);
    assert!(
        signed_in.out.starts_with("Signed in as alice, operator of"),
        "{}",
        signed_in.out
    );
    let who = desk.run(&["admin", "whoami", "--json"]).json();
    assert_eq!((&who["kind"], &who["role"]), (&"person".into(), &"operator".into()));
    let made = desk.run(&["groups", "set", "new"]);
    assert_eq!(made.code, 0, "{}", made.err);
    let told = desk
        .run(&["audit", "list", "--kind", "directory.group.created", "--json"])
        .json();
    assert_eq!(told["items"][0]["actor"]["id"], who["id"]);
    // What is kept here opens nothing elsewhere and is no token.
    let kept = std::fs::read_to_string(desk.home().join(".config/lanyard/admin.toml")).unwrap();
    assert!(!kept.contains("ey") || !kept.contains("access_token"), "{kept}");

    let beyond = desk.run(&["admins", "grant", "alice", "--role", "owner"]);
    assert_eq!(beyond.code, 4, "{}", beyond.err);
    owner.good(&["admins", "grant", "alice", "--role", "auditor"]);
    assert_eq!(desk.run(&["groups", "set", "another"]).code, 4);
    assert_eq!(desk.run(&["users", "list"]).code, 0);
    let listed = desk.run(&["admins", "list"]);
    assert!(
        listed.out.contains("alice") && listed.out.contains("auditor"),
        "{}",
        listed.out
    );

    let out = desk.run(&["admin", "logout"]);
    assert_eq!(out.code, 0, "{}{}", out.out, out.err);
    assert_eq!(desk.run(&["users", "list"]).code, 3);
    let keys = owner.good(&["users", "keys", "alice", "--json"]).json();
    assert_eq!(keys["items"], Value::Array(Vec::new()), "the key of the desk is gone");

    assert_eq!(login(&lab, &owner, &desk, "alice").code, 0);
    owner.good(&["users", "deactivate", "alice"]);
    let over = desk.run(&["users", "list"]);
    assert_eq!(over.code, 3, "{}{}", over.out, over.err);
}

#[test]
fn an_agent_is_registered_approved_keyed_and_stopped() {
    let lab = Lab::start();
    let owner = Owner::of(&lab);
    let add = [
        "agents",
        "add",
        "helper",
        "--purpose",
        "Drafts answers",
        "--owner",
        "alice",
        "--redirect-uri",
        "http://127.0.0.1/callback",
    ];
    let said = owner.good(&add);
    assert_eq!(said.out, "agent helper: created, waits for approval\n");
    assert!(
        said.err.contains("one active owner") && said.err.contains("no key"),
        "{}",
        said.err
    );
    assert_eq!(owner.run(&add).code, 1, "there is one already");

    let key = owner.machine.home().join("helper.jwk");
    let key = key.to_str().unwrap();
    let added = owner
        .good(&["agents", "key", "add", "helper", "--new", key, "--json"])
        .json();
    assert_eq!(added["private_key_file"], key);
    let private = std::fs::read_to_string(key).unwrap();
    assert!(private.contains("\"d\""), "the private half is in the file");
    assert_eq!(
        owner.run(&["agents", "key", "add", "helper", "--new", key]).code,
        1,
        "the file is somebody's key"
    );

    owner.good(&["agents", "owner", "add", "helper", "bob"]);
    assert_eq!(
        owner.good(&["agents", "activate", "helper"]).out,
        "agent helper: active\n"
    );
    let list = owner.good(&["agents", "list"]);
    assert!(
        list.out.contains("helper") && list.out.contains("alice, bob"),
        "{}",
        list.out
    );
    assert!(list.err.contains("not registered as agents"), "{}", list.err);
    let listed = owner.good(&["agents", "list", "--json"]).json();
    assert_eq!(
        listed["items"][0]["standing"]["warnings"],
        Value::Array(Vec::new()),
        "{listed}"
    );

    owner.good(&["users", "deactivate", "alice"]);
    owner.good(&["users", "deactivate", "bob"]);
    let shown = owner.good(&["agents", "show", "helper", "--json"]).json();
    assert_eq!(
        (&shown["status"], &shown["standing"]["orphaned"]),
        (&"suspended".into(), &true.into())
    );
    let text = owner.good(&["agents", "show", "helper"]).out;
    assert!(
        text.contains("# orphaned: yes") && text.contains("status = \"suspended\""),
        "{text}"
    );
    assert_eq!(owner.run(&["agents", "activate", "helper"]).code, 1);

    // What `show` printed is taken back.
    std::fs::write(owner.machine.home().join("helper.toml"), text).unwrap();
    let file = owner.machine.home().join("helper.toml");
    let again = owner.good(&["agents", "set", "-f", file.to_str().unwrap()]);
    assert_eq!(again.out, "agent helper: unchanged\n");
    let kid = added["kid"].as_str().unwrap();
    owner.good(&["agents", "key", "remove", "helper", kid, "-y"]);
    owner.good(&["agents", "remove", "helper", "-y"]);
}
