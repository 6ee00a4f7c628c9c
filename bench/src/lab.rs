//! A lab as a child process, and its facts.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::process::{Cores, Folder, Server, command, free_port};
use crate::target::{Endpoints, Target};

/// Ports that a lab uses from its base on.
const PORTS: u16 = 20;

/// A running lab; killed when dropped.
pub(crate) struct Lab {
    server: Server,
    folder: Folder,
    binary: std::path::PathBuf,
    facts: Value,
}

impl Lab {
    /// Starts `lanyard lab` with these arguments and waits for its facts.
    pub(crate) async fn start(binary: &Path, cores: Cores, arguments: &[String]) -> anyhow::Result<Self> {
        let base = free_range()?;
        let folder = Folder::new(&format!("lab-{base}"))?;
        let path = folder.path().join("facts.json");
        let mut starting = command(binary, cores);
        starting
            .args(["lab", "--port-base", &base.to_string(), "--facts"])
            .arg(&path)
            .args(arguments);
        let mut server = Server::start(&mut starting)?;
        // Hashing the passwords of many people takes its time.
        let text = loop {
            if let Ok(text) = std::fs::read(&path) {
                break text;
            }
            server.runs()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        Ok(Self {
            facts: serde_json::from_slice(&text)?,
            server,
            folder,
            binary: binary.to_owned(),
        })
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    fn fact(&self, pointer: &str) -> anyhow::Result<&str> {
        let text = self.facts.pointer(pointer).and_then(Value::as_str);
        text.with_context(|| format!("the facts have no {pointer}"))
    }

    /// Its token endpoints as the client `desk` uses them, and its open connectors.
    pub(crate) fn target(&self, name: &str) -> anyhow::Result<Rc<Target>> {
        let list = |pointer: &str| self.facts.pointer(pointer).and_then(Value::as_array).context("no list");
        let is_desk = |client: &&Value| client.get("name") == Some(&json!("desk"));
        let client = list("/clients")?
            .iter()
            .find(is_desk)
            .context("the lab has no client desk")?;
        let text = |pointer: &str| client.pointer(pointer).and_then(Value::as_str).context("no credential");
        let open = list("/connectors")?
            .iter()
            .filter(|one| one.get("status") == Some(&json!("active")));
        let audience = self.fact("/ras/url")?;
        let connectors = open
            .filter_map(|one| Some((audience.to_owned(), one.get("resource")?.as_str()?.to_owned())))
            .collect();
        let endpoints = Endpoints {
            issuer: self.fact("/issuer/token_endpoint")?,
            ras: self.fact("/ras/token_endpoint")?,
            at_issuer: (text("/idp/client_id")?, text("/idp/client_secret")?),
            at_ras: (text("/ras/client_id")?, text("/ras/client_secret")?),
        };
        Ok(Rc::new(Target::new(name, self.pid(), &endpoints, connectors, None)))
    }

    /// One ID token per employee, for the client `desk`.
    pub(crate) fn id_tokens(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let output = Command::new(&self.binary)
            .args(["lab", "id-token", "--all", "--client", "desk", "--ttl", "2h"])
            .args(["--count", &(count + 10).to_string(), "--facts"])
            .arg(self.folder.path().join("facts.json"))
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

    /// Begins to apply a document as the owner.
    pub(crate) fn applying(&self, document: &Value) -> anyhow::Result<Child> {
        let file = self.folder.path().join("document.json");
        std::fs::write(&file, document.to_string())?;
        Command::new("curl")
            .args(["--silent", "--show-error", "--fail-with-body", "--request", "POST"])
            .args(["--header", "content-type: application/json"])
            .args([
                "--header",
                &format!("authorization: Bearer {}", self.fact("/admin/token")?),
            ])
            .arg("--data-binary")
            .arg(format!("@{}", file.display()))
            .arg(format!("{}/admin/v1/apply", self.fact("/admin/url")?))
            .stdout(Stdio::piped())
            .spawn()
            .context("curl is needed")
    }

    /// Applies a document as the owner.
    pub(crate) fn apply(&self, document: &Value) -> anyhow::Result<()> {
        applied(self.applying(document)?)
    }
}

/// Waits until a document is applied.
pub(crate) fn applied(applying: Child) -> anyhow::Result<()> {
    let output = applying.wait_with_output()?;
    if !output.status.success() {
        bail!(
            "a document was not applied: {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(())
}

/// The first of [`PORTS`] ports in a row that are free at this moment.
fn free_range() -> anyhow::Result<u16> {
    loop {
        let base = free_port()?;
        let Some(last) = base.checked_add(PORTS) else { continue };
        if (base..last).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return Ok(base);
        }
    }
}
