//! `/admin/v1/keys`: signing keys, rotation, emergency removal.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::permission::Permission;
use lanyard_core::clock::Timestamp;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::rotation::{self, FreshKey, KeyView};
use lanyard_core::outcome::Outcome;
use lanyard_jose::algorithm::Algorithm;
use serde::{Deserialize, Serialize};

use crate::admin::act::{change, cut, look, may};
use crate::admin::deps::{AdminDeps, Caller};
use crate::admin::error::ApiError;
use crate::admin::extract::{Document, Segments};
use crate::admin::v1::view::PageView;

/// A key without its private half.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct KeyShown {
    /// Thumbprint.
    pub kid: String,
    /// `idp`, `ras`, `audit` or `saml`.
    pub ring: &'static str,
    /// Algorithm.
    pub algorithm: &'static str,
    /// `next`, `active`, `retired` or `removed`.
    pub state: &'static str,
    /// When it was made.
    #[schema(value_type = String)]
    pub created_at: Timestamp,
    /// When it begins, or began, to sign.
    #[schema(value_type = String)]
    pub activates_at: Timestamp,
    /// When it stopped signing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub retired_at: Option<Timestamp>,
    /// When it leaves the published set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub remove_after: Option<Timestamp>,
}

impl From<KeyView> for KeyShown {
    fn from(key: KeyView) -> Self {
        Self {
            kid: key.kid,
            ring: key.ring.as_str(),
            algorithm: key.algorithm.as_str(),
            state: key.state.as_str(),
            created_at: key.created_at,
            activates_at: key.activates_at,
            retired_at: key.retired_at,
            remove_after: key.remove_after,
        }
    }
}

/// Which ring gets a new key.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotate {
    /// `idp`, `ras`, `audit` or `saml`.
    #[schema(value_type = String)]
    pub ring: Ring,
    /// `ES256`, `EdDSA` or `RS256`; the algorithm of the key that signs now when left out.
    #[serde(default)]
    pub algorithm: Option<String>,
}

/// What a rotation began.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Rotation {
    /// The new key.
    pub kid: String,
    /// When it begins to sign; it is published until then.
    #[schema(value_type = String)]
    pub signs_from: Timestamp,
}

/// What an emergency removal did.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RemovedKey {
    /// The key that is not accepted any more.
    pub kid: String,
    /// The key that signs now, when the removed one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signs_now: Option<String>,
}

/// Every key of every ring.
#[utoipa::path(get, path = "/admin/v1/keys", responses((status = 200, body = PageView<KeyShown>)))]
pub(crate) async fn list(State(deps): State<AdminDeps>, caller: Caller) -> Result<Json<PageView<KeyShown>>, ApiError> {
    let admin = caller.admin.clone();
    let keys = look(&deps, &caller, move |_, tx| rotation::list(tx, &admin)).await?;
    Ok(Json(PageView {
        items: keys.into_iter().map(KeyShown::from).collect(),
        next: None,
    }))
}

/// Publishes a new key that signs once every cache has it.
#[utoipa::path(post, path = "/admin/v1/keys/rotate", request_body = Rotate, responses((status = 200, body = Rotation)))]
pub(crate) async fn rotate(
    State(deps): State<AdminDeps>,
    Document(request, caller): Document<Rotate>,
) -> Result<Json<Rotation>, ApiError> {
    may(&deps, &caller, Permission::Administer).await?;
    let algorithm = match &request.algorithm {
        Some(name) => Algorithm::parse(name)
            .ok_or_else(|| ApiError::denied(&caller.cx, &AdminDenial::invalid("algorithm", "ES256, EdDSA or RS256")))?,
        // What SAML identity providers take.
        None if request.ring == Ring::Saml => Algorithm::Rs256,
        None => {
            let snapshot = deps.basis.rings.snapshot();
            snapshot
                .get(request.ring)
                .map_or(Algorithm::Es256, |ring| ring.active.algorithm())
        }
    };
    if request.ring == Ring::Saml && algorithm != Algorithm::Rs256 {
        let denial = AdminDenial::invalid("algorithm", "the ring saml signs and decrypts with RS256 keys only");
        return Err(ApiError::denied(&caller.cx, &denial));
    }
    let fresh = fresh(&deps, &caller, request.ring, algorithm).await?;
    let (admin, settings, kid) = (caller.admin.clone(), deps.rotation.clone(), fresh.kid().to_owned());
    let signs_from = change(&deps, &caller, move |cx, tx| {
        rotation::rotate(cx, tx, &settings, &admin, &fresh)
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(Rotation { kid, signs_from }))
}

/// Takes a key out of use at once, everywhere.
#[utoipa::path(delete, path = "/admin/v1/keys/{kid}", responses((status = 200, body = RemovedKey)))]
pub(crate) async fn remove(
    State(deps): State<AdminDeps>,
    caller: Caller,
    Segments(kid): Segments<String>,
) -> Result<Json<RemovedKey>, ApiError> {
    may(&deps, &caller, Permission::Administer).await?;
    let admin = caller.admin.clone();
    let wanted = kid.clone();
    // A replacement is made beforehand: keys are never made inside a unit.
    let (ring, algorithm) = look(&deps, &caller, move |_, tx| {
        Ok(match rotation::list(tx, &admin)? {
            Outcome::Denied(denial) => Outcome::Denied(denial),
            Outcome::Granted(keys) => match keys.into_iter().find(|key| key.kid == wanted) {
                Some(key) => Outcome::Granted((key.ring, key.algorithm)),
                None => Outcome::Denied(AdminDenial::NotFound {
                    what: "key",
                    name: wanted,
                }),
            },
        })
    })
    .await?;
    let fresh = fresh(&deps, &caller, ring, algorithm).await?;
    let (admin, ras, gone) = (caller.admin.clone(), deps.deployment.ras.clone(), kid.clone());
    let removal = cut(&deps, &caller, move |cx, tx| {
        rotation::remove_now(cx, tx, &admin, ras.as_ref(), &gone, &fresh)
    })
    .await?;
    deps.cut_off.complete().await;
    Ok(Json(RemovedKey {
        kid,
        signs_now: removal.signs_now,
    }))
}

async fn fresh(deps: &AdminDeps, caller: &Caller, ring: Ring, algorithm: Algorithm) -> Result<FreshKey, ApiError> {
    let vault = Arc::clone(&deps.basis.vault);
    let made = tokio::task::spawn_blocking(move || FreshKey::generate(&vault, ring, algorithm)).await;
    match made {
        Ok(Ok(fresh)) => Ok(fresh),
        Ok(Err(_)) => {
            let denial = AdminDenial::invalid("algorithm", "we sign with ES256, EdDSA or RS256");
            Err(ApiError::denied(&caller.cx, &denial))
        }
        Err(_) => Err(ApiError::broken(&caller.cx, "no key could be made")),
    }
}
