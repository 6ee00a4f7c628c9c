//! The arguments that every client command has, and what they open.
//!
//! Owns choosing the issuer. Never signs in.

use lanyard_protocol::issuer::Issuer;

use crate::client_config::Places;
use crate::client_config::open::{Client, Ground};
use crate::client_config::outcome::Ending;
use crate::client_config::step_up::AtTerminal;
use crate::ui::Ui;

/// At which issuer, with which files.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct At {
    /// The issuer, when you are signed in at several [default: the one of the last sign-in]
    #[arg(long, value_name = "URL", value_parser = parse_issuer)]
    pub(crate) issuer: Option<Issuer>,
    #[command(flatten)]
    pub(crate) places: Places,
}

/// Reads an issuer argument.
pub(crate) fn parse_issuer(text: &str) -> Result<Issuer, String> {
    Issuer::parse(text).map_err(|error| error.to_string())
}

impl At {
    /// Opens the client; nobody signed in is an ending with its own exit code.
    pub(crate) fn open(&self) -> anyhow::Result<Client> {
        self.opened(None)
    }

    /// As [`Self::open`], for a command that has the person sign in again when a server asks for that.
    pub(crate) fn open_for(&self, ui: &Ui) -> anyhow::Result<Client> {
        self.opened(AtTerminal::of(ui))
    }

    fn opened(&self, person: Option<AtTerminal>) -> anyhow::Result<Client> {
        let ground = Ground::open(&self.places)?;
        let issuer = ground
            .issuer(self.issuer.as_ref())
            .ok_or_else(|| Ending::not_signed_in(None))?;
        let client = ground.client(issuer.clone(), person)?;
        client.ok_or_else(|| Ending::not_signed_in(Some(&issuer)).into())
    }
}
