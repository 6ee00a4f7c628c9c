//! A PostgreSQL server for one run: a cluster of its own in a temporary folder, with every commit on disk.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::process::{Folder, Server};

/// A running server; stopped when dropped.
pub(crate) struct Postgres {
    _server: Server,
    folder: Folder,
}

impl Postgres {
    /// Makes a cluster and starts it on both cores.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = Folder::new("postgres")?;
        let owner = give_away(folder.path())?;
        let data = folder.path().join("data");
        let mut making = as_owner(&find("initdb")?, owner);
        making
            .arg("-D")
            .arg(&data)
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"])
            .current_dir(folder.path());
        let output = making.stdin(Stdio::null()).output()?;
        if !output.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&output.stderr));
        }
        let mut starting = as_owner(&find("postgres")?, owner);
        starting
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "max_connections=100", "-c"])
            .arg(format!("unix_socket_directories={}", folder.path().display()))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("log"))?);
        let mut server = Server::start(&mut starting)?;
        let socket = folder.path().join(".s.PGSQL.5432");
        server
            .until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok())
            .await
            .with_context(|| std::fs::read_to_string(folder.path().join("log")).unwrap_or_default())?;
        Ok(Self {
            _server: server,
            folder,
        })
    }

    /// For `lanyard lab --store`.
    pub(crate) fn url(&self) -> String {
        let socket = self.folder.path().to_string_lossy().replace('/', "%2F");
        format!("postgres://postgres@{socket}/postgres")
    }
}

/// PostgreSQL refuses to run as root: then the folder is given to an unprivileged user.
fn give_away(folder: &Path) -> anyhow::Result<Option<(u32, u32)>> {
    use std::os::unix::fs::MetadataExt as _;
    if std::fs::metadata(folder)?.uid() != 0 {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        users.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [own, _, uid, gid, ..] = fields.as_slice() else {
                return None;
            };
            (*own == name).then_some((uid.parse().ok()?, gid.parse().ok()?))
        })
    };
    let (uid, gid) = ids("postgres")
        .or_else(|| ids("nobody"))
        .context("there is no user postgres or nobody")?;
    std::os::unix::fs::chown(folder, Some(uid), Some(gid))?;
    Ok(Some((uid, gid)))
}

fn as_owner(program: &Path, owner: Option<(u32, u32)>) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new("taskset");
    command.args(["-c", "0,1"]).arg(program);
    if let Some((uid, gid)) = owner {
        command.uid(uid).gid(gid);
    }
    command
}

/// A program of PostgreSQL: where Debian keeps the newest, or on the path.
fn find(name: &str) -> anyhow::Result<PathBuf> {
    let mut places: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    places.sort();
    places.reverse();
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let found = places
        .into_iter()
        .map(|place| place.join(name))
        .find(|file| file.is_file());
    found.with_context(|| format!("{name} is not here; install PostgreSQL 13 or newer, or give --postgres"))
}
