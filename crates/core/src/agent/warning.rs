//! What an administrator should look at in an agent: too few owners, weak or old credentials.
//!
//! Owns the words. A warning stops nothing.

use std::time::Duration;

use crate::agent::record::{Agent, AgentStatus};
use crate::client::registration::{ClientAuthMethod, ClientSecret, RegisteredKey};
use crate::clock::Timestamp;
use crate::directory::user::User;

/// How long before its end a key is pointed out.
const NOTICE: Duration = Duration::from_secs(14 * 24 * 3600);

/// The credentials of an agent's client.
#[derive(Default)]
pub struct Credentials {
    /// How it authenticates; `None` without a client.
    pub auth: Option<ClientAuthMethod>,
    /// Its keys.
    pub keys: Vec<RegisteredKey>,
    /// Its secrets.
    pub secrets: Vec<ClientSecret>,
}

/// Everything to be pointed out, most urgent first.
pub fn warnings(now: Timestamp, agent: &Agent, owners: &[User], credentials: &Credentials) -> Vec<String> {
    let mut told = Vec::new();
    let active = owners.iter().filter(|owner| owner.is_active()).count();
    if active == 0 {
        let status = match agent.status {
            AgentStatus::Suspended => "; it stays suspended until somebody does",
            AgentStatus::Staged | AgentStatus::Active | AgentStatus::Inactive => "",
        };
        told.push(format!("orphaned: nobody active answers for it{status}"));
    } else if active == 1 {
        told.push("one active owner; two are advised, or it is suspended when that one leaves".to_owned());
    }
    for owner in owners.iter().filter(|owner| !owner.is_active()) {
        told.push(format!("its owner {} is deactivated", owner.username));
    }
    match credentials.auth {
        None => told.push("no client at the issuer yet".to_owned()),
        Some(ClientAuthMethod::Secret) => {
            told.push("it authenticates with a secret; a key (private_key_jwt) never leaves its machine".to_owned());
        }
        Some(ClientAuthMethod::PrivateKeyJwt) if !credentials.keys.iter().any(|key| lives(key, now)) => {
            told.push("no key that is accepted".to_owned());
        }
        Some(ClientAuthMethod::PrivateKeyJwt | ClientAuthMethod::Native) => {}
    }
    for key in &credentials.keys {
        match key.expires_at {
            None => told.push(format!("the key {} has no end", key.kid)),
            Some(end) if end <= now => told.push(format!("the key {} has expired", key.kid)),
            Some(end) if end <= now.plus(NOTICE) => told.push(format!("the key {} ends on {end}", key.kid)),
            Some(_) => {}
        }
    }
    told
}

fn lives(key: &RegisteredKey, now: Timestamp) -> bool {
    key.expires_at.is_none_or(|end| now < end)
}
