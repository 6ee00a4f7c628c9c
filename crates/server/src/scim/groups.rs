//! `/Groups`
//!
//! Owns parsing and showing groups. Every decision is core's.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use lanyard_core::id::UserId;
use lanyard_core::outcome::Outcome;
use lanyard_core::scim::denial::ScimDenial;
use lanyard_core::scim::document::Document;
use lanyard_core::scim::group::{self, ProvisionedGroup};
use lanyard_core::scim::members::GroupPatch;
use lanyard_core::scim::search;
use lanyard_core::scim::selection::Selection;
use lanyard_core::scim::show;
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::scim::patch::operations;
use lanyard_protocol::scim::schema::GROUPS;
use serde_json::{Map, Value};

use crate::metrics;
use crate::scim::act::{change, look, refuse};
use crate::scim::body::GroupBody;
use crate::scim::caller::Caller;
use crate::scim::error::ScimError;
use crate::scim::id::Id;
use crate::scim::query::{Wanted, shown};
use crate::scim::{Scim, answer, patch_denial, precondition};
use crate::unit::Room;

/// A page of groups ends early when it has so many members, so that an answer stays in bounds.
const MEMBERS_OF_A_PAGE: usize = 20_000;

/// A group with its members, if they are shown.
type Whole = (ProvisionedGroup, Option<Vec<UserId>>);

fn whole(tx: &mut dyn Tx, group: ProvisionedGroup, selection: &Selection) -> Result<Whole, StoreError> {
    let members = if selection.wants("members") {
        Some(tx.list_provisioned_members(&group.directory, &group.group.id)?)
    } else {
        None
    };
    Ok((group, members))
}

fn view(scim: &Scim, (group, members): &Whole) -> Map<String, Value> {
    show::group(&scim.base, group, members.as_deref())
}

/// `GET /Groups`
pub(super) async fn list(State(scim): State<Arc<Scim>>, caller: Caller, uri: Uri) -> Result<Response, ScimError> {
    found(&scim, &caller, Wanted::of_uri(&uri)).await
}

/// `POST /Groups/.search`
pub(super) async fn search(
    State(scim): State<Arc<Scim>>,
    GroupBody(body, caller, _): GroupBody,
) -> Result<Response, ScimError> {
    found(&scim, &caller, Wanted::of_body(body)).await
}

async fn found(scim: &Scim, caller: &Caller, wanted: Result<Wanted, ScimDenial>) -> Result<Response, ScimError> {
    let asked = wanted.and_then(|wanted| Ok((wanted.search(search::groups)?, wanted)));
    let (search, wanted) = match asked {
        Ok(asked) => asked,
        Err(denial) => return Err(refuse(scim, caller, &denial).await),
    };
    let selection = wanted.selection(&GROUPS);
    let (directory, chosen) = (caller.directory.id.clone(), selection.clone());
    let (total, groups) = look(scim, caller, move |tx| {
        let found = group::search(tx, &directory, &search)?;
        let (mut groups, mut members) = (Vec::new(), 0);
        for group in found.items {
            let whole = whole(tx, group, &chosen)?;
            members += whole.1.as_ref().map_or(0, Vec::len);
            if members > MEMBERS_OF_A_PAGE && !groups.is_empty() {
                break;
            }
            groups.push(whole);
        }
        Ok(Outcome::Granted((found.total, groups)))
    })
    .await?;
    let resources = groups.iter().map(|group| view(scim, group)).collect();
    Ok(answer::list(total, wanted.start(), &shown(&selection, resources)))
}

/// `GET /Groups/{id}`
pub(super) async fn show(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &uri).await?;
    let (directory, chosen) = (caller.directory.id.clone(), selection.clone());
    let group = look(&scim, &caller, move |tx| {
        Ok(match group::find(tx, &directory, &id)? {
            Outcome::Granted(group) => Outcome::Granted(whole(tx, group, &chosen)?),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    let version = group.0.group.version;
    if precondition::is_known(&headers, version) {
        return Ok(answer::nothing(StatusCode::NOT_MODIFIED, Some(version)));
    }
    let resource = selection.apply(view(&scim, &group));
    Ok(answer::resource(StatusCode::OK, version, &resource))
}

/// `POST /Groups`
pub(super) async fn create(
    State(scim): State<Arc<Scim>>,
    GroupBody(body, caller, parts): GroupBody,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &parts.uri).await?;
    let body = read(&scim, &caller, body).await?;
    let chosen = selection.clone();
    let group = change(&scim, &caller, Room::Usual, move |at, tx| {
        let done = group::create(at, tx, &body)?;
        completed(tx, done, &chosen)
    })
    .await?;
    metrics::scim_done("create");
    let at = show::location(&scim.base, &GROUPS, group.0.group.id.as_str());
    let resource = selection.apply(view(&scim, &group));
    Ok(answer::created(group.0.group.version, &at, &resource))
}

/// `PUT /Groups/{id}`
pub(super) async fn replace(
    State(scim): State<Arc<Scim>>,
    Id(id): Id,
    GroupBody(body, caller, parts): GroupBody,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &parts.uri).await?;
    let body = read(&scim, &caller, body).await?;
    let (chosen, if_match) = (selection.clone(), precondition::if_match(&parts.headers));
    let group = change(&scim, &caller, Room::Usual, move |at, tx| {
        let done = group::replace(at, tx, &id, &if_match, &body)?;
        completed(tx, done, &chosen)
    })
    .await?;
    metrics::scim_done("replace");
    let resource = selection.apply(view(&scim, &group));
    Ok(answer::resource(StatusCode::OK, group.0.group.version, &resource))
}

/// `PATCH /Groups/{id}`: 204, unless the client asks for attributes; a group may have many members.
pub(super) async fn patch(
    State(scim): State<Arc<Scim>>,
    Id(id): Id,
    GroupBody(body, caller, parts): GroupBody,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &parts.uri).await?;
    let read = operations(body).map_err(patch_denial).and_then(GroupPatch::read);
    let patch = match read {
        Ok(patch) => patch,
        Err(denial) => return Err(refuse(&scim, &caller, &denial).await),
    };
    let (asked, if_match) = (selection.is_asked(), precondition::if_match(&parts.headers));
    let chosen = if asked {
        selection.clone()
    } else {
        Selection::read(&GROUPS, None, Some("members"))
    };
    let group = change(&scim, &caller, Room::Usual, move |at, tx| {
        let done = group::patch(at, tx, &id, &if_match, &patch)?;
        completed(tx, done, &chosen)
    })
    .await?;
    metrics::scim_done("patch");
    let version = group.0.group.version;
    if !asked {
        return Ok(answer::nothing(StatusCode::NO_CONTENT, Some(version)));
    }
    let resource = selection.apply(view(&scim, &group));
    Ok(answer::resource(StatusCode::OK, version, &resource))
}

/// `DELETE /Groups/{id}`
pub(super) async fn remove(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ScimError> {
    let if_match = precondition::if_match(&headers);
    change(&scim, &caller, Room::Usual, move |at, tx| {
        group::remove(at, tx, &id, &if_match)
    })
    .await?;
    metrics::scim_done("delete");
    Ok(answer::nothing(StatusCode::NO_CONTENT, None))
}

/// The members are read in the unit of the change, so that the answer is one state.
fn completed(
    tx: &mut dyn Tx,
    done: Outcome<ProvisionedGroup, ScimDenial>,
    selection: &Selection,
) -> Result<Outcome<Whole, ScimDenial>, StoreError> {
    Ok(match done {
        Outcome::Granted(group) => Outcome::Granted(whole(tx, group, selection)?),
        Outcome::Denied(denial) => Outcome::Denied(denial),
    })
}

async fn selection(scim: &Scim, caller: &Caller, uri: &Uri) -> Result<Selection, ScimError> {
    match Wanted::of_uri(uri) {
        Ok(wanted) => Ok(wanted.selection(&GROUPS)),
        Err(denial) => Err(refuse(scim, caller, &denial).await),
    }
}

async fn read(scim: &Scim, caller: &Caller, body: Value) -> Result<group::GroupBody, ScimError> {
    match Document::read(&GROUPS, body).and_then(group::GroupBody::read) {
        Ok(body) => Ok(body),
        Err(denial) => Err(refuse(scim, caller, &denial).await),
    }
}
