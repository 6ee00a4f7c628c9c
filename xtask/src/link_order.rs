//! `cargo xtask link-order`: the list of functions that a start and a server at work call, for the linker.
//!
//! Owns how they are found: the release program at work under valgrind, which sees every call. The list is of this
//! compiler, these dependencies and this profile; a name that a build has no more is passed over, so an old list does
//! less and harms nothing. `--check` tells how much of it a build has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::shell::{self, output, program, run as run_it};
use crate::{bench, release};

const LIST: &str = "crates/lanyard/link-order.txt";
/// Runs of the generator: chains, provisioning, tool calls, sign-ins at an upstream.
const RUNS: [&str; 4] = ["memory", "scim", "gateway", "oidc"];
/// How large: small, since valgrind slows the program fifty times; a thousand people have the ten groups that the
/// look-ups of `scim` ask for.
const SIZE: &str = "--people 10 --most-people 1000 --chains 140 --rounds 1";
/// Basic blocks between two records: a server that is killed leaves the earlier ones.
const BLOCKS: &str = "--dump-every-bb=20000000";

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    match arguments {
        [] => record(),
        [check] if check == "--check" => {
            println!("{}", told(&release::build()?)?);
            Ok(())
        }
        _ => bail!("usage: cargo xtask link-order [--check]"),
    }
}

/// How many functions of the list this program has, and whether they stand together; for people.
pub(crate) fn told(built: &Path) -> anyhow::Result<String> {
    let has = functions_of(built)?;
    let list = std::fs::read_to_string(shell::root().join(LIST)).with_context(|| LIST.to_owned())?;
    let (mut found, mut all, mut bytes) = (0_usize, 0_usize, 0_u64);
    let (mut first, mut last) = (u64::MAX, 0);
    for name in list.lines() {
        all += 1;
        let Some(places) = has.get(name) else { continue };
        found += 1;
        for (address, size) in places {
            bytes += size;
            first = first.min(*address);
            last = last.max(address + size);
        }
    }
    let mib = bytes >> 20;
    Ok(if last.saturating_sub(first) > bytes * 2 {
        format!("no: {found} of {all} functions of {LIST}, {mib} MiB, lie apart; this linker does not take the list")
    } else if found * 10 < all * 9 {
        format!("only {found} of {all} functions of {LIST}; `cargo xtask link-order` makes the list anew")
    } else {
        format!("{found} of {all} functions of {LIST}, {mib} MiB")
    })
}

fn record() -> anyhow::Result<()> {
    if shell::find("valgrind", &[]).is_none() {
        bail!("valgrind is not there; it records which functions are called (Debian: apt install valgrind)");
    }
    let built = release::build()?;
    let generators = bench::build()?;
    let records = shell::target()?.join("xtask-link-order");
    let _ = std::fs::remove_dir_all(&records);
    std::fs::create_dir_all(&records)?;
    let under = under_valgrind(&records)?;

    // In how many runs a function was called: what every start calls comes first.
    let mut called: BTreeMap<String, usize> = BTreeMap::new();
    for name in RUNS {
        println!("recording {name}, some minutes");
        let folder = records.join(name);
        std::fs::create_dir_all(&folder)?;
        let mut generator = program(generators.join("lanyard-bench"));
        generator.arg("--lanyard").arg(&under);
        generator.arg("--floor").arg(generators.join("lanyard-floor"));
        run_it(
            generator
                .arg(name)
                .args(SIZE.split(' '))
                .env("LANYARD_RECORDS", &folder),
        )?;
        let functions = functions(&folder)?;
        anyhow::ensure!(!functions.is_empty(), "valgrind recorded nothing of {name}");
        for function in functions {
            *called.entry(function).or_default() += 1;
        }
    }
    let has = functions_of(&built)?;
    let mut list: Vec<(usize, String)> = called
        .into_iter()
        .filter(|(name, _)| has.contains_key(name))
        .map(|(name, runs)| (RUNS.len() - runs, name))
        .collect();
    list.sort();
    let mut text = String::new();
    for (_, name) in &list {
        text.push_str(name);
        text.push('\n');
    }
    std::fs::write(shell::root().join(LIST), text)?;
    println!("{LIST}: {} functions; build again to link with it", list.len());
    let _ = std::fs::remove_dir_all(&records);
    Ok(())
}

/// A program that is `lanyard`, with its servers recorded.
fn under_valgrind(records: &Path) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let script = records.join("lanyard");
    let text = format!(
        "#!/bin/sh\ncase \"$1\" in serve | lab) exec valgrind -q --tool=callgrind --demangle=no {BLOCKS} \
         --callgrind-out-file=\"$LANYARD_RECORDS/%p\" \"$LANYARD_RECORDED\" \"$@\" ;; esac\n\
         exec \"$LANYARD_RECORDED\" \"$@\"\n"
    );
    std::fs::write(&script, text)?;
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

/// The functions of the program that these records name.
fn functions(folder: &Path) -> anyhow::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        let text = std::fs::read(entry?.path())?;
        for line in String::from_utf8_lossy(&text).lines() {
            // `fn=(12) name` the first time, `fn=(12)` later; a recursion's level follows an apostrophe.
            let function = line.strip_prefix("fn=(").or_else(|| line.strip_prefix("cfn=("));
            if let Some((_, name)) = function.and_then(|rest| rest.split_once(") ")) {
                let name = name.split_once('\'').map_or(name, |(name, _)| name);
                found.insert(name.to_owned());
            }
        }
    }
    Ok(found)
}

/// The functions in a program by name: address and bytes of each that has the name.
fn functions_of(built: &Path) -> anyhow::Result<HashMap<String, Vec<(u64, u64)>>> {
    let told = String::from_utf8(output(program("nm").arg("-S").arg(built))?).context("what nm printed")?;
    let mut functions: HashMap<String, Vec<(u64, u64)>> = HashMap::new();
    for line in told.lines() {
        if let [address, size, kind, name] = line.split_whitespace().collect::<Vec<_>>().as_slice()
            && matches!(*kind, "t" | "T" | "w" | "W")
        {
            let place = (u64::from_str_radix(address, 16)?, u64::from_str_radix(size, 16)?);
            functions.entry((*name).to_owned()).or_default().push(place);
        }
    }
    Ok(functions)
}
