//! New passwords of a request, hashed before the unit: only those that differ from what the person has.
//!
//! Owns the rule of length. Never stores and never shows a password.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::passwords::NotHashed;
use secrecy::SecretString;

use crate::admin::act::{look, refuse};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;

/// How many characters a password may have.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=1024;
/// Hashes asked for at once; how many really run is bounded by [`lanyard_core::session::passwords`].
const AT_ONCE: usize = 16;

/// A password that the person does not have yet, as its hash, by user name in lower case.
///
/// A password that fits already is left out, so that applying a document twice changes nothing and ends no session.
pub(crate) async fn changed(
    deps: &AdminDeps,
    caller: &Caller,
    wanted: Vec<(String, String)>,
) -> Result<HashMap<String, String>, ApiError> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    for (username, password) in &wanted {
        check(deps, caller, username, password).await?;
    }
    let names: Vec<String> = wanted
        .iter()
        .map(|(username, _)| username.trim().to_lowercase())
        .collect();
    let known = look(deps, caller, move |_, tx| {
        let mut known = Vec::with_capacity(names.len());
        for name in names {
            known.push(match tx.find_user_by_username(&name)? {
                Some(user) => tx.find_credential(&user.id)?.map(|credential| credential.password_hash),
                None => None,
            });
        }
        Ok(Outcome::Granted(known))
    })
    .await?;
    let made = stream::iter(wanted.into_iter().zip(known))
        .map(|((username, password), known)| async move {
            if let Some(known) = known
                && deps
                    .passwords
                    .fits(&known, SecretString::from(password.as_str()))
                    .await?
            {
                return Ok(None);
            }
            Ok(Some((
                username.trim().to_lowercase(),
                deps.passwords.hash(SecretString::from(password)).await?,
            )))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<_>>()
        .await;
    match made {
        Ok(made) => Ok(made.into_iter().flatten().collect()),
        Err(error) => Err(not_hashed(caller, error)),
    }
}

/// The hash of a password that is set whatever the person had.
pub(crate) async fn hashed(
    deps: &AdminDeps,
    caller: &Caller,
    username: &str,
    password: String,
) -> Result<String, ApiError> {
    check(deps, caller, username, &password).await?;
    deps.passwords
        .hash(SecretString::from(password))
        .await
        .map_err(|error| not_hashed(caller, error))
}

fn not_hashed(caller: &Caller, error: NotHashed) -> ApiError {
    match error {
        NotHashed::Busy(_) => ApiError::busy(&caller.cx),
        // The length was checked in characters; one of many bytes is a mistake as well.
        NotHashed::TooLong(why) => ApiError::denied(&caller.cx, &AdminDenial::invalid("password", why.to_string())),
    }
}

async fn check(deps: &AdminDeps, caller: &Caller, username: &str, password: &str) -> Result<(), ApiError> {
    if LENGTH.contains(&password.chars().count()) {
        return Ok(());
    }
    let problem = format!("the password of {username} must have 8 to 1024 characters");
    Err(refuse(deps, caller, AdminDenial::invalid("password", problem)).await)
}
