//! The committed fuzz corpus of audit exports, replayed on the stable toolchain (SEC-22).

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/audit.rs"]
mod bodies;
#[expect(unreachable_pub, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;

#[test]
fn no_input_of_the_corpus_breaks_the_offline_verifier_sec_22() {
    replay::replay("audit_export", bodies::audit_export);
}
