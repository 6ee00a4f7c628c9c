//! A lab as a child process on the first core, and its facts.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

/// A running lab; killed when dropped.
pub(crate) struct Lab {
    child: Child,
    directory: PathBuf,
    /// The facts file.
    pub(crate) facts: Value,
    /// From the start of the process to the facts.
    pub(crate) started_in: Duration,
}

impl Lab {
    /// Starts `lanyard lab` with these arguments and waits for its facts.
    pub(crate) async fn start(binary: &str, port: u16, arguments: &[String]) -> anyhow::Result<Self> {
        let directory = std::env::temp_dir().join(format!("lanyard-bench-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        let path = directory.join("facts.json");
        let began = Instant::now();
        let mut child = Command::new("taskset")
            .args(["-c", "0", binary, "lab", "--port-base", &port.to_string(), "--facts"])
            .arg(&path)
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .context("taskset (util-linux) is needed to pin the server to a core")?;
        // Hashing the passwords of many people takes its time.
        let deadline = began + Duration::from_secs(7200);
        loop {
            if let Ok(text) = std::fs::read(&path) {
                let facts = serde_json::from_slice(&text)?;
                return Ok(Self {
                    child,
                    directory,
                    facts,
                    started_in: began.elapsed(),
                });
            }
            if let Some(status) = child.try_wait()? {
                bail!("the lab ended: {status}");
            }
            anyhow::ensure!(Instant::now() < deadline, "the lab did not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A text of the facts by its path.
    pub(crate) fn fact(&self, pointer: &str) -> anyhow::Result<&str> {
        self.facts
            .pointer(pointer)
            .and_then(Value::as_str)
            .with_context(|| format!("the facts have no {pointer}"))
    }

    /// One ID token per employee, for the client `desk`.
    pub(crate) fn id_tokens(&self, binary: &str, count: usize) -> anyhow::Result<Vec<String>> {
        let output = Command::new(binary)
            .args(["lab", "id-token", "--all", "--client", "desk", "--ttl", "2h"])
            .args(["--count", &(count + 10).to_string(), "--facts"])
            .arg(self.directory.join("facts.json"))
            .output()?;
        anyhow::ensure!(
            output.status.success(),
            "no ID tokens: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        // The first people by name are the lab's own; one of them is a contractor.
        let lines = String::from_utf8(output.stdout)?;
        let tokens: Vec<String> = lines.lines().skip(5).take(count).map(str::to_owned).collect();
        anyhow::ensure!(!tokens.is_empty(), "the lab has no employees: start it with --people");
        Ok(tokens)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // The lab keeps nothing; an error only says that it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
