//! A running lab, stopped at the end of the test.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::ports;

/// `lanyard lab` with its facts.
pub(crate) struct Lab {
    child: Child,
    pub(crate) facts: Value,
    pub(crate) directory: tempfile::TempDir,
}

impl Lab {
    /// Starts a lab and waits until everything answers.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let facts = directory.path().join("facts.json");
        let mut child = Command::new(env!("CARGO_BIN_EXE_lanyard"))
            .args(["lab", "--port-base", &ports::free(20).to_string(), "--facts"])
            .arg(&facts)
            .env("HOME", directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(
            lines.any(|line| line.unwrap().contains("Ctrl-C")),
            "the lab did not start"
        );
        let facts = serde_json::from_slice(&std::fs::read(&facts).unwrap()).unwrap();
        Self {
            child,
            facts,
            directory,
        }
    }

    pub(crate) fn issuer(&self) -> &str {
        self.facts["issuer"]["url"].as_str().unwrap()
    }

    pub(crate) fn password(&self, username: &str) -> &str {
        let users = self.facts["users"].as_array().unwrap();
        users.iter().find(|user| user["username"] == username).unwrap()["password"]
            .as_str()
            .unwrap()
    }

    /// A person's machine: a home directory of its own.
    pub(crate) fn machine(&self, name: &str) -> Machine {
        let home = self.directory.path().join(name);
        std::fs::create_dir(&home).unwrap();
        Machine { home }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a person runs the program.
pub(crate) struct Machine {
    home: std::path::PathBuf,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no JSON: {}{}", self.out, self.err))
    }
}

impl Machine {
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// The program with nothing of this environment but the home directory.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", &self.home)
            .stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        let output = self.command(arguments).output().unwrap();
        Said {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
