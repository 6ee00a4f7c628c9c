//! An answer of an identity provider between its arrival and the browser's return.
//!
//! The form that carries an answer comes from the identity provider's site, so that the browser sends none of our
//! cookies along (`SameSite=Lax`). What it says waits here, sealed, until the browser follows a redirect to our own site
//! and shows that it began this sign-in (SEC-16, CL-SS-01). Owns that text; never judges it.

use lanyard_jose::digest::{base64url, from_base64url};
use lanyard_jose::seal::Place;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::keys::vault::Vault;
use crate::upstream::mapping::Claims;
use crate::upstream::resolve::Asserted;

#[derive(Serialize, Deserialize)]
struct Waiting {
    subject: String,
    claims: Claims,
    auth_time: Option<i64>,
    acr: Option<String>,
    session: Option<String>,
    ends_by: Option<Timestamp>,
}

/// Seals what an acceptable answer said, for the attempt with this handle.
pub fn seal(vault: &Vault, handle_hash: &[u8; 32], asserted: &Asserted) -> Option<String> {
    let text = serde_json::to_vec(&Waiting {
        subject: asserted.subject.clone(),
        claims: asserted.claims.clone(),
        auth_time: asserted.auth_time,
        acr: asserted.acr.clone(),
        session: asserted.session.clone(),
        ends_by: asserted.ends_by,
    })
    .ok()?;
    let row = base64url(handle_hash);
    Some(base64url(&vault.kek().seal(&place(&row), &text)))
}

/// Opens what waits for the browser; `None` when nothing of ours does.
pub fn open(vault: &Vault, handle_hash: &[u8; 32], sealed: &str) -> Option<Asserted> {
    let row = base64url(handle_hash);
    let text = vault.kek().open(&place(&row), &from_base64url(sealed)?).ok()?;
    let waiting: Waiting = serde_json::from_slice(&text).ok()?;
    let mut asserted = Asserted::new(waiting.subject, waiting.claims);
    asserted.auth_time = waiting.auth_time;
    asserted.acr = waiting.acr;
    asserted.session = waiting.session;
    asserted.ends_by = waiting.ends_by;
    Some(asserted)
}

const fn place(row: &str) -> Place<'_> {
    Place {
        table: "sign_in_attempts",
        row,
        column: "report",
    }
}
