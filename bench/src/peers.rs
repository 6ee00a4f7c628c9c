//! The yardstick and the peers, as child processes that take the same chain with ID tokens of a foreign issuer.

use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use anyhow::Context;

use crate::process::{Cores, Folder, Server, command, free_port};
use crate::target::{Endpoints, Target};
use crate::tools::Tools;

/// Connectors, as many as a lab has.
const CONNECTORS: usize = 7;

/// A running peer; killed when dropped.
pub(crate) struct Peer {
    _server: Server,
    /// Where it takes requests.
    pub(crate) target: Rc<Target>,
}

/// ID tokens of a foreign issuer, and its key in a folder for the peers.
pub(crate) struct Foreign {
    folder: Folder,
    /// One for each person.
    pub(crate) id_tokens: Vec<String>,
}

impl Foreign {
    /// For so many people.
    pub(crate) fn new(tools: &Tools, people: usize) -> anyhow::Result<Self> {
        let folder = Folder::new("peers")?;
        let output = Command::new(&tools.floor)
            .arg("id-tokens")
            .arg(folder.path())
            .arg(people.to_string())
            .output()?;
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(Self {
            folder,
            id_tokens: String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect(),
        })
    }

    /// The yardstick.
    pub(crate) async fn floor(&self, tools: &Tools) -> anyhow::Result<Peer> {
        let port = free_port()?;
        let mut starting = command(&tools.floor, Cores::First);
        starting
            .args(["serve", &format!("127.0.0.1:{port}")])
            .arg(self.folder.path());
        peer("floor", port, starting).await
    }

    /// Authlib under gunicorn, one worker with threads.
    pub(crate) async fn authlib(&self, tools: &Tools) -> anyhow::Result<Peer> {
        let (gunicorn, peers) = (tools.gunicorn.as_deref(), tools.peers.as_deref());
        let (gunicorn, peers) = (
            gunicorn.context("--gunicorn is needed")?,
            peers.context("--peers is needed")?,
        );
        let port = free_port()?;
        let mut starting = command(gunicorn, Cores::First);
        starting
            .args([
                "--workers",
                "1",
                "--worker-class",
                "gthread",
                "--threads",
                "8",
                "--keep-alive",
                "60",
            ])
            .args([
                "--no-control-socket",
                "--log-level",
                "error",
                "--bind",
                &format!("127.0.0.1:{port}"),
            ])
            .arg("authlib_chain:app")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(peers);
        self.settings(&mut starting, port);
        peer("Authlib", port, starting).await
    }

    /// oidc-provider.
    pub(crate) async fn oidc_provider(&self, tools: &Tools) -> anyhow::Result<Peer> {
        let (node, peers) = (tools.node.as_deref(), tools.peers.as_deref());
        let (node, peers) = (node.context("--node is needed")?, peers.context("--peers is needed")?);
        let port = free_port()?;
        let mut starting = command(node, Cores::First);
        starting
            .arg(peers.join("oidc-provider.mjs"))
            .env("NODE_ENV", "production")
            .current_dir(peers);
        self.settings(&mut starting, port);
        peer("oidc-provider", port, starting).await
    }

    fn settings(&self, starting: &mut Command, port: u16) {
        starting
            .env("ISSUER", issuer(port))
            .env("ID_TOKEN_ISSUER", "http://127.0.0.1:9100")
            .env("JWKS", self.jwks())
            .env("CONNECTORS", CONNECTORS.to_string())
            .env("PORT", port.to_string());
    }

    fn jwks(&self) -> std::path::PathBuf {
        let folder: &Path = self.folder.path();
        folder.join("jwks.json")
    }
}

fn issuer(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Starts a peer that listens on this port.
pub(crate) async fn peer(name: &str, port: u16, mut starting: Command) -> anyhow::Result<Peer> {
    let mut server = Server::start(&mut starting)?;
    server.until_listening(port).await.with_context(|| name.to_owned())?;
    let endpoint = format!("{}/token", issuer(port));
    let client = ("bench-client", "bench-secret");
    let endpoints = Endpoints {
        issuer: &endpoint,
        ras: &endpoint,
        at_issuer: client,
        at_ras: client,
    };
    let connector = |n: usize| {
        (
            format!("{}/as/{n}", issuer(port)),
            format!("http://127.0.0.1:9300/mcp/{n}"),
        )
    };
    let connectors = (0..CONNECTORS).map(connector).collect();
    let target = Target::new(name, server.pid(), &endpoints, connectors, Some("mcp.read mcp.call"));
    Ok(Peer {
        _server: server,
        target: Rc::new(target),
    })
}
