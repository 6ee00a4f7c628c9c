//! `POST …/sign-in/code` and `…/sign-in/passkey`: the second half of a sign-in, and the sign-in with a passkey alone.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::directory::factor::Passkey;
use lanyard_core::idp::authorize::AuthorizeRequest;
use lanyard_core::idp::second_factor::{
    self, Browser, StepDenial, VerifiedPasskey, Waiting, complete_with_code, complete_with_passkey, record_unverified,
    sign_in_with_passkey,
};
use lanyard_core::idp::sign_in::NewSession;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_federation::passkey::PasskeyDenial;
use lanyard_federation::totp;
use lanyard_protocol::form::Form;
use secrecy::{ExposeSecret, SecretString};

use crate::passkeys::{self, Use};
use crate::sign_in::SignIn;
use crate::sign_in::messages::{parameters, retry_after};
use crate::sign_in::purpose::{Conclusion, Purpose};
use crate::sign_in::submit::{Again, STALE};
use crate::sign_in::view::SecondFactorPage;

const WRONG_CODE: &str = "That code is not right, or was used before. Wait for the next one and type that.";
const NOT_ACCEPTED: &str = "That passkey was not accepted. Please try again.";
const OVER: &str = "That took too long or went wrong too often. Please sign in again.";

/// A form of a sign-in whose password was right, or of a passkey.
pub(super) struct Sent {
    pub(super) parts: Parts,
    pub(super) form: Form,
    pub(super) cx: Cx,
    pub(super) carried: Form,
    pub(super) purpose: Purpose,
}

impl Sent {
    pub(super) fn field(&self, name: &'static str) -> &str {
        self.form.once(name).ok().flatten().unwrap_or_default()
    }

    pub(super) fn step(&self) -> SecretString {
        SecretString::from(self.field("step").to_owned())
    }
}

impl SignIn {
    /// Reads a form and what it carries; the request of a client is checked again.
    pub(super) async fn sent(&self, request: Request) -> Result<Sent, Response> {
        let (parts, form) = match parameters(request).await {
            Ok(read) => read,
            Err((parts, status)) => return Err(self.unreadable(&self.cx(&parts), status)),
        };
        let cx = self.cx(&parts);
        let carried = form.once("request").ok().flatten().unwrap_or_default();
        let Ok(carried) = Form::parse(carried.as_bytes()) else {
            return Err(self.unreadable(&cx, StatusCode::BAD_REQUEST));
        };
        let asked = AuthorizeRequest::parse(&carried);
        let (own_cx, given, form_of) = (cx.clone(), asked.clone(), carried.clone());
        let looked = self
            .deps
            .store
            .read(move |tx| Purpose::read(&own_cx, tx, &form_of, &given));
        let purpose = match looked.await {
            Ok(Ok(purpose)) => purpose,
            Ok(Err(refusal)) => return Err(self.refuse(&cx, &parts.method, asked, refusal).await),
            Err(error) => return Err(self.failure(&cx, &error)),
        };
        Ok(Sent {
            parts,
            form,
            cx,
            carried,
            purpose,
        })
    }

    /// The browser that sent a form of ours; `None` when the form is none, or another browser's.
    pub(super) fn browser_of(&self, sent: &Sent) -> Option<Browser> {
        let bound = self.guarded(&sent.parts, sent.field("form_token"))?;
        Some(Browser {
            bound,
            known: None,
            agent: self.agent(&sent.parts),
        })
    }

    /// The sign-in page once more, for a sign-in that has to begin again.
    pub(super) fn begin_again(&self, sent: &Sent, status: StatusCode, problem: &str) -> Response {
        let again = Again {
            own: self,
            parts: &sent.parts,
            carried: &sent.carried,
            purpose: &sent.purpose,
            username: "",
            cx: &sent.cx,
        };
        again.show(status, problem)
    }

    /// The page that asks for the second half.
    #[expect(clippy::too_many_arguments, reason = "the parts of one page")]
    pub(super) fn show_second(
        &self,
        cx: &Cx,
        purpose: &Purpose,
        carried: &Form,
        browser: &Browser,
        waiting: &Waiting,
        status: StatusCode,
        problem: Option<&str>,
    ) -> Response {
        let passkeys = &waiting.factors.passkeys;
        let asked = (!passkeys.is_empty())
            .then(|| {
                let site = self.passkeys.as_deref();
                passkeys::ask(cx, site, &self.deps.vault, &browser.bound, Use::SignIn, passkeys)
            })
            .flatten();
        // A code would only lead back to the program with an error.
        let weak = !(purpose.needs_passkey() && asked.is_some());
        let page = SecondFactorPage {
            page: &self.page,
            username: &waiting.user.username,
            request: &carried.encode(),
            form_token: lanyard_core::session::form_token::of(&browser.bound),
            step: waiting.secret.expose_secret(),
            passkey: asked.as_ref(),
            has_app: weak && waiting.factors.app_since.is_some(),
            has_codes: weak && waiting.factors.recovery_codes > 0,
            code_action: &self.code,
            passkey_action: &self.passkey,
            again: &self.path_of(purpose, carried),
            problem,
        };
        self.page.answer(status, &page, purpose.target())
    }

    /// What follows a session that began: the client or the account, and the cookies.
    pub(super) fn welcome(&self, sent: &Sent, new: &NewSession, conclusion: Conclusion) -> Response {
        let mut response = self.lead_on(&sent.purpose, conclusion);
        self.give_session(&sent.cx, &sent.parts, &mut response, new);
        response
    }

    /// Why a second half was refused, on the page that fits.
    async fn refused(&self, sent: &Sent, browser: &Browser, denial: StepDenial, words: &str) -> Response {
        let (cx, bound, step) = (sent.cx.clone(), browser.clone(), sent.step());
        let found = self
            .deps
            .store
            .read(move |tx| second_factor::find(&cx, tx, &bound, &step));
        let waiting = match found.await {
            Ok(Outcome::Granted(waiting)) => waiting,
            Ok(Outcome::Denied(_)) => return self.begin_again(sent, StatusCode::FORBIDDEN, OVER),
            Err(error) => return self.failure(&sent.cx, &error),
        };
        let show = |status, problem: &str| {
            self.show_second(
                &sent.cx,
                &sent.purpose,
                &sent.carried,
                browser,
                &waiting,
                status,
                Some(problem),
            )
        };
        match denial {
            StepDenial::TooMany(seconds) => {
                let problem = format!("Too many wrong codes. Please wait {} and try again.", span(seconds));
                retry_after(show(StatusCode::TOO_MANY_REQUESTS, &problem), seconds)
            }
            _ => show(StatusCode::FORBIDDEN, words),
        }
    }
}

/// Seconds in words.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        1 => "a second".to_owned(),
        0..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// `POST …/sign-in/code`
pub(super) async fn code(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let sent = match own.sent(request).await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    let Some(browser) = own.browser_of(&sent) else {
        return own.begin_again(&sent, StatusCode::BAD_REQUEST, STALE);
    };
    let browser = match own.known(&sent, browser).await {
        Ok(browser) => browser,
        Err(response) => return response,
    };
    let typed = sent.field("code").to_owned();
    let (settings, vault) = (Arc::clone(&own.deps.settings), Arc::clone(&own.deps.vault));
    let (cx, step, by) = (sent.cx.clone(), sent.step(), browser.clone());
    let replaces = own.replaces(&sent.cx, &sent.parts).await;
    let purpose = sent.purpose.clone();
    let done = own.deps.store.write(move |tx| {
        let replaces = replaces.as_ref();
        let end = complete_with_code(&cx, tx, &settings, &vault, &by, &step, &typed, totp::check, replaces)?;
        concluded(&cx, tx, &purpose, &settings, end)
    });
    match done.await {
        Ok(Ok((new, conclusion))) => own.welcome(&sent, &new, conclusion),
        Ok(Err(denial)) => own.refused(&sent, &browser, denial, WRONG_CODE).await,
        Err(error) => own.failure(&sent.cx, &error),
    }
}

/// `POST …/sign-in/passkey`
pub(super) async fn passkey(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let sent = match own.sent(request).await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    let Some(browser) = own.browser_of(&sent) else {
        return own.begin_again(&sent, StatusCode::BAD_REQUEST, STALE);
    };
    let alone = sent.field("step").is_empty();
    let verified = match own
        .verified(&sent.cx, &sent.form, &browser.bound, Use::SignIn, alone)
        .await
    {
        Ok(verified) => verified,
        Err(Unverified::Failed(error)) => return own.failure(&sent.cx, &error),
        Err(Unverified::Denied) if alone => {
            return own.begin_again(&sent, StatusCode::FORBIDDEN, NOT_ACCEPTED);
        }
        Err(Unverified::Denied) => {
            return own
                .refused(&sent, &browser, StepDenial::OtherPasskey, NOT_ACCEPTED)
                .await;
        }
    };
    let settings = Arc::clone(&own.deps.settings);
    let (cx, step, by) = (sent.cx.clone(), sent.step(), browser.clone());
    let replaces = own.replaces(&sent.cx, &sent.parts).await;
    let purpose = sent.purpose.clone();
    let done = own.deps.store.write(move |tx| {
        let replaces = replaces.as_ref();
        let end = if alone {
            sign_in_with_passkey(&cx, tx, &settings, &by, &verified, replaces)?
        } else {
            complete_with_passkey(&cx, tx, &settings, &by, &step, &verified, replaces)?
        };
        concluded(&cx, tx, &purpose, &settings, end)
    });
    match done.await {
        Ok(Ok((new, conclusion))) => own.welcome(&sent, &new, conclusion),
        Ok(Err(_)) if alone => own.begin_again(&sent, StatusCode::FORBIDDEN, NOT_ACCEPTED),
        Ok(Err(denial)) => own.refused(&sent, &browser, denial, NOT_ACCEPTED).await,
        Err(error) => own.failure(&sent.cx, &error),
    }
}

/// Does in the same unit what the sign-in was for.
pub(super) fn concluded(
    cx: &Cx,
    tx: &mut dyn Tx,
    purpose: &Purpose,
    settings: &lanyard_core::idp::settings::IdpSettings,
    end: Outcome<NewSession, StepDenial>,
) -> Result<Result<(NewSession, Conclusion), StepDenial>, StoreError> {
    match end {
        Outcome::Granted(new) => {
            let conclusion = purpose.conclude(cx, tx, settings, &new)?;
            Ok(Ok((new, conclusion)))
        }
        Outcome::Denied(denial) => Ok(Err(denial)),
    }
}

/// Why an answer with a passkey was not verified; a denial is recorded already.
pub(crate) enum Unverified {
    Denied,
    Failed(StoreError),
}

impl SignIn {
    /// Verifies the answer of a form: challenge, passkey, signature, counter. What is refused is recorded.
    pub(crate) async fn verified(
        &self,
        cx: &Cx,
        form: &Form,
        bound: &SecretString,
        purpose: Use,
        names_person: bool,
    ) -> Result<VerifiedPasskey, Unverified> {
        let field = |name| form.once(name).ok().flatten().unwrap_or_default();
        let (carried, answer) = (field("challenge"), field("answer"));
        let mut found: Option<Passkey> = None;
        let checked = async {
            let site = self.passkeys.as_deref().ok_or(PasskeyDenial::Protocol)?;
            let kept = passkeys::kept(cx, &self.deps.vault, bound, purpose, carried)?;
            let claimed = site.claimed(answer)?;
            let credential = claimed.credential.clone();
            let looked = self
                .deps
                .store
                .read(move |tx| tx.find_passkey_by_credential(&credential))
                .await;
            let passkey = match looked {
                Ok(Some(passkey)) => passkey,
                Ok(None) => return Ok(Err(Refused::Unknown)),
                Err(error) => return Ok(Err(Refused::Failed(error))),
            };
            found = Some(passkey.clone());
            if !passkeys::is_of(&passkey, claimed.handle.as_deref(), names_person) {
                return Ok(Err(Refused::Unknown));
            }
            let record = site.finish_sign_in(&kept.state, answer, &passkey.record)?;
            Ok::<_, PasskeyDenial>(Ok(VerifiedPasskey {
                record: record.unwrap_or_else(|| passkey.record.clone()),
                passkey,
                challenge: kept.id,
                challenge_ends_at: kept.ends_at,
            }))
        };
        let reason = match checked.await {
            Ok(Ok(verified)) => return Ok(verified),
            Ok(Err(Refused::Failed(error))) => return Err(Unverified::Failed(error)),
            Ok(Err(Refused::Unknown)) => StepDenial::OtherPasskey.code(),
            Err(denial) => denial.code(),
        };
        if found.is_some() || self.deps.limits.record_refusal(cx.peer, cx.now) {
            let own_cx = cx.clone();
            let told = self
                .deps
                .store
                .write(move |tx| record_unverified(&own_cx, tx, found.as_ref(), reason));
            if let Err(error) = told.await {
                return Err(Unverified::Failed(error));
            }
        }
        Err(Unverified::Denied)
    }

    /// The browser with what it is known by, for the person of the waiting sign-in.
    async fn known(&self, sent: &Sent, mut browser: Browser) -> Result<Browser, Response> {
        let (cx, by, step) = (sent.cx.clone(), browser.clone(), sent.step());
        let found = self.deps.store.read(move |tx| second_factor::find(&cx, tx, &by, &step));
        match found.await {
            Ok(Outcome::Granted(waiting)) => {
                browser.known = self.known_as(&sent.parts, &waiting.user.id);
                Ok(browser)
            }
            // The unit says it again, and records it.
            Ok(Outcome::Denied(_)) => Ok(browser),
            Err(error) => Err(self.failure(&sent.cx, &error)),
        }
    }
}

enum Refused {
    Unknown,
    Failed(StoreError),
}
