//! `docs/conformance.md`: which requirement is shown by which test.
//!
//! A test cites a requirement by its name (`…_ras_jb_12`) or by the id in its comments. With
//! `LANYARD_UPDATE_CONFORMANCE=1` the last column is written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::examples::root;

/// Tests named in one row; the rest is counted.
const NAMED: usize = 3;

type Citations = BTreeMap<String, BTreeSet<String>>;

fn page() -> String {
    std::fs::read_to_string(root().join("docs/conformance.md")).unwrap()
}

/// The id of a row of the table.
fn id_of(line: &str) -> Option<&str> {
    let id = line.strip_prefix("| ")?.split(" |").next()?;
    let known = id.contains('-')
        && id
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    (known && !id.starts_with('-')).then_some(id)
}

fn ids(page: &str) -> Vec<String> {
    page.lines().filter_map(id_of).map(str::to_owned).collect()
}

fn citations(ids: &[String]) -> Citations {
    let mut found = Citations::new();
    for place in ["crates", "xtask", "examples"] {
        rust_files(&root().join(place), &mut |path, text| {
            let file = shown(path);
            for (name, body) in tests_of(text) {
                for id in ids.iter().filter(|id| cites(&name, &body, id)) {
                    let test = format!("{file} `{name}`");
                    found.entry(id.clone()).or_default().insert(test);
                }
            }
        });
    }
    found
}

/// The crate and file of a test, as in `core ras_redeem.rs`.
fn shown(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    let inside = inside.strip_prefix("crates/").unwrap_or(&inside).to_owned();
    let (krate, rest) = inside.split_once('/').unwrap();
    let rest = rest.trim_start_matches("tests/it/").trim_start_matches("src/");
    format!("{krate} {rest}")
}

fn rust_files(directory: &Path, with: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, with);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            with(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// Each test with the comments above it and its body.
fn tests_of(text: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    let is_test = |line: &str| matches!(line.trim(), "#[test]") || line.trim().starts_with("#[tokio::test");
    let mut tests = Vec::new();
    for at in (0..lines.len()).filter(|at| is_test(lines[*at])) {
        let above = (0..at)
            .rev()
            .take_while(|n| lines[*n].trim_start().starts_with("//"))
            .count();
        let Some(head) = (at..lines.len()).find(|n| lines[*n].contains("fn ")) else {
            continue;
        };
        let name = lines[head]
            .split("fn ")
            .nth(1)
            .unwrap()
            .split(['(', '<'])
            .next()
            .unwrap();
        let indent = &lines[head][..lines[head].len() - lines[head].trim_start().len()];
        let end = (head..lines.len())
            .find(|n| lines[*n] == format!("{indent}}}"))
            .unwrap_or(head);
        tests.push((name.to_owned(), lines[at - above..=end].join("\n")));
    }
    tests
}

fn cites(name: &str, body: &str, id: &str) -> bool {
    let ends = |rest: &str, also: char| !rest.starts_with(|c: char| c.is_ascii_digit() || c == also);
    let in_name = format!("_{}", id.to_lowercase().replace('-', "_"));
    let named = format!("_{name}");
    named
        .match_indices(&in_name)
        .any(|(n, found)| ends(&named[n + found.len()..], '0'))
        || body
            .match_indices(id)
            .any(|(n, found)| ends(&body[n + found.len()..], '0'))
}

fn cell(tests: Option<&BTreeSet<String>>) -> String {
    let Some(tests) = tests else { return "–".to_owned() };
    let mut named: Vec<String> = tests.iter().take(NAMED).cloned().collect();
    if tests.len() > NAMED {
        named.push(format!("and {} more", tests.len() - NAMED));
    }
    named.join("; ")
}

fn written(page: &str, found: &Citations) -> String {
    let all = ids(page);
    let lines = page.lines().map(|line| {
        if line.starts_with("Cited by a test: ") {
            return format!("Cited by a test: {} of {} requirements.", found.len(), all.len());
        }
        let Some(id) = id_of(line) else { return line.to_owned() };
        let (rule, _) = line.trim_end_matches(" |").rsplit_once(" | ").unwrap();
        format!("{rule} | {} |", cell(found.get(id)))
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for whoever writes the page anew")]
fn every_test_that_the_page_of_conformance_names_cites_its_requirement() {
    let page = page();
    let all = ids(&page);
    assert!(all.len() > 200, "the table was not found");
    let found = citations(&all);
    if std::env::var("LANYARD_UPDATE_CONFORMANCE").is_ok() {
        std::fs::write(root().join("docs/conformance.md"), written(&page, &found)).unwrap();
        return;
    }
    let mut wrong = Vec::new();
    for line in page.lines() {
        let Some(id) = id_of(line) else { continue };
        let named = line.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
        let tests = named.split("; ").filter(|test| test.contains('`'));
        let known = found.get(id);
        wrong.extend(
            tests
                .filter(|test| !known.is_some_and(|k| k.contains(*test)))
                .map(|test| format!("{id}: {test}")),
        );
    }
    assert!(
        wrong.is_empty(),
        "not so any more; write the page anew with LANYARD_UPDATE_CONFORMANCE=1: {wrong:#?}"
    );
}

#[test]
fn an_id_is_found_in_names_and_comments_and_never_as_a_part_of_another() {
    assert!(cites("a_grant_is_used_once_ras_jb_12", "", "RAS-JB-12"));
    assert!(cites("a_grant_ras_jb_12_and_more", "", "RAS-JB-12"));
    assert!(!cites("a_grant_ras_jb_120", "", "RAS-JB-12"));
    assert!(cites("a", "// RAS-JB-04, 05", "RAS-JB-04"));
    assert!(!cites("a", "// RAS-JB-045", "RAS-JB-04"));
}
