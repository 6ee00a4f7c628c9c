//! `lanyard idp update`
//!
//! Owns the two things that change by themselves at a provider: our secret there, and its keys.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{editable, imported, secret_of};
use crate::admin_client::at::AdminAt;
use crate::admin_client::{AdminClient, show};
use crate::client_config::outcome::Ending;
use crate::ui::Ui;

/// What is new. Everything else stays as it is.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct UpdateArgs {
    /// Its name
    name: String,
    /// A file with the new client secret, mode 0600; `-` for stdin
    #[arg(long, value_name = "FILE", required_unless_present = "metadata")]
    client_secret_file: Option<PathBuf>,
    /// SAML: the provider's metadata, a file or an address that the server reads once
    #[arg(long, value_name = "FILE|URL")]
    metadata: Option<String>,
}

/// What an import does not say, and an operator decided.
const DECIDED: [&str; 3] = ["idp_initiated", "name_id_format", "subject_attribute"];

pub(super) async fn run(client: &AdminClient, at: &AdminAt, args: &UpdateArgs, ui: &Ui) -> anyhow::Result<()> {
    let mut spec = editable(client, &args.name).await?;
    if let Some(file) = &args.client_secret_file {
        let Some(oidc) = spec.get_mut("oidc").and_then(Value::as_object_mut) else {
            return Err(other_kind(&args.name, "client secret"));
        };
        oidc.insert("client_secret".to_owned(), json!(secret_of(file)?));
    }
    if let Some(place) = &args.metadata {
        let Some(saml) = spec.get_mut("saml") else {
            return Err(other_kind(&args.name, "metadata"));
        };
        let entity_id = show::text(saml, "entity_id");
        let mut fresh = imported(client, place, Some(&entity_id)).await?;
        for field in DECIDED {
            if let (Some(members), Some(kept)) = (fresh.as_object_mut(), saml.get(field)) {
                members.insert(field.to_owned(), kept.clone());
            }
        }
        *saml = fresh;
    }
    let answer = client.put(&["identity-providers", &args.name], &spec).await?;
    show::written(&answer, "identity provider", &args.name, at.json, ui)
}

fn other_kind(name: &str, what: &str) -> anyhow::Error {
    let happened = format!("The identity provider {name} is of the other kind and has none: {what}.");
    Ending::failed(&happened, Some(&format!("`lanyard idp show {name}` prints it."))).into()
}
