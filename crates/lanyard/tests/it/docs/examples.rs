//! The files of `examples/`, as an operator uses them.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::ports;

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn example(name: &str) -> String {
    std::fs::read_to_string(root().join("examples").join(name)).unwrap()
}

fn lanyard(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
    command.args(arguments).env_clear().env("HOME", home).current_dir(home);
    command
}

/// What a command says; it must succeed.
fn said(home: &Path, arguments: &[&str]) -> String {
    let output = lanyard(home, arguments).stdin(Stdio::null()).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{arguments:?}: {out}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    out
}

/// The example with free ports instead of 8001 to 8010.
fn on_free_ports() -> impl Fn(&str) -> String {
    let first = ports::free(10);
    move |text: &str| {
        (0..10).fold(text.to_owned(), |text, n| {
            text.replace(&format!("127.0.0.1:{}", 8001 + n), &format!("127.0.0.1:{}", first + n))
        })
    }
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_example_organisation_is_applied_to_the_example_server_and_applying_it_again_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path();
    let with_ports = on_free_ports();
    std::fs::write(home.join("lanyard.toml"), with_ports(&example("lanyard.toml"))).unwrap();
    std::fs::write(home.join("org.toml"), with_ports(&example("org.toml"))).unwrap();
    let checked = said(home, &["config", "check", "-c", "lanyard.toml"]);
    assert!(checked.contains("This configuration may be started"), "{checked}");

    let serve = &mut lanyard(home, &["serve", "-c", "lanyard.toml"]);
    let mut server = Server(serve.stderr(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stderr.take().unwrap()).lines();
    assert!(
        lines.any(|line| line.unwrap().contains("ready")),
        "the server did not start"
    );
    std::thread::spawn(move || lines.for_each(drop));

    let admin = with_ports("http://127.0.0.1:8004");
    said(
        home,
        &[
            "admin",
            "claim",
            "--url",
            &admin,
            "--token-file",
            "lanyard-state/owner-token",
        ],
    );
    let first = said(home, &["apply", "-f", "org.toml"]);
    assert!(
        first.contains("Applied: 11 created, 0 changed, 0 unchanged."),
        "{first}"
    );
    let second = said(home, &["apply", "-f", "org.toml"]);
    assert!(second.contains("Nothing to do: 11 unchanged."), "{second}");
    let wiki = |user: &'static str| {
        [
            "rules",
            "test",
            "--user",
            user,
            "--client",
            "lanyard-cli",
            "--connector",
            "wiki",
        ]
    };
    assert!(said(home, &wiki("ada")).contains("granted  wiki.read wiki.write"));
    assert!(said(home, &wiki("ben")).contains("granted  wiki.read\n"));
}

#[test]
fn the_configuration_for_production_may_be_started() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("p.toml"), example("production.toml")).unwrap();
    let checked = said(home.path(), &["config", "check", "-c", "p.toml"]);
    assert!(checked.contains("This configuration may be started"), "{checked}");
    assert!(!checked.contains("development"), "{checked}");
}

/// The check opens the store and drops it on a thread that drives a runtime, where the driver must not block.
#[test]
fn a_configuration_with_postgres_is_checked_to_the_end() {
    let home = tempfile::tempdir().unwrap();
    let database = lanyard_testkit::postgres::database();
    let text = format!("{}\n[store]\nurl = \"{}\"\n", example("lanyard.toml"), database.url());
    std::fs::write(home.path().join("lanyard.toml"), text).unwrap();
    let checked = said(home.path(), &["config", "check", "-c", "lanyard.toml"]);
    assert!(checked.contains("PostgreSQL, 8 connections"), "{checked}");
}
