//! `/admin/v1/users/{username}/factors`: what a person has besides a password.

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::permission::Permission;
use lanyard_core::clock::Timestamp;
use lanyard_core::directory::factor::{Factors, reset as factor};
use lanyard_core::outcome::Outcome;
use serde::Serialize;

use crate::admin::act::{change, look};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::Segments;
use crate::admin::v1::users::found;

/// What a person has besides a password. No secret and no code is in it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FactorsView {
    /// Since when codes from an app are asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub app_since: Option<Timestamp>,
    /// Recovery codes that are left.
    pub recovery_codes: u64,
    /// Passkeys, oldest first.
    pub passkeys: Vec<PasskeyView>,
}

/// A passkey.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PasskeyView {
    /// Server-made.
    pub id: String,
    /// What the person calls it.
    pub name: String,
    /// When it was added.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it last signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub last_used_at: Option<Timestamp>,
}

impl From<Factors> for FactorsView {
    fn from(factors: Factors) -> Self {
        let passkeys = factors.passkeys.into_iter().map(|passkey| PasskeyView {
            id: passkey.id.to_string(),
            name: passkey.name,
            created_at: passkey.created_at,
            last_used_at: passkey.last_used_at,
        });
        Self {
            app_since: factors.app_since,
            recovery_codes: factors.recovery_codes,
            passkeys: passkeys.collect(),
        }
    }
}

/// What a person has besides a password.
#[utoipa::path(get, path = "/admin/v1/users/{username}/factors", responses((status = 200, body = FactorsView)))]
pub(crate) async fn factors(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<FactorsView>, ApiError> {
    let admin = caller.admin.clone();
    let found = look(&deps, &caller, move |_, tx| {
        Ok(match found(tx, &admin, Permission::Read, username)? {
            Ok(user) => Outcome::Granted(Factors::of(tx, &user.id)?),
            Err(denial) => Outcome::Denied(denial),
        })
    });
    Ok(Json(found.await?.into()))
}

/// Takes every second factor of a person away, with the recovery codes: the device is lost. Sessions stay.
#[utoipa::path(post, path = "/admin/v1/users/{username}/factors/reset",
    responses((status = 200, body = FactorsView)))]
pub(crate) async fn reset_factors(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(username): Segments<String>,
) -> Result<Json<FactorsView>, ApiError> {
    let admin = caller.admin.clone();
    let left = change(&deps, &caller, move |cx, tx| {
        match found(tx, &admin, Permission::Write, username)? {
            Ok(user) => factor::reset(cx, tx, &admin, &user),
            Err(denial) => Ok(Outcome::Denied(denial)),
        }
    });
    Ok(Json(left.await?.into()))
}
