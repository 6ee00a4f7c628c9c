//! What the pages know of a browser: its cookies, its person, its name.

use axum::response::Response;
use http::header::USER_AGENT;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::directory::user::User;
use lanyard_core::id::{SessionId, UserId};
use lanyard_core::idp::sign_in::NewSession;
use lanyard_core::idp::{known_browser, session};
use lanyard_core::session::agent;
use lanyard_core::session::form_token;
use lanyard_core::session::record::Session;
use lanyard_core::store::{StoreError, StoreExt};
use secrecy::{ExposeSecret, SecretString};

use crate::sign_in::SignIn;
use crate::sign_in::browser::is_own_form;

impl SignIn {
    /// What forms of this browser are bound to, and whether it must be given to the browser.
    pub(crate) fn bound(&self, cx: &Cx, parts: &Parts) -> (SecretString, bool) {
        let known = self.cookies.form(&parts.headers);
        match known.filter(|known| known.expose_secret().len() >= 43) {
            Some(known) => (known, false),
            None => (form_token::pre_session(cx), true),
        }
    }

    /// What this browser's forms are bound to, when a form of ours came from it (SEC-16).
    pub(crate) fn guarded(&self, parts: &Parts, token: &str) -> Option<SecretString> {
        if !is_own_form(&parts.headers, &self.deps.settings.issuer.origin()) {
            return None;
        }
        let bound = self.cookies.form(&parts.headers)?;
        form_token::fits(&bound, token).then_some(bound)
    }

    /// The browser in words.
    pub(crate) fn agent(&self, parts: &Parts) -> Option<String> {
        agent::describe(parts.headers.get(USER_AGENT)?.to_str().ok()?)
    }

    /// What the browser is known by to this person.
    pub(crate) fn known_as(&self, parts: &Parts, user: &UserId) -> Option<String> {
        known_browser::find(&self.deps.vault, self.cookies.known(&parts.headers).as_ref(), user)
    }

    /// The live session of the browser, with its person.
    pub(crate) async fn session(&self, cx: &Cx, parts: &Parts) -> Result<Option<(Session, User)>, StoreError> {
        let Some(secret) = self.cookies.session(&parts.headers) else {
            return Ok(None);
        };
        let (own_cx, settings) = (cx.clone(), std::sync::Arc::clone(&self.deps.settings));
        let found = self
            .deps
            .store
            .read(move |tx| session::find(&own_cx, tx, &settings, secret.expose_secret()));
        found.await
    }

    /// The session that a new sign-in of this browser replaces. One that cannot be read now ends by itself.
    pub(crate) async fn replaces(&self, cx: &Cx, parts: &Parts) -> Option<SessionId> {
        let found = self.session(cx, parts).await.ok().flatten();
        found.map(|(session, _)| session.id)
    }

    /// Gives the browser a session that began, and lets it be known to its person.
    pub(crate) fn give_session(&self, cx: &Cx, parts: &Parts, response: &mut Response, new: &NewSession) {
        let known = self.cookies.known(&parts.headers);
        let text = known_browser::remember(cx, &self.deps.vault, known.as_ref(), &new.user.id);
        self.cookies.set_session(response.headers_mut(), &new.secret);
        self.cookies.set_known(response.headers_mut(), &text);
    }
}
