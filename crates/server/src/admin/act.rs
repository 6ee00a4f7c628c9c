//! Running an administrator's act: one unit, decided and recorded in core; refused acts leave an event too.
//!
//! Owns rolling back what was refused. Never decides.

use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::{Permission, require};
use lanyard_core::audit::record::{self, NewEvent};
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt, Tx};

use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::unit::{self, Room};

/// Changes something: a refusal rolls everything back and is then recorded by itself.
pub(crate) async fn change<T, F>(deps: &AdminDeps, caller: &Caller, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    run(deps, caller, Room::Usual, act).await
}

/// Ends access, as [`change`] does everything else.
pub(crate) async fn cut<T, F>(deps: &AdminDeps, caller: &Caller, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    run(deps, caller, Room::Reserved, act).await
}

/// Changes something in the room that is given.
pub(crate) async fn run<T, F>(deps: &AdminDeps, caller: &Caller, room: Room, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    match rolled_back_if_denied(deps, caller, room, act).await? {
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
    room: Room,
    act: F,
) -> Result<Result<T, D>, ApiError>
where
    T: Send + 'static,
    D: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, D>, StoreError> + Send + 'static,
{
    let cx = caller.cx.clone();
    unit::rolled_back_if_denied(&deps.basis.store, room, move |tx| act(&cx, tx))
        .await
        .map_err(|error| ApiError::failed(&caller.cx, &error))
}

/// Reads something.
pub(crate) async fn look<T, F>(deps: &AdminDeps, caller: &Caller, act: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Cx, &mut dyn Tx) -> Result<Outcome<T, AdminDenial>, StoreError> + Send + 'static,
{
    let cx = caller.cx.clone();
    match deps.basis.store.read(move |tx| act(&cx, tx)).await {
        Ok(Outcome::Granted(value)) => Ok(value),
        Ok(Outcome::Denied(denial)) => {
            if matches!(denial, AdminDenial::NotPermitted { .. }) {
                refused(deps, caller, &denial, denial.to_string()).await?;
            }
            Err(ApiError::denied(&caller.cx, &denial))
        }
        Err(error) => Err(ApiError::failed(&caller.cx, &error)),
    }
}

/// Whether the caller may do such things, asked before work outside of a unit: hashing, making keys.
pub(crate) async fn may(deps: &AdminDeps, caller: &Caller, needed: Permission) -> Result<(), ApiError> {
    match require(&caller.admin, needed) {
        Ok(()) => Ok(()),
        Err(denial) => Err(refuse(deps, caller, denial).await),
    }
}

/// Refuses before any unit: records it and gives the answer.
pub(crate) async fn refuse(deps: &AdminDeps, caller: &Caller, denial: AdminDenial) -> ApiError {
    match refused(deps, caller, &denial, denial.to_string()).await {
        Ok(()) => ApiError::denied(&caller.cx, &denial),
        Err(error) => error,
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
        .actor(caller.admin.actor())
        .target(caller.act.as_str())
        .detail("why", why);
    let cx = caller.cx.clone();
    let end = deps
        .basis
        .store
        .write(move |tx| record::record(&cx, tx, event).map(|_| ()))
        .await;
    end.map_err(|error| ApiError::failed(&caller.cx, &error))
}
