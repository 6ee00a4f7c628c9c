//! A private PostgreSQL server for tests: made in a temporary directory, gone with the test process.
//!
//! Owns its life. Never skips: a test that needs it and cannot have it fails and says what is missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The variable that names a server to use instead, as a URL of a user who may create databases.
pub const VARIABLE: &str = "LANYARD_TEST_POSTGRES";

/// A fresh, empty database of the server that this test process shares; dropped with the value when the server is not
/// ours.
pub struct Database {
    url: String,
    name: String,
}

impl Database {
    /// The URL that the store opens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL on it, as an administrator would; what it prints.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn sql(&self, sql: &str) -> String {
        server().psql(&self.url, sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let server = server();
        if server.private.is_none() {
            server.psql(
                &server.url,
                &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
            );
        }
    }
}

/// A fresh, empty database.
///
/// # Panics
/// When there is no PostgreSQL: says which program is missing.
pub fn database() -> Database {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = server();
    let name = format!(
        "lanyard_test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    server.psql(&server.url, &format!("CREATE DATABASE {name}"));
    Database {
        url: with_database(&server.url, &name),
        name,
    }
}

struct Server {
    url: String,
    psql: PathBuf,
    private: Option<Private>,
}

/// Our own server. Its watcher stops it and removes its directory as soon as our end of the pipe is closed, however
/// this process ends.
struct Private {
    _watcher: Child,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(start) {
        Ok(server) => server,
        Err(why) => panic!("PostgreSQL is needed by this test: {why}"),
    }
}

impl Server {
    fn psql(&self, url: &str, sql: &str) -> String {
        let output = Command::new(&self.psql)
            .args(["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-qAt", "-d", url, "-c", sql])
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("psql cannot be run: {error}"));
        assert!(
            output.status.success(),
            "psql: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn start() -> Result<Server, String> {
    #[expect(clippy::disallowed_methods, reason = "tests are configured by the environment")]
    let given = std::env::var(VARIABLE);
    if let Ok(url) = given {
        return Ok(Server {
            url,
            psql: program("psql")?,
            private: None,
        });
    }
    let (initdb, postgres, psql) = (program("initdb")?, program("postgres")?, program("psql")?);
    let directory = tempfile::Builder::new()
        .prefix("lanyard-pg")
        .tempdir()
        .map_err(|error| format!("no temporary directory: {error}"))?
        .keep();
    let owner = give_away(&directory)?;
    let data = directory.join("data");
    let made = as_owner(&mut Command::new(initdb), owner)
        .arg("-D")
        .arg(&data)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        .current_dir(&directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("initdb cannot be run: {error}"))?;
    if !made.status.success() {
        return Err(format!("initdb failed: {}", String::from_utf8_lossy(&made.stderr)));
    }
    let watcher = watch(&postgres, &directory, &data, owner)?;
    let socket = directory.to_string_lossy().replace('/', "%2F");
    let url = format!("postgres://postgres@{socket}/postgres");
    let server = Server {
        url,
        psql,
        private: Some(Private { _watcher: watcher }),
    };
    wait(&server, &directory)?;
    Ok(server)
}

/// Starts the server under a shell that waits for the end of its input.
fn watch(postgres: &Path, directory: &Path, data: &Path, owner: Option<(u32, u32)>) -> Result<Child, String> {
    const WATCH: &str = r#"directory=$1; log=$2; shift 2
        "$@" >"$log" 2>&1 </dev/null & server=$!
        cat >/dev/null
        kill -INT $server; wait $server; rm -rf "$directory""#;
    as_owner(&mut Command::new("/bin/sh"), owner)
        .args(["-c", WATCH, "sh"])
        .arg(directory)
        .arg(directory.join("log"))
        .arg(postgres)
        .arg("-D")
        .arg(data)
        .args([
            "-c",
            "listen_addresses=",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=300",
        ])
        .args(["-c", "shared_buffers=32MB", "-c"])
        .arg(format!("unix_socket_directories={}", directory.display()))
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("the server cannot be started: {error}"))
}

/// Waits until the server answers.
fn wait(server: &Server, directory: &Path) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let answered = Command::new(&server.psql)
            .args(["--no-psqlrc", "-qAt", "-d", &server.url, "-c", "SELECT 1"])
            .stdin(Stdio::null())
            .output()
            .is_ok_and(|output| output.status.success());
        if answered {
            return Ok(());
        }
        if Instant::now() > deadline {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            return Err(format!("the server does not answer: {log}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// PostgreSQL refuses to run as root: then the directory is given to an unprivileged user, whose id is returned.
fn give_away(directory: &Path) -> Result<Option<(u32, u32)>, String> {
    use std::os::unix::fs::MetadataExt as _;
    let own = fs::metadata(directory).map_err(|error| error.to_string())?.uid();
    if own != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd").map_err(|error| format!("/etc/passwd: {error}"))?;
    let id = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next()? == name;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            found.then_some((uid, gid))
        })
    };
    let (uid, gid) = id("postgres")
        .or_else(|| id("nobody"))
        .ok_or("there is no user postgres or nobody")?;
    std::os::unix::fs::chown(directory, Some(uid), Some(gid)).map_err(|error| format!("chown: {error}"))?;
    Ok(Some((uid, gid)))
}

fn as_owner(command: &mut Command, owner: Option<(u32, u32)>) -> &mut Command {
    use std::os::unix::process::CommandExt as _;
    match owner {
        Some((uid, gid)) => command.uid(uid).gid(gid),
        None => command,
    }
}

/// A program of PostgreSQL: on the path, or where Debian keeps them.
fn program(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.sort();
    versions.reverse();
    // psql is on the path of most systems as a wrapper that wants a configured cluster.
    places.splice(0..0, versions);
    places.into_iter().map(|place| place.join(name)).find(|file| file.is_file()).ok_or_else(|| {
        format!("`{name}` is neither on the PATH nor in /usr/lib/postgresql/*/bin; install PostgreSQL 13 or newer, or set {VARIABLE}")
    })
}

/// The URL with another database.
fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url
        .split_once('?')
        .map_or((url, None), |(base, query)| (base, Some(query)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_database_of_the_same_server() {
        assert_eq!(with_database("postgres://u@h:1/a?x=y", "b"), "postgres://u@h:1/b?x=y");
        assert_eq!(with_database("postgres://u@h", "b"), "postgres://u@h/b");
    }
}
