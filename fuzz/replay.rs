//! Replays a committed corpus: for the tests of the crates that own the parsers (`corpora.rs` there).

use std::fs;
use std::path::{Path, PathBuf};

/// The files of a corpus. A corpus of fewer than five is not there.
pub fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let entries = fs::read_dir(&folder).into_iter().flatten();
    let files: Vec<_> = entries.map_while(Result::ok).map(|entry| entry.path()).collect();
    assert!(files.len() >= 5, "{}: {} files", folder.display(), files.len());
    files
}

/// Runs the body of a target on every file of its corpus.
pub fn replay(target: &str, body: fn(&[u8])) {
    for file in corpus(target) {
        let input = fs::read(&file);
        assert!(input.is_ok(), "{} cannot be read", file.display());
        body(&input.unwrap_or_default());
    }
}
