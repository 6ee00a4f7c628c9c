//! Running a directory's act: one unit, decided and recorded in core; refused acts leave an event too.
//!
//! Owns rolling back what was refused, so that a request is done whole or not at all (SC-08). Never decides.

use std::sync::Arc;

use lanyard_core::admin::token::Administrator;
use lanyard_core::audit::record::{NewEvent, record};
use lanyard_core::outcome::Outcome;
use lanyard_core::scim::denial::{ScimDenial, TokenDenial};
use lanyard_core::scim::provisioner::Provisioner;
use lanyard_core::scim::tokens;
use lanyard_core::store::{StoreError, StoreExt, Tx};

use crate::metrics;
use crate::scim::Scim;
use crate::scim::caller::Caller;
use crate::scim::error::ScimError;
use crate::unit::{Room, rolled_back_if_denied};

/// Why a unit was refused.
enum Refused {
    Act(ScimDenial),
    Token(TokenDenial),
}

/// Changes something.
pub(super) async fn change<T, F>(scim: &Scim, caller: &Caller, room: Room, act: F) -> Result<T, ScimError>
where
    T: Send + 'static,
    F: FnOnce(&Provisioner<'_>, &mut dyn Tx) -> Result<Outcome<T, ScimDenial>, StoreError> + Send + 'static,
{
    let (cx, token) = (caller.cx.clone(), caller.token.clone());
    let (vault, issuer) = (Arc::clone(&scim.deps.basis.vault), scim.deps.issuer.clone());
    let unit = move |tx: &mut dyn Tx| {
        let directory = match tokens::authenticate(tx, &token, cx.now)? {
            Outcome::Granted(authenticated) => authenticated.directory,
            Outcome::Denied(denial) => return Ok(Outcome::Denied(Refused::Token(denial))),
        };
        let at = Provisioner {
            cx: &cx,
            vault: &vault,
            issuer: &issuer,
            directory: &directory,
        };
        Ok(match act(&at, tx)? {
            Outcome::Granted(value) => Outcome::Granted(value),
            Outcome::Denied(denial) => Outcome::Denied(Refused::Act(denial)),
        })
    };
    match rolled_back_if_denied(&scim.deps.basis.store, room, unit).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Refused::Act(denial))) => Err(refuse(scim, caller, &denial).await),
        Ok(Err(Refused::Token(denial))) => {
            let event = NewEvent::denied("directory.authentication.refused", denial.code());
            match scim.deps.basis.authentication_failed(&caller.cx, event).await {
                Ok(()) => Err(ScimError::unauthenticated(&caller.cx)),
                Err(error) => Err(ScimError::failed(&caller.cx, &error)),
            }
        }
        Err(error) => Err(ScimError::failed(&caller.cx, &error)),
    }
}

/// Reads something. That there is nothing is no refusal worth an event: clients ask for what is gone.
pub(super) async fn look<T, F>(scim: &Scim, caller: &Caller, act: F) -> Result<T, ScimError>
where
    T: Send + 'static,
    F: FnOnce(&mut dyn Tx) -> Result<Outcome<T, ScimDenial>, StoreError> + Send + 'static,
{
    match scim.deps.basis.store.read(act).await {
        Ok(Outcome::Granted(value)) => Ok(value),
        Ok(Outcome::Denied(denial)) => Err(ScimError::denied(&caller.cx, &denial)),
        Err(error) => Err(ScimError::failed(&caller.cx, &error)),
    }
}

/// Records a refused act with its exact reason, and gives the answer.
pub(super) async fn refuse(scim: &Scim, caller: &Caller, denial: &ScimDenial) -> ScimError {
    metrics::scim_refused(denial.code());
    let who = Administrator::Directory(caller.directory.id.clone());
    let event = NewEvent::denied("directory.request.refused", denial.code())
        .actor(who.actor())
        .target(caller.act.as_str())
        .detail("why", denial.to_string());
    let cx = caller.cx.clone();
    let end = scim
        .deps
        .basis
        .store
        .write(move |tx| record(&cx, tx, event).map(|_| ()))
        .await;
    match end {
        Ok(()) => ScimError::denied(&caller.cx, denial),
        Err(error) => ScimError::failed(&caller.cx, &error),
    }
}
