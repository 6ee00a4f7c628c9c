//! A unit of work whose denial undoes what it wrote: for acts that write before everything about them is decided.
//!
//! Owns rolling back. Never decides, and never records the denial: who asked for the act does.

use std::sync::{Arc, Mutex};

use lanyard_core::outcome::Outcome;
use lanyard_core::store::{Store, StoreError, StoreExt, Tx};

/// Where a unit is written.
#[derive(Clone, Copy)]
pub(crate) enum Room {
    /// Like everything else.
    Usual,
    /// With the reserve: an act that ends access succeeds on a full disk too.
    Reserved,
}

/// Runs a unit; a denial rolls it back.
pub(crate) async fn rolled_back_if_denied<T, D, F>(
    store: &Arc<dyn Store>,
    room: Room,
    act: F,
) -> Result<Result<T, D>, StoreError>
where
    T: Send + 'static,
    D: Send + 'static,
    F: FnOnce(&mut dyn Tx) -> Result<Outcome<T, D>, StoreError> + Send + 'static,
{
    let refusal = Arc::new(Mutex::new(None));
    let place = Arc::clone(&refusal);
    let unit = move |tx: &mut dyn Tx| match act(tx)? {
        Outcome::Granted(value) => Ok(value),
        Outcome::Denied(denial) => {
            if let Ok(mut slot) = place.lock() {
                *slot = Some(denial);
            }
            Err(StoreError::Conflict("refused"))
        }
    };
    let end = match room {
        Room::Usual => store.write(unit).await,
        Room::Reserved => store.write_reserved(unit).await,
    };
    let denial = refusal.lock().ok().and_then(|mut slot| slot.take());
    match (end, denial) {
        (_, Some(denial)) => Ok(Err(denial)),
        (Ok(value), None) => Ok(Ok(value)),
        (Err(error), None) => Err(error),
    }
}
