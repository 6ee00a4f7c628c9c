//! The end of a sign-in at a provider of any protocol: the session and the way on, or a page that says why not.
//!
//! Owns what the browser gets. Never judges an answer: `callback.rs` and `saml/acs.rs` did.

use std::sync::Arc;

use axum::response::Response;
use http::StatusCode;
use http::header::USER_AGENT;
use http::request::Parts;
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::id::RequestId;
use lanyard_core::idp::authorize::{self, AuthorizeDenial, AuthorizeRefusal};
use lanyard_core::idp::session;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::agent;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::attempt::{Purpose, SignInAttempt, Taken, take};
use lanyard_core::upstream::denial::{AttemptDenial, ResolveDenial};
use lanyard_core::upstream::resolve::Asserted;
use lanyard_core::upstream::sign_in::{Browser, Next, SignInRefused, SignedIn, complete, record_failure};
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::error::ErrorCode;
use secrecy::ExposeSecret;

use super::denial::UpstreamDenial;
use super::pages::{Message, redirect};
use super::start::sent;
use super::{Upstream, dry_run};
use crate::metrics;
use crate::oauth::refusal;

impl Upstream {
    /// Takes the sign-in of this browser: once.
    pub(super) async fn take(
        &self,
        cx: &Cx,
        parts: &Parts,
        name: &str,
        state: &str,
    ) -> Result<Outcome<Taken, AttemptDenial>, StoreError> {
        let browser = self.cookies.browser(sent(parts));
        let (own, name, state) = (cx.clone(), name.to_owned(), state.to_owned());
        let write = self
            .deps
            .basis
            .store
            .write(move |tx| take(&own, tx, &name, &state, browser.as_ref()));
        write.await
    }

    /// What comes of an answer that was judged.
    pub(super) async fn conclude(
        &self,
        cx: &Cx,
        parts: &Parts,
        taken: Taken,
        judged: Result<Asserted, UpstreamDenial>,
    ) -> Response {
        if taken.attempt.purpose == Purpose::Test {
            let outcome = judged.map_err(|denial| (denial.code().to_owned(), denial.to_string()));
            return self.report(cx, &taken, outcome).await;
        }
        match judged {
            Ok(asserted) => self.sign_in(cx, parts, taken, asserted).await,
            Err(denial) => self.failed(cx, &taken, denial).await,
        }
    }

    /// Decides, begins the session and leads on.
    pub(super) async fn sign_in(&self, cx: &Cx, parts: &Parts, taken: Taken, asserted: Asserted) -> Response {
        let (own, settings, leeway) = (cx.clone(), Arc::clone(&self.deps.settings), self.deps.leeway);
        let secret = self.cookies.session(sent(parts));
        let agent = parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| agent::describe(value.to_str().ok()?));
        let attempt = taken.attempt.clone();
        let write = self.deps.basis.store.write(move |tx| {
            let old = match &secret {
                Some(secret) => session::find(&own, tx, &settings, secret.expose_secret())?,
                None => None,
            };
            let browser = Browser {
                replaces: old.map(|(session, _)| session.id),
                agent,
            };
            complete(&own, tx, &settings, &taken, &asserted, browser, leeway)
        });
        match write.await {
            Ok(Outcome::Granted(signed_in)) => self.lead_on(signed_in),
            Ok(Outcome::Denied(refused)) => {
                metrics::refused(Side::Idp, refused.code());
                self.refused(cx, &attempt, &refused)
            }
            Err(error) => refusal::failure(&error, &cx.request_id),
        }
    }

    fn lead_on(&self, signed_in: SignedIn) -> Response {
        let cookies = [self.cookies.give_session(&signed_in.session.secret)];
        match signed_in.next {
            Next::Client(_, Outcome::Granted(code)) => redirect(code.location.expose_secret(), &cookies),
            Next::Client(valid, Outcome::Denied(denial)) => {
                let code = match denial {
                    AuthorizeDenial::Unmet => ErrorCode::UnmetAuthenticationRequirements,
                    _ => ErrorCode::AccessDenied,
                };
                redirect(&authorize::refuse(&self.deps.settings, &valid, code), &cookies)
            }
            Next::Page(page) => redirect(&format!("{}{page}", self.base), &cookies),
        }
    }

    /// The person, or what the client asked, is not let through.
    fn refused(&self, cx: &Cx, attempt: &SignInAttempt, refused: &SignInRefused) -> Response {
        let (text, advice) = match refused {
            SignInRefused::Person(denial) => words(denial),
            SignInRefused::Request(AuthorizeRefusal::ShowPage(_) | AuthorizeRefusal::Redirect { .. }) => (
                "The program that sent you here was changed or switched off meanwhile.",
                "Go back to it and start again.",
            ),
        };
        self.told(&cx.request_id, StatusCode::FORBIDDEN, (text, advice), self.way(attempt))
    }

    /// An answer that was taken and not accepted.
    async fn failed(&self, cx: &Cx, taken: &Taken, denial: UpstreamDenial) -> Response {
        metrics::refused(Side::Idp, denial.code());
        if let Err(error) = self.record(cx, &taken.connection.name, &denial).await {
            return refusal::failure(&error, &cx.request_id);
        }
        self.problem(cx, &denial, self.way(&taken.attempt))
    }

    /// An answer to nothing: written down when it is worth it.
    pub(super) async fn stray(&self, cx: &Cx, name: &str, denial: UpstreamDenial) -> Response {
        metrics::refused(Side::Idp, denial.code());
        if self.deps.basis.guard.record_refusal(cx.peer, cx.now)
            && let Err(error) = self.record(cx, name, &denial).await
        {
            return refusal::failure(&error, &cx.request_id);
        }
        self.problem(cx, &denial, None)
    }

    async fn record(&self, cx: &Cx, name: &str, denial: &UpstreamDenial) -> Result<(), StoreError> {
        let (own, name, code, why) = (cx.clone(), name.to_owned(), denial.code(), denial.to_string());
        let write = self
            .deps
            .basis
            .store
            .write(move |tx| record_failure(&own, tx, &name, code, &why));
        write.await
    }

    /// A way on after an attempt that is over.
    pub(super) fn way(&self, attempt: &SignInAttempt) -> Option<(&'static str, String)> {
        match attempt.purpose {
            Purpose::Client => {
                let request = Form::parse(attempt.request.as_bytes()).ok()?;
                Some(self.another_way(&request))
            }
            Purpose::Page => Some(self.another_way_to(&attempt.request)),
            Purpose::Test => None,
        }
    }

    /// The page of a check that failed.
    pub(super) fn problem(&self, cx: &Cx, denial: &UpstreamDenial, way: Option<(&'static str, String)>) -> Response {
        self.told(&cx.request_id, denial.status(), denial.words(), way)
    }

    /// The page of somebody who was not signed in, with the request by which the log has the reason.
    pub(super) fn told(
        &self,
        reference: &RequestId,
        status: StatusCode,
        (text, advice): (&'static str, &'static str),
        way: Option<(&'static str, String)>,
    ) -> Response {
        self.deps.pages.message(Message {
            status,
            title: "You were not signed in",
            text: text.to_owned(),
            advice,
            way,
            reference: Some(reference.clone()),
        })
    }

    /// The end of a dry sign-in.
    pub(super) async fn report(&self, cx: &Cx, taken: &Taken, outcome: Result<Asserted, (String, String)>) -> Response {
        let good = outcome.is_ok();
        if let Err(error) = dry_run::keep(&*self.deps.basis.store, cx, taken, outcome).await {
            return refusal::failure(&error, &cx.request_id);
        }
        self.deps.pages.message(Message {
            status: StatusCode::OK,
            title: "The test is done",
            text: match good {
                true => "Your identity provider answered, and the answer was checked. Nobody was signed in.".to_owned(),
                false => "The answer of the identity provider was not accepted. Nobody was signed in.".to_owned(),
            },
            advice: "Close this page and read the findings where the test was started.",
            way: None,
            reference: None,
        })
    }
}

/// What a person is told whom the provider vouches for.
const fn words(denial: &ResolveDenial) -> (&'static str, &'static str) {
    match denial {
        ResolveDenial::NotLinked => (
            "Your identity provider signed you in, but there is no account for you here.",
            "Ask your administrator to give you one.",
        ),
        ResolveDenial::UserDeactivated => (
            "Your account here is switched off.",
            "If you think this is a mistake, ask your administrator.",
        ),
        ResolveDenial::UsernameTaken(_)
        | ResolveDenial::LinkedOtherwise(_)
        | ResolveDenial::LocalAccount(_)
        | ResolveDenial::AdministratorAccount(_)
        | ResolveDenial::UsernameOfOtherDomain(_) => (
            "There is an account here that may be yours, and it is not linked to your identity provider yet.",
            "Ask your administrator to link it.",
        ),
        ResolveDenial::UsernameMissing(_) | ResolveDenial::SubjectUnusable => (
            "Your identity provider did not say who you are in the way this organisation expects.",
            "Tell your administrator.",
        ),
        ResolveDenial::GroupsOverage => (
            "You are in more groups than your identity provider can name at once.",
            "Tell your administrator: the groups that are sent for this application must be limited.",
        ),
        ResolveDenial::NotFresh => (
            "You were asked to sign in again, and your identity provider did not do that, or did not say when it did.",
            "Sign out there, then try again. If it goes on, tell your administrator.",
        ),
        ResolveDenial::AuthTimeAhead => (
            "The clocks of your identity provider and of this server differ too much.",
            "Tell your administrator.",
        ),
        ResolveDenial::ConnectionChanged => (
            "The way you signed in was changed or switched off meanwhile.",
            "Please sign in again.",
        ),
    }
}
