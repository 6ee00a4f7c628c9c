//! Which rooms the house has and which doors exist between them, held against the workspace as it is.
//!
//! Owns the table: docs/architecture.md shows the same one. Reads manifests and sources, runs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What each crate may use of ours, outside its tests.
const MAY_USE: [(&str, &[&str]); 19] = [
    ("protocol", &[]),
    ("jose", &["protocol"]),
    ("fetch", &["protocol", "jose"]),
    ("client", &["protocol", "jose", "fetch"]),
    ("resource-server", &["protocol", "jose", "fetch"]),
    ("gateway", &["resource-server", "client", "protocol", "jose", "fetch"]),
    ("core", &["protocol", "jose"]),
    ("storage", &["core", "protocol", "jose"]),
    ("federation", &["core", "jose", "protocol"]),
    ("server", &["core", "federation", "fetch", "protocol", "jose"]),
    ("web", &["core", "federation", "protocol"]),
    (
        "lanyard",
        &[
            "client",
            "core",
            "federation",
            "fetch",
            "gateway",
            "jose",
            "protocol",
            "resource-server",
            "server",
            "storage",
            "web",
        ],
    ),
    ("testkit", &["core", "federation", "jose", "protocol", "storage"]),
    ("xtask", &[]),
    // Load from outside, and what our figures are compared with: they know the wire and nothing of ours.
    ("bench", &[]),
    ("floor", &[]),
    (
        "example-protected-server",
        &["fetch", "jose", "protocol", "resource-server"],
    ),
    ("example-rmcp-client", &["client", "fetch", "protocol"]),
    // A foreign client by intent: rmcp's own exchange, nothing of ours.
    ("interop-rmcp-client", &[]),
];

/// Who alone may use an outside crate, outside its tests.
const ONLY: [(&str, &[&str]); 31] = [
    // XML, its canonical form and its signatures (decision 0024).
    ("uppsala", &["federation"]),
    ("bergshamra-c14n", &["federation"]),
    ("bergshamra-crypto", &["federation"]),
    ("bergshamra-dsig", &["federation"]),
    ("bergshamra-keys", &["federation"]),
    ("bergshamra-xml", &["federation"]),
    ("x509-cert", &["federation"]),
    ("miniz_oxide", &["federation"]),
    ("rusqlite", &["storage"]),
    ("postgres", &["storage"]),
    ("tokio-postgres", &["storage"]),
    ("tokio-postgres-rustls", &["storage"]),
    ("refinery", &["storage"]),
    ("reqwest", &["fetch"]),
    ("aws-lc-rs", &["jose", "floor"]),
    ("jsonwebtoken", &["jose"]),
    ("subtle", &["jose"]),
    ("cedar-policy", &["core"]),
    ("argon2", &["core"]),
    ("totp-rs", &["federation"]),
    ("webauthn-rs", &["federation"]),
    ("qrcodegen", &["federation"]),
    ("askama", &["web"]),
    ("rust-embed", &["web"]),
    ("hyper-rustls", &["gateway"]),
    // The crypto provider is chosen once; who terminates or opens TLS names it.
    (
        "rustls",
        &["fetch", "gateway", "storage", "lanyard", "interop-rmcp-client"],
    ),
    (
        "rmcp",
        &[
            "client",
            "lanyard",
            "example-protected-server",
            "example-rmcp-client",
            "interop-rmcp-client",
        ],
    ),
    ("clap", &["lanyard"]),
    ("toml", &["lanyard"]),
    ("keyring", &["lanyard"]),
    (
        "anyhow",
        &[
            "lanyard",
            "xtask",
            "bench",
            "floor",
            "example-protected-server",
            "example-rmcp-client",
            "interop-rmcp-client",
        ],
    ),
];

/// What a crate must never see, so that it stays what it is.
const NEVER: [(&str, &[&str]); 3] = [
    ("protocol", &["tokio", "http", "axum", "hyper", "jiff", "reqwest"]),
    ("jose", &["tokio", "http", "axum", "hyper", "reqwest"]),
    (
        "core",
        &[
            "tokio",
            "http",
            "axum",
            "hyper",
            "tower",
            "reqwest",
            "rusqlite",
            "postgres",
            "tracing-subscriber",
        ],
    ),
];

/// In sources of a folder, outside tests: words that must not stand there.
const WORDS: [(&str, &[&str]); 7] = [
    (
        "crates/core/src/idp",
        &["crate::ras", "super::ras", "ras::", "async fn"],
    ),
    (
        "crates/core/src/ras",
        &["crate::idp", "super::idp", "idp::", "async fn"],
    ),
    (
        "crates/server/src/idp",
        &[
            "crate::ras",
            "lanyard_core::ras::jwt_bearer",
            "lanyard_core::ras::access_token",
        ],
    ),
    ("crates/server/src/ras", &["crate::idp", "lanyard_core::idp"]),
    (
        "crates/core/src",
        &[
            "std::fs",
            "std::env",
            "std::thread",
            "TcpStream",
            "TcpListener",
            "SystemTime",
        ],
    ),
    ("crates/server/src", &["rusqlite", "lanyard_web", "lanyard_storage"]),
    ("crates/web/src", &["rusqlite", "lanyard_server", "lanyard_storage"]),
];

struct Package {
    folder: PathBuf,
    /// (name, whether outside tests), as the manifest has it.
    uses: Vec<(String, bool)>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

/// The prefix is for the registry; the table does without.
fn short(name: &str) -> &str {
    name.strip_prefix("lanyard-").unwrap_or(name)
}

fn workspace() -> BTreeMap<String, Package> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let uses = package["dependencies"].as_array().unwrap().iter();
            let uses = uses.map(|one| (text(&one["name"]), one["kind"] != "dev"));
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let package_of = Package {
                folder: manifest.parent().unwrap().to_owned(),
                uses: uses.collect(),
            };
            (short(&text(&package["name"])).to_owned(), package_of)
        })
        .collect()
}

fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap_or_else(|_| panic!("{} is gone", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// A file without the tests at its end; a file of tests is empty.
fn outside_tests<'a>(path: &Path, text: &'a str) -> &'a str {
    let name = path.file_stem().unwrap().to_str().unwrap();
    if name == "tests" || name.ends_with("_tests") {
        return "";
    }
    text.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn crates_use_each_other_only_as_the_table_says() {
    let packages = workspace();
    let listed: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let present: BTreeSet<&str> = packages.keys().map(String::as_str).collect();
    assert_eq!(present, listed, "a crate needs a line in the table, and a reason");
    let ours = |name: &str| present.contains(short(name));
    for (name, may_use) in MAY_USE {
        for (used, _) in packages[name]
            .uses
            .iter()
            .filter(|(used, outside_tests)| *outside_tests && ours(used))
        {
            assert!(may_use.contains(&short(used)), "{name} uses {used}");
        }
    }
}

#[test]
fn the_binary_and_what_it_is_made_of_never_contain_test_support() {
    for (name, package) in workspace() {
        let testkit = package
            .uses
            .iter()
            .any(|(used, outside_tests)| *outside_tests && used == "lanyard-testkit");
        assert!(!testkit, "{name} uses testkit outside its tests");
    }
}

#[test]
fn the_data_path_never_needs_the_control_path() {
    let packages = workspace();
    for name in ["protocol", "jose", "fetch", "client", "resource-server", "gateway"] {
        for (used, _) in packages[name].uses.iter() {
            assert!(
                !["lanyard-core", "lanyard-storage", "lanyard-server", "lanyard-web"].contains(&used.as_str()),
                "{name} uses {used}"
            );
        }
    }
}

#[test]
fn each_heavy_outside_crate_is_known_to_its_room_alone() {
    for (name, package) in workspace() {
        for (used, _) in package.uses.iter().filter(|(_, outside_tests)| *outside_tests) {
            if let Some((_, rooms)) = ONLY.iter().find(|(crate_name, _)| crate_name == used) {
                assert!(
                    rooms.contains(&name.as_str()),
                    "{name} uses {used}, which is for {rooms:?}"
                );
            }
        }
    }
}

#[test]
fn the_rules_see_no_runtime_no_http_and_no_sql() {
    let packages = workspace();
    for (name, never) in NEVER {
        for (used, _) in packages[name].uses.iter().filter(|(_, outside_tests)| *outside_tests) {
            assert!(!never.contains(&used.as_str()), "{name} uses {used}");
        }
    }
}

#[test]
fn issuer_and_authorization_server_never_import_each_other_and_no_rule_reaches_out() {
    for (folder, words) in WORDS {
        for (path, text) in sources(&root().join(folder)) {
            let code = outside_tests(&path, &text)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for (line, word) in code.flat_map(|line| words.iter().map(move |word| (line, word))) {
                assert!(!stands_in(line, word), "{}: {line}", path.display());
            }
        }
    }
}

/// Whether the word stands there by itself and not as the end of another one.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn every_module_begins_with_what_it_owns() {
    for package in workspace().into_values() {
        for (path, text) in sources(&package.folder.join("src")) {
            assert!(text.starts_with("//! "), "{} has no charter", path.display());
        }
    }
}

#[test]
fn no_file_has_grown_beyond_800_lines() {
    for package in workspace().into_values() {
        for (path, text) in sources(&package.folder.join("src")) {
            let lines = outside_tests(&path, &text).lines().count();
            assert!(
                lines <= 800,
                "{} has {lines} lines: look for the second subject in it",
                path.display()
            );
        }
    }
}
