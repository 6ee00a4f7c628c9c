//! A person's own account: profile, security, sessions, programs.
//!
//! Owns the paths `/account…` below the issuer and what their pages show. Never decides: `core/src/account/` does.

mod acts;
mod pages;
mod security;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::sign_in::SignIn;

/// A page of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    /// Who one is.
    Profile,
    /// Password and second factors.
    Security,
    /// Browsers that are signed in.
    Sessions,
    /// Programs that act for one.
    Programs,
}

impl Room {
    /// Every page, in the order of the menu.
    pub(crate) const ALL: [Self; 4] = [Self::Profile, Self::Security, Self::Sessions, Self::Programs];

    /// The name in a carried request.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Security => "security",
            Self::Sessions => "sessions",
            Self::Programs => "programs",
        }
    }

    /// The page of a name; the first one for any other text.
    pub(crate) fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|room| room.name() == name);
        found.unwrap_or(Self::Profile)
    }

    /// The heading.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Profile => "Profile",
            Self::Security => "Security",
            Self::Sessions => "Sessions",
            Self::Programs => "Programs",
        }
    }

    /// The path below the issuer.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Profile => "/account",
            Self::Security => "/account/security",
            Self::Sessions => "/account/sessions",
            Self::Programs => "/account/programs",
        }
    }
}

/// The routes of the account.
pub(crate) fn router(base: &str) -> Router<Arc<SignIn>> {
    let at = |path: &str| format!("{base}{path}");
    Router::new()
        .route(&at(Room::Profile.path()), get(pages::profile))
        .route(&at(Room::Security.path()), get(pages::security))
        .route(&at(Room::Sessions.path()), get(pages::sessions))
        .route(&at(Room::Programs.path()), get(pages::programs))
        .route(&at("/account/profile"), post(acts::profile))
        .route(&at("/account/sign-out"), post(acts::sign_out))
        .route(&at("/account/sessions/end"), post(acts::end_session))
        .route(&at("/account/sessions/end-others"), post(acts::end_others))
        .route(&at("/account/programs/remove"), post(acts::remove_program))
        .route(&at("/account/confirm"), post(security::confirm))
        .route(&at("/account/password"), post(security::password))
        .route(&at("/account/app"), get(security::app).post(security::confirm_app))
        .route(&at("/account/app/remove"), post(security::remove_app))
        .route(&at("/account/codes"), post(security::codes))
        .route(&at("/account/passkeys"), post(security::add_passkey))
        .route(&at("/account/passkeys/name"), post(security::rename_passkey))
        .route(&at("/account/passkeys/remove"), post(security::remove_passkey))
}
