//! An answer of an identity provider between its arrival and the browser's return.
//!
//! The form that carries an answer comes from the identity provider's site, so that the browser sends none of our
//! cookies along (`SameSite=Lax`). What it says, or why it was refused, waits here, sealed, until the browser follows a
//! redirect to our own site and shows that it began this sign-in (SEC-16, CL-SS-01). Owns that text; never judges it.

use lanyard_jose::digest::{base64url, from_base64url};
use lanyard_jose::seal::Place;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::RequestId;
use crate::keys::vault::Vault;
use crate::saml::denial::SamlDenial;
use crate::upstream::attempt::SignInAttempt;
use crate::upstream::mapping::Claims;
use crate::upstream::resolve::Asserted;

/// What waits for a browser.
#[derive(Debug, Clone, PartialEq)]
pub enum Waiting {
    /// What an acceptable answer said.
    Asserted(Asserted),
    /// Why an answer was refused; a better one may still come.
    Refused(TurnedAway),
}

/// A refusal, in words that outlive the request in which it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnedAway {
    /// The exact check that failed.
    pub reason: String,
    /// The same in words, for whoever tests a connection.
    pub why: String,
    /// Whether the provider itself said no.
    pub by_provider: bool,
    /// The request that brought it, by which the log has it.
    pub request: RequestId,
}

impl TurnedAway {
    /// A refusal that was found in this request.
    pub fn of(denial: SamlDenial, request: &RequestId) -> Self {
        Self {
            reason: denial.code().to_owned(),
            why: denial.to_string(),
            by_provider: denial.by_provider(),
            request: request.clone(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Asserted(Said),
    Refused(TurnedAway),
}

#[derive(Serialize, Deserialize)]
struct Said {
    subject: String,
    claims: Claims,
    auth_time: Option<i64>,
    acr: Option<String>,
    session: Option<String>,
    ends_by: Option<Timestamp>,
}

/// Seals what waits, for the attempt with this handle.
pub fn seal(vault: &Vault, handle_hash: &[u8; 32], waiting: &Waiting) -> Option<String> {
    let kept = match waiting {
        Waiting::Asserted(asserted) => Kept::Asserted(Said {
            subject: asserted.subject.clone(),
            claims: asserted.claims.clone(),
            auth_time: asserted.auth_time,
            acr: asserted.acr.clone(),
            session: asserted.session.clone(),
            ends_by: asserted.ends_by,
        }),
        Waiting::Refused(refused) => Kept::Refused(refused.clone()),
    };
    let text = serde_json::to_vec(&kept).ok()?;
    let row = base64url(handle_hash);
    Some(base64url(&vault.kek().seal(&place(&row), &text)))
}

/// Opens what waits in an attempt; `None` when nothing of ours does.
pub fn open(vault: &Vault, attempt: &SignInAttempt) -> Option<Waiting> {
    let row = base64url(&attempt.handle_hash);
    let sealed = from_base64url(attempt.report.as_deref()?)?;
    let text = vault.kek().open(&place(&row), &sealed).ok()?;
    let kept: Kept = serde_json::from_slice(&text).ok()?;
    Some(match kept {
        Kept::Asserted(said) => {
            let mut asserted = Asserted::new(said.subject, said.claims);
            asserted.auth_time = said.auth_time;
            asserted.acr = said.acr;
            asserted.session = said.session;
            asserted.ends_by = said.ends_by;
            Waiting::Asserted(asserted)
        }
        Kept::Refused(refused) => Waiting::Refused(refused),
    })
}

const fn place(row: &str) -> Place<'_> {
    Place {
        table: "sign_in_attempts",
        row,
        column: "report",
    }
}
