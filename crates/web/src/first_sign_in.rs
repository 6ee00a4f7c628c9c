//! `…/first-sign-in`: the one-time token of the first start makes the first owner, in a browser.
//!
//! The token stands in the fragment of the link, which no browser sends; a small script moves it into the form. Without
//! JavaScript the person pastes it.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::admin::owner::{ClaimDenial, FirstOwner, claim_as_person, is_claimable};
use lanyard_core::cx::Cx;
use lanyard_core::directory::provision::NewUser;
use lanyard_core::idp::sign_in::{Admission, admit, folded};
use lanyard_core::outcome::Outcome;
use lanyard_core::session::form_token;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::StoreExt;
use lanyard_protocol::form::Form;
use secrecy::SecretString;

use crate::account::Room;
use crate::page::Page;
use crate::sign_in::SignIn;
use crate::sign_in::messages::{parameters, retry_after};
use crate::sign_in::second::span;

const PATH: &str = "/first-sign-in";
/// Under which wrong tokens are counted: no user name has a blank.
const ACCOUNT: &str = "first sign-in";
const STALE: &str = "This page was open for too long or in another browser. Please try again.";
const BUSY: &str = "The service has much to do at this moment. Please try again shortly.";

#[derive(Template)]
#[template(path = "sign_in/first.html")]
struct FirstPage<'a> {
    page: &'a Page,
    action: &'a str,
    form_token: String,
    token: &'a str,
    username: &'a str,
    display_name: &'a str,
    min_length: usize,
    problem: Option<&'a str>,
}

/// The route.
pub(crate) fn router(base: &str) -> Router<Arc<SignIn>> {
    Router::new().route(&format!("{base}{PATH}"), get(show).post(claim))
}

async fn show(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = own.cx(&parts);
    own.show_first(&cx, &parts, &Form::default(), StatusCode::OK, None)
}

async fn claim(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, form) = match parameters(request).await {
        Ok(read) => read,
        Err((parts, status)) => return own.unreadable(&own.cx(&parts), status),
    };
    let cx = own.cx(&parts);
    let field = |name: &'static str| form.once(name).ok().flatten().unwrap_or_default().to_owned();
    let again = |status, problem: &str| own.show_first(&cx, &parts, &form, status, Some(problem));
    if own.guarded(&parts, &field("form_token")).is_none() {
        return again(StatusCode::BAD_REQUEST, STALE);
    }
    if let Err(seconds) = own.deps.limits.admit(cx.peer, ACCOUNT, cx.now) {
        let problem = format!("Too many attempts. Please wait {} and try again.", span(seconds));
        return retry_after(again(StatusCode::TOO_MANY_REQUESTS, &problem), seconds);
    }
    let token = field("token").trim().to_owned();
    let person = NewUser {
        username: folded(&field("username")),
        email: None,
        display_name: field("display_name").trim().to_owned(),
    };
    let (own_cx, presented) = (cx.clone(), token.clone());
    let claimable = own.deps.store.read(move |tx| is_claimable(&own_cx, tx, &presented));
    let password = field("password");
    // A token that is not good is refused by the unit, which records it.
    let hash = match claimable.await {
        Ok(Ok(())) => {
            let names = [person.username.as_str(), person.display_name.as_str()];
            if let Err(denial) = own.deps.settings.people.passwords.check(&password, &names) {
                let problem = format!("This password cannot be used: {denial}.");
                return again(StatusCode::FORBIDDEN, &problem);
            }
            match own.deps.passwords.hash(SecretString::from(password)).await {
                Ok(hash) => Some(hash),
                Err(_) => return retry_after(again(StatusCode::SERVICE_UNAVAILABLE, BUSY), 2),
            }
        }
        Ok(Err(_)) => None,
        Err(error) => return own.failure(&cx, &error),
    };
    let later = own.later(&cx);
    let (unit_cx, settings, agent) = (later.clone(), Arc::clone(&own.deps.settings), own.agent(&parts));
    let replaces = own.replaces(&later, &parts).await;
    let done = own.deps.store.write(move |tx| {
        let wanted = FirstOwner {
            person,
            password_hash: hash,
        };
        let user = match claim_as_person(&unit_cx, tx, &token, &wanted)? {
            Outcome::Granted(user) => user,
            Outcome::Denied(denial) => return Ok(Err(denial)),
        };
        let mut how = Admission::local(&unit_cx, Strength::Password, &["pwd"]);
        how.agent = agent;
        admit(&unit_cx, tx, &settings, user, how, replaces.as_ref()).map(Ok)
    });
    match done.await {
        Ok(Ok(new)) => {
            let to = format!("{}?done=welcome", own.room_path(Room::Security));
            let mut response = own.redirect(StatusCode::SEE_OTHER, &to);
            own.give_session(&later, &parts, &mut response, &new);
            response
        }
        Ok(Err(denial)) => {
            own.deps.limits.failed(cx.peer, ACCOUNT, later.now);
            again(StatusCode::FORBIDDEN, &words(&denial))
        }
        Err(error) => own.failure(&cx, &error),
    }
}

fn words(denial: &ClaimDenial) -> String {
    match denial {
        ClaimDenial::Unknown => "This token is not the one that was made last.".to_owned(),
        ClaimDenial::Used => "This token was used before. Sign in with the account that it made.".to_owned(),
        ClaimDenial::Expired => {
            "This token is over: it lives for an hour. Whoever runs the service can make a new one with `lanyard admin \
             reset-owner`."
                .to_owned()
        }
        other => format!("That cannot be: {other}."),
    }
}

impl SignIn {
    fn show_first(&self, cx: &Cx, parts: &Parts, form: &Form, status: StatusCode, problem: Option<&str>) -> Response {
        let field = |name: &'static str| form.once(name).ok().flatten().unwrap_or_default();
        let (bound, fresh) = self.bound(cx, parts);
        let page = FirstPage {
            page: &self.page,
            action: &format!("{}{PATH}", self.base),
            form_token: form_token::of(&bound),
            token: field("token"),
            username: field("username"),
            display_name: field("display_name"),
            min_length: self.deps.settings.people.passwords.min_length,
            problem,
        };
        let mut response = self.page.answer(status, &page, None);
        if fresh {
            self.cookies.set_form(response.headers_mut(), &bound);
        }
        response
    }
}
