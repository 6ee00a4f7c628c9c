//! A server with its configuration, state and organisation: what outlives its processes.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lanyard_jose::digest;
use serde_json::Value;

use super::http::{Answer, Request};
use crate::ports;

/// Longer than anything here takes; a test that waits this long fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const CLIENT_SECRET: &str = "desk-secret-that-is-longer-than-32-characters";
pub(crate) const PASSWORD: &str = "correct horse battery staple 7";

/// Ports of one process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) idp: u16,
    pub(crate) ras: u16,
    pub(crate) gateway: u16,
    pub(crate) admin: u16,
    pub(crate) metrics: u16,
}

impl Ports {
    pub(crate) fn free() -> Self {
        let idp = ports::free(5);
        Self {
            idp,
            ras: idp + 1,
            gateway: idp + 2,
            admin: idp + 3,
            metrics: idp + 4,
        }
    }
}

/// What outlives a process.
pub(crate) struct Site {
    pub(crate) directory: tempfile::TempDir,
    /// Where it listens.
    pub(crate) ports: Ports,
    /// The ports in the issuers' names; another process's for a second replica.
    pub(crate) named: Ports,
    /// More lines for the configuration file.
    pub(crate) more: String,
}

impl Site {
    pub(crate) fn new() -> Self {
        let ports = Ports::free();
        Self {
            directory: tempfile::tempdir().unwrap(),
            ports,
            named: ports,
            more: String::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.named.idp)
    }

    pub(crate) fn ras(&self) -> String {
        format!("http://127.0.0.1:{}", self.named.ras)
    }

    pub(crate) fn resource(&self) -> String {
        format!("http://127.0.0.1:{}/notes/mcp", self.named.gateway)
    }

    /// Writes the configuration file anew.
    pub(crate) fn configure(&self) -> PathBuf {
        let Ports {
            idp,
            ras,
            gateway,
            admin,
            metrics,
        } = self.ports;
        let text = format!(
            "development = true\nstate_dir = {state:?}\n\
             [log]\nformat = \"json\"\n\
             [idp]\nissuer = {issuer:?}\nlisten = \"127.0.0.1:{idp}\"\n\
             [ras]\nissuer = {ras_issuer:?}\nlisten = \"127.0.0.1:{ras}\"\n\
             [gateway]\npublic_url = \"http://127.0.0.1:{named}\"\nlisten = \"127.0.0.1:{gateway}\"\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n\
             [metrics]\nlisten = \"127.0.0.1:{metrics}\"\n{more}",
            state = self.path("state"),
            issuer = self.issuer(),
            ras_issuer = self.ras(),
            named = self.named.gateway,
            more = self.more,
        );
        let file = self.path("lanyard.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    /// `lanyard` with nothing of this environment but a home directory in the site.
    pub(crate) fn lanyard(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lanyard"));
        self.bare(&mut command).args(arguments);
        command
    }

    fn bare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let home = self.path("home");
        std::fs::create_dir_all(&home).unwrap();
        command
            .env_clear()
            .env("HOME", home)
            .stdin(Stdio::null())
            .current_dir(self.directory.path())
    }

    /// Runs a command that must succeed; its standard output.
    pub(crate) fn must(&self, arguments: &[&str]) -> String {
        let output = self.lanyard(arguments).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lanyard {arguments:?}: {err}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn start(&self) -> Server {
        self.start_with(&self.configure())
    }

    /// With a configuration file of its own.
    pub(crate) fn start_with(&self, config: &Path) -> Server {
        Server::start(self.lanyard(&["serve", "--config"]).arg(config))
    }

    /// Under a shell that first says `limits`.
    pub(crate) fn start_under(&self, limits: &str) -> Server {
        let config = self.configure();
        let mut shell = Command::new("/bin/sh");
        self.bare(&mut shell)
            .args([
                "-c",
                &format!("{limits}; exec \"$@\""),
                "sh",
                env!("CARGO_BIN_EXE_lanyard"),
                "serve",
                "--config",
            ])
            .arg(config);
        Server::start(&mut shell)
    }

    /// A start that must be refused; what it says.
    pub(crate) fn refused(&self, config: &Path) -> String {
        let output = self.lanyard(&["serve", "--config"]).arg(config).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "it was started");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Becomes the administrator of a first start, by the CLI.
    pub(crate) fn claim(&self) {
        let url = format!("http://127.0.0.1:{}", self.ports.admin);
        let token = self.path("state/owner-token");
        self.must(&["admin", "claim", "--url", &url, "--token-file", token.to_str().unwrap()]);
    }

    /// What `claim` saved.
    pub(crate) fn admin_token(&self) -> String {
        let saved = std::fs::read_to_string(self.path("home/.config/lanyard/admin.toml")).unwrap();
        let saved: toml::Table = saved.parse().unwrap();
        saved["token"].as_str().unwrap().to_owned()
    }

    /// An organisation of two people, one client and one connector.
    pub(crate) fn populate(&self) {
        let secret = digest::sha256_hex(CLIENT_SECRET.as_bytes());
        let (issuer, ras, resource) = (self.issuer(), self.ras(), self.resource());
        let client = |side: &str| {
            let redirects = "redirect_uris = [\"http://127.0.0.1/callback\"]\nscopes = \"openid offline_access\"\n";
            let at_idp = if side == "idp" { redirects } else { "" };
            let introspects = if side == "ras" {
                format!("introspects = [{resource:?}]\n")
            } else {
                String::new()
            };
            format!(
                "[[clients]]\nside = \"{side}\"\nclient_id = \"desk\"\nauth = \"secret\"\n\
                 secret_sha256 = \"{secret}\"\n{at_idp}{introspects}"
            )
        };
        let person =
            |name: &str| format!("[[users]]\nusername = \"{name}\"\npassword = \"{PASSWORD}\"\ngroups = [\"staff\"]\n");
        let text = [
            "[[groups]]\nname = \"staff\"\n".to_owned(),
            person("alice"),
            person("bob"),
            client("idp"),
            client("ras"),
            format!("[[audiences]]\nissuer = {ras:?}\nclients = {{ desk = \"desk\" }}\n"),
            format!(
                "[[trusts]]\nissuer = {issuer:?}\njwks_uri = \"{issuer}/oauth2/jwks\"\nclients = [\"desk\"]\n\
                 resources = \"all\"\njust_in_time = true\n"
            ),
            format!(
                "[[connectors]]\nname = \"notes\"\nmcp_url = {resource:?}\nscopes = [{{ scope = \"notes.read\" }}]\n\
                 tools = {{ \"*\" = \"notes.read\" }}\nupstream = {{ url = \"http://127.0.0.1:9/mcp\" }}\n"
            ),
            "[[rules]]\ntitle = \"Staff read notes\"\ngroups = [\"staff\"]\nclients = \"all\"\n\
             connectors = [\"notes\"]\nscopes = \"all\"\n"
                .to_owned(),
        ];
        let file = self.path("org.toml");
        std::fs::write(&file, text.concat()).unwrap();
        self.must(&["apply", "-f", file.to_str().unwrap()]);
    }

    /// A request to the admin API by the owner.
    pub(crate) fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let request = match body {
            Some(body) => Request::json(self.ports.admin, method, path, body),
            None => Request::new(self.ports.admin, method, path),
        };
        request
            .header("Authorization", format!("Bearer {}", self.admin_token()))
            .send()
            .unwrap()
    }
}

/// A running process and what it logs.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Server {
    /// Waits until it says that it is ready.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (say, lines) = channel();
        let log = BufReader::new(child.stderr.take().unwrap());
        // Ends with the process; keeps its pipe from getting full.
        std::thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
        let mut server = Self {
            child,
            lines,
            seen: Vec::new(),
        };
        server.until("\"message\":\"ready\"");
        server
    }

    /// Waits for a log line.
    pub(crate) fn until(&mut self, part: &str) {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(part) => return,
                Ok(line) => self.seen.push(line),
                Err(_) => panic!("it never said {part}: {}", self.seen.join("\n")),
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
