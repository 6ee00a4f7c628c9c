//! What the tests need from outside: system packages, cargo-deny, foreign software.
//!
//! Owns installing, a stage of its own that only runs when asked. What cannot be had fails by name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::bail;

use crate::shell::{self, cargo, find, program, run};
use crate::stages::Stage;

/// The pinned version; the installed binary is kept in the cache under it.
const CARGO_DENY: &str = "0.20.2";

pub(crate) const STAGE: Stage = Stage {
    name: "install",
    what: "system packages, cargo-deny and foreign software are there",
    run: install,
};

/// What a distribution has to bring: any of these programs, from these packages of Debian.
struct Needed {
    any_of: &'static [&'static str],
    packages: &'static [&'static str],
    why: &'static str,
}

const NEEDED: [Needed; 8] = [
    Needed {
        any_of: &["initdb"],
        packages: &["postgresql"],
        why: "the store's tests on PostgreSQL",
    },
    Needed {
        any_of: &[
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
            "microsoft-edge",
        ],
        packages: &["chromium"],
        why: "the sign-in page in a browser",
    },
    Needed {
        any_of: &["npm"],
        packages: &["nodejs", "npm"],
        why: "foreign MCP clients and servers",
    },
    Needed {
        any_of: &["python3"],
        packages: &["python3", "python3-venv"],
        why: "foreign MCP clients and servers",
    },
    Needed {
        any_of: &["java"],
        packages: &["default-jre-headless"],
        why: "Keycloak",
    },
    Needed {
        any_of: &["mvn"],
        packages: &["maven"],
        why: "Keycloak comes by it",
    },
    Needed {
        any_of: &["xmlsec1"],
        packages: &["xmlsec1"],
        why: "the foreign SAML identity provider signs by it, and what we accept it must accept",
    },
    Needed {
        any_of: &["prlimit"],
        packages: &["util-linux"],
        why: "the test of a full disk",
    },
];

fn install() -> anyhow::Result<()> {
    system()?;
    // One mostly downloads, the other mostly compiles.
    std::thread::scope(|scope| {
        let foreign = scope.spawn(|| run(&mut program("interop/install")));
        let deny = install_cargo_deny();
        match foreign.join() {
            Ok(foreign) => deny.and(foreign),
            Err(_) => bail!("the installation of foreign software panicked"),
        }
    })
}

fn install_cargo_deny() -> anyhow::Result<()> {
    if cargo_deny().is_ok() {
        return Ok(());
    }
    let cache = tools()?;
    println!("installing cargo-deny {CARGO_DENY} into {}", cache.display());
    let mut command = cargo([
        "install",
        "cargo-deny",
        "--locked",
        "--debug",
        "--version",
        CARGO_DENY,
        "--root",
    ]);
    // Its own build folder: the flags and features of our workspace are none of its business.
    command.arg(&cache).env("CARGO_TARGET_DIR", cache.join("build"));
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    run(&mut command)?;
    let _ = std::fs::remove_dir_all(cache.join("build"));
    Ok(())
}

fn tools() -> anyhow::Result<PathBuf> {
    Ok(shell::cache()?.join(format!("tools-cargo-deny-{CARGO_DENY}")))
}

/// The installed cargo-deny.
pub(crate) fn cargo_deny() -> anyhow::Result<PathBuf> {
    match find("cargo-deny", &[tools()?.join("bin")]) {
        Some(found) => Ok(found),
        None => bail!("missing: cargo-deny {CARGO_DENY}; run `cargo xtask test --install`"),
    }
}

/// Whether the advisory database is here or can be fetched; only then advisories are checked.
pub(crate) fn advisories_can_be_had(tool: &Path) -> bool {
    let mut fetch = program(tool);
    fetch.args(["fetch", "db"]).stdout(Stdio::null()).stderr(Stdio::null());
    fetch.status().is_ok_and(|status| status.success())
}

fn system() -> anyhow::Result<()> {
    let postgres = postgres_folders();
    let missing: Vec<&Needed> = NEEDED
        .iter()
        .filter(|needed| !needed.any_of.iter().any(|name| find(name, &postgres).is_some()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = missing
        .iter()
        .map(|needed| format!("{} ({})", needed.packages.join(" "), needed.why))
        .collect();
    let list = list.join(", ");
    if find("apt-get", &[]).is_none() {
        bail!("missing, and apt-get is not here to install them: {list}");
    }
    if !is_root() {
        bail!("missing: {list}; install them, or run this as root");
    }
    println!("installing {list}");
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null());
        command
    };
    run(&mut apt(&["update", "-q"]))?;
    let mut arguments = vec!["install", "-q", "-y", "--no-install-recommends"];
    arguments.extend(missing.iter().flat_map(|needed| needed.packages.iter().copied()));
    run(&mut apt(&arguments))
}

/// Debian keeps the programs of a cluster off the PATH.
fn postgres_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

fn is_root() -> bool {
    let own = Command::new("id").arg("-u").output();
    own.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
