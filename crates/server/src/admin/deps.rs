//! What the admin API stands on, and who is asking.
//!
//! Owns authentication of administrators. Never decides what one may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::admin::sign_in::SignedIn;
use lanyard_core::admin::token::Admin;
use lanyard_core::cx::Cx;
use lanyard_core::directory::settings::PeopleSettings;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::rotation::RotationSettings;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_core::session::passwords::Passwords;
use lanyard_core::session::strength::Strength;

use crate::admin::error::ApiError;
use crate::admin::identity;
use crate::cut_off::CutOff;
use crate::http::bearer;
use crate::idp::upstream::Providers;
use crate::oauth::basis::Basis;

/// As much of a path as the record of a refusal keeps, in characters.
const MAX_ACT: usize = 256;

/// The parts of this room; cheap to clone.
#[derive(Clone)]
pub struct AdminDeps {
    /// What every room stands on.
    pub basis: Basis,
    /// Our own issuers.
    pub deployment: Arc<Deployment>,
    /// The compiled policy, for explaining.
    pub policy: Arc<PolicyCache>,
    /// Makes a cut-off effective before the answer.
    pub cut_off: Arc<CutOff>,
    /// The largest document of a whole organisation that is read, in bytes.
    pub document_bytes: usize,
    /// Hashes passwords, a bounded number at once in the whole process.
    pub passwords: Arc<Passwords>,
    /// How people of the built-in directory are treated.
    pub people: Arc<PeopleSettings>,
    /// How strongly administrators who are people must have signed in; `None` asks for nothing beyond the sign-in itself.
    pub strength: Option<Strength>,
    /// Times of a key rotation.
    pub rotation: RotationSettings,
    /// The origin of our gateway, for route snapshots.
    pub gateway_url: Option<Arc<str>>,
    /// The way to identity providers, where the issuer role runs.
    pub upstream: Option<Upstreams>,
}

/// What testing an identity provider needs.
#[derive(Clone)]
pub struct Upstreams {
    /// The way there.
    pub providers: Providers,
    /// Who our IdP is.
    pub settings: Arc<IdpSettings>,
}

/// An authenticated administrator and the context of the request.
pub struct Caller {
    /// Who.
    pub admin: Admin,
    /// The person, when it is one who signed in.
    pub person: Option<SignedIn>,
    /// The context.
    pub cx: Cx,
    /// Method and path, for the record of a refusal.
    pub act: String,
}

impl FromRequestParts<AdminDeps> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, deps: &AdminDeps) -> Result<Self, ApiError> {
        let cx = deps.basis.cx(parts);
        let guard = &deps.basis.guard;
        // Whoever guesses waits; a good token is heard all the same, or a neighbour could keep an administrator from
        // cutting somebody off.
        let wait = guard.admit(cx.peer, None, cx.now).err();
        let turned_away = |cx: &Cx| match wait {
            Some(seconds) => ApiError::too_many(cx, seconds),
            None => ApiError::unauthenticated(cx),
        };
        let Some(token) = bearer::token(&parts.headers) else {
            return Err(turned_away(&cx));
        };
        let refused = match identity::of(deps, &cx, &token).await {
            Ok(Ok(known)) => {
                let act = format!("{} {}", parts.method, parts.uri.path());
                return Ok(Self {
                    admin: known.admin,
                    person: known.person,
                    cx,
                    act: act.chars().take(MAX_ACT).collect(),
                });
            }
            Ok(Err(refused)) => refused,
            Err(error) => return Err(ApiError::failed(&cx, &error)),
        };
        // Only what proves nothing is a guess.
        let recorded = if !refused.is_guess() {
            deps.basis.authentication_refused(&cx, refused.event()).await
        } else if wait.is_some() {
            return Err(turned_away(&cx));
        } else {
            deps.basis.authentication_failed(&cx, refused.event()).await
        };
        if let Err(error) = recorded {
            return Err(ApiError::failed(&cx, &error));
        }
        Err(refused.answer(&cx, deps.deployment.idp.as_ref()))
    }
}
