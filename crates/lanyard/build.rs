//! The order of functions in the release program: what a start and a server at work call stands together, in the order
//! of `link-order.txt` (docs/decisions/0063-what-is-called-stands-together.md).
//!
//! Owns the decision whether the linker takes that list: LLD does, others may refuse the option, so a program of one line
//! is linked with it first. A program linked without it does the same and has more of its code in memory.
//! `LANYARD_LINK_ORDER=off` leaves the list out.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The list, made by `cargo xtask link-order`.
const LIST: &str = "link-order.txt";
/// Where it was made; the names are others elsewhere.
const TARGET: &str = "x86_64-unknown-linux-gnu";
const SWITCH: &str = "LANYARD_LINK_ORDER";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={LIST}");
    println!("cargo::rerun-if-env-changed={SWITCH}");
    if !is("PROFILE", "release") || !is("TARGET", TARGET) || is(SWITCH, "off") {
        return;
    }
    let Some(arguments) = arguments() else { return };
    for argument in &arguments {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

fn is(name: &str, value: &str) -> bool {
    env::var_os(name).is_some_and(|set| set == value)
}

/// What the linker is told, if it takes it. The list is copied: cargo may remember its place longer than the checkout stands.
fn arguments() -> Option<[String; 4]> {
    let folder = PathBuf::from(env::var_os("OUT_DIR")?);
    let list = folder.join(LIST);
    std::fs::copy(Path::new(&env::var_os("CARGO_MANIFEST_DIR")?).join(LIST), &list).ok()?;
    let list = list.to_str()?;
    // A name that a later change has taken away is no reason to complain.
    let arguments = [
        "-Xlinker",
        &format!("--symbol-ordering-file={list}"),
        "-Xlinker",
        "--no-warn-symbol-ordering",
    ]
    .map(str::to_owned);
    takes(&folder, &arguments).then_some(arguments)
}

/// Whether the linker of this build, chosen by rustc, by configuration or by flags, takes these arguments.
fn takes(folder: &Path, arguments: &[String]) -> bool {
    let source = folder.join("trial.rs");
    if std::fs::write(&source, "fn main() {}\n").is_err() {
        return false;
    }
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .arg(&source)
        .arg("-o")
        .arg(folder.join("trial"))
        .args(["--target", TARGET]);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("linker=");
        option.push(linker);
        rustc.arg("-C").arg(option);
    }
    let flags = env::var_os("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let flags = flags.to_string_lossy();
    rustc.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    for argument in arguments {
        rustc.arg("-C").arg(format!("link-arg={argument}"));
    }
    let ended = rustc
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    ended.is_ok_and(|status| status.success())
}
