//! `POST …/account…`: password, app, recovery codes, passkeys, and proving again who one is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::account::{Own, OwnDenial, confirm as own_confirm, factors, password as own_password};
use lanyard_core::directory::password_rules::PasswordDenial;
use lanyard_core::id::PasskeyId;
use lanyard_core::idp::second_factor::{Browser, StepDenial};
use lanyard_core::idp::sign_in::folded;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::form_token;
use lanyard_core::session::passwords::NotHashed;
use lanyard_core::store::StoreExt;
use lanyard_federation::totp;
use secrecy::SecretString;

use crate::account::Room;
use crate::account::acts::Filled;
use crate::account::pages::{Said, Visitor};
use crate::account::view::AppPage;
use crate::passkeys::Use;
use crate::sign_in::SignIn;
use crate::sign_in::attempts::Tried;
use crate::sign_in::messages::retry_after;
use crate::sign_in::second::{Unverified, span};
use crate::sign_in::view::AppSecretView;

const BUSY: &str = "Many people are signing in at this moment. Please try again shortly.";

/// A password that was typed on a page of the account.
enum Typed {
    /// Checked against this hash.
    Checked(String, bool),
    /// Answered already.
    Answered(Box<Response>),
}

impl SignIn {
    /// Checks the present password of the person, as often as a sign-in may.
    async fn typed(&self, filled: &Filled, password: &str) -> Typed {
        let visitor = &filled.visitor;
        let id = visitor.own.user.id.clone();
        let looked = self.deps.store.read(move |tx| tx.find_credential(&id)).await;
        let hash = match looked {
            Ok(Some(credential)) => credential.password_hash,
            Ok(None) => {
                let refused = self.not_done(filled, Room::Security, OwnDenial::NotLocal);
                return Typed::Answered(Box::new(refused.await));
            }
            Err(error) => return Typed::Answered(Box::new(self.failure(&visitor.cx, &error))),
        };
        let tried = self.own_tries(visitor);
        if let Err(seconds) = self.may_try(&visitor.cx, &tried) {
            let problem = format!("Too many attempts. Please wait {} and try again.", span(seconds));
            return Typed::Answered(Box::new(self.wait(filled, &problem, seconds).await));
        }
        let fits = self.deps.passwords.fits(&hash, SecretString::from(password.to_owned()));
        match fits.await {
            Ok(fits) => {
                if fits {
                    self.attempts.succeeded(&tried);
                } else {
                    self.failed(&visitor.cx, &tried);
                }
                Typed::Checked(hash, fits)
            }
            Err(_) => Typed::Answered(Box::new(self.wait(filled, BUSY, 2).await)),
        }
    }

    fn own_tries(&self, visitor: &Visitor) -> Tried {
        let browser = Browser {
            bound: visitor.bound.clone(),
            known: self.known_as(&visitor.parts, &visitor.own.user.id),
            agent: None,
        };
        self.tried(&visitor.cx, &browser, &folded(&visitor.own.user.username))
    }

    async fn wait(&self, filled: &Filled, problem: &str, seconds: u64) -> Response {
        let said = Said {
            notice: None,
            problem: Some(problem),
        };
        let page = self.show_room(&filled.visitor, Room::Security, StatusCode::TOO_MANY_REQUESTS, said);
        retry_after(page.await, seconds)
    }

    fn show_app(&self, visitor: &Visitor, app: &AppSecretView, status: StatusCode, problem: Option<&str>) -> Response {
        let token = form_token::of(&visitor.bound);
        let said = Said { notice: None, problem };
        let page = AppPage {
            page: &self.page,
            frame: self.frame(visitor, Room::Security, &token, said),
            app,
        };
        let mut response = self.page.answer(status, &page, None);
        if visitor.fresh_bound {
            self.cookies.set_form(response.headers_mut(), &visitor.bound);
        }
        response
    }
}

/// `POST …/account/confirm`: the password or a passkey again.
pub(super) async fn confirm(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let session = filled.visitor.session.clone();
    if !filled.field("answer").is_empty() {
        let visitor = &filled.visitor;
        let verified = own
            .verified(&visitor.cx, &filled.form, &visitor.bound, Use::Confirm, false)
            .await;
        let verified = match verified {
            Ok(verified) => verified,
            Err(Unverified::Denied) => {
                let denial = OwnDenial::Step(StepDenial::OtherPasskey);
                return own.not_done(&filled, Room::Security, denial).await;
            }
            Err(Unverified::Failed(error)) => return own.failure(&visitor.cx, &error),
        };
        let end = own
            .act(&filled, move |cx, tx, person| {
                own_confirm::with_passkey(cx, tx, person, &session, &verified)
            })
            .await;
        return own.after(&filled, Room::Security, "confirmed", end).await;
    }
    let (hash, fits) = match own.typed(&filled, filled.field("password")).await {
        Typed::Checked(hash, fits) => (hash, fits),
        Typed::Answered(response) => return *response,
    };
    let end = own
        .act(&filled, move |cx, tx, person| {
            own_confirm::with_password(cx, tx, person, &session, &hash, fits)
        })
        .await;
    own.after(&filled, Room::Security, "confirmed", end).await
}

/// `POST …/account/password`: a new one, with the old one.
pub(super) async fn password(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let (old, new) = (filled.field("old").to_owned(), filled.field("new").to_owned());
    let (hash, fits) = match own.typed(&filled, &old).await {
        Typed::Checked(hash, fits) => (hash, fits),
        Typed::Answered(response) => return *response,
    };
    let rules = &own.deps.settings.people.passwords;
    let user = &filled.visitor.own.user;
    let names = [
        user.username.as_str(),
        user.display_name.as_str(),
        user.email.as_deref().unwrap_or_default(),
    ];
    let checked = if fits && old == new {
        Err(PasswordDenial::Unchanged)
    } else {
        rules.check(&new, &names)
    };
    // Only whoever knows the old password is told about the new one.
    if fits && let Err(denial) = checked {
        let told = own
            .act(&filled, move |cx, tx, person| {
                own_password::refuse(cx, tx, person, OwnDenial::Password(denial))
            })
            .await;
        return match told {
            Ok(denial) => own.not_done(&filled, Room::Security, denial).await,
            Err(error) => own.failure(&filled.visitor.cx, &error),
        };
    }
    let new_hash = if fits {
        match own.deps.passwords.hash(SecretString::from(new)).await {
            Ok(new_hash) => new_hash,
            Err(NotHashed::Busy(_)) => return own.wait(&filled, BUSY, 2).await,
            Err(NotHashed::TooLong(_)) => {
                let denial = OwnDenial::Password(PasswordDenial::TooLong);
                return own.not_done(&filled, Room::Security, denial).await;
            }
        }
    } else {
        String::new()
    };
    let session = filled.visitor.session.clone();
    let end = own
        .act(&filled, move |cx, tx, person| {
            own_password::change(cx, tx, person, &session, (&hash, fits), new_hash)
        })
        .await;
    own.after(&filled, Room::Security, "password", end).await
}

/// `GET …/account/app`: the secret of an app that is being set up.
pub(super) async fn app(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visitor = match own.visitor(parts, Room::Security).await {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    match own.app_secret(&visitor.cx, visitor.own.clone()).await {
        Ok(Outcome::Granted(app)) => own.show_app(&visitor, &app, StatusCode::OK, None),
        Ok(Outcome::Denied(_)) => own.redirect(StatusCode::SEE_OTHER, &own.room_path(Room::Security)),
        Err(error) => own.failure(&visitor.cx, &error),
    }
}

/// `POST …/account/app`: the first code of an app.
pub(super) async fn confirm_app(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let (vault, typed) = (Arc::clone(&own.deps.vault), filled.field("code").to_owned());
    let end = own
        .act(&filled, move |cx, tx, person| {
            factors::confirm_app(cx, tx, &vault, person, &typed, totp::check)
        })
        .await;
    match end {
        Ok(Outcome::Granted(codes)) => own.show_codes(&codes, &own.room_path(Room::Security), None),
        Ok(Outcome::Denied(OwnDenial::Step(_))) => {
            let visitor = &filled.visitor;
            let problem = "That code is not right. Check the clock of your telephone and type the next one.";
            match own.app_secret(&visitor.cx, visitor.own.clone()).await {
                Ok(Outcome::Granted(app)) => own.show_app(visitor, &app, StatusCode::FORBIDDEN, Some(problem)),
                Ok(Outcome::Denied(denial)) => own.not_done(&filled, Room::Security, denial).await,
                Err(error) => own.failure(&visitor.cx, &error),
            }
        }
        Ok(Outcome::Denied(denial)) => own.not_done(&filled, Room::Security, denial).await,
        Err(error) => own.failure(&filled.visitor.cx, &error),
    }
}

/// `POST …/account/app/remove`
pub(super) async fn remove_app(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let settings = Arc::clone(&own.deps.settings);
    let end = own
        .act(&filled, move |cx, tx, person| {
            factors::remove_app(cx, tx, &settings.people, person)
        })
        .await;
    own.after(&filled, Room::Security, "app", end).await
}

/// `POST …/account/codes`: new recovery codes.
pub(super) async fn codes(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let vault = Arc::clone(&own.deps.vault);
    let end = own
        .act(&filled, move |cx, tx, person| {
            factors::new_codes(cx, tx, &vault, person)
        })
        .await;
    match end {
        Ok(Outcome::Granted(codes)) => own.show_codes(&codes, &own.room_path(Room::Security), None),
        Ok(Outcome::Denied(denial)) => own.not_done(&filled, Room::Security, denial).await,
        Err(error) => own.failure(&filled.visitor.cx, &error),
    }
}

/// `POST …/account/passkeys`: one more.
pub(super) async fn add_passkey(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let visitor = &filled.visitor;
    let made = match own.made(&visitor.cx, &filled.form, &visitor.bound) {
        Ok(made) => made,
        Err(reason) => {
            let told = own
                .act(&filled, move |cx, tx, person: &Own| {
                    factors::record_unverified(cx, tx, person, reason)
                })
                .await;
            if let Err(error) = told {
                return own.failure(&visitor.cx, &error);
            }
            let said = Said {
                notice: None,
                problem: Some("The passkey could not be added. Please try again."),
            };
            return own
                .show_room(visitor, Room::Security, StatusCode::FORBIDDEN, said)
                .await;
        }
    };
    let (vault, name) = (Arc::clone(&own.deps.vault), filled.field("name").to_owned());
    let end = own
        .act(&filled, move |cx, tx, person| {
            factors::add_passkey(cx, tx, &vault, person, &name, &made)
        })
        .await;
    match end {
        Ok(Outcome::Granted(codes)) if codes.is_empty() => own.done(Room::Security, "passkey"),
        Ok(Outcome::Granted(codes)) => own.show_codes(&codes, &own.room_path(Room::Security), None),
        Ok(Outcome::Denied(denial)) => own.not_done(&filled, Room::Security, denial).await,
        Err(error) => own.failure(&visitor.cx, &error),
    }
}

/// `POST …/account/passkeys/name`
pub(super) async fn rename_passkey(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let Ok(id) = PasskeyId::parse(filled.field("passkey")) else {
        return own.not_done(&filled, Room::Security, OwnDenial::Gone).await;
    };
    let name = filled.field("name").to_owned();
    let end = own
        .act(&filled, move |cx, tx, person| {
            factors::rename_passkey(cx, tx, person, &id, &name)
        })
        .await;
    own.after(&filled, Room::Security, "passkey-name", end).await
}

/// `POST …/account/passkeys/remove`
pub(super) async fn remove_passkey(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let filled = match own.filled(request, Room::Security).await {
        Ok(filled) => filled,
        Err(response) => return *response,
    };
    let Ok(id) = PasskeyId::parse(filled.field("passkey")) else {
        return own.not_done(&filled, Room::Security, OwnDenial::Gone).await;
    };
    let settings = Arc::clone(&own.deps.settings);
    let end = own
        .act(&filled, move |cx, tx, person| {
            factors::remove_passkey(cx, tx, &settings.people, person, &id)
        })
        .await;
    own.after(&filled, Room::Security, "passkey-removed", end).await
}
