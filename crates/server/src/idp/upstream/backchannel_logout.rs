//! `POST {issuer}/upstream/{connection}/backchannel-logout`: a provider tells us that somebody signed out there (OpenID
//! Connect Back-Channel Logout, sections 2.5 to 2.8; RV-06).
//!
//! Owns the verification of the logout token, and that the answer comes when nothing of the session is accepted any more.
//! Never decides which sessions end: core does.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::connection::{Connection, Kind};
use lanyard_core::upstream::logout::{LogoutDenial, end_sessions, record_refusal};
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_jose::token::{LogoutToken, Unverified, Verified};
use lanyard_protocol::oauth::error::ErrorCode;

use super::denial::UpstreamDenial;
use super::exchange::{expected, verified, worth_asking};
use super::{Upstream, provider};
use crate::http::{answer, form};
use crate::metrics;
use crate::oauth::error::no_form;
use crate::oauth::refusal::{self, Refusal};

/// Why nothing ended.
enum Refused {
    /// Before there was anything to decide: still to be written down.
    Early(Refusal, String),
    /// By core, which wrote it down.
    Decided(LogoutDenial),
}

pub(super) async fn handle(State(own): State<Arc<Upstream>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cx = own.deps.basis.cx(&parts);
    let refused = match form::read(&parts, body).await {
        Ok(form) => match own.log_out(&cx, &name, form.once("logout_token").ok().flatten()).await {
            Ok(Ok(())) => {
                own.deps.cut_off.complete().await;
                return answer::empty(StatusCode::OK);
            }
            Ok(Err(refused)) => refused,
            Err(error) => return refusal::failure(&error, &cx.request_id),
        },
        Err(error) => Refused::Early(no_form(error), error.to_string()),
    };
    match own.refuse_logout(&cx, &name, refused).await {
        Ok(refusal) if refusal.error == ErrorCode::TemporarilyUnavailable => {
            answer::retry_after(refusal.answer(&cx.request_id), 5)
        }
        Ok(refusal) => refusal.answer(&cx.request_id),
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

impl Upstream {
    async fn log_out(&self, cx: &Cx, name: &str, token: Option<&str>) -> Result<Result<(), Refused>, StoreError> {
        let Some(token) = token else {
            return Ok(Err(early(
                "logout_token_missing",
                "exactly one logout_token is required",
            )));
        };
        let Some((connection, settings)) = self.find_provider(name).await? else {
            return Ok(Err(early(
                "connection_unknown",
                "no identity provider is connected under this address",
            )));
        };
        let token = match self.verify_logout(cx, &settings, token).await {
            Ok(token) => token,
            Err(denial) => return Ok(Err(unverified(&denial))),
        };
        let (own, vault, issuer) = (
            cx.clone(),
            Arc::clone(&self.deps.basis.vault),
            self.deps.settings.issuer.clone(),
        );
        let leeway = self.deps.leeway;
        let write = self
            .deps
            .basis
            .store
            .write_reserved(move |tx| end_sessions(&own, tx, &vault, &issuer, &connection, token.claims(), leeway));
        Ok(match write.await? {
            Outcome::Granted(_) => Ok(()),
            Outcome::Denied(denial) => Err(Refused::Decided(denial)),
        })
    }

    /// The OpenID provider of this name, when it is switched on.
    async fn find_provider(&self, name: &str) -> Result<Option<(Connection, OidcSettings)>, StoreError> {
        let wanted = name.to_owned();
        let read = self
            .deps
            .basis
            .store
            .read(move |tx| tx.find_connection_by_name(&wanted));
        let found = read.await?.filter(|connection| connection.enabled);
        Ok(found.and_then(|connection| match &connection.kind {
            Kind::Oidc(settings) => {
                let settings = settings.clone();
                Some((connection, settings))
            }
            Kind::Saml(_) => None,
        }))
    }

    /// Section 2.6: as an ID token, with the kind's own rules about event, session, person and nonce.
    async fn verify_logout(
        &self,
        cx: &Cx,
        settings: &OidcSettings,
        token: &str,
    ) -> Result<Verified<LogoutToken>, UpstreamDenial> {
        let token = Unverified::<LogoutToken>::parse(token)?;
        let expected = expected(cx, settings, self.leeway_seconds());
        worth_asking(&token, &expected)?;
        let provider = provider::find(&self.deps.providers, settings).await?;
        verified(&self.deps.providers, &provider, &token, &expected).await
    }

    /// Writes an early refusal down when it is worth it; what the provider is told.
    async fn refuse_logout(&self, cx: &Cx, name: &str, refused: Refused) -> Result<Refusal, StoreError> {
        let (refusal, why) = match refused {
            Refused::Decided(denial) => {
                metrics::refused(Side::Idp, denial.code());
                return Ok(bad(denial.code(), "the logout token was not accepted"));
            }
            Refused::Early(refusal, why) => (refusal, why),
        };
        metrics::refused(Side::Idp, refusal.reason);
        if self.deps.basis.guard.record_refusal(cx.peer, cx.now) {
            let (own, name) = (cx.clone(), name.to_owned());
            let write = self
                .deps
                .basis
                .store
                .write(move |tx| record_refusal(&own, tx, &name, refusal.reason, &why));
            write.await?;
        }
        Ok(refusal)
    }
}

/// Section 2.8: an answer with 400 says that nothing ended.
const fn bad(reason: &'static str, description: &'static str) -> Refusal {
    Refusal::new(ErrorCode::InvalidRequest, reason, description)
}

fn early(reason: &'static str, description: &'static str) -> Refused {
    Refused::Early(bad(reason, description), description.to_owned())
}

/// A provider that does not answer us may tell us again; anything else is wrong for good.
fn unverified(denial: &UpstreamDenial) -> Refused {
    let refusal = match denial {
        UpstreamDenial::Metadata(_) | UpstreamDenial::Keys(_) => Refusal::new(
            ErrorCode::TemporarilyUnavailable,
            denial.code(),
            "the keys of the identity provider cannot be had at the moment",
        ),
        _ => bad(denial.code(), "the logout token was not accepted"),
    };
    Refused::Early(refusal, denial.to_string())
}
