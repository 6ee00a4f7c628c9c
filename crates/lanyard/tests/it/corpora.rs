//! The committed fuzz corpus of configuration files, checked by the program itself (SEC-22).

use std::process::Command;

#[expect(unreachable_pub, dead_code, reason = "one file for the tests of several crates")]
#[path = "../../../../fuzz/replay.rs"]
mod replay;

use replay::corpus;

#[test]
fn every_configuration_is_taken_or_refused_in_words_sec_22() {
    for file in corpus("config_file") {
        let output = Command::new(env!("CARGO_BIN_EXE_lanyard"))
            .args(["config", "check", "-c"])
            .arg(&file)
            .env_clear()
            .env("HOME", "/nonexistent")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => {}
            Some(code) if code < 100 => assert!(!said.is_empty(), "{}: {code} without a word", file.display()),
            other => panic!("{}: {other:?}\n{said}", file.display()),
        }
    }
}
