//! `GET|POST {issuer}/upstream/{connection}/callback`: the provider's answer, by way of the browser.
//!
//! Owns the order: the sign-in of this browser is taken first and once; then the network; then one unit decides.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION, USER_AGENT};
use http::request::Parts;
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::{self, AuthorizeDenial, AuthorizeRefusal};
use lanyard_core::idp::session;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::agent;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::attempt::{Purpose, SignInAttempt, Taken, take};
use lanyard_core::upstream::connection::Kind;
use lanyard_core::upstream::denial::{AttemptDenial, ResolveDenial};
use lanyard_core::upstream::resolve::Asserted;
use lanyard_core::upstream::secret;
use lanyard_core::upstream::sign_in::{Browser, Next, SignInRefused, SignedIn, complete, record_failure};
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::error::ErrorCode;
use secrecy::ExposeSecret;

use super::denial::{UpstreamDenial, error_code};
use super::exchange::{Redemption, redeem};
use super::pages::{Message, redirect};
use super::start::sent;
use super::{Upstream, dry_run, provider, redirect_uri};
use crate::http::{answer, form};
use crate::metrics;
use crate::oauth::refusal;

/// The longest answer that is passed from a form to the address, in bytes.
const MAX_ANSWER: usize = 8 * 1024;

/// A form that a provider's page posts comes without our cookies (`SameSite=Lax`): the browser is sent on with a GET,
/// which has them.
pub(super) async fn forward(State(own): State<Arc<Upstream>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cx = own.deps.basis.cx(&parts);
    let read = form::bytes(&parts, body, MAX_ANSWER).await;
    let Some(answer) = read.ok().and_then(|body| Form::parse(&body).ok()) else {
        return own.problem(&cx, &UpstreamDenial::Answer("the form"), None);
    };
    let mut response = answer::empty(StatusCode::SEE_OTHER);
    match HeaderValue::from_str(&format!("{}?{}", parts.uri.path(), answer.encode())) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => own.problem(&cx, &UpstreamDenial::Answer("the form"), None),
    }
}

/// The parameters of an answer (RFC 6749, section 4.1.2; RFC 9207).
struct Answer {
    code: Option<String>,
    error: Option<String>,
    issuer: Option<String>,
    state: String,
}

impl Answer {
    fn read(parts: &Parts) -> Result<Self, UpstreamDenial> {
        let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .map_err(|_| UpstreamDenial::Answer("its encoding"))?;
        let once = |name: &'static str| match query.once(name) {
            Ok(value) => Ok(value.map(str::to_owned)),
            Err(_) => Err(UpstreamDenial::Answer(name)),
        };
        Ok(Self {
            code: once("code")?,
            error: once("error")?,
            issuer: once("iss")?,
            state: once("state")?.ok_or(UpstreamDenial::Answer("state"))?,
        })
    }
}

pub(super) async fn handle(State(own): State<Arc<Upstream>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = own.deps.basis.cx(&parts);
    let given = match Answer::read(&parts) {
        Ok(given) => given,
        Err(denial) => return own.stray(&cx, &name, denial).await,
    };
    let taken = match own.take(&cx, &parts, &name, &given.state).await {
        Ok(Outcome::Granted(taken)) => taken,
        Ok(Outcome::Denied(denial)) => return own.stray(&cx, &name, denial.into()).await,
        Err(error) => return refusal::failure(&error, &cx.request_id),
    };
    let judged = own.judge(&cx, &taken, &given).await;
    // Asking the provider took its time; the code lives for a minute from now.
    let cx = Cx {
        now: own.deps.basis.now(),
        ..cx
    };
    if taken.attempt.purpose == Purpose::Test {
        return own.report(&cx, &taken, judged).await;
    }
    match judged {
        Ok(asserted) => own.sign_in(&cx, &parts, taken, asserted).await,
        Err(denial) => own.failed(&cx, &taken, denial).await,
    }
}

impl Upstream {
    async fn take(
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

    /// Everything between the answer and a person: all network.
    async fn judge(&self, cx: &Cx, taken: &Taken, given: &Answer) -> Result<Asserted, UpstreamDenial> {
        let Kind::Oidc(settings) = &taken.connection.kind else {
            return Err(UpstreamDenial::Answer("its protocol"));
        };
        // A present issuer is compared whether the provider announces it or not, before anything else of the answer is
        // looked at (RFC 9207, section 2.4).
        if given
            .issuer
            .as_deref()
            .is_some_and(|issuer| issuer != settings.issuer.as_str())
        {
            return Err(UpstreamDenial::AnswerOfOtherIssuer);
        }
        let provider = provider::find(&self.deps.providers, settings).await?;
        if provider.names_itself && given.issuer.is_none() {
            return Err(UpstreamDenial::AnswerWithoutIssuer);
        }
        if let Some(error) = &given.error {
            return Err(UpstreamDenial::Refused(error_code(error)));
        }
        let code = given.code.as_deref().ok_or(UpstreamDenial::Answer("code"))?;
        let sealed = taken
            .attempt
            .sealed_verifier
            .as_deref()
            .ok_or(UpstreamDenial::Credential)?;
        let verifier = secret::open_verifier(&self.deps.basis.vault, &taken.attempt.handle_hash, sealed)
            .map_err(|_| UpstreamDenial::Credential)?;
        let redemption = Redemption {
            connection: &taken.connection,
            settings,
            provider: &provider,
            redirect_uri: &redirect_uri(&self.deps.settings, &taken.connection.name),
            nonce: &taken.attempt.nonce,
            verifier: &verifier,
            leeway: self.leeway_seconds(),
        };
        redeem(cx, &self.deps.basis.vault, &self.deps.providers, &redemption, code).await
    }

    /// Decides, begins the session and leads on.
    async fn sign_in(&self, cx: &Cx, parts: &Parts, taken: Taken, asserted: Asserted) -> Response {
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
        self.deps.pages.message(Message {
            status: StatusCode::FORBIDDEN,
            title: "You were not signed in",
            text: text.to_owned(),
            advice,
            way: self.way(attempt),
            reference: Some(cx.request_id.clone()),
        })
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
    async fn stray(&self, cx: &Cx, name: &str, denial: UpstreamDenial) -> Response {
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
    fn way(&self, attempt: &SignInAttempt) -> Option<(&'static str, String)> {
        match attempt.purpose {
            Purpose::Client => {
                let request = Form::parse(attempt.request.as_bytes()).ok()?;
                Some(self.another_way(&request))
            }
            Purpose::Page => Some(("Sign in again", format!("{}{}", self.base, attempt.request))),
            Purpose::Test => None,
        }
    }

    /// The page of a check that failed.
    pub(super) fn problem(&self, cx: &Cx, denial: &UpstreamDenial, way: Option<(&'static str, String)>) -> Response {
        let (text, advice) = denial.words();
        let status = match denial {
            UpstreamDenial::Attempt(_) | UpstreamDenial::Answer(_) => StatusCode::BAD_REQUEST,
            UpstreamDenial::Metadata(_)
            | UpstreamDenial::TokenEndpoint(_)
            | UpstreamDenial::Keys(_)
            | UpstreamDenial::Userinfo(_) => StatusCode::BAD_GATEWAY,
            _ => StatusCode::FORBIDDEN,
        };
        self.deps.pages.message(Message {
            status,
            title: "You were not signed in",
            text: text.to_owned(),
            advice,
            way,
            reference: Some(cx.request_id.clone()),
        })
    }

    async fn report(&self, cx: &Cx, taken: &Taken, judged: Result<Asserted, UpstreamDenial>) -> Response {
        let good = judged.is_ok();
        let outcome = judged.map_err(|denial| (denial.code(), denial.to_string()));
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
            "You were asked to sign in again, and your identity provider did not do that.",
            "Sign out there, then try again.",
        ),
        ResolveDenial::ConnectionChanged => (
            "The way you signed in was changed or switched off meanwhile.",
            "Please sign in again.",
        ),
    }
}
