//! A dry sign-in: what would arrive, what it would mean here, and nobody signed in.
//!
//! Owns the report and where it is kept for the administrator who asked. Never makes a session, a person or a link.

use lanyard_core::cx::Cx;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::{Store, StoreError, StoreExt, Tx};
use lanyard_core::upstream::attempt::Taken;
use lanyard_core::upstream::groups;
use lanyard_core::upstream::resolve::{Asserted, Foreseen, foresee};
use lanyard_jose::digest::from_base64url;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest value of a claim that a report keeps, in characters of its JSON.
const MAX_VALUE: usize = 1024;

/// What a dry sign-in found.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DrySignIn {
    /// Whether a real one would have signed somebody in.
    pub accepted: bool,
    /// The exact check that failed, by its stable name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What happened, or would happen, in words.
    pub outcome: String,
    /// The provider's identifier of the person, as people are linked by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Every claim that arrived.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub claims: Map<String, Value>,
    /// The user name that the mapping finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The address that the mapping finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The name for people that the mapping finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Each group that is looked at, and the group here that it leads to.
    #[serde(default)]
    pub groups: Vec<GroupSeen>,
    /// Whether the groups were left out because there are too many.
    #[serde(default)]
    pub groups_missing: bool,
    /// What the sign-in counts as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Strength>,
}

/// A group of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GroupSeen {
    /// Its value, prefix off.
    pub value: String,
    /// The group or role here; absent when it leads nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// Keeps the report of a dry sign-in under the ticket by which it was begun.
pub(crate) async fn keep(
    store: &dyn Store,
    cx: &Cx,
    taken: &Taken,
    outcome: Result<Asserted, (String, String)>,
) -> Result<(), StoreError> {
    let ticket: Option<[u8; 32]> = from_base64url(&taken.attempt.request).and_then(|hash| hash.try_into().ok());
    let Some(ticket) = ticket else {
        return Err(StoreError::Corrupt("a dry sign-in belongs to no ticket".to_owned()));
    };
    let (cx, connection) = (cx.clone(), taken.connection.clone());
    let write = store.write(move |tx: &mut dyn Tx| {
        let report = match outcome {
            Err((reason, why)) => DrySignIn {
                reason: Some(reason),
                ..empty(format!("The answer was not accepted: {why}."))
            },
            Ok(asserted) => {
                let mapped = connection.mapping.read(&asserted.claims);
                let seen = match &mapped.groups {
                    Some(values) => groups::foresee(tx, &connection, values)?,
                    None => Vec::new(),
                };
                let (accepted, reason, outcome) = match foresee(tx, &connection, &asserted)? {
                    Ok(Foreseen::Linked(user)) => (true, None, format!("{} would be signed in.", user.username)),
                    Ok(Foreseen::WouldLink(user)) => {
                        (true, None, format!("{} would be linked and signed in.", user.username))
                    }
                    Ok(Foreseen::WouldCreate(name)) => (true, None, format!("{name} would be made and signed in.")),
                    Err(denial) => (
                        false,
                        Some(denial.code()),
                        format!("Nobody would be signed in: {denial}."),
                    ),
                };
                DrySignIn {
                    accepted,
                    reason: reason.map(str::to_owned),
                    outcome,
                    username: mapped.username,
                    email: mapped.email,
                    display_name: mapped.display_name,
                    groups: seen
                        .into_iter()
                        .map(|(value, group)| GroupSeen { value, group })
                        .collect(),
                    groups_missing: asserted.groups_missing,
                    strength: Some(asserted.authentication(&connection, cx.now).strength),
                    subject: Some(asserted.subject),
                    claims: shortened(asserted.claims),
                }
            }
        };
        let text =
            serde_json::to_string(&report).map_err(|_| StoreError::Corrupt("a report has no JSON form".to_owned()))?;
        tx.report_attempt(&ticket, &text)
    });
    write.await
}

fn empty(outcome: String) -> DrySignIn {
    DrySignIn {
        accepted: false,
        reason: None,
        outcome,
        subject: None,
        claims: Map::new(),
        username: None,
        email: None,
        display_name: None,
        groups: Vec::new(),
        groups_missing: false,
        strength: None,
    }
}

fn shortened(mut claims: Map<String, Value>) -> Map<String, Value> {
    for value in claims.values_mut() {
        if value.to_string().chars().count() > MAX_VALUE {
            *value = Value::String("(too long to show)".to_owned());
        }
    }
    claims
}
