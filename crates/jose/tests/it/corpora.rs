//! The committed fuzz corpora, replayed on the stable toolchain with the bodies of the fuzz targets (SEC-22).

use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies.rs"]
mod bodies;

/// Runs every file of a corpus and says how many there were.
fn replay(target: &str, body: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    for file in &files {
        body(&fs::read(file).unwrap());
    }
    files.len()
}

#[test]
fn no_input_of_a_fuzz_corpus_breaks_its_parser_sec_22() {
    let replayed = [
        replay("compact_jws", bodies::compact_jws),
        replay("jwks", bodies::jwks),
        replay("strict_json", bodies::strict_json),
        replay("form", bodies::form),
        replay("challenge", bodies::challenge),
        replay("identifiers", bodies::identifiers),
    ];
    assert!(
        replayed.iter().all(|files| *files >= 5),
        "a corpus is missing: {replayed:?}"
    );
}

#[test]
fn every_fuzz_target_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 6);
}
