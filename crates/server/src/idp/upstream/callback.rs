//! `GET|POST {issuer}/upstream/{connection}/callback`: an OpenID provider's answer, by way of the browser.
//!
//! Owns the order: the sign-in of this browser is taken first and once; then the network; then one unit decides.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::upstream::attempt::Taken;
use lanyard_core::upstream::connection::Kind;
use lanyard_core::upstream::resolve::Asserted;
use lanyard_core::upstream::secret;
use lanyard_protocol::form::Form;

use super::denial::{UpstreamDenial, error_code};
use super::exchange::{Redemption, redeem};
use super::{Upstream, provider, redirect_uri};
use crate::http::{answer, form};
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
    own.conclude(&cx, &parts, taken, judged).await
}

impl Upstream {
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
}
