//! Which way to sign in: an identity provider by the person's domain, by a button, or a password here.
//!
//! Owns the page of the ways and `POST …/sign-in/name`. Never redirects a form to a provider: browsers hold a redirect
//! after a form to the policy of the page with the form, so that a provider is always reached by a link.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::session::form_token;
use lanyard_core::store::StoreExt;
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::home_realm::{self, Asked, Last, Way};
use lanyard_protocol::form::Form;

use crate::sign_in::SignIn;
use crate::sign_in::messages::redirect_status;
use crate::sign_in::purpose::Purpose;
use crate::sign_in::submit::STALE;
use crate::sign_in::view::{ChoosePage, ContinuePage, ProviderLink};

/// The parameter that asks for a choice: `1` for the page of the ways, `password` for the form.
pub(crate) const CHOOSE: &str = "choose";
/// The value that asks for the form.
const PASSWORD: &str = "password";

/// What somebody who must sign in asked for.
pub(crate) struct Visit<'a> {
    pub(crate) cx: &'a Cx,
    pub(crate) parts: &'a Parts,
    /// What is carried over the sign-in.
    pub(crate) form: &'a Form,
    pub(crate) purpose: &'a Purpose,
    /// What to write into the user name field.
    pub(crate) username: &'a str,
    /// A domain that the client knows the person by.
    pub(crate) domain: Option<&'a str>,
    /// How the person signed in whose session is not enough.
    pub(crate) last: Option<Last>,
}

impl SignIn {
    /// Leads somebody who must sign in: to their provider, to the page of the ways, or to the form.
    pub(crate) async fn offer(&self, visit: &Visit<'_>) -> Response {
        let hint = visit.purpose.hint().map(str::to_owned);
        let asked = Asked {
            choice: match visit.form.once(CHOOSE).ok().flatten() {
                Some(PASSWORD) => home_realm::Choice::Password,
                Some(_) => home_realm::Choice::Page,
                None => home_realm::Choice::None,
            },
            hints: hint.into_iter().chain(visit.domain.map(str::to_owned)).collect(),
            last: visit.last.clone(),
        };
        let way = self.deps.store.read(move |tx| home_realm::way(tx, &asked)).await;
        match way {
            Ok(Way::Password { others }) => {
                let mut carried = without_choice(visit.form);
                if others {
                    carried = carried.with(CHOOSE, PASSWORD);
                }
                self.show_sign_in(
                    visit.parts,
                    &carried,
                    visit.purpose,
                    visit.username,
                    None,
                    StatusCode::OK,
                    visit.cx,
                )
            }
            Ok(Way::Straight(connection)) => {
                let location = self.start_of(&connection, visit.purpose, visit.form, None);
                self.redirect(redirect_status(&visit.parts.method), &location)
            }
            Ok(Way::Choose(connections)) => self.show_ways(visit, &connections, None, StatusCode::OK),
            Err(error) => self.failure(visit.cx, &error),
        }
    }

    fn show_ways(
        &self,
        visit: &Visit<'_>,
        connections: &[Connection],
        problem: Option<&str>,
        status: StatusCode,
    ) -> Response {
        let (bound, fresh) = self.bound(visit.cx, visit.parts);
        let providers = connections
            .iter()
            .map(|connection| ProviderLink {
                title: &connection.title,
                href: self.start_of(connection, visit.purpose, visit.form, None),
            })
            .collect();
        let page = ChoosePage {
            page: &self.page,
            client: visit.purpose.asks(),
            destination: visit.purpose.destination(),
            providers,
            by_name: connections.iter().any(|connection| !connection.domains.is_empty()),
            action: &self.name,
            request: &visit.form.encode(),
            form_token: form_token::of(&bound),
            username: visit.username,
            password: self.chosen(visit.purpose, visit.form, PASSWORD),
            problem,
        };
        let mut response = self.page.answer(status, &page, None);
        if fresh {
            self.cookies.set_form(response.headers_mut(), &bound);
        }
        response
    }

    /// The address at which a sign-in at a provider begins.
    fn start_of(&self, connection: &Connection, purpose: &Purpose, carried: &Form, hint: Option<&str>) -> String {
        let mut query = match purpose {
            Purpose::Client(_) => Form::default().with("request", without_choice(carried).encode()),
            Purpose::Account(room) => Form::default().with("return_to", room.path()),
        };
        if let Some(hint) = hint {
            query = query.with("hint", hint);
        }
        format!("{}/upstream/{}/start?{}", self.base, connection.name, query.encode())
    }

    /// The same request with a choice of the way.
    pub(super) fn chosen(&self, purpose: &Purpose, carried: &Form, choice: &str) -> String {
        match purpose {
            Purpose::Client(_) => {
                let form = without_choice(carried).with(CHOOSE, choice);
                format!("{}?{}", self.authorize, form.encode())
            }
            Purpose::Account(room) => format!("{}?{CHOOSE}={choice}", self.room_path(*room)),
        }
    }
}

fn without_choice(form: &Form) -> Form {
    let kept = form
        .names()
        .filter(|name| *name != CHOOSE)
        .fold(Vec::new(), |mut names, name| {
            if !names.contains(&name) {
                names.push(name);
            }
            names
        });
    kept.into_iter().fold(Form::default(), |out, name| {
        form.all(name).into_iter().fold(out, |out, value| out.with(name, value))
    })
}

/// `POST …/sign-in/name`: the domain of what was typed decides; everybody else gets the form for a password, whether
/// there is such a person or not (SEC-23).
pub(super) async fn handle(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let sent = match own.sent(request).await {
        Ok(sent) => sent,
        Err(response) => return response,
    };
    let typed = sent.field("username").trim().to_owned();
    let (guarded, name) = (
        own.guarded(&sent.parts, sent.field("form_token")).is_some(),
        typed.clone(),
    );
    let looked = own.deps.store.read(move |tx| {
        let found = home_realm::find(tx, &name)?;
        Ok((found, home_realm::offered(tx)?))
    });
    let (found, offered) = match looked.await {
        Ok(found) => found,
        Err(error) => return own.failure(&sent.cx, &error),
    };
    if !guarded {
        let visit = Visit {
            cx: &sent.cx,
            parts: &sent.parts,
            form: &sent.carried,
            purpose: &sent.purpose,
            username: &typed,
            domain: None,
            last: None,
        };
        return own.show_ways(&visit, &offered, Some(STALE), StatusCode::BAD_REQUEST);
    }
    match found {
        Some(connection) => {
            let href = own.start_of(&connection, &sent.purpose, &sent.carried, Some(&typed));
            let page = ContinuePage {
                page: &own.page,
                title: &connection.title,
                href: &href,
                another: &own.chosen(&sent.purpose, &sent.carried, "1"),
            };
            own.page.answer(StatusCode::OK, &page, None)
        }
        None => {
            let carried = without_choice(&sent.carried).with(CHOOSE, PASSWORD);
            own.show_sign_in(
                &sent.parts,
                &carried,
                &sent.purpose,
                &typed,
                None,
                StatusCode::OK,
                &sent.cx,
            )
        }
    }
}
