//! `lanyard serve` as an operator runs it: a configuration file, an organisation, and people who sign in.

use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use crate::browser;
use crate::process::{Cores, Folder, Server, command, free_port};
use crate::target::{Endpoints, Target};

/// The client, at both sides.
pub(crate) const CLIENT: (&str, &str) = ("desk", "bench-secret-that-is-longer-than-32-characters");
/// SHA-256 of the secret.
const SECRET_SHA256: &str = "4d965378780b0c7548b12cb479559436afdcafa8c6712b1c09ca7dc2b3b84f69";
const PASSWORD: &str = "correct horse battery staple 7";
const CONNECTORS: usize = 7;

/// An installation: what outlives its processes.
pub(crate) struct Site {
    folder: Folder,
    ports: [u16; 5],
}

impl Site {
    /// A configuration file, and nothing started.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = Folder::new("serve")?;
        let mut ports = [0; 5];
        for port in &mut ports {
            *port = free_port()?;
        }
        let site = Self { folder, ports };
        let [idp, ras, gateway, admin, metrics] = ports;
        let text = format!(
            "development = true\nstate_dir = {state:?}\n[log]\nlevel = \"warn\"\n\
             [idp]\nissuer = \"http://127.0.0.1:{idp}\"\nlisten = \"127.0.0.1:{idp}\"\n\
             [ras]\nissuer = \"http://127.0.0.1:{ras}\"\nlisten = \"127.0.0.1:{ras}\"\n\
             [gateway]\npublic_url = \"http://127.0.0.1:{gateway}\"\nlisten = \"127.0.0.1:{gateway}\"\n\
             [admin]\nlisten = \"127.0.0.1:{admin}\"\n[metrics]\nlisten = \"127.0.0.1:{metrics}\"\n",
            state = site.folder.path().join("state"),
        );
        std::fs::write(site.folder.path().join("lanyard.toml"), text)?;
        Ok(site)
    }

    /// Starts it on the first core; the time until discovery was answered.
    pub(crate) async fn start(&self, binary: &Path) -> anyhow::Result<(Server, Duration)> {
        self.start_on(binary, Cores::First).await
    }

    /// Starts it; the time until discovery was answered.
    pub(crate) async fn start_on(&self, binary: &Path, cores: Cores) -> anyhow::Result<(Server, Duration)> {
        let [idp, ..] = self.ports;
        let mut starting = command(binary, cores);
        starting
            .args(["serve", "--config"])
            .arg(self.folder.path().join("lanyard.toml"))
            .stderr(Stdio::inherit());
        let began = Instant::now();
        let mut server = Server::start(&mut starting)?;
        server
            .until(|| browser::answers(idp, "/.well-known/openid-configuration"))
            .await?;
        Ok((server, began.elapsed()))
    }

    /// Makes the organisation: so many people, the first of them with a password.
    pub(crate) fn populate(&self, binary: &Path, people: usize, with_password: usize) -> anyhow::Result<()> {
        let [idp, ras, gateway, admin, _] = self.ports;
        let issuer = |port: u16| format!("http://127.0.0.1:{port}");
        let users: Vec<Value> = (0..people)
            .map(|n| {
                let mut user = json!({ "username": username(n), "groups": ["staff"] });
                if n < with_password
                    && let Some(members) = user.as_object_mut()
                {
                    members.insert("password".to_owned(), PASSWORD.into());
                }
                user
            })
            .collect();
        let resource = |n: usize| format!("{}/tool-{n}/mcp", issuer(gateway));
        let connectors: Vec<Value> = (0..CONNECTORS)
            .map(|n| {
                json!({
                    "name": format!("tool-{n}"), "mcp_url": resource(n), "scopes": [{ "scope": "tool.use" }],
                    "tools": { "*": "tool.use" }, "upstream": { "url": "http://127.0.0.1:9/mcp" },
                })
            })
            .collect();
        let (client_id, _) = CLIENT;
        let document = json!({
            "groups": [{ "name": "staff" }],
            "users": users,
            "clients": [Self::client("idp", &[browser::CALLBACK]), Self::client("ras", &[])],
            "audiences": [{ "issuer": issuer(ras), "clients": { client_id: client_id } }],
            "trusts": [{
                "issuer": issuer(idp), "jwks_uri": format!("{}/oauth2/jwks", issuer(idp)), "clients": [client_id],
                "resources": "all", "just_in_time": true,
            }],
            "connectors": connectors,
            "rules": [{
                "title": "staff use tools", "groups": ["staff"], "clients": "all", "connectors": "all", "scopes": "all",
            }],
        });
        let token = self.folder.path().join("state/owner-token");
        // Written when the listeners stand.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !token.exists() {
            anyhow::ensure!(Instant::now() < deadline, "the server wrote no owner token");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.must(
            binary,
            &[
                "admin",
                "claim",
                "--url",
                &issuer(admin),
                "--token-file",
                &token.to_string_lossy(),
            ],
        )?;
        self.apply(binary, &document)
    }

    /// A client of the organisation.
    pub(crate) fn client(side: &str, redirect_uris: &[&str]) -> Value {
        let (client_id, _) = CLIENT;
        let mut client = json!({
            "side": side, "client_id": client_id, "auth": "secret", "secret_sha256": SECRET_SHA256,
        });
        if let Some(members) = client.as_object_mut().filter(|_| side == "idp") {
            members.insert("redirect_uris".to_owned(), json!(redirect_uris));
            members.insert("scopes".to_owned(), "openid profile email".into());
        }
        client
    }

    /// Applies a document as the owner.
    pub(crate) fn apply(&self, binary: &Path, document: &Value) -> anyhow::Result<()> {
        let file = self.folder.path().join("org.json");
        std::fs::write(&file, document.to_string())?;
        self.must(binary, &["apply", "-f", &file.to_string_lossy()])
    }

    /// Its issuer.
    pub(crate) fn issuer(&self) -> String {
        let [idp, ..] = self.ports;
        format!("http://127.0.0.1:{idp}")
    }

    /// Where provisioning clients send people.
    pub(crate) fn scim(&self) -> String {
        format!("{}/scim/v2", self.issuer())
    }

    /// Makes a directory; a token of it.
    pub(crate) fn directory(&self, binary: &Path, name: &str) -> anyhow::Result<String> {
        let file = self.folder.path().join("directory-token");
        self.must(binary, &["scim", "add", name])?;
        let out = file.to_string_lossy();
        self.must(
            binary,
            &["scim", "token", "create", name, "--name", "bench", "--out", &out],
        )?;
        Ok(std::fs::read_to_string(&file)?.trim().to_owned())
    }

    fn must(&self, binary: &Path, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(binary)
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()?;
        if !output.status.success() {
            bail!("lanyard {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(())
    }

    /// Signs so many people in at the real page, one after the other; their ID tokens.
    pub(crate) async fn sign_in(&self, people: usize) -> anyhow::Result<Vec<String>> {
        let [idp, ..] = self.ports;
        let mut id_tokens = Vec::with_capacity(people);
        for n in 0..people {
            id_tokens.push(browser::sign_in(idp, None, CLIENT, (&username(n), PASSWORD)).await?);
        }
        Ok(id_tokens)
    }

    /// Signs one in at an upstream provider that has the same people.
    pub(crate) async fn sign_in_at(&self, upstream: &str, person: usize) -> anyhow::Result<String> {
        let [idp, ..] = self.ports;
        browser::sign_in(idp, Some(upstream), CLIENT, (&username(person), PASSWORD)).await
    }

    /// Its token endpoints.
    pub(crate) fn target(&self, pid: u32) -> Rc<Target> {
        let [idp, ras, gateway, ..] = self.ports;
        let endpoints = Endpoints {
            issuer: &format!("http://127.0.0.1:{idp}/oauth2/token"),
            ras: &format!("http://127.0.0.1:{ras}/oauth2/token"),
            at_issuer: CLIENT,
            at_ras: CLIENT,
        };
        let audience = format!("http://127.0.0.1:{ras}");
        let resource = |n: usize| format!("http://127.0.0.1:{gateway}/tool-{n}/mcp");
        let connectors = (0..CONNECTORS).map(|n| (audience.clone(), resource(n))).collect();
        Rc::new(Target::new("lanyard", pid, &endpoints, connectors, None))
    }
}

fn username(n: usize) -> String {
    format!("person{n:06}")
}
