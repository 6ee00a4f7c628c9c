//! `docs/audit.md` against the events and reasons that the code knows.

use std::collections::BTreeSet;
use std::path::Path;

use super::examples::root;

/// Every source file of the crates that decide.
fn sources() -> Vec<String> {
    let mut texts = Vec::new();
    for krate in ["core", "server", "web", "gateway", "resource-server", "jose"] {
        collect(&root().join("crates").join(krate).join("src"), &mut texts);
    }
    texts
}

fn collect(directory: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            texts.push(text.split("#[cfg(test)]").next().unwrap().to_owned());
        }
    }
}

fn documented() -> BTreeSet<String> {
    let page = std::fs::read_to_string(root().join("docs/audit.md")).unwrap();
    page.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The words in double quotes that look like `room.noun.verb`.
fn kinds(text: &str) -> Vec<String> {
    let rooms = ["idp", "ras", "gateway", "admin", "directory", "keys", "server", "jobs"];
    let is_word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let quoted = text.split('"').skip(1).step_by(2);
    let kinds = quoted.filter(|text| {
        let words: Vec<&str> = text.split('.').filter(is_word).collect();
        words.len() == 3 && text.matches('.').count() == 2 && rooms.contains(&words[0])
    });
    kinds.map(str::to_owned).collect()
}

/// The strings of a function `code`, which gives a denial its stable name.
fn codes(text: &str) -> Vec<String> {
    let functions = text
        .split(" fn code(")
        .skip(1)
        .map(|part| part.split("\n    }").next().unwrap());
    let arms = functions.flat_map(|function| function.split("=> \"").skip(1));
    arms.filter_map(|arm| arm.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_kind_of_audit_event_is_in_the_manual() {
    let (sources, known) = (sources(), documented());
    let found: BTreeSet<String> = sources.iter().flat_map(|text| kinds(text)).collect();
    assert!(found.len() > 60, "the kinds were not found");
    let missing: Vec<&String> = found.iter().filter(|kind| !known.contains(*kind)).collect();
    assert!(missing.is_empty(), "add them to docs/audit.md: {missing:?}");
    let rooms = [
        "idp.",
        "ras.",
        "gateway.",
        "admin.",
        "directory.",
        "keys.",
        "server.",
        "jobs.",
    ];
    let stale: Vec<&String> = known
        .iter()
        .filter(|text| text.matches('.').count() == 2 && !text.ends_with('.') && !text.contains(' '))
        .filter(|text| rooms.iter().any(|room| text.starts_with(room)) && !found.contains(*text))
        .collect();
    assert!(stale.is_empty(), "no event has this kind: {stale:?}");
}

#[test]
fn every_reason_of_a_denial_is_in_the_manual() {
    let (sources, known) = (sources(), documented());
    let found: BTreeSet<String> = sources.iter().flat_map(|text| codes(text)).collect();
    assert!(found.len() > 100, "the reasons were not found");
    let missing: Vec<&String> = found.iter().filter(|code| !known.contains(*code)).collect();
    assert!(missing.is_empty(), "add them to docs/audit.md: {missing:?}");
}
