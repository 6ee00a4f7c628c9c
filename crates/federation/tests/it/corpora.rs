//! The committed fuzz corpus of SAML messages, replayed on the stable toolchain (SEC-22).

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/saml.rs"]
mod bodies;
#[expect(unreachable_pub, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;

#[test]
fn no_input_of_the_corpus_breaks_the_reading_of_saml_sec_22() {
    replay::replay("saml_message", bodies::saml_message);
}
