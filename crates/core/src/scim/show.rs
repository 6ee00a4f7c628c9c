//! Resources as their clients see them (RFC 7643, sections 3 and 4).
//!
//! Owns what the server adds: `schemas`, `id`, `meta`, groups and members. Never decides who sees them.

use lanyard_protocol::scim::schema::{GROUPS, ResourceType, USERS};
use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::id::{GroupId, UserId};
use crate::scim::group::ProvisionedGroup;
use crate::scim::user::ProvisionedUser;

/// Where a resource is: `{base}/Users/{id}`.
pub fn location(base: &str, kind: &ResourceType, id: &str) -> String {
    format!("{base}{}/{id}", kind.endpoint)
}

/// The version of a resource as an entity tag: weak, because two answers of one version may show different attributes.
pub fn entity_tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// A person, with the groups of the directory that they are in; `None` leaves them out.
pub fn user(base: &str, person: &ProvisionedUser, groups: Option<&[(GroupId, String)]>) -> Map<String, Value> {
    let mut shown = person.current().members().clone();
    let mut schemas = vec![USERS.schema.id];
    let used = USERS.extensions.iter().filter(|one| shown.contains_key(one.id));
    schemas.extend(used.map(|extension| extension.id));
    let id = person.user.id.as_str();
    let (created, changed) = (person.user.created_at, person.user.updated_at);
    let meta = meta(base, &USERS, id, person.user.version, (created, changed));
    let groups = groups.filter(|groups| !groups.is_empty()).map(|groups| {
        let shown = groups.iter().map(|(id, name)| {
            let at = location(base, &GROUPS, id.as_str());
            json!({"value": id.as_str(), "$ref": at, "display": name, "type": "direct"})
        });
        shown.collect::<Value>()
    });
    shown.extend([
        ("schemas".to_owned(), json!(schemas)),
        ("id".to_owned(), json!(id)),
        ("meta".to_owned(), meta),
    ]);
    shown.extend(groups.map(|groups| ("groups".to_owned(), groups)));
    shown
}

/// A group, with its members; `None` leaves them out.
pub fn group(base: &str, group: &ProvisionedGroup, members: Option<&[UserId]>) -> Map<String, Value> {
    let id = group.group.id.as_str();
    let (created, changed) = (group.group.created_at, group.group.updated_at);
    let mut shown = Map::from_iter([
        ("schemas".to_owned(), json!([GROUPS.schema.id])),
        ("id".to_owned(), json!(id)),
        ("displayName".to_owned(), json!(group.group.name)),
        (
            "meta".to_owned(),
            meta(base, &GROUPS, id, group.group.version, (created, changed)),
        ),
    ]);
    shown.extend(group.external_id.iter().map(|id| ("externalId".to_owned(), json!(id))));
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        let members = members.iter().map(|id| {
            let at = location(base, &USERS, id.as_str());
            json!({"value": id.as_str(), "$ref": at, "type": "User"})
        });
        shown.insert("members".to_owned(), members.collect());
    }
    shown
}

fn meta(base: &str, kind: &ResourceType, id: &str, version: i64, times: (Timestamp, Timestamp)) -> Value {
    json!({
        "resourceType": kind.name,
        "created": times.0,
        "lastModified": times.1,
        "location": location(base, kind, id),
        "version": entity_tag(version),
    })
}
