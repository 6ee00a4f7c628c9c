//! `docs/configuration.md` against the types that read the file.

use std::collections::BTreeMap;

use super::examples::root;

/// Section of the page → keys, from the structs of `config/file.rs`.
fn keys_of_types() -> BTreeMap<String, Vec<String>> {
    let source = std::fs::read_to_string(root().join("crates/lanyard/src/config/file.rs")).unwrap();
    let source = source.replace("pub(crate)", "pub");
    let mut sections = BTreeMap::new();
    for part in source.split("pub struct ").skip(1) {
        let name = part.split_whitespace().next().unwrap();
        let title = match name.strip_suffix("Section") {
            None => "Top level".to_owned(),
            Some(section) => format!("`[{}]`", section.to_lowercase()),
        };
        let body = part.split("\n}").next().unwrap();
        let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub "));
        let names = fields.filter_map(|field| field.split(':').next()).map(str::to_owned);
        sections.insert(title, names.collect::<Vec<_>>());
    }
    sections
}

/// Section → keys, from the tables of the page.
fn keys_of_page() -> BTreeMap<String, Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let mut sections = BTreeMap::new();
    for part in page.split("\n## ").skip(1) {
        let title = part.lines().next().unwrap().to_owned();
        let rows = part.lines().filter_map(|line| line.strip_prefix("| `"));
        let names = rows.filter_map(|row| row.split('`').next()).map(str::to_owned);
        sections.insert(title, names.collect::<Vec<_>>());
    }
    sections
}

#[test]
fn every_key_of_the_configuration_file_is_in_the_manual_and_no_other() {
    let (types, page) = (keys_of_types(), keys_of_page());
    assert!(types.len() > 8, "the structs were not found");
    assert_eq!(types, page, "left: config/file.rs, right: docs/configuration.md");
}

#[test]
fn every_key_in_the_manual_has_type_default_and_meaning() {
    let page = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 4, "{row}");
        assert!(!cells[1].is_empty() && !cells[3].is_empty(), "{row}");
    }
}
