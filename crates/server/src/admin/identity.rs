//! Who a bearer at the admin API is: the holder of an administrator token, or a person who signed in at our issuer.
//!
//! Owns telling the two apart and verifying a person's token. Whether it may act is core's (`admin/sign_in.rs`).

use std::sync::Arc;

use lanyard_core::admin::sign_in::{self, PersonDenial, SignedIn};
use lanyard_core::admin::token::Admin;
use lanyard_core::admin::tokens;
use lanyard_core::audit::record::NewEvent;
use lanyard_core::cx::Cx;
use lanyard_core::keys::record::Ring;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_jose::token::{AccessToken, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::issuer::Issuer;

use crate::admin::deps::AdminDeps;
use crate::admin::error::ApiError;
use crate::oauth::client_auth::ASSERTION_ALGORITHMS;
use crate::oauth::rings;

/// The longest life of a person's token: short, since what it allows is much.
const LONGEST_LIFE: i64 = 600;

/// An administrator.
pub(super) struct Known {
    pub(super) admin: Admin,
    /// The person, when it is one who signed in.
    pub(super) person: Option<SignedIn>,
}

/// Why nobody is known.
pub(super) enum Refused {
    /// Unknown, expired, revoked, forged: all look the same.
    Guess(&'static str),
    /// A token of ours whose person may not act.
    Person { subject: String, denial: PersonDenial },
}

impl Refused {
    pub(super) const fn is_guess(&self) -> bool {
        matches!(self, Self::Guess(_))
    }

    /// For the log.
    pub(super) fn event(&self) -> NewEvent {
        const KIND: &str = "admin.authentication.refused";
        match self {
            Self::Guess(reason) => NewEvent::denied(KIND, reason),
            Self::Person { subject, denial } => NewEvent::denied(KIND, denial.code())
                .subject(subject.as_str())
                .detail("why", denial.to_string()),
        }
    }

    /// For the caller, who proved who they are in the second case.
    pub(super) fn answer(&self, cx: &Cx, issuer: Option<&Issuer>) -> ApiError {
        match self {
            Self::Guess(_) => ApiError::unauthenticated(cx),
            Self::Person { denial, .. } => ApiError::person_denied(cx, denial, issuer),
        }
    }
}

/// Who presented `token`, as they stand at this moment.
pub(super) async fn of(deps: &AdminDeps, cx: &Cx, token: &str) -> Result<Result<Known, Refused>, StoreError> {
    let store = &deps.basis.store;
    if !token.starts_with("ey") {
        let (token, now) = (token.to_owned(), cx.now);
        let found = store.read(move |tx| tokens::authenticate(tx, &token, now)).await?;
        let known = found.map(|admin| Known { admin, person: None });
        return Ok(known.ok_or(Refused::Guess("unknown_token")));
    }
    let token = match read(deps, cx, token) {
        Ok(token) => token,
        Err(reason) => return Ok(Err(Refused::Guess(reason))),
    };
    let subject = token.sub.as_str().to_owned();
    let (own, rings, needed) = (cx.clone(), Arc::clone(&deps.basis.rings), deps.strength);
    let decided = store
        .read(move |tx| {
            // A key that was removed in an emergency verifies nothing, from this commit on.
            let current = rings.current(tx)?;
            if !rings::of(&current, Ring::Idp)?.published.contains(token.kid()) {
                return Ok(None);
            }
            sign_in::authenticate(&own, tx, &token, needed).map(Some)
        })
        .await?;
    Ok(match decided {
        None => Err(Refused::Guess("unknown_key")),
        Some(Outcome::Denied(denial)) => Err(Refused::Person { subject, denial }),
        Some(Outcome::Granted(person)) => Ok(Known {
            admin: person.admin.clone(),
            person: Some(person),
        }),
    })
}

/// A token of our own issuer for the admin API, with a good signature.
fn read(deps: &AdminDeps, cx: &Cx, token: &str) -> Result<Verified<AccessToken>, &'static str> {
    let Some(issuer) = &deps.deployment.idp else {
        return Err("no_issuer_here");
    };
    let token = Unverified::<AccessToken>::parse(token).map_err(|why| why.code())?;
    let audience = sign_in::audience(issuer);
    let expected = Expected {
        issuer: issuer.as_str(),
        audience: Audience::Sole(&audience),
        now: cx.now.seconds(),
        leeway: 0,
        algorithms: ASSERTION_ALGORITHMS,
        max_lifetime: Some(LONGEST_LIFE),
    };
    let rings = deps.basis.rings.snapshot();
    let ring = rings.get(Ring::Idp).ok_or("unknown_key")?;
    verify(&token, &ring.published, &expected).map_err(|why| why.code())
}
