//! A `lanyard lab` for one stage.
//!
//! Owns its life: it ends with the value. Never reuses a port of a running lab.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, bail};

use crate::shell;

/// Ports of a lab in a row.
const PORTS: u16 = 30;

/// A running lab.
pub(crate) struct Lab {
    child: Child,
    facts: PathBuf,
}

impl Lab {
    /// Starts it and waits for its facts.
    pub(crate) fn start(lanyard: &Path) -> anyhow::Result<Self> {
        let base = free_ports().context("no free ports in a row")?;
        let facts = shell::target()?.join(format!("xtask-lab-{base}.json"));
        let mut child = shell::program(lanyard)
            .args(["lab", "--port-base", &base.to_string(), "--facts"])
            .arg(&facts)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be run", lanyard.display()))?;
        let lines = child.stdout.take().context("no output")?;
        let mut lab = Self { child, facts };
        // It prints how to stop it when everything answers and the facts are written.
        for line in BufReader::new(lines).lines() {
            if line?.contains("Ctrl-C") {
                return Ok(lab);
            }
        }
        let status = lab.child.wait()?;
        bail!("the lab ended with {status} before it was ready")
    }

    /// The file that `--facts` wrote.
    pub(crate) fn facts(&self) -> &Path {
        &self.facts
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.facts);
    }
}

/// The first of some free ports in a row.
pub(crate) fn free_ports() -> Option<u16> {
    let free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let random = || Some(TcpListener::bind(("127.0.0.1", 0)).ok()?.local_addr().ok()?.port());
    (0..200)
        .filter_map(|_| random())
        .find(|base| base.checked_add(PORTS).is_some_and(|end| (*base..end).all(free)))
}
