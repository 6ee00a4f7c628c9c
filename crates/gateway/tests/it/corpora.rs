//! The committed fuzz corpus of MCP messages, replayed on the stable toolchain (SEC-22).

#[expect(unreachable_pub, reason = "the module is public in the fuzz package")]
#[path = "../../../../fuzz/src/bodies/message.rs"]
mod bodies;
#[expect(unreachable_pub, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;

#[test]
fn no_input_of_the_corpus_breaks_what_the_gateway_hands_on_sec_22() {
    replay::replay("mcp_message", bodies::mcp_message);
}
