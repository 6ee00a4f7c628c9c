//! `POST …/sign-in`: user name and password, then the code.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::{AuthorizeRequest, ValidAuthorize, check_client, issue_code};
use lanyard_core::idp::session;
use lanyard_core::idp::sign_in::{complete, lookup};
use lanyard_core::outcome::Outcome;
use lanyard_core::session::form_token;
use lanyard_core::store::StoreExt;
use lanyard_protocol::form::Form;
use secrecy::{ExposeSecret, SecretString};

use crate::sign_in::SignIn;
use crate::sign_in::browser::is_own_form;
use crate::sign_in::messages::{parameters, redirect_status, retry_after};

/// One text for every reason (SEC-23).
const WRONG: &str = "The user name or password is not right. Please try again.";
const STALE: &str = "This page was open for too long or in another browser. Please sign in again.";
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

    let (own_cx, given, name) = (cx.clone(), asked.clone(), username.clone());
    let looked = own
        .deps
        .store
        .read(move |tx| Ok((check_client(&own_cx, tx, &given)?, lookup(tx, &name)?)));
    let (valid, candidate) = match looked.await {
        Ok((Ok(valid), candidate)) => (valid, candidate),
        Ok((Err(refusal), _)) => return own.refuse(&cx, &parts.method, asked, refusal).await,
        Err(error) => return own.failure(&cx, &error),
    };
    let again = Again {
        own: &own,
        parts: &parts,
        carried: &carried,
        valid: &valid,
        username: &username,
        cx: &cx,
    };

    let ours = is_own_form(&parts.headers, &own.deps.settings.issuer.origin());
    let bound = own.cookies.form(&parts.headers);
    if !ours || !bound.is_some_and(|bound| form_token::fits(&bound, field("form_token"))) {
        return again.show(StatusCode::BAD_REQUEST, STALE);
    }
    let account = username.to_lowercase();
    if let Err(seconds) = own.deps.limits.admit(cx.peer, &account, cx.now) {
        let problem = format!("Too many attempts. Please wait {seconds} seconds and try again.");
        return retry_after(again.show(StatusCode::TOO_MANY_REQUESTS, &problem), seconds);
    }
    let password = SecretString::from(field("password"));
    let Ok(fits) = own.deps.passwords.fits(candidate.hash(), password).await else {
        return retry_after(again.show(StatusCode::SERVICE_UNAVAILABLE, BUSY), 2);
    };

    // Checking took its time, and the code lives for a minute from now.
    let later = own.later(&cx);
    let (settings, asked, old) = (
        Arc::clone(&own.deps.settings),
        valid.clone(),
        own.cookies.session(&parts.headers),
    );
    let unit_cx = later.clone();
    let done = own.deps.store.write(move |tx| {
        let old = match &old {
            Some(secret) => session::find(&unit_cx, tx, &settings, secret.expose_secret())?,
            None => None,
        };
        let replaced = old.as_ref().map(|(session, _)| &session.id);
        let new = match complete(&unit_cx, tx, &settings, &candidate, fits, replaced)? {
            Outcome::Granted(new) => new,
            Outcome::Denied(_) => return Ok(None),
        };
        let code = issue_code(&unit_cx, tx, &settings, &asked, &new.session.id)?;
        Ok(Some((new.secret, code)))
    });
    let mut response = match done.await {
        Ok(Some((secret, code))) => {
            let mut response = match code {
                Outcome::Granted(code) => own.redirect(redirect_status(&parts.method), code.location.expose_secret()),
                Outcome::Denied(denial) => {
                    own.send_back(&parts.method, &valid.redirect_uri, valid.state.as_deref(), denial)
                }
            };
            own.cookies.set_session(response.headers_mut(), &secret);
            return response;
        }
        Ok(None) => {
            own.deps.limits.failed(cx.peer, &account, later.now);
            again.show(StatusCode::FORBIDDEN, WRONG)
        }
        Err(error) => own.failure(&cx, &error),
    };
    crate::headers::private(response.headers_mut(), own.page.secure);
    response
}

/// The same page once more, with what was wrong.
struct Again<'a> {
    own: &'a SignIn,
    parts: &'a Parts,
    carried: &'a Form,
    valid: &'a ValidAuthorize,
    username: &'a str,
    cx: &'a Cx,
}

impl Again<'_> {
    fn show(&self, status: StatusCode, problem: &str) -> Response {
        let problem = Some(problem.to_owned());
        self.own.show_sign_in(
            self.parts,
            self.carried,
            self.valid,
            self.username,
            problem,
            status,
            self.cx,
        )
    }
}
