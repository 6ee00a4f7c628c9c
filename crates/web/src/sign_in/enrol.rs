//! `POST …/sign-in/enrol`: a second factor that must be set up before the sign-in goes on.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::account::factors::{self, MadePasskey};
use lanyard_core::account::{Own, OwnDenial};
use lanyard_core::cx::Cx;
use lanyard_core::idp::second_factor::{self, Browser, Waiting, complete_enrolment};
use lanyard_core::idp::sign_in::NewSession;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::form_token;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_federation::{qr, totp};
use lanyard_protocol::form::Form;
use secrecy::{ExposeSecret, SecretString};

use crate::passkeys::{self, Use};
use crate::sign_in::SignIn;
use crate::sign_in::purpose::Purpose;
use crate::sign_in::second::Sent;
use crate::sign_in::submit::STALE;
use crate::sign_in::view::{AppSecretView, CodesPage, EnrolPage};

const WRONG_CODE: &str =
    "That code is not right. Check that the clock of your telephone is right and type the next one.";
const NOT_MADE: &str = "The passkey could not be added. Please try again, or use an app.";
const OVER: &str = "That took too long. Please sign in again.";

impl SignIn {
    /// The page that asks to set a second factor up.
    pub(super) async fn show_enrol(
        &self,
        cx: &Cx,
        purpose: &Purpose,
        carried: &Form,
        browser: &Browser,
        waiting: &Waiting,
        problem: Option<&str>,
    ) -> Response {
        let own = Own::enrolling(waiting.user.clone());
        // Codes from an app would only lead back to the program with an error.
        let app = if purpose.needs_passkey() && self.passkeys.is_some() {
            None
        } else {
            match self.app_secret(cx, own).await {
                Ok(Outcome::Granted(app)) => Some(app),
                Ok(Outcome::Denied(_)) => return self.unreadable(cx, StatusCode::BAD_REQUEST),
                Err(error) => return self.failure(cx, &error),
            }
        };
        let site = self.passkeys.as_deref();
        let asked = passkeys::ask_new(cx, site, &self.deps.vault, &browser.bound, &waiting.user, &[]);
        let page = EnrolPage {
            page: &self.page,
            username: &waiting.user.username,
            request: &carried.encode(),
            form_token: form_token::of(&browser.bound),
            step: waiting.secret.expose_secret(),
            action: &self.enrol,
            app: app.as_ref(),
            passkey: asked.as_ref(),
            problem,
        };
        let status = if problem.is_some() {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::OK
        };
        self.page.answer(status, &page, purpose.target())
    }

    /// The secret of an app that is being set up, as it is shown.
    pub(crate) async fn app_secret(&self, cx: &Cx, own: Own) -> Result<Outcome<AppSecretView, OwnDenial>, StoreError> {
        let fresh = totp::generate(&*cx.random);
        let (own_cx, vault) = (cx.clone(), Arc::clone(&self.deps.vault));
        let username = own.user.username.clone();
        let begun = self
            .deps
            .store
            .write(move |tx| factors::begin_app(&own_cx, tx, &vault, &own, &fresh));
        Ok(match begun.await? {
            Outcome::Granted(secret) => {
                let uri = totp::uri(&secret, &self.page.organisation, &username);
                Outcome::Granted(AppSecretView {
                    svg: qr::svg(&uri, "QR code for your app").unwrap_or_default(),
                    text: totp::shown(&secret),
                    uri,
                })
            }
            Outcome::Denied(denial) => Outcome::Denied(denial),
        })
    }

    /// Recovery codes, shown once, and the way on.
    pub(crate) fn show_codes(&self, codes: &[SecretString], on: &str, target: Option<&str>) -> Response {
        let codes: Vec<&str> = codes.iter().map(ExposeSecret::expose_secret).collect();
        let page = CodesPage {
            page: &self.page,
            codes,
            on,
        };
        self.page.answer(StatusCode::OK, &page, target)
    }

    /// A passkey that the form's answer makes.
    pub(crate) fn made(&self, cx: &Cx, form: &Form, bound: &SecretString) -> Result<MadePasskey, &'static str> {
        let field = |name| form.once(name).ok().flatten().unwrap_or_default();
        let site = self.passkeys.as_deref().ok_or("passkey_protocol")?;
        let kept = passkeys::kept(cx, &self.deps.vault, bound, Use::Register, field("challenge"))
            .map_err(lanyard_federation::passkey::PasskeyDenial::code)?;
        let made = site
            .finish_registration(&kept.state, field("answer"))
            .map_err(lanyard_federation::passkey::PasskeyDenial::code)?;
        Ok(MadePasskey {
            credential: made.credential,
            record: made.record,
            challenge: kept.id,
            challenge_ends_at: kept.ends_at,
        })
    }
}

pub(super) async fn handle(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let sent = match own.sent(request).await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    let Some(browser) = own.browser_of(&sent) else {
        return own.begin_again(&sent, StatusCode::BAD_REQUEST, STALE);
    };
    let (cx, by, step) = (sent.cx.clone(), browser.clone(), sent.step());
    let found = own.deps.store.read(move |tx| second_factor::find(&cx, tx, &by, &step));
    let waiting = match found.await {
        Ok(Outcome::Granted(waiting)) if waiting.enrols => waiting,
        Ok(_) => return own.begin_again(&sent, StatusCode::FORBIDDEN, OVER),
        Err(error) => return own.failure(&sent.cx, &error),
    };
    match finish(&own, &sent, &browser, &waiting).await {
        Ok(Ok((new, codes))) => {
            let on = own.path_of(&sent.purpose, &sent.carried);
            let mut response = own.show_codes(&codes, &on, sent.purpose.target());
            own.give_session(&sent.cx, &sent.parts, &mut response, &new);
            response
        }
        Ok(Err(problem)) => {
            let (purpose, carried) = (&sent.purpose, &sent.carried);
            own.show_enrol(&sent.cx, purpose, carried, &browser, &waiting, Some(problem))
                .await
        }
        Err(error) => own.failure(&sent.cx, &error),
    }
}

type Finished = Result<Result<(NewSession, Vec<SecretString>), &'static str>, StoreError>;

/// Sets the factor up and begins the session, in one unit.
async fn finish(own: &Arc<SignIn>, sent: &Sent, browser: &Browser, waiting: &Waiting) -> Finished {
    let person = Own::enrolling(waiting.user.clone());
    let answered = !sent.field("answer").is_empty();
    let made = if answered {
        match own.made(&sent.cx, &sent.form, &browser.bound) {
            Ok(made) => Some(made),
            Err(reason) => {
                let cx = sent.cx.clone();
                let told = own
                    .deps
                    .store
                    .write(move |tx| factors::record_unverified(&cx, tx, &person, reason));
                return told.await.map(|()| Err(NOT_MADE));
            }
        }
    } else {
        None
    };
    let (cx, by, step) = (sent.cx.clone(), browser.clone(), sent.step());
    let (vault, settings) = (Arc::clone(&own.deps.vault), Arc::clone(&own.deps.settings));
    let typed = sent.field("code").to_owned();
    let replaces = own.replaces(&sent.cx, &sent.parts).await;
    let done = own.deps.store.write(move |tx| {
        let (set_up, how): (_, (Strength, &[&str])) = match &made {
            Some(made) => (
                factors::add_passkey(&cx, tx, &vault, &person, "My first passkey", made)?,
                (Strength::PhishingResistant, &["pwd", "hwk", "user", "mfa"]),
            ),
            None => (
                factors::confirm_app(&cx, tx, &vault, &person, &typed, totp::check)?,
                (Strength::MultiFactor, &["pwd", "otp", "mfa"]),
            ),
        };
        let codes = match set_up {
            Outcome::Granted(codes) => codes,
            Outcome::Denied(_) => return Ok(Err(if made.is_some() { NOT_MADE } else { WRONG_CODE })),
        };
        let end = complete_enrolment(&cx, tx, &settings, &by, &step, how, replaces.as_ref())?;
        Ok(match end {
            Outcome::Granted(new) => Ok((new, codes)),
            Outcome::Denied(_) => Err(OVER),
        })
    });
    done.await
}
