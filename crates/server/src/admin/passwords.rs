//! New passwords of a request, hashed before the unit: only those that differ from what the person has.
//!
//! Owns nothing of the rules (`core/src/directory/password_rules.rs`). Never stores and never shows a password.

use std::collections::HashMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::directory::put as directory;
use lanyard_core::directory::user::User;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::passwords::NotHashed;
use secrecy::SecretString;

use crate::admin::act::{look, refuse};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;

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
    let names: Vec<String> = wanted
        .iter()
        .map(|(username, _)| username.trim().to_lowercase())
        .collect();
    let known = look(deps, caller, move |_, tx| {
        let mut known = Vec::with_capacity(names.len());
        for name in names {
            known.push(match tx.find_user_by_username(&name)? {
                Some(user) => {
                    let credential = tx.find_credential(&user.id)?;
                    (credential.map(|credential| credential.password_hash), Some(user))
                }
                None => (None, None),
            });
        }
        Ok(Outcome::Granted(known))
    })
    .await?;
    for ((username, password), (_, user)) in wanted.iter().zip(&known) {
        check(deps, caller, username, user.as_ref(), password).await?;
    }
    let made = stream::iter(wanted.into_iter().zip(known))
        .map(|((username, password), (known, _))| async move {
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
    let key = username.to_owned();
    let user = look(deps, caller, move |_, tx| {
        Ok(Outcome::Granted(directory::find_user(tx, &key)?))
    })
    .await?;
    check(deps, caller, username, user.as_ref(), &password).await?;
    deps.passwords
        .hash(SecretString::from(password))
        .await
        .map_err(|error| not_hashed(caller, error))
}

fn not_hashed(caller: &Caller, error: NotHashed) -> ApiError {
    match error {
        NotHashed::Busy(_) => ApiError::busy(&caller.cx),
        // The rules know the length already.
        NotHashed::TooLong(why) => ApiError::denied(&caller.cx, &AdminDenial::invalid("password", why.to_string())),
    }
}

async fn check(
    deps: &AdminDeps,
    caller: &Caller,
    username: &str,
    user: Option<&User>,
    password: &str,
) -> Result<(), ApiError> {
    let known = user.map(|user| [user.display_name.as_str(), user.email.as_deref().unwrap_or_default()]);
    let names: Vec<&str> = known.into_iter().flatten().chain([username]).collect();
    match deps.people.passwords.check(password, &names) {
        Ok(()) => Ok(()),
        Err(denial) => {
            let problem = format!("the password of {username} cannot be used: {denial}");
            Err(refuse(deps, caller, AdminDenial::invalid("password", problem)).await)
        }
    }
}
