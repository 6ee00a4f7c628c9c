//! What this server can do and what its resources are like (RFC 7644, section 4; SC-01, SC-19).
//!
//! Owns the three documents. They are for authenticated clients, like everything here.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::{StatusCode, Uri};
use lanyard_protocol::scim::filter::MAX_NODES;
use lanyard_protocol::scim::schema::{ENTERPRISE_USER, GROUP, GROUPS, ResourceType, Schema, USER, USERS};
use lanyard_protocol::scim::urn;
use serde_json::{Map, Value, json};

use crate::scim::caller::Caller;
use crate::scim::error::ScimError;
use crate::scim::query::{MAX_RESULTS, Wanted};
use crate::scim::{Scim, answer};

const SCHEMAS: [&Schema; 3] = [&USER, &ENTERPRISE_USER, &GROUP];
const TYPES: [&ResourceType; 2] = [&USERS, &GROUPS];

/// `GET /ServiceProviderConfig`
pub(super) async fn config(State(scim): State<Arc<Scim>>, caller: Caller, uri: Uri) -> Result<Response, ScimError> {
    unfiltered(&caller, &uri)?;
    let mut config = json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": MAX_RESULTS},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": true},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": format!(
                "A token of this directory, made by an administrator of Lanyard. Filters have at most {MAX_NODES} nodes."
            ),
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
    });
    add_meta(
        &mut config,
        "ServiceProviderConfig",
        format!("{}/ServiceProviderConfig", scim.base),
    );
    Ok(answer::json(StatusCode::OK, &config))
}

/// `GET /ResourceTypes`
pub(super) async fn resource_types(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    uri: Uri,
) -> Result<Response, ScimError> {
    unfiltered(&caller, &uri)?;
    Ok(list(TYPES.iter().map(|kind| described_type(&scim, kind))))
}

/// `GET /ResourceTypes/{name}`
pub(super) async fn resource_type(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, ScimError> {
    let found = TYPES.iter().find(|kind| kind.name == name);
    let kind = found.ok_or_else(|| unknown(&caller, "there is no such resource type"))?;
    Ok(answer::json(StatusCode::OK, &described_type(&scim, kind)))
}

/// `GET /Schemas`
pub(super) async fn schemas(State(scim): State<Arc<Scim>>, caller: Caller, uri: Uri) -> Result<Response, ScimError> {
    unfiltered(&caller, &uri)?;
    Ok(list(SCHEMAS.iter().map(|schema| described(&scim, schema))))
}

/// `GET /Schemas/{id}`
pub(super) async fn schema(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, ScimError> {
    let found = SCHEMAS.iter().find(|schema| schema.id.eq_ignore_ascii_case(&id));
    let schema = found.ok_or_else(|| unknown(&caller, "there is no such schema"))?;
    Ok(answer::json(StatusCode::OK, &described(&scim, schema)))
}

fn described(scim: &Scim, schema: &Schema) -> Value {
    let mut described = schema.describe();
    add_meta(&mut described, "Schema", format!("{}/Schemas/{}", scim.base, schema.id));
    described
}

fn described_type(scim: &Scim, kind: &ResourceType) -> Value {
    let mut described = kind.describe();
    add_meta(
        &mut described,
        "ResourceType",
        format!("{}/ResourceTypes/{}", scim.base, kind.name),
    );
    described
}

fn add_meta(described: &mut Value, kind: &str, location: String) {
    if let Some(members) = described.as_object_mut() {
        members.insert("meta".to_owned(), json!({"resourceType": kind, "location": location}));
    }
}

fn list(described: impl Iterator<Item = Value>) -> Response {
    let resources: Vec<Map<String, Value>> = described
        .filter_map(|one| match one {
            Value::Object(members) => Some(members),
            _ => None,
        })
        .collect();
    let total = i64::try_from(resources.len()).unwrap_or(i64::MAX);
    answer::list(total, 1, &resources)
}

/// A filter on these is refused and not ignored (RFC 7644, section 4).
fn unfiltered(caller: &Caller, uri: &Uri) -> Result<(), ScimError> {
    match Wanted::of_uri(uri) {
        Ok(wanted) if !wanted.has_filter() => Ok(()),
        _ => {
            let words = "this endpoint takes no filter";
            Err(ScimError::plain(&caller.cx, StatusCode::FORBIDDEN, words))
        }
    }
}

fn unknown(caller: &Caller, words: &str) -> ScimError {
    ScimError::plain(&caller.cx, StatusCode::NOT_FOUND, words)
}
