//! `GET|POST …/authorize` (OpenID Connect Core, section 3.1.2): straight to the code, to an error, or to the sign-in.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};
use lanyard_core::agent::record::AgentStatus;
use lanyard_core::cx::Cx;
use lanyard_core::directory::user::User;
use lanyard_core::idp::authorize::{
    AuthorizeDenial, AuthorizeRefusal, AuthorizeRequest, AuthorizeStep, PageDenial, ValidAuthorize, check_client,
    decide, error_location, issue_code, record_refusal,
};
use lanyard_core::idp::session;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::form_token;
use lanyard_core::session::record::Session;
use lanyard_core::store::StoreExt;
use lanyard_core::upstream::home_realm::Last;
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::error::ErrorCode;
use secrecy::ExposeSecret;

use crate::passkeys::{self, Use};
use crate::sign_in::SignIn;
use crate::sign_in::choose::{CHOOSE, Visit};
use crate::sign_in::messages::{parameters, redirect_status};
use crate::sign_in::purpose::Purpose;
use crate::sign_in::view::SignInPage;

pub(crate) async fn handle(State(own): State<Arc<SignIn>>, request: Request) -> Response {
    let (parts, form) = match parameters(request).await {
        Ok(read) => read,
        Err((parts, status)) => return own.unreadable(&own.cx(&parts), status),
    };
    let cx = own.cx(&parts);
    let asked = AuthorizeRequest::parse(&form);
    let (settings, secret) = (Arc::clone(&own.deps.settings), own.cookies.session(&parts.headers));
    let (own_cx, given) = (cx.clone(), asked.clone());
    let looked = own.deps.store.read(move |tx| {
        let checked = check_client(&own_cx, tx, &given)?;
        let session = match (&checked, &secret) {
            (Ok(_), Some(secret)) => session::find(&own_cx, tx, &settings, secret.expose_secret())?,
            _ => None,
        };
        Ok((checked, session))
    });
    let (valid, session) = match looked.await {
        Ok((Ok(valid), session)) => (valid, session),
        Ok((Err(refusal), _)) => return own.refuse(&cx, &parts.method, asked, refusal).await,
        Err(error) => return own.failure(&cx, &error),
    };
    match decide(
        &cx,
        &own.deps.settings,
        &valid,
        session.as_ref().map(|(session, _)| session),
    ) {
        AuthorizeStep::Issue => match session {
            Some((session, _)) => own.issue(&cx, &parts.method, valid, session).await,
            None => own.ask_person(&cx, &parts, &form, valid, None).await,
        },
        AuthorizeStep::SignIn(_) => own.ask_person(&cx, &parts, &form, valid, session.as_ref()).await,
        AuthorizeStep::Refuse(denial) => {
            let refusal = AuthorizeRefusal::Redirect {
                redirect_uri: valid.redirect_uri,
                state: valid.state,
                denial,
            };
            own.refuse(&cx, &parts.method, asked, refusal).await
        }
    }
}

impl SignIn {
    /// Somebody must sign in for a client.
    async fn ask_person(
        &self,
        cx: &Cx,
        parts: &Parts,
        form: &Form,
        valid: ValidAuthorize,
        known: Option<&(Session, User)>,
    ) -> Response {
        let purpose = Purpose::Client(Box::new(valid));
        // Who wants to be somebody else is not led back to where they are themselves.
        let another = form.once("prompt").ok().flatten().unwrap_or_default();
        let another = another.split(' ').any(|prompt| prompt == "select_account");
        let visit = Visit {
            cx,
            parts,
            form,
            purpose: &purpose,
            username: purpose
                .hint()
                .or(known.map(|(_, user)| user.username.as_str()))
                .unwrap_or_default(),
            domain: form.once("domain_hint").ok().flatten(),
            last: known
                .filter(|_| !another)
                .map(|(session, _)| match &session.connection {
                    Some(connection) => Last::At(connection.clone()),
                    None => Last::Here,
                }),
        };
        self.offer(&visit).await
    }

    /// A code for a live session.
    async fn issue(&self, cx: &Cx, method: &Method, valid: ValidAuthorize, session: Session) -> Response {
        let (own_cx, settings, asked) = (cx.clone(), Arc::clone(&self.deps.settings), valid.clone());
        let done = self.deps.store.write(move |tx| {
            session::touch(&own_cx, tx, &session)?;
            issue_code(&own_cx, tx, &settings, &asked, &session.id)
        });
        match done.await {
            Ok(Outcome::Granted(code)) => self.redirect(redirect_status(method), code.location.expose_secret()),
            Ok(Outcome::Denied(denial)) => self.send_back(method, &valid.redirect_uri, valid.state.as_deref(), denial),
            Err(error) => self.failure(cx, &error),
        }
    }

    /// A refused request: written down when it is worth it, then told to the client, or to the person when there is no
    /// safe way to the client (IDP-AU-04).
    pub(crate) async fn refuse(
        &self,
        cx: &Cx,
        method: &Method,
        asked: AuthorizeRequest,
        refusal: AuthorizeRefusal,
    ) -> Response {
        if self.deps.limits.record_refusal(cx.peer, cx.now) {
            let (own_cx, told) = (cx.clone(), refusal.clone());
            let written = self
                .deps
                .store
                .write(move |tx| record_refusal(&own_cx, tx, &asked, &told))
                .await;
            if let Err(error) = written {
                return self.failure(cx, &error);
            }
        }
        match refusal {
            AuthorizeRefusal::Redirect {
                redirect_uri,
                state,
                denial,
            } => self.send_back(method, &redirect_uri, state.as_deref(), denial),
            AuthorizeRefusal::ShowPage(denial) => {
                let text = match denial {
                    PageDenial::ClientMissing | PageDenial::ClientUnknown => {
                        "The program that sent you here is not registered with your organisation, or is switched off."
                    }
                    PageDenial::AgentNotActive(AgentStatus::Staged) => {
                        "The program that sent you here waits for approval by your organisation."
                    }
                    PageDenial::AgentNotActive(_) => "Your organisation has stopped the program that sent you here.",
                    PageDenial::RedirectMissing | PageDenial::RedirectMismatch => {
                        "The program that sent you here asks to be answered at an address that is not registered for it."
                    }
                };
                let advice =
                    Some("Nothing was sent to it. Close this page; if you need the program, tell your administrator.");
                self.message(StatusCode::BAD_REQUEST, cx, "This sign-in cannot go on", text, advice)
            }
        }
    }

    /// Back to the client with an error, `state` and `iss` (RFC 9207).
    pub(crate) fn send_back(
        &self,
        method: &Method,
        redirect_uri: &str,
        state: Option<&str>,
        denial: AuthorizeDenial,
    ) -> Response {
        let (code, description) = wire(denial);
        let location = error_location(&self.deps.settings, redirect_uri, state, code, Some(&description));
        self.redirect(redirect_status(method), &location)
    }

    /// The sign-in page; the request travels with it as it was sent.
    #[expect(clippy::too_many_arguments, reason = "the parts of one page")]
    pub(crate) fn show_sign_in(
        &self,
        parts: &Parts,
        form: &Form,
        purpose: &Purpose,
        username: &str,
        problem: Option<String>,
        status: StatusCode,
        cx: &Cx,
    ) -> Response {
        let (bound, fresh) = self.bound(cx, parts);
        let site = self.passkeys.as_deref();
        let asked = passkeys::ask(cx, site, &self.deps.vault, &bound, Use::SignIn, &[]);
        let page = SignInPage {
            page: &self.page,
            client: purpose.asks(),
            destination: purpose.destination(),
            action: &self.sign_in,
            request: &form.encode(),
            form_token: form_token::of(&bound),
            username,
            passkey: asked.as_ref(),
            passkey_action: &self.passkey,
            another: form.has(CHOOSE).then(|| self.chosen(purpose, form, "1")),
            problem,
        };
        let mut response = self.page.answer(status, &page, purpose.target());
        if fresh {
            self.cookies.set_form(response.headers_mut(), &bound);
        }
        response
    }
}

/// The table of the authorization endpoint (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6).
fn wire(denial: AuthorizeDenial) -> (ErrorCode, String) {
    let (code, description) = match denial {
        AuthorizeDenial::Repeated(name) => {
            return (
                ErrorCode::InvalidRequest,
                format!("the parameter {name} was sent more than once"),
            );
        }
        AuthorizeDenial::Malformed(name) => {
            return (
                ErrorCode::InvalidRequest,
                format!("the parameter {name} is missing or malformed"),
            );
        }
        AuthorizeDenial::RequestObject => (ErrorCode::RequestNotSupported, "request objects are not supported"),
        AuthorizeDenial::RequestUri => (ErrorCode::RequestUriNotSupported, "request_uri is not supported"),
        AuthorizeDenial::GrantNotAllowed => (ErrorCode::UnauthorizedClient, "the client may not use this grant"),
        AuthorizeDenial::ResponseType => (
            ErrorCode::UnsupportedResponseType,
            "only response_type=code is supported",
        ),
        AuthorizeDenial::ChallengeMissing => (ErrorCode::InvalidRequest, "a PKCE challenge with S256 is required"),
        AuthorizeDenial::Scope => (ErrorCode::InvalidScope, "none of the requested scopes is available"),
        AuthorizeDenial::LoginRequired => (ErrorCode::LoginRequired, "a sign-in is needed"),
        AuthorizeDenial::Unmet => (
            ErrorCode::UnmetAuthenticationRequirements,
            "the sign-in is weaker or older than was asked for",
        ),
        AuthorizeDenial::SessionGone => (ErrorCode::AccessDenied, "the sign-in does not stand any more"),
    };
    (code, description.to_owned())
}
