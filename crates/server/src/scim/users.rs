//! `/Users`
//!
//! Owns parsing and showing people. Every decision is core's.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use lanyard_core::id::GroupId;
use lanyard_core::outcome::Outcome;
use lanyard_core::scim::denial::ScimDenial;
use lanyard_core::scim::document::Document;
use lanyard_core::scim::provisioner::Done;
use lanyard_core::scim::search;
use lanyard_core::scim::selection::Selection;
use lanyard_core::scim::show;
use lanyard_core::scim::user::{self, ProvisionedUser};
use lanyard_core::store::{StoreError, Tx};
use lanyard_protocol::scim::patch::{Operation, operations};
use lanyard_protocol::scim::schema::USERS;
use serde_json::{Map, Value};

use crate::metrics;
use crate::scim::act::{change, look, refuse};
use crate::scim::body::PersonBody;
use crate::scim::caller::Caller;
use crate::scim::error::ScimError;
use crate::scim::id::Id;
use crate::scim::query::{Wanted, shown};
use crate::scim::{Scim, answer, patch_denial, precondition};
use crate::unit::Room;

/// A person with their groups, if they are shown.
type Whole = (ProvisionedUser, Option<Vec<(GroupId, String)>>);

fn whole(tx: &mut dyn Tx, person: ProvisionedUser, selection: &Selection) -> Result<Whole, StoreError> {
    let groups = if selection.wants("groups") {
        Some(tx.list_provisioned_groups_of(&person.directory, &person.user.id)?)
    } else {
        None
    };
    Ok((person, groups))
}

fn view(scim: &Scim, (person, groups): &Whole) -> Map<String, Value> {
    show::user(&scim.base, person, groups.as_deref())
}

/// `GET /Users`
pub(super) async fn list(State(scim): State<Arc<Scim>>, caller: Caller, uri: Uri) -> Result<Response, ScimError> {
    found(&scim, &caller, Wanted::of_uri(&uri)).await
}

/// `POST /Users/.search`
pub(super) async fn search(
    State(scim): State<Arc<Scim>>,
    PersonBody(body, caller, _): PersonBody,
) -> Result<Response, ScimError> {
    found(&scim, &caller, Wanted::of_body(body)).await
}

async fn found(scim: &Scim, caller: &Caller, wanted: Result<Wanted, ScimDenial>) -> Result<Response, ScimError> {
    let asked = wanted.and_then(|wanted| Ok((wanted.search(search::users)?, wanted)));
    let (search, wanted) = match asked {
        Ok(asked) => asked,
        Err(denial) => return Err(refuse(scim, caller, &denial).await),
    };
    let selection = wanted.selection(&USERS);
    let (directory, chosen) = (caller.directory.id.clone(), selection.clone());
    let (total, people) = look(scim, caller, move |tx| {
        let found = user::search(tx, &directory, &search)?;
        let people = found.items.into_iter().map(|person| whole(tx, person, &chosen));
        Ok(Outcome::Granted((found.total, people.collect::<Result<Vec<_>, _>>()?)))
    })
    .await?;
    let resources = people.iter().map(|person| view(scim, person)).collect();
    Ok(answer::list(total, wanted.start(), &shown(&selection, resources)))
}

/// `GET /Users/{id}`
pub(super) async fn show(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &uri).await?;
    let (directory, chosen) = (caller.directory.id.clone(), selection.clone());
    let person = look(&scim, &caller, move |tx| {
        Ok(match user::find(tx, &directory, &id)? {
            Outcome::Granted(person) => Outcome::Granted(whole(tx, person, &chosen)?),
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    })
    .await?;
    let version = person.0.user.version;
    // Groups change without their members' version.
    if person.1.is_none() && precondition::is_known(&headers, version) {
        return Ok(answer::nothing(StatusCode::NOT_MODIFIED, Some(version)));
    }
    let resource = selection.apply(view(&scim, &person));
    Ok(answer::resource(StatusCode::OK, version, &resource))
}

/// `POST /Users`
pub(super) async fn create(
    State(scim): State<Arc<Scim>>,
    PersonBody(body, caller, parts): PersonBody,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &parts.uri).await?;
    let document = document(&scim, &caller, body).await?;
    let chosen = selection.clone();
    let done = change(&scim, &caller, room_of(&document), move |at, tx| {
        let done = user::create(at, tx, document)?;
        completed(tx, done, &chosen)
    })
    .await?;
    let person = effective(&scim, done).await;
    metrics::scim_done("create");
    let at = show::location(&scim.base, &USERS, person.0.user.id.as_str());
    let resource = selection.apply(view(&scim, &person));
    Ok(answer::created(person.0.user.version, &at, &resource))
}

/// `PUT /Users/{id}`
pub(super) async fn replace(
    State(scim): State<Arc<Scim>>,
    Id(id): Id,
    PersonBody(body, caller, parts): PersonBody,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &parts.uri).await?;
    let document = document(&scim, &caller, body).await?;
    let (chosen, if_match) = (selection.clone(), precondition::if_match(&parts.headers));
    let done = change(&scim, &caller, room_of(&document), move |at, tx| {
        let done = user::replace(at, tx, &id, &if_match, document)?;
        completed(tx, done, &chosen)
    })
    .await?;
    let person = effective(&scim, done).await;
    metrics::scim_done("replace");
    let resource = selection.apply(view(&scim, &person));
    Ok(answer::resource(StatusCode::OK, person.0.user.version, &resource))
}

/// `PATCH /Users/{id}`
pub(super) async fn patch(
    State(scim): State<Arc<Scim>>,
    Id(id): Id,
    PersonBody(body, caller, parts): PersonBody,
) -> Result<Response, ScimError> {
    let selection = selection(&scim, &caller, &parts.uri).await?;
    let operations = match operations(body).map_err(patch_denial) {
        Ok(operations) => operations,
        Err(denial) => return Err(refuse(&scim, &caller, &denial).await),
    };
    let room = if operations.iter().any(names_active) {
        Room::Reserved
    } else {
        Room::Usual
    };
    let (chosen, if_match) = (selection.clone(), precondition::if_match(&parts.headers));
    let done = change(&scim, &caller, room, move |at, tx| {
        let done = user::patch(at, tx, &id, &if_match, &operations)?;
        completed(tx, done, &chosen)
    })
    .await?;
    let person = effective(&scim, done).await;
    metrics::scim_done("patch");
    let resource = selection.apply(view(&scim, &person));
    Ok(answer::resource(StatusCode::OK, person.0.user.version, &resource))
}

/// `DELETE /Users/{id}`
pub(super) async fn remove(
    State(scim): State<Arc<Scim>>,
    caller: Caller,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ScimError> {
    let if_match = precondition::if_match(&headers);
    let cut_off = change(&scim, &caller, Room::Reserved, move |at, tx| {
        user::remove(at, tx, &id, &if_match)
    })
    .await?;
    effective(&scim, Done { resource: (), cut_off }).await;
    metrics::scim_done("delete");
    Ok(answer::nothing(StatusCode::NO_CONTENT, None))
}

/// The groups are read in the unit of the change, so that the answer is one state.
fn completed(
    tx: &mut dyn Tx,
    done: Outcome<Done<ProvisionedUser>, ScimDenial>,
    selection: &Selection,
) -> Result<Outcome<Done<Whole>, ScimDenial>, StoreError> {
    Ok(match done {
        Outcome::Granted(Done { resource, cut_off }) => Outcome::Granted(Done {
            resource: whole(tx, resource, selection)?,
            cut_off,
        }),
        Outcome::Denied(denial) => Outcome::Denied(denial),
    })
}

/// Answers nothing before a cut-off is in effect (SC-14).
async fn effective<T>(scim: &Scim, done: Done<T>) -> T {
    if done.cut_off {
        scim.deps.cut_off.complete().await;
    }
    done.resource
}

async fn selection(scim: &Scim, caller: &Caller, uri: &Uri) -> Result<Selection, ScimError> {
    match Wanted::of_uri(uri) {
        Ok(wanted) => Ok(wanted.selection(&USERS)),
        Err(denial) => Err(refuse(scim, caller, &denial).await),
    }
}

async fn document(scim: &Scim, caller: &Caller, body: Value) -> Result<Document, ScimError> {
    match Document::read(&USERS, body) {
        Ok(document) => Ok(document),
        Err(denial) => Err(refuse(scim, caller, &denial).await),
    }
}

/// A deactivation is written on a full disk too.
fn room_of(document: &Document) -> Room {
    if document.flag("active") == Some(false) {
        Room::Reserved
    } else {
        Room::Usual
    }
}

fn names_active(operation: &Operation) -> bool {
    let is_active = |name: &str| name.eq_ignore_ascii_case("active");
    match (&operation.path, &operation.value) {
        (Some(path), _) => is_active(&path.path.name),
        (None, Some(Value::Object(values))) => values.keys().any(|name| is_active(name)),
        (None, _) => false,
    }
}
