//! No store method without a case.

use std::fs;
use std::path::Path;

#[test]
fn every_method_of_every_store_trait_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases: String = sources(&root.join("tests/it"));
    let traits = sources(&root.join("../core/src/store"));
    let mut methods = Vec::new();
    for line in traits.lines().map(str::trim_start) {
        if let Some((name, rest)) = line.strip_prefix("fn ").and_then(|line| line.split_once('(')) {
            // Methods of a store take `&mut self`, on this line or on the next.
            if rest.is_empty() || rest.starts_with("&mut self") {
                methods.push(name.to_owned());
            }
        }
    }
    assert!(methods.len() > 120, "only {} methods were found", methods.len());
    let missing: Vec<_> = methods
        .iter()
        .filter(|name| !cases.contains(&format!("tx.{name}(")))
        .collect();
    assert!(missing.is_empty(), "store methods without a case: {missing:?}");
}

fn sources(folder: &Path) -> String {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    files.collect::<Vec<_>>().join("\n")
}
