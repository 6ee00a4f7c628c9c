//! The committed fuzz corpus of Basic headers, replayed on the stable toolchain (SEC-22).

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/client.rs"]
mod bodies;
#[expect(unreachable_pub, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;

#[test]
fn no_input_of_the_corpus_breaks_client_authentication_sec_22() {
    replay::replay("basic_header", bodies::basic_header);
}
