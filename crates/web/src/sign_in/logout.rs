//! `GET|POST …/logout` (OpenID Connect RP-Initiated Logout; RV-04).

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::directory::user::User;
use lanyard_core::id::SessionId;
use lanyard_core::idp::logout::{EndedBy, LogoutPlan, LogoutRequest, end, plan, read_hint};
use lanyard_core::idp::session;
use lanyard_core::keys::record::Ring;
use lanyard_core::session::form_token;
use lanyard_core::session::record::Session;
use lanyard_core::store::StoreExt;
use lanyard_protocol::form::Form;
use secrecy::ExposeSecret;

use crate::sign_in::SignIn;
use crate::sign_in::messages::{parameters, redirect_status};
use crate::sign_in::view::SignOutPage;

pub(super) async fn handle(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, form) = match parameters(request).await {
        Ok(read) => read,
        Err((parts, status)) => return own.unreadable(&own.cx(&parts), status),
    };
    let cx = own.cx(&parts);
    // Our own page sends the client's request back inside of its form.
    let confirmed = form.has("form_token");
    let asked = if confirmed {
        match form
            .once("request")
            .map(|carried| Form::parse(carried.unwrap_or_default().as_bytes()))
        {
            Ok(Ok(carried)) => carried,
            _ => return own.unreadable(&cx, StatusCode::BAD_REQUEST),
        }
    } else {
        form.clone()
    };
    let found = match own.find(&cx, &parts, &asked).await {
        Ok(found) => found,
        Err(response) => return response,
    };

    if found.plan.contradictory {
        return own.message(
            StatusCode::BAD_REQUEST,
            &cx,
            "You are not signed out",
            "The program that sent you here contradicts itself about whom or what to sign out. Nothing has ended.",
            Some("To sign out, open your account here and end your sessions."),
        );
    }
    if confirmed {
        let token = form.once("form_token").ok().flatten().unwrap_or_default();
        if own.guarded(&parts, token).is_none() {
            return own.ask(&cx, &parts, &asked, &found);
        }
    } else if found.plan.confirm {
        return own.ask(&cx, &parts, &asked, &found);
    }

    // With a good hint its session ends too: a form that another site sends comes without our cookie.
    let sessions: Vec<SessionId> = found
        .session
        .iter()
        .map(|(session, _)| session.id.clone())
        .chain(found.hinted.clone())
        .collect();
    if !sessions.is_empty() {
        let own_cx = cx.clone();
        let done = own.deps.store.write_reserved(move |tx| {
            for session in &sessions {
                end(&own_cx, tx, session, &EndedBy::Person)?;
            }
            Ok(())
        });
        if let Err(error) = done.await {
            return own.failure(&cx, &error);
        }
    }
    let target = found.plan.location.filter(|_| found.has_hint || confirmed);
    let mut response = match target {
        Some(location) => own.redirect(redirect_status(&parts.method), &location),
        None => own.message(
            StatusCode::OK,
            &cx,
            "You are signed out",
            "Programs that used this sign-in will ask you to sign in again.",
            Some("You can close this page."),
        ),
    };
    own.cookies.clear_session(response.headers_mut());
    response
}

/// What a logout is about.
struct Found {
    plan: LogoutPlan,
    session: Option<(Session, User)>,
    /// Whether the hint is an ID token of ours.
    has_hint: bool,
    /// The session that it names.
    hinted: Option<SessionId>,
}

impl SignIn {
    async fn find(&self, cx: &Cx, parts: &Parts, asked: &Form) -> Result<Found, Response> {
        let once = |name| asked.once(name).ok().flatten().map(str::to_owned);
        let rings = (self.deps.keys)();
        let hint = once("id_token_hint").and_then(|hint| {
            let ring = rings.get(Ring::Idp)?;
            read_hint(&self.deps.settings, &ring.published, cx.now, &hint)
        });
        let hinted = hint.as_ref().and_then(|hint| SessionId::parse(hint.sid.clone()?).ok());
        let (client_id, redirect_uri, state) = (once("client_id"), once("post_logout_redirect_uri"), once("state"));
        // `ui_locales` is read by nobody: there is one language.
        let logout_hint = once("logout_hint");
        let secret = self.cookies.session(&parts.headers);
        let (own_cx, settings, vault) = (
            cx.clone(),
            Arc::clone(&self.deps.settings),
            Arc::clone(&self.deps.vault),
        );
        let read = self.deps.store.read(move |tx| {
            let session = match &secret {
                Some(secret) => session::find(&own_cx, tx, &settings, secret.expose_secret())?,
                None => None,
            };
            let request = LogoutRequest {
                hint: hint.as_ref(),
                client_id: client_id.as_deref(),
                redirect_uri: redirect_uri.as_deref(),
                state: state.as_deref(),
                logout_hint: logout_hint.as_deref(),
            };
            let plan = plan(tx, &vault, &request, session.as_ref().map(|(session, _)| session))?;
            Ok(Found {
                plan,
                session,
                has_hint: hint.is_some(),
                hinted,
            })
        });
        read.await.map_err(|error| self.failure(cx, &error))
    }

    /// Asks the person first.
    fn ask(&self, cx: &Cx, parts: &Parts, asked: &Form, found: &Found) -> Response {
        let (bound, fresh) = self.bound(cx, parts);
        let person = found
            .session
            .as_ref()
            .map_or("nobody", |(_, user)| user.display_name.as_str());
        let page = SignOutPage {
            page: &self.page,
            person,
            action: &self.logout,
            request: &asked.encode(),
            form_token: form_token::of(&bound),
        };
        let mut response = self.page.answer(StatusCode::OK, &page, found.plan.location.as_deref());
        if fresh {
            self.cookies.set_form(response.headers_mut(), &bound);
        }
        response
    }
}
