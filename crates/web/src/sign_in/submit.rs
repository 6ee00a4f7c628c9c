//! `POST …/sign-in`: user name and password, then the code, or the second half.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::AuthorizeRequest;
use lanyard_core::idp::second_factor::Browser;
use lanyard_core::idp::sign_in::{NewSession, Passed, folded, lookup, proceed};
use lanyard_core::outcome::Outcome;
use lanyard_core::store::StoreExt;
use lanyard_protocol::form::Form;
use secrecy::SecretString;

use crate::sign_in::SignIn;
use crate::sign_in::attempts::Tried;
use crate::sign_in::messages::{parameters, retry_after};
use crate::sign_in::purpose::{Conclusion, Purpose};
use crate::sign_in::second::span;

/// One text for every reason (SEC-23).
const WRONG: &str = "The user name or password is not right. Please try again.";
pub(super) const STALE: &str = "This page was open for too long or in another browser. Please sign in again.";
const BUSY: &str = "Many people are signing in at this moment. Please try again shortly.";

pub(super) async fn handle(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, form) = match parameters(request).await {
        Ok(read) => read,
        Err((parts, status)) => return own.unreadable(&own.cx(&parts), status),
    };
    let cx = own.cx(&parts);
    let field = |name: &'static str| form.once(name).ok().flatten().unwrap_or_default();
    let Ok(carried) = Form::parse(field("request").as_bytes()) else {
        return own.unreadable(&cx, StatusCode::BAD_REQUEST);
    };
    let asked = AuthorizeRequest::parse(&carried);
    // What a person types as a name is not trimmed of anything but blanks around it; core does the rest.
    let username = field("username").trim().to_owned();

    let (own_cx, given, carried_form, name) = (cx.clone(), asked.clone(), carried.clone(), username.clone());
    let looked = own.deps.store.read(move |tx| {
        let purpose = Purpose::read(&own_cx, tx, &carried_form, &given)?;
        Ok((purpose, lookup(tx, &name)?))
    });
    let (purpose, candidate) = match looked.await {
        Ok((Ok(purpose), candidate)) => (purpose, candidate),
        Ok((Err(refusal), _)) => return own.refuse(&cx, &parts.method, asked, refusal).await,
        Err(error) => return own.failure(&cx, &error),
    };
    let again = Again {
        own: &own,
        parts: &parts,
        carried: &carried,
        purpose: &purpose,
        username: &username,
        cx: &cx,
    };

    let Some(bound) = own.guarded(&parts, field("form_token")) else {
        return again.show(StatusCode::BAD_REQUEST, STALE);
    };
    let browser = Browser {
        bound,
        known: candidate.user().and_then(|user| own.known_as(&parts, user)),
        agent: own.agent(&parts),
    };
    let tried = own.tried(&cx, &browser, &folded(&username));
    if let Err(seconds) = own.may_try(&cx, &tried) {
        let problem = format!("Too many attempts. Please wait {} and try again.", span(seconds));
        return retry_after(again.show(StatusCode::TOO_MANY_REQUESTS, &problem), seconds);
    }
    let password = SecretString::from(field("password"));
    let Ok(fits) = own.deps.passwords.fits(candidate.hash(), password).await else {
        return retry_after(again.show(StatusCode::SERVICE_UNAVAILABLE, BUSY), 2);
    };

    // Checking took its time, and the code lives for a minute from now.
    let later = own.later(&cx);
    let (settings, for_what, by) = (Arc::clone(&own.deps.settings), purpose.clone(), browser.clone());
    let replaces = own.replaces(&later, &parts).await;
    let asked_for = own.can_ask_for(&purpose);
    let unit_cx = later.clone();
    let done = own.deps.store.write(move |tx| {
        let replaces = replaces.as_ref();
        match proceed(&unit_cx, tx, &settings, (&candidate, fits), &by, asked_for, replaces)? {
            Outcome::Granted(Passed::Admitted(new)) => {
                let conclusion = for_what.conclude(&unit_cx, tx, &settings, &new)?;
                Ok(Some(Next::Welcome(new, conclusion)))
            }
            Outcome::Granted(Passed::Waiting(waiting)) => Ok(Some(Next::Second(waiting))),
            Outcome::Denied(_) => Ok(None),
        }
    });
    let mut response = match done.await {
        Ok(Some(Next::Welcome(new, conclusion))) => {
            own.attempts.succeeded(&tried);
            let mut response = own.lead_on(&purpose, conclusion);
            own.give_session(&later, &parts, &mut response, &new);
            return response;
        }
        Ok(Some(Next::Second(waiting))) => {
            own.attempts.succeeded(&tried);
            if waiting.enrols {
                own.show_enrol(&later, &purpose, &carried, &browser, &waiting, None)
                    .await
            } else {
                own.show_second(&later, &purpose, &carried, &browser, &waiting, StatusCode::OK, None)
            }
        }
        Ok(None) => {
            own.failed(&later, &tried);
            again.show(StatusCode::FORBIDDEN, WRONG)
        }
        Err(error) => own.failure(&cx, &error),
    };
    crate::headers::private(response.headers_mut(), own.page.secure);
    response
}

/// What follows a right password.
enum Next {
    Welcome(Box<NewSession>, Conclusion),
    Second(Box<lanyard_core::idp::second_factor::Waiting>),
}

impl SignIn {
    /// Whose attempts at an account are counted together.
    pub(crate) fn tried(&self, cx: &Cx, browser: &Browser, account: &str) -> Tried {
        match &browser.known {
            Some(known) => Tried::Browser(known.clone(), account.to_owned()),
            None => Tried::Source(cx.peer, account.to_owned()),
        }
    }

    /// Whether an attempt is heard now.
    ///
    /// # Errors
    /// The seconds to wait.
    pub(crate) fn may_try(&self, cx: &Cx, tried: &Tried) -> Result<(), u64> {
        // A known browser is not kept out by others behind its address.
        if let Tried::Source(source, account) = tried {
            self.deps.limits.admit(*source, account, cx.now)?;
        }
        self.attempts.admit(tried, cx.now)
    }

    /// Counts a failed attempt.
    pub(crate) fn failed(&self, cx: &Cx, tried: &Tried) {
        if let Tried::Source(source, account) = tried {
            self.deps.limits.failed(*source, account, cx.now);
        }
        self.attempts.failed(tried, cx.now);
    }
}

/// The same page once more, with what was wrong.
pub(super) struct Again<'a> {
    pub(super) own: &'a SignIn,
    pub(super) parts: &'a Parts,
    pub(super) carried: &'a Form,
    pub(super) purpose: &'a Purpose,
    pub(super) username: &'a str,
    pub(super) cx: &'a Cx,
}

impl Again<'_> {
    pub(super) fn show(&self, status: StatusCode, problem: &str) -> Response {
        let problem = Some(problem.to_owned());
        self.own.show_sign_in(
            self.parts,
            self.carried,
            self.purpose,
            self.username,
            problem,
            status,
            self.cx,
        )
    }
}
