//! Authenticating a registered client at the token, introspection and revocation endpoints.
//!
//! Owns the decision, inside the unit that needs it. Never verifies a signature (it receives `Verified`) and never
//! decides what the client may do afterwards.

use std::time::Duration;

use lanyard_jose::token::{ClientAssertion, Verified};
use lanyard_protocol::client_id::ClientId;
use secrecy::{ExposeSecret, SecretString};

use crate::agent::record::AgentStatus;
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::{Client, ClientAuthMethod, RegisteredKey, Side};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::replay::ReplayKind;
use crate::store::{StoreError, Tx};

/// How long after its expiry a client assertion is remembered: the largest leeway of any verification (SEC-07).
const LEEWAY: Duration = Duration::from_secs(60);

/// What a request brought to prove which client it is from.
pub enum Presented {
    /// `client_secret_basic` or `client_secret_post`.
    Secret {
        /// The client that the request names.
        client_id: ClientId,
        /// The secret.
        secret: SecretString,
        /// Whether it came in the `Authorization` header.
        basic: bool,
    },
    /// `private_key_jwt`.
    Assertion {
        /// The client that the assertion names.
        client_id: ClientId,
        /// The key that verified it, as [`assertion_keys`] gave it.
        key: Box<RegisteredKey>,
        /// The assertion; its audience was checked to be this side's issuer.
        assertion: Box<Verified<ClientAssertion>>,
    },
    /// A `client_id` without any proof.
    None {
        /// The client that the request names.
        client_id: ClientId,
    },
    /// Not even a `client_id`.
    Nothing,
}

impl Presented {
    /// The client that the request claims to come from.
    pub const fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Secret { client_id, .. } | Self::Assertion { client_id, .. } | Self::None { client_id } => {
                Some(client_id)
            }
            Self::Nothing => None,
        }
    }

    /// The method, for the record.
    const fn method(&self) -> &'static str {
        match self {
            Self::Secret { basic: true, .. } => "client_secret_basic",
            Self::Secret { basic: false, .. } => "client_secret_post",
            Self::Assertion { .. } => "private_key_jwt",
            Self::None { .. } => "none",
            Self::Nothing => "nothing",
        }
    }
}

impl std::fmt::Debug for Presented {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Presented")
            .field("method", &self.method())
            .field("client_id", &self.client_id())
            .finish()
    }
}

/// A client whose proof was accepted in this unit.
#[derive(Debug, Clone)]
pub struct AuthenticatedClient {
    /// The client as it stands now.
    pub client: Client,
    /// The key it used, with `private_key_jwt`.
    pub key: Option<RegisteredKey>,
}

impl AuthenticatedClient {
    /// Whether the client proved anything: a native program at the code grant did not (IDP-TX-02).
    pub const fn is_proven(&self) -> bool {
        !matches!(self.client.auth, ClientAuthMethod::Native) || self.key.is_some()
    }
}

/// Why a client was not accepted. On the wire all of them are `invalid_client` (row 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthDenial {
    /// No credential and no `client_id`.
    #[error("the request names no client")]
    NoCredentials,
    /// Nothing is registered under that identifier on this side.
    #[error("the client is not registered here")]
    UnknownClient,
    /// The client is switched off.
    #[error("the client is switched off")]
    ClientDisabled,
    /// The agent that it belongs to is staged, inactive or suspended.
    #[error("the agent that the client belongs to is {}", .0.as_str())]
    AgentNotActive(AgentStatus),
    /// Another method than the registered one (RFC 6749, section 2.3).
    #[error("the client is registered for another authentication method")]
    WrongMethod,
    /// None of the client's secrets.
    #[error("the client secret is wrong")]
    WrongSecret,
    /// A right secret past its end.
    #[error("the client secret has expired")]
    SecretExpired,
    /// The key is not registered any more, or is another one now.
    #[error("the key of the assertion is not registered for the client")]
    UnknownKey,
    /// A registered key past its end.
    #[error("the key of the assertion has expired")]
    KeyExpired,
    /// The assertion was used before (IDP-TK-05).
    #[error("the client assertion was used before")]
    AssertionReplayed,
}

impl AuthDenial {
    /// The stable name: in the audit log, in metrics, in the manual. Never renamed.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::UnknownClient => "unknown_client",
            Self::ClientDisabled => "client_disabled",
            Self::AgentNotActive(status) => status.refusal(),
            Self::WrongMethod => "wrong_auth_method",
            Self::WrongSecret => "wrong_secret",
            Self::SecretExpired => "secret_expired",
            Self::UnknownKey => "unknown_client_key",
            Self::KeyExpired => "client_key_expired",
            Self::AssertionReplayed => "assertion_replayed",
        }
    }
}

/// The client and the key by which its assertion is to be verified, before the unit.
///
/// Without a `kid` the client's only own key is taken; a person's key of a native client is always named.
///
/// # Errors
/// [`StoreError`].
pub fn assertion_keys(
    tx: &mut dyn Tx,
    side: Side,
    client_id: &ClientId,
    kid: Option<&str>,
) -> Result<Option<(Client, RegisteredKey)>, StoreError> {
    let Some(client) = tx.find_client(side, client_id)? else {
        return Ok(None);
    };
    let key = match kid {
        Some(kid) => tx.find_client_key(&client.key, kid)?,
        None => {
            let mut keys = tx.list_client_keys(&client.key)?;
            if keys.len() == 1 { keys.pop() } else { None }
        }
    };
    Ok(key.map(|key| (client, key)))
}

/// Decides whether the request comes from the client that it names, reading client and credential again.
///
/// Appends no event: what the client asks for is one act, recorded once by whoever decides it; a refusal is recorded
/// by the pipeline with [`record_denial`]. The `jti` of an assertion is used up even when the act is refused later
/// (SEC-05).
///
/// # Errors
/// [`StoreError`].
pub fn authenticate(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    side: Side,
    presented: &Presented,
) -> Result<Outcome<AuthenticatedClient, AuthDenial>, StoreError> {
    let Some(client_id) = presented.client_id() else {
        return Ok(Outcome::Denied(AuthDenial::NoCredentials));
    };
    let Some(client) = tx.find_client(side, client_id)? else {
        return Ok(Outcome::Denied(AuthDenial::UnknownClient));
    };
    if !client.enabled {
        return Ok(Outcome::Denied(AuthDenial::ClientDisabled));
    }
    if let Some(status) = client.agent.filter(|status| *status != AgentStatus::Active) {
        return Ok(Outcome::Denied(AuthDenial::AgentNotActive(status)));
    }
    let key = match (presented, client.auth) {
        (Presented::Secret { secret, .. }, ClientAuthMethod::Secret) => {
            if let Err(denial) = check_secret(cx.now, tx, vault, &client, secret)? {
                return Ok(Outcome::Denied(denial));
            }
            None
        }
        (Presented::Assertion { key, assertion, .. }, ClientAuthMethod::PrivateKeyJwt | ClientAuthMethod::Native) => {
            if let Err(denial) = check_assertion(cx.now, tx, side, &client, key, assertion)? {
                return Ok(Outcome::Denied(denial));
            }
            Some(key.as_ref().clone())
        }
        // A native program proves itself by the PKCE verifier at the code grant; the RAS has no code grant.
        (Presented::None { .. }, ClientAuthMethod::Native) if side == Side::Idp => None,
        _ => return Ok(Outcome::Denied(AuthDenial::WrongMethod)),
    };
    Ok(Outcome::Granted(AuthenticatedClient { client, key }))
}

fn check_secret(
    now: Timestamp,
    tx: &mut dyn Tx,
    vault: &Vault,
    client: &Client,
    presented: &SecretString,
) -> Result<Result<(), AuthDenial>, StoreError> {
    let mut verdict = Err(AuthDenial::WrongSecret);
    for secret in tx.list_client_secrets(&client.key)? {
        if vault.matches(&secret.digest, presented.expose_secret()) {
            if is_past(secret.expires_at, now) {
                verdict = Err(AuthDenial::SecretExpired);
            } else {
                return Ok(Ok(()));
            }
        }
    }
    Ok(verdict)
}

fn check_assertion(
    now: Timestamp,
    tx: &mut dyn Tx,
    side: Side,
    client: &Client,
    used: &RegisteredKey,
    assertion: &Verified<ClientAssertion>,
) -> Result<Result<(), AuthDenial>, StoreError> {
    if assertion.iss != client.client_id || used.client != client.key {
        return Ok(Err(AuthDenial::UnknownKey));
    }
    match tx.find_client_key(&client.key, &used.kid)? {
        // The key that verified, not merely one of the same name.
        Some(current) if current.jwk == used.jwk && current.holder == used.holder => {
            if is_past(current.expires_at, now) {
                return Ok(Err(AuthDenial::KeyExpired));
            }
        }
        _ => return Ok(Err(AuthDenial::UnknownKey)),
    }
    let kind = match side {
        Side::Idp => ReplayKind::ClientAssertionIdp,
        Side::Ras => ReplayKind::ClientAssertionRas,
    };
    let keep_until = Timestamp::from_seconds(assertion.exp.seconds()).plus(LEEWAY);
    let first = tx.record_use(
        side.as_str(),
        kind,
        client.client_id.as_str(),
        assertion.jti.as_str(),
        keep_until,
    )?;
    Ok(if first {
        Ok(())
    } else {
        Err(AuthDenial::AssertionReplayed)
    })
}

fn is_past(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end <= now)
}

/// Records a refused authentication. Whether each one is worth an event is the pipeline's to decide.
///
/// # Errors
/// [`StoreError`].
pub fn record_denial(
    cx: &Cx,
    tx: &mut dyn Tx,
    side: Side,
    presented: &Presented,
    denial: &AuthDenial,
) -> Result<(), StoreError> {
    let kind = match side {
        Side::Idp => "idp.client.refused",
        Side::Ras => "ras.client.refused",
    };
    let mut event = NewEvent::denied(kind, denial.code())
        .actor(Actor::Anonymous)
        .detail("method", presented.method());
    if let Some(client_id) = presented.client_id() {
        event = event.client(client_id);
    }
    record(cx, tx, event).map(|_| ())
}
