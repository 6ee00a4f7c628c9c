//! Keys of an agent (`private_key_jwt`): each with an end, and with overlap when one follows another (IDP-TK-04).

use std::time::Duration;

use lanyard_jose::jwk::Jwk;
use serde_json::{Value, json};

use crate::admin::agent::missing;
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::spec::AgentKeySpec;
use crate::admin::token::Admin;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::{Client, ClientAuthMethod, RegisteredKey};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// How long a key is good when nothing is said.
const USUAL_LIFE: Duration = Duration::from_secs(365 * 24 * 3600);
/// The longest that may be said.
const LONGEST_LIFE: Duration = Duration::from_secs(2 * 365 * 24 * 3600 + 24 * 3600);
/// As many keys as are good at once.
const MOST: usize = 8;

/// Adds a public key beside the ones that the agent has. The others stay, or end after the overlap that is named.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn add(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    name: &str,
    spec: &AgentKeySpec,
) -> Result<Outcome<RegisteredKey, AdminDenial>, StoreError> {
    let client = match keyed_client(tx, admin, name)? {
        Ok(client) => client,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let key = match parse(cx, &client, spec) {
        Ok(key) => key,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if tx.find_client_key(&client.key, &key.kid)?.is_some() {
        let (what, name) = ("key", key.kid);
        return Ok(Outcome::Denied(AdminDenial::Taken { what, name }));
    }
    let before = tx.list_client_keys(&client.key)?;
    let live = before
        .iter()
        .filter(|key| key.expires_at.is_none_or(|end| cx.now < end));
    if live.count() >= MOST {
        let problem = format!("{MOST} keys are good already; remove one first");
        return Ok(Outcome::Denied(AdminDenial::invalid("jwk", problem)));
    }
    if let Some(overlap) = spec.retire_others_after_seconds {
        let until = cx.now.plus(Duration::from_secs(overlap));
        for old in &before {
            let end = old.expires_at.map_or(until, |own| own.min(until));
            tx.remove_client_key(&client.key, &old.kid)?;
            tx.insert_client_key(&RegisteredKey {
                expires_at: Some(end),
                ..old.clone()
            })?;
        }
    }
    tx.insert_client_key(&key)?;
    let touched = touch(cx, tx, client)?;
    tell(
        cx,
        tx,
        admin,
        "admin.agent_key.added",
        (name, &key.kid),
        (&before, &touched),
    )?;
    Ok(Outcome::Granted(key))
}

/// Removes a key: nothing signed with it is accepted any more.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    name: &str,
    kid: &str,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    let client = match keyed_client(tx, admin, name)? {
        Ok(client) => client,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let before = tx.list_client_keys(&client.key)?;
    if !before.iter().any(|key| key.kid == kid) || !tx.remove_client_key(&client.key, kid)? {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "key of this agent",
            name: kid.to_owned(),
        }));
    }
    let after = touch(cx, tx, client)?;
    tell(cx, tx, admin, "admin.agent_key.removed", (name, kid), (&before, &after))?;
    Ok(Outcome::Granted(()))
}

/// The agent's client, if it proves itself with keys of its own.
fn keyed_client(tx: &mut dyn Tx, admin: &Admin, name: &str) -> Result<Result<Client, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Err(denial));
    }
    let Some(agent) = tx.find_agent_by_name(name)? else {
        return Ok(Err(missing(name)));
    };
    let client = match &agent.client {
        Some(key) => tx.find_client_by_key(key)?,
        None => None,
    };
    let problem = match client {
        Some(client) if client.auth == ClientAuthMethod::PrivateKeyJwt => return Ok(Ok(client)),
        Some(client) if client.auth == ClientAuthMethod::Secret => {
            "the agent's client authenticates with a secret; register it with auth = \"private_key_jwt\" first"
        }
        Some(_) => "each person enrols a key of their machine with this client; it has none of its own",
        None => "the agent has no client at the issuer yet",
    };
    Ok(Err(AdminDenial::invalid("client", problem)))
}

fn parse(cx: &Cx, client: &Client, spec: &AgentKeySpec) -> Result<RegisteredKey, AdminDenial> {
    let jwk = Jwk::parse(&spec.jwk).map_err(|error| AdminDenial::invalid("jwk", error.to_string()))?;
    let label = spec.label.clone().unwrap_or_default();
    if label.chars().count() > 64 || label.chars().any(char::is_control) {
        let problem = "at most 64 characters without control characters";
        return Err(AdminDenial::invalid("label", problem));
    }
    let expires_at = spec.expires_at.unwrap_or_else(|| cx.now.plus(USUAL_LIFE));
    if expires_at <= cx.now || expires_at > cx.now.plus(LONGEST_LIFE) {
        let problem = "an end in the future, at most two years away";
        return Err(AdminDenial::invalid("expires_at", problem));
    }
    let kid = jwk.kid().map_or_else(|| jwk.thumbprint(), str::to_owned);
    Ok(RegisteredKey {
        kid,
        client: client.key.clone(),
        jwk,
        holder: None,
        label,
        created_at: cx.now,
        expires_at: Some(expires_at),
    })
}

/// The version tells caches and verifications in flight that the credentials are others. Gives the keys as they stand.
fn touch(cx: &Cx, tx: &mut dyn Tx, client: Client) -> Result<Vec<RegisteredKey>, StoreError> {
    let keys = tx.list_client_keys(&client.key)?;
    tx.update_client(&Client {
        version: client.version + 1,
        updated_at: cx.now,
        ..client
    })?;
    Ok(keys)
}

fn tell(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    kind: &'static str,
    (agent, kid): (&str, &str),
    (before, after): (&[RegisteredKey], &[RegisteredKey]),
) -> Result<(), StoreError> {
    let event = NewEvent::granted(kind)
        .actor(admin.actor())
        .target(agent)
        .detail("kid", kid)
        .detail("before", shown(before));
    record(cx, tx, event.detail("after", shown(after))).map(|_| ())
}

/// Keys as the log shows them.
fn shown(keys: &[RegisteredKey]) -> Value {
    let shown = |key: &RegisteredKey| {
        let end: Option<Timestamp> = key.expires_at;
        json!({"kid": key.kid, "label": key.label, "expires_at": end})
    };
    Value::Array(keys.iter().map(shown).collect())
}
