//! A server as a child process on a core, killed when dropped.

use std::io;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Longer than anything here takes to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    child: Child,
}

/// Where a server may run.
#[derive(Clone, Copy)]
pub(crate) enum Cores {
    /// The first one: the generator has the other.
    First,
    /// The second one: for what does not count.
    Second,
    /// Both: for a server and its database together.
    All,
}

/// A program, pinned.
pub(crate) fn command(program: &Path, cores: Cores) -> Command {
    let mut command = Command::new("taskset");
    command
        .args([
            "-c",
            match cores {
                Cores::First => "0",
                Cores::Second => "1",
                Cores::All => "0,1",
            },
        ])
        .arg(program)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

impl Server {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command
            .spawn()
            .context("the server cannot be started; taskset (util-linux) is needed to pin it to a core")?;
        Ok(Self { child })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until somebody listens on the port.
    pub(crate) async fn until_listening(&mut self, port: u16) -> anyhow::Result<()> {
        self.until(|| TcpStream::connect(("127.0.0.1", port)).is_ok()).await
    }

    /// Waits until something holds.
    pub(crate) async fn until(&mut self, holds: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !holds() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended: {status}");
            }
            anyhow::ensure!(Instant::now() < deadline, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("the server ended: {status}"),
        }
    }

    /// Ends it as an operator would, and waits.
    pub(crate) fn stop(mut self) -> io::Result<()> {
        Command::new("kill").arg(self.pid().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error only says that it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder that goes with its holder.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// A fresh one.
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let (process, number) = (std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(format!("lanyard-bench-{process}-{number}-{name}"));
        // What an earlier run with the same process id left is nobody's.
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port that nobody uses at this moment.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
