//! An administrator looks at a person's second factors, or takes them all away: the telephone is lost and no recovery
//! code is left.

use serde_json::json;

use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::standing;
use crate::admin::token::Admin;
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::factor::Factors;
use crate::directory::provision::{Act, refuse};
use crate::directory::user::User;
use crate::outcome::Outcome;
use crate::store::Tx;

/// Takes every second factor of a person away, and the sign-ins that wait for one. Sessions stay: ending access is an
/// act of its own.
///
/// # Errors
/// [`crate::store::StoreError`].
pub fn reset(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, user: &User) -> Act<Factors> {
    if let Err(denial) = require(admin, Permission::Write) {
        return refuse_reset(cx, tx, admin, user, denial);
    }
    // Whoever decides how somebody signs in could become that person.
    if let Err(denial) = standing::over_sign_in_of(tx, admin, &user.id)? {
        return refuse_reset(cx, tx, admin, user, denial);
    }
    let before = Factors::of(tx, &user.id)?;
    tx.remove_app_secret(&user.id)?;
    tx.replace_recovery_codes(&user.id, &[], cx.now)?;
    for passkey in &before.passkeys {
        tx.remove_passkey(&user.id, &passkey.id)?;
    }
    tx.remove_steps_of(&user.id)?;
    let event = NewEvent::granted("directory.factors.reset")
        .actor(admin.actor())
        .subject(user.id.as_str())
        .target(&user.username)
        .detail("before", shown(&before))
        .detail("after", json!({"app": false, "passkeys": 0, "recovery_codes": 0}));
    record(cx, tx, event)?;
    Factors::of(tx, &user.id).map(Outcome::Granted)
}

fn refuse_reset(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, user: &User, denial: AdminDenial) -> Act<Factors> {
    refuse(
        cx,
        tx,
        admin,
        "directory.factors.reset_refused",
        user.id.as_str(),
        denial,
    )
}

fn shown(factors: &Factors) -> serde_json::Value {
    json!({
        "app": factors.app_since.is_some(),
        "passkeys": factors.passkeys.len(),
        "recovery_codes": factors.recovery_codes,
    })
}
