//! `lanyard inspect TOKEN`
//!
//! Owns reading a token for a person. Never sends it anywhere, and says what was not verified.

mod explain;
mod verify;

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use lanyard_client::clock::{Clock as _, SystemClock};
use lanyard_jose::digest::from_base64url;
use lanyard_protocol::json;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;

use self::explain::{TokenKind, explain, notes};
use self::verify::Verification;
use crate::client_config::Places;
use crate::client_config::outcome::{Ending, plain};
use crate::ui::Ui;

/// The longest text that is read.
const MAX_TEXT: u64 = 64 * 1024;

/// Decode a token and explain it in plain words; nothing is sent anywhere
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct InspectArgs {
    /// The token, or `-` to read it from stdin (it then stays out of the shell's history)
    #[arg(allow_hyphen_values = true)]
    token: String,
    /// Fetch the issuer's published keys and check the signature and the times
    #[arg(long)]
    verify: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: Places,
}

/// What a token says.
#[derive(Serialize)]
struct Inspected {
    kind: TokenKind,
    header: Value,
    claims: Value,
    explanation: Vec<String>,
    notes: Vec<String>,
    verification: Verification,
}

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) async fn run(args: InspectArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let inspected = match inspect(&args).await {
        Ok(inspected) => inspected,
        Err(error) => return Ok(Ending::of(&error).tell()),
    };
    let failed = matches!(inspected.verification, Verification::Failed { .. });
    if args.json {
        ui.json(&inspected)?;
    } else {
        show(&inspected, ui)?;
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn inspect(args: &InspectArgs) -> anyhow::Result<Inspected> {
    let text = read(&args.token)?;
    let (header, claims) = decode(text.expose_secret())?;
    let kind = TokenKind::of(&header, &claims);
    let now = SystemClock.now();
    let verification = if args.verify {
        verify::verify(text.expose_secret(), kind, &claims, now, &args.places).await
    } else {
        Verification::NotAsked
    };
    Ok(Inspected {
        kind,
        explanation: explain(kind, &claims, now),
        notes: notes(kind, &header, &claims, now),
        header,
        claims,
        verification,
    })
}

fn read(argument: &str) -> anyhow::Result<SecretString> {
    let mut text = String::new();
    if argument == "-" {
        std::io::stdin()
            .take(MAX_TEXT)
            .read_to_string(&mut text)
            .context("stdin cannot be read")?;
    } else {
        argument.clone_into(&mut text);
    }
    let text = text.trim();
    let text = text.strip_prefix("Bearer ").unwrap_or(text).trim();
    if text.is_empty() {
        bail!(Ending::failed(
            "There is no token.",
            Some("Give it as the argument, or on stdin with `-`.")
        ));
    }
    Ok(SecretString::from(text.to_owned()))
}

fn decode(text: &str) -> anyhow::Result<(Value, Value)> {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, _] = parts.as_slice() else {
        let what = match parts.len() {
            5 => "This is an encrypted JWT (JWE). Only the holder of the key can read it.",
            _ => {
                "This is not a JWT. It may be an authorization code, a refresh token or an opaque access token: \
                  those mean something only to the server that issued them."
            }
        };
        bail!(Ending::failed(what, None));
    };
    let part = |text: &str, name: &str| -> anyhow::Result<Value> {
        let bytes = from_base64url(text).with_context(|| format!("the {name} is not base64url"))?;
        json::from_slice(&bytes).with_context(|| format!("the {name} is not acceptable"))
    };
    Ok((part(header, "header")?, part(payload, "payload")?))
}

fn show(inspected: &Inspected, ui: &Ui) -> anyhow::Result<()> {
    ui.line(&ui.strong(inspected.kind.title()));
    for line in &inspected.explanation {
        ui.line(&format!("  {}", plain(line)));
    }
    ui.line("");
    ui.line(&ui.strong("Verified"));
    ui.line(&format!("  {}", plain(&inspected.verification.to_string())));
    if !inspected.notes.is_empty() {
        ui.line("");
        ui.line(&ui.strong("Worth a look"));
        for note in &inspected.notes {
            ui.line(&format!("  - {}", plain(note)));
        }
    }
    for (title, value) in [("Header", &inspected.header), ("Claims", &inspected.claims)] {
        ui.line("");
        ui.line(&ui.strong(title));
        // JSON escapes control characters by itself.
        ui.json(value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_jwt_is_said_in_words() {
        assert!(decode("abc").unwrap_err().to_string().contains("not a JWT"));
        assert!(decode("a.b.c.d.e").unwrap_err().to_string().contains("encrypted"));
        assert!(decode("!.b.c").is_err());
    }

    #[test]
    fn an_authorization_header_value_is_read_too() {
        assert_eq!(read(" Bearer a.b.c\n").unwrap().expose_secret(), "a.b.c");
        assert!(read("  ").is_err());
    }
}
