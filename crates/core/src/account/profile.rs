//! Changing one's own name and address, where the deployment leaves them to people.

use crate::account::{Own, OwnDenial};
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::provision;
use crate::directory::settings::PeopleSettings;
use crate::directory::user::User;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// Changes the name for people and the address. Neither is an identity: nothing is linked by them (AL-07).
///
/// # Errors
/// [`StoreError`].
pub fn change(
    cx: &Cx,
    tx: &mut dyn Tx,
    settings: &PeopleSettings,
    own: &Own,
    display_name: &str,
    email: &str,
) -> Result<Outcome<User, OwnDenial>, StoreError> {
    let (display_name, email) = (display_name.trim(), email.trim());
    let denial = if !settings.profile_editable {
        Some(OwnDenial::NotEditable)
    } else {
        own.may_change().err()
    };
    let denial = denial.or_else(|| {
        if display_name.is_empty() || provision::check_fields("x", None, display_name).is_err() {
            Some(OwnDenial::Name)
        } else if provision::check_fields("x", Some(email), "").is_err() {
            Some(OwnDenial::Email)
        } else {
            None
        }
    });
    if let Some(denial) = denial {
        return own
            .refuse(cx, tx, "directory.profile.change_refused", denial)
            .map(Outcome::Denied);
    }
    let Some(before) = tx.find_user(&own.user.id)? else {
        return Ok(Outcome::Denied(OwnDenial::Gone));
    };
    let user = User {
        display_name: display_name.to_owned(),
        email: Some(email.to_owned()).filter(|email| !email.is_empty()),
        version: before.version + 1,
        updated_at: cx.now,
        ..before.clone()
    };
    if user.display_name == before.display_name && user.email == before.email {
        return Ok(Outcome::Granted(before));
    }
    tx.update_user(&user)?;
    let event = own.about(NewEvent::granted("directory.profile.changed"));
    let event = event
        .detail("before", provision::shown(&before))
        .detail("after", provision::shown(&user));
    record(cx, tx, event)?;
    Ok(Outcome::Granted(user))
}
