//! Passwords of many people, hashed as any other: argon2id on every core.

use std::collections::HashMap;

use anyhow::Context;
use futures_util::StreamExt;
use lanyard_core::session::passwords::Passwords;
use secrecy::SecretString;

use crate::lab::organisation::LabUser;

/// The hash of each person's password, by user name. `done` is told of each.
///
/// # Errors
/// When a password cannot be hashed.
pub(crate) async fn hashes(
    passwords: &Passwords,
    users: &[LabUser],
    done: impl Fn(),
) -> anyhow::Result<HashMap<String, String>> {
    let mut waiting = futures_util::stream::iter(users.iter().map(|user| async {
        let hash = passwords
            .hash(SecretString::from(user.password.as_str()))
            .await
            .context("a password cannot be hashed")?;
        anyhow::Ok((user.spec.username.to_lowercase(), hash))
    }))
    .buffer_unordered(16);
    let mut hashes = HashMap::with_capacity(users.len());
    while let Some(hashed) = waiting.next().await {
        let (username, hash) = hashed?;
        hashes.insert(username, hash);
        done();
    }
    Ok(hashes)
}
