//! Changing one's own password, with the old one.

use crate::account::{Own, OwnDenial, sessions};
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::user::Credential;
use crate::outcome::Outcome;
use crate::session::record::Session;
use crate::store::{StoreError, Tx};

const REFUSED: &str = "directory.password.change_refused";

/// Sets a new password, given as its hash, and ends every other session and everything that hangs on it: whoever else
/// knew the old password is out. `checked` is the hash against which the old one was checked.
///
/// # Errors
/// [`StoreError`].
pub fn change(
    cx: &Cx,
    tx: &mut dyn Tx,
    own: &Own,
    session: &Session,
    (checked, fits): (&str, bool),
    password_hash: String,
) -> Result<Outcome<(), OwnDenial>, StoreError> {
    if !own.local {
        return refuse(cx, tx, own, OwnDenial::NotLocal).map(Outcome::Denied);
    }
    let same = tx
        .find_credential(&own.user.id)?
        .is_some_and(|current| current.password_hash == checked);
    if !(fits && same) {
        return refuse(cx, tx, own, OwnDenial::WrongPassword).map(Outcome::Denied);
    }
    let credential = Credential {
        password_hash,
        changed_at: cx.now,
    };
    tx.put_credential(&own.user.id, &credential)?;
    tx.remove_steps_of(&own.user.id)?;
    tx.confirm_session(&session.id, cx.now)?;
    let ended = sessions::end_others(cx, tx, own, &session.id)?;
    let event = own.about(NewEvent::granted("directory.password.changed"));
    record(cx, tx, event.detail("sessions", ended))?;
    Ok(Outcome::Granted(()))
}

/// Records a refused change.
///
/// # Errors
/// [`StoreError`].
pub fn refuse(cx: &Cx, tx: &mut dyn Tx, own: &Own, denial: OwnDenial) -> Result<OwnDenial, StoreError> {
    own.refuse(cx, tx, REFUSED, denial)
}
