//! Running an administrator's act: one unit, decided and recorded in core; refused acts leave an event too.

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::audit::event::Actor;
use lanyard_core::audit::record::{self, NewEvent};
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_protocol::json;
use serde::de::DeserializeOwned;

use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::http::form;

/// The largest document that is read, in bytes.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;
/// The largest record that is read, in bytes.
const MAX_RECORD: usize = 1024 * 1024;

/// Changes something: a refusal rolls everything back and is then recorded by itself.
pub(crate) async fn change<T, F>(deps: &AdminDeps, caller: &Caller, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    match rolled_back_if_denied(deps, caller, act).await? {
        Ok(value) => Ok(value),
        Err(denial) => {
            refused(deps, caller, &denial, denial.to_string()).await?;
            Err(ApiError::denied(&caller.cx, &denial))
        }
    }
}

/// Runs a unit whose denial undoes what the unit wrote before.
pub(crate) async fn rolled_back_if_denied<T, D, F>(
    deps: &AdminDeps,
    caller: &Caller,
    act: F,
) -> Result<Result<T, D>, ApiError>
where
    T: Send + 'static,
    D: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, D>, StoreError> + Send + 'static,
{
    let cx = caller.cx.clone();
    let refusal = Arc::new(Mutex::new(None));
    let place = Arc::clone(&refusal);
    let end = deps
        .basis
        .store
        .write(move |tx| match act(&cx, tx)? {
            Outcome::Granted(value) => Ok(value),
            Outcome::Denied(denial) => {
                if let Ok(mut slot) = place.lock() {
                    *slot = Some(denial);
                }
                Err(StoreError::Conflict("refused"))
            }
        })
        .await;
    let denial = refusal.lock().ok().and_then(|mut slot| slot.take());
    match (end, denial) {
        (_, Some(denial)) => Ok(Err(denial)),
        (Ok(value), None) => Ok(Ok(value)),
        (Err(error), None) => Err(ApiError::failed(&caller.cx, &error)),
    }
}

/// An act whose service records its own refusals: both arms are committed. `reserved` is for acts that cut access off.
pub(crate) async fn decide<T, F>(deps: &AdminDeps, caller: &Caller, reserved: bool, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    let cx = caller.cx.clone();
    let unit = move |tx: &mut dyn Tx| act(&cx, tx);
    let store = &deps.basis.store;
    let end = if reserved { store.write_reserved(unit).await } else { store.write(unit).await };
    shown(caller, end)
}

/// Reads something.
pub(crate) async fn look<T, F>(deps: &AdminDeps, caller: &Caller, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    let cx = caller.cx.clone();
    let end = deps.basis.store.read(move |tx| act(&cx, tx)).await;
    shown(caller, end)
}

fn shown<T>(caller: &Caller, end: Result<Outcome<T, AdminDenial>, StoreError>) -> Result<T, ApiError> {
    match end {
        Ok(Outcome::Granted(value)) => Ok(value),
        Ok(Outcome::Denied(denial)) => Err(ApiError::denied(&caller.cx, &denial)),
        Err(error) => Err(ApiError::failed(&caller.cx, &error)),
    }
}

/// Records that an act was refused, with the exact reason.
pub(crate) async fn refused(
    deps: &AdminDeps,
    caller: &Caller,
    denial: &AdminDenial,
    why: String,
) -> Result<(), ApiError> {
    let event = NewEvent::denied("admin.act.refused", denial.code())
        .actor(Actor::Admin(caller.admin.token.to_string()))
        .detail("why", why);
    let cx = caller.cx.clone();
    let end = deps.basis.store.write(move |tx| record::record(&cx, tx, event).map(|_| ())).await;
    end.map_err(|error| ApiError::failed(&caller.cx, &error))
}

/// A JSON body read strictly: duplicate members and unknown fields are refused, with the field named.
pub(crate) struct Document<T>(pub(crate) T, pub(crate) Caller);

impl<T: DeserializeOwned> FromRequest<AdminDeps> for Document<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, deps: &AdminDeps) -> Result<Self, ApiError> {
        read(request, deps, MAX_RECORD).await
    }
}

/// As [`Document`], for a whole organisation.
pub(crate) struct LargeDocument<T>(pub(crate) T, pub(crate) Caller);

impl<T: DeserializeOwned> FromRequest<AdminDeps> for LargeDocument<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, deps: &AdminDeps) -> Result<Self, ApiError> {
        let Document(value, caller) = read(request, deps, MAX_DOCUMENT).await?;
        Ok(Self(value, caller))
    }
}

async fn read<T: DeserializeOwned>(request: Request, deps: &AdminDeps, limit: usize) -> Result<Document<T>, ApiError> {
    use axum::extract::FromRequestParts;

    let (mut parts, body): (_, Body) = request.into_parts();
    // Nothing is read for a caller who proved nothing.
    let caller = Caller::from_request_parts(&mut parts, deps).await?;
    let bytes = match form::bytes(&parts, body, limit).await {
        Ok(bytes) => bytes,
        Err(form::NoForm::TooLarge) => return Err(ApiError::too_large(&caller.cx)),
        Err(problem) => return Err(ApiError::unreadable(&caller.cx, problem.to_string())),
    };
    if let Err(problem) = json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        return Err(ApiError::unreadable(&caller.cx, problem.to_string()));
    }
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Document(value, caller)),
        // The reader's words name the field; the caller is an administrator who sent the text.
        Err(problem) => Err(ApiError::unreadable(&caller.cx, format!("the document does not fit: {problem}"))),
    }
}
