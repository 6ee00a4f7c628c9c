//! The pipeline of a token endpoint, shared by both roles (architecture, section 5).
//!
//! Owns the order: parse, verify, begin, authenticate, decide, record, commit, sign, answer. A grant fills one step and
//! cannot forget the others. Never knows what a grant decides.

use std::future::Future;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::client::auth::{self, AuthenticatedClient, Presented};
use lanyard_core::client::registration::{Client, RegisteredKey, Side};
use lanyard_core::cx::Cx;
use lanyard_core::keys::vault::Vault;
use lanyard_core::outcome::Outcome;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_jose::key::SignError;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_response::TokenResponse;

use crate::http::{answer, form};
use crate::metrics;
use crate::oauth::basis::Basis;
use crate::oauth::client_auth::{Credentials, verify_assertion};
use crate::oauth::error;
use crate::oauth::guard::Guard;
use crate::oauth::refusal::{self, Refusal};

/// Decides inside the unit, for the authenticated client, and records what it decided.
pub(crate) type Decide =
    Box<dyn FnOnce(&Cx, &mut dyn Tx, &AuthenticatedClient) -> Result<Result<Sign, Refusal>, StoreError> + Send>;

/// Signs after the commit: a token never exists without its record.
pub(crate) type Sign = Box<dyn FnOnce() -> Result<TokenResponse, SignError> + Send>;

/// What a role brings to the pipeline.
pub(crate) trait Grants: Send + Sync + 'static {
    /// The parameters of one request, read.
    type Begun: Send;

    /// Which role this is.
    fn side(&self) -> Side;
    /// The shared parts.
    fn basis(&self) -> &Basis;
    /// The issuer; the audience of client assertions.
    fn issuer(&self) -> &Issuer;
    /// The URL of this endpoint; an audience of client assertions for legacy clients only (D-09).
    fn token_endpoint(&self) -> &str;
    /// Clock skew allowed, in seconds.
    fn leeway(&self) -> i64;
    /// The kind of audit event of a refused grant; `None` for a grant that this role does not serve.
    fn refused_kind(&self, grant: GrantType) -> Option<&'static str>;
    /// Reads the parameters of a grant. A refusal is held back until the client is authenticated (RAS-JB-02).
    fn begin(&self, grant: GrantType, form: &Form) -> Result<Self::Begun, Refusal>;
    /// Verifies what was presented and prepares the decision. All network is here, before the unit. `afresh`: nothing
    /// remembered from earlier requests may be used.
    fn verify(
        self: &Arc<Self>,
        cx: &Cx,
        client: Option<&ClientId>,
        begun: Self::Begun,
        afresh: bool,
    ) -> impl Future<Output = Result<Decide, Stop>> + Send;
}

/// Answers a request to a token endpoint.
pub(crate) async fn handle<G: Grants>(grants: Arc<G>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cx = grants.basis().cx(&parts);
    match run(&grants, &cx, &parts, body).await {
        Ok(response) => response,
        Err(stop) => stop.answer(grants.basis(), grants.side(), &cx).await,
    }
}

/// Why a request ended before its unit of work, or in it before anybody was authenticated.
pub(crate) enum Stop {
    /// A refusal of a caller whom nobody authenticated.
    Anonymous {
        /// What is told.
        refusal: Refusal,
        /// The kind of audit event.
        kind: &'static str,
        /// Whom the caller claimed to be.
        claimed: Option<ClientId>,
    },
    /// The source has to wait this many seconds.
    Wait(u64),
    /// A failure of ours.
    Failure(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Failure(error)
    }
}

impl Stop {
    /// Records what is worth a row, in a unit of its own, and answers.
    pub(crate) async fn answer(self, basis: &Basis, side: Side, cx: &Cx) -> Response {
        let (refusal, kind, claimed) = match self {
            Self::Wait(seconds) => {
                metrics::throttled(side);
                return refusal::slow_down(&cx.request_id, seconds);
            }
            Self::Failure(error) => return refusal::failure(&error, &cx.request_id),
            Self::Anonymous { refusal, kind, claimed } => (refusal, kind, claimed),
        };
        if refusal.status == StatusCode::UNAUTHORIZED {
            basis
                .guard
                .failed(cx.peer, claimed.as_ref().map(ClientId::as_str), cx.now);
        }
        metrics::refused(side, refusal.reason);
        if basis.guard.record_refusal(cx.peer, cx.now) {
            let own = cx.clone();
            let written = basis
                .store
                .write(move |tx| refusal.record_anonymous(&own, tx, kind, claimed.as_ref()))
                .await;
            if let Err(error) = written {
                return refusal::failure(&error, &cx.request_id);
            }
        }
        refusal.answer(&cx.request_id)
    }
}

async fn run<G: Grants>(grants: &Arc<G>, cx: &Cx, parts: &Parts, body: Body) -> Result<Response, Stop> {
    let (basis, side) = (grants.basis(), grants.side());
    let denied = request_refused(side);
    let early = |refusal| Stop::Anonymous {
        refusal,
        kind: denied,
        claimed: None,
    };

    let form = form::read(parts, body)
        .await
        .map_err(|why| early(error::no_form(why)))?;
    let named = form
        .once("grant_type")
        .map_err(|why| early(error::no_form(why.into())))?;
    let grant = named.ok_or_else(|| early(error::NO_GRANT))?;
    let served = GrantType::parse(grant).and_then(|grant| Some((grant, grants.refused_kind(grant)?)));
    let Some((grant, kind)) = served else {
        return Err(early(error::UNSUPPORTED_GRANT));
    };
    let asked = Asked {
        parts,
        form: &form,
        grant,
        kind,
    };
    let (claimed, decided) = match attempt(grants, cx, &asked, false).await {
        // Somebody was faster with the same row, or what was remembered is not in the store any more: what they wrote
        // is there now.
        Err(Stop::Failure(StoreError::Conflict(_))) => attempt(grants, cx, &asked, true).await?,
        decided => decided?,
    };

    match decided {
        Decided::Granted(sign) => Ok(match sign() {
            Ok(tokens) => {
                metrics::granted(side, grant);
                answer::json(StatusCode::OK, &tokens)
            }
            Err(error) => {
                tracing::error!(request.id = cx.request_id.as_str(), error = %error, "a token could not be signed");
                refusal::SERVER_ERROR.answer(&cx.request_id)
            }
        }),
        Decided::Refused(refusal) => {
            metrics::refused(side, refusal.reason);
            Ok(refusal.answer(&cx.request_id))
        }
        Decided::Unauthenticated(refusal) => Ok(unauthenticated(basis, side, cx, claimed.as_ref(), &refusal)),
    }
}

/// A request whose form was read and whose grant is served here.
struct Asked<'a> {
    parts: &'a Parts,
    form: &'a Form,
    grant: GrantType,
    kind: &'static str,
}

/// Verifies, then authenticates, decides and records in one unit.
async fn attempt<G: Grants>(
    grants: &Arc<G>,
    cx: &Cx,
    asked: &Asked<'_>,
    afresh: bool,
) -> Result<(Option<ClientId>, Decided), Stop> {
    let (basis, side) = (grants.basis(), grants.side());
    let credentials = read_credentials(basis, side, cx, asked.parts, asked.form)?;
    let begun = grants.begin(asked.grant, asked.form);
    let found = look(basis, side, &credentials).await?;
    let (issuer, endpoint) = (grants.issuer(), grants.token_endpoint());
    let presented = presented(issuer, endpoint, grants.leeway(), cx, side, credentials, found)?;
    let claimed = presented.client_id().cloned();
    let prepared = match begun {
        Ok(begun) => Ok(grants.verify(cx, claimed.as_ref(), begun, afresh).await?),
        Err(refusal) => Err(refusal),
    };
    let unit = Decision {
        cx: cx.clone(),
        vault: Arc::clone(&basis.vault),
        guard: Arc::clone(&basis.guard),
        side,
        kind: asked.kind,
        presented,
        prepared,
    };
    let decided = basis.store.write(move |tx| unit.run(tx)).await?;
    Ok((claimed, decided))
}

/// Counts the failed authentication, which was recorded in its unit, and answers.
pub(crate) fn unauthenticated(
    basis: &Basis,
    side: Side,
    cx: &Cx,
    claimed: Option<&ClientId>,
    refusal: &Refusal,
) -> Response {
    basis.guard.failed(cx.peer, claimed.map(ClientId::as_str), cx.now);
    metrics::refused(side, refusal.reason);
    refusal.answer(&cx.request_id)
}

/// What the unit of work of a token request owns.
struct Decision {
    cx: Cx,
    vault: Arc<Vault>,
    guard: Arc<Guard>,
    side: Side,
    kind: &'static str,
    presented: Presented,
    prepared: Result<Decide, Refusal>,
}

impl Decision {
    /// Authenticates, decides, records: all in one transaction.
    fn run(self, tx: &mut dyn Tx) -> Result<Decided, StoreError> {
        let client = match auth::authenticate(&self.cx, tx, &self.vault, self.side, &self.presented)? {
            Outcome::Granted(client) => client,
            Outcome::Denied(denial) => {
                if self.guard.record_refusal(self.cx.peer, self.cx.now) {
                    auth::record_denial(&self.cx, tx, self.side, &self.presented, &denial)?;
                }
                return Ok(Decided::Unauthenticated(error::client_auth(&denial)));
            }
        };
        let decided = match self.prepared {
            Ok(decide) => decide(&self.cx, tx, &client)?,
            Err(refusal) => {
                refusal.record(&self.cx, tx, self.kind, &client.client)?;
                Err(refusal)
            }
        };
        Ok(match decided {
            Ok(sign) => Decided::Granted(sign),
            Err(refusal) => Decided::Refused(refusal),
        })
    }
}

enum Decided {
    Granted(Sign),
    Refused(Refusal),
    Unauthenticated(Refusal),
}

/// Reads the proof, unless its source has failed too often.
pub(crate) fn read_credentials(
    basis: &Basis,
    side: Side,
    cx: &Cx,
    parts: &Parts,
    form: &Form,
) -> Result<Credentials, Stop> {
    let read = Credentials::read(&parts.headers, form);
    let claimed = read.as_ref().ok().and_then(Credentials::client_id);
    basis
        .guard
        .admit(cx.peer, claimed.map(ClientId::as_str), cx.now)
        .map_err(Stop::Wait)?;
    read.map_err(|why| Stop::Anonymous {
        refusal: error::unreadable(&why),
        kind: client_refused(side),
        claimed: None,
    })
}

/// Reads the key that a client assertion names. A client with a secret costs no read.
pub(crate) async fn look(
    basis: &Basis,
    side: Side,
    credentials: &Credentials,
) -> Result<Option<(Client, RegisteredKey)>, StoreError> {
    let Credentials::Assertion { client_id, token } = credentials else {
        return Ok(None);
    };
    let (client_id, kid) = (client_id.clone(), token.kid().map(str::to_owned));
    basis
        .store
        .read(move |tx| auth::assertion_keys(tx, side, &client_id, kid.as_deref()))
        .await
}

/// Turns the proof into what core judges; an assertion is verified here.
pub(crate) fn presented(
    issuer: &Issuer,
    token_endpoint: &str,
    leeway: i64,
    cx: &Cx,
    side: Side,
    credentials: Credentials,
    found: Option<(Client, RegisteredKey)>,
) -> Result<Presented, Stop> {
    Ok(match credentials {
        Credentials::Secret {
            client_id,
            secret,
            basic,
        } => Presented::Secret {
            client_id,
            secret,
            basic,
        },
        Credentials::Named { client_id } => Presented::None { client_id },
        Credentials::Nothing => Presented::Nothing,
        Credentials::Assertion { client_id, token } => {
            let verified = match found {
                Some((client, key)) => verify_assertion(&token, &client, key, issuer, token_endpoint, cx.now, leeway)
                    .map_err(|why| error::assertion(&why)),
                None => Err(error::invalid_client("unknown_key")),
            };
            verified.map_err(|refusal| Stop::Anonymous {
                refusal,
                kind: client_refused(side),
                claimed: Some(client_id),
            })?
        }
    })
}

/// The kind of event when a client could not be authenticated.
pub(crate) const fn client_refused(side: Side) -> &'static str {
    match side {
        Side::Idp => "idp.client.refused",
        Side::Ras => "ras.client.refused",
    }
}

/// The kind of event when a request could not be read far enough to know what it wants.
const fn request_refused(side: Side) -> &'static str {
    match side {
        Side::Idp => "idp.request.refused",
        Side::Ras => "ras.request.refused",
    }
}
