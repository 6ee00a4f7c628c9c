//! The committed fuzz corpora, replayed on the stable toolchain with the bodies of the fuzz targets (SEC-22).

use std::fs;
use std::path::Path;

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/tokens.rs"]
mod bodies;
#[expect(unreachable_pub, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;

use replay::replay;

#[test]
fn no_input_of_a_fuzz_corpus_breaks_its_parser_sec_22() {
    replay("compact_jws", bodies::compact_jws);
    replay("jwks", bodies::jwks);
    replay("strict_json", bodies::strict_json);
    replay("form", bodies::form);
    replay("challenge", bodies::challenge);
    replay("identifiers", bodies::identifiers);
}

#[test]
fn every_fuzz_target_is_replayed_by_the_crate_that_owns_the_parser() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tests: String = fs::read_dir(root.join("crates"))
        .unwrap()
        .filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("tests/it/corpora.rs")).ok())
        .collect();
    for target in fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap() {
        let path = target.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(tests.contains(&format!("(\"{name}\"")), "{name} is not replayed");
    }
}
