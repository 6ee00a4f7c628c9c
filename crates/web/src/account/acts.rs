//! `POST …/account…`: acts on profile, sessions and programs.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::account::{Own, OwnDenial, profile as own_profile, programs, sessions};
use lanyard_core::id::{FamilyId, SessionId};
use lanyard_core::idp::logout::{EndedBy, end};
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_protocol::form::Form;

use crate::account::Room;
use crate::account::pages::{Said, Visitor};
use crate::sign_in::SignIn;
use crate::sign_in::messages::parameters;

const STALE: &str = "This page was open for too long or in another browser. Please try again.";

/// A form of the account from the browser of a signed-in person.
pub(super) struct Filled {
    pub(super) visitor: Visitor,
    pub(super) form: Form,
}

impl Filled {
    pub(super) fn field(&self, name: &'static str) -> &str {
        self.form.once(name).ok().flatten().unwrap_or_default()
    }
}

impl SignIn {
    /// Reads a form of the account; what does not come from a page of ours changes nothing (SEC-16).
    pub(super) async fn filled(&self, request: Request, room: Room) -> Result<Filled, Box<Response>> {
        let (parts, form) = match parameters(request).await {
            Ok(read) => read,
            Err((parts, status)) => return Err(Box::new(self.unreadable(&self.cx(&parts), status))),
        };
        let ours = self
            .guarded(&parts, form.once("form_token").ok().flatten().unwrap_or_default())
            .is_some();
        let visitor = self.visitor(parts, room).await?;
        if !ours {
            let said = Said {
                notice: None,
                problem: Some(STALE),
            };
            let page = self.show_room(&visitor, room, StatusCode::BAD_REQUEST, said).await;
            return Err(Box::new(page));
        }
        Ok(Filled { visitor, form })
    }

    /// Runs an act of the person in one unit.
    pub(super) async fn act<T, F>(&self, filled: &Filled, act: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&lanyard_core::cx::Cx, &mut dyn Tx, &Own) -> Result<T, StoreError> + Send + 'static,
    {
        let (cx, own) = (filled.visitor.cx.clone(), filled.visitor.own.clone());
        self.deps.store.write_reserved(move |tx| act(&cx, tx, &own)).await
    }

    /// After an act: the page again by GET with a word, or with what was refused.
    pub(super) async fn after<T>(
        &self,
        filled: &Filled,
        room: Room,
        done: &str,
        end: Result<Outcome<T, OwnDenial>, StoreError>,
    ) -> Response {
        match end {
            Ok(Outcome::Granted(_)) => self.done(room, done),
            Ok(Outcome::Denied(denial)) => self.not_done(filled, room, denial).await,
            Err(error) => self.failure(&filled.visitor.cx, &error),
        }
    }

    /// The page with what was refused.
    pub(super) async fn not_done(&self, filled: &Filled, room: Room, denial: OwnDenial) -> Response {
        let problem = sentence(&denial.to_string());
        let said = Said {
            notice: None,
            problem: Some(&problem),
        };
        self.show_room(&filled.visitor, room, StatusCode::FORBIDDEN, said).await
    }

    /// The page by GET, so that reloading repeats nothing.
    pub(super) fn done(&self, room: Room, done: &str) -> Response {
        self.redirect(StatusCode::SEE_OTHER, &format!("{}?done={done}", self.room_path(room)))
    }
}

/// A reason as a sentence.
fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

/// `POST …/account/profile`
pub(super) async fn profile(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Profile).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let settings = Arc::clone(&own.deps.settings);
    let (name, email) = (
        filled.field("display_name").to_owned(),
        filled.field("email").to_owned(),
    );
    let end = own
        .act(&filled, move |cx, tx, person| {
            own_profile::change(cx, tx, &settings.people, person, &name, &email)
        })
        .await;
    own.after(&filled, Room::Profile, "profile", end).await
}

/// `POST …/account/sessions/end`
pub(super) async fn end_session(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Sessions).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let Ok(id) = SessionId::parse(filled.field("session")) else {
        return own.not_done(&filled, Room::Sessions, OwnDenial::Gone).await;
    };
    let this = id == filled.visitor.session.id;
    let ended = own
        .act(&filled, move |cx, tx, person| sessions::end_one(cx, tx, person, &id))
        .await;
    match ended {
        Ok(true) if this => signed_out(&own, &filled),
        Ok(true) => own.done(Room::Sessions, "session"),
        Ok(false) => own.not_done(&filled, Room::Sessions, OwnDenial::Gone).await,
        Err(error) => own.failure(&filled.visitor.cx, &error),
    }
}

/// `POST …/account/sessions/end-others`
pub(super) async fn end_others(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Sessions).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let keep = filled.visitor.session.id.clone();
    let ended = own
        .act(&filled, move |cx, tx, person| {
            sessions::end_others(cx, tx, person, &keep)
        })
        .await;
    match ended {
        Ok(_) => own.done(Room::Sessions, "sessions"),
        Err(error) => own.failure(&filled.visitor.cx, &error),
    }
}

/// `POST …/account/programs/remove`
pub(super) async fn remove_program(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Programs).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let id = filled.field("id").to_owned();
    let (vault, deployment) = (Arc::clone(&own.deps.vault), Arc::clone(&own.deps.deployment));
    let is_key = filled.field("kind") == "key";
    let end = own
        .act(&filled, move |cx, tx, person| {
            if is_key {
                return programs::remove_key(cx, tx, &vault, &deployment, person, &id);
            }
            match FamilyId::parse(id) {
                Ok(family) => programs::end_family(cx, tx, person, &family),
                Err(_) => Ok(Outcome::Denied(OwnDenial::Gone)),
            }
        })
        .await;
    own.after(&filled, Room::Programs, "program", end).await
}

/// `POST …/account/sign-out`
pub(super) async fn sign_out(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Profile).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let id = filled.visitor.session.id.clone();
    let ended = own
        .act(&filled, move |cx, tx, _| end(cx, tx, &id, &EndedBy::Person))
        .await;
    match ended {
        Ok(_) => signed_out(&own, &filled),
        Err(error) => own.failure(&filled.visitor.cx, &error),
    }
}

fn signed_out(own: &SignIn, filled: &Filled) -> Response {
    let mut response = own.message(
        StatusCode::OK,
        &filled.visitor.cx,
        "You are signed out",
        "Programs that used this sign-in will ask you to sign in again.",
        Some("You can close this page."),
    );
    own.cookies.clear_session(response.headers_mut());
    response
}
