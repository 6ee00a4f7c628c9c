//! The committed fuzz corpora of audit exports and of SCIM filters and paths, replayed on the stable toolchain (SEC-22).

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/audit.rs"]
mod audit;
#[expect(unreachable_pub, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;
#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/scim.rs"]
mod scim;

#[test]
fn no_input_of_the_corpus_breaks_the_offline_verifier_sec_22() {
    replay::replay("audit_export", audit::audit_export);
}

#[test]
fn no_input_of_a_corpus_breaks_a_scim_filter_or_path_sec_22() {
    replay::replay("scim_filter", scim::scim_filter);
    replay::replay("scim_patch_path", scim::scim_patch_path);
}
