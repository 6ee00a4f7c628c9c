//! How a client presents itself at a token, introspection or revocation endpoint (RFC 6749, section 2.3; RFC 7523).
//!
//! Owns reading the proof and verifying a signature. Never decides whether the client is who it says: that is
//! `core/src/client/auth.rs`, inside the unit of work.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use lanyard_core::client::auth::Presented;
use lanyard_core::client::registration::{Client, RegisteredKey};
use lanyard_core::clock::Timestamp;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::{JwkSet, KeySet};
use lanyard_jose::token::{ClientAssertion, Unverified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify};
use lanyard_protocol::claims::client_assertion::ASSERTION_TYPE;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::{Form, FormError, decode};
use lanyard_protocol::issuer::Issuer;
use secrecy::SecretString;

/// Every algorithm a client may sign its assertion with; the registered key narrows it to one.
pub(crate) const ASSERTION_ALGORITHMS: &[Algorithm] = &[
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
    Algorithm::Es384,
];

/// How far ahead an assertion may expire, in seconds (IDP-TK-05).
const LONGEST_ASSERTION: i64 = 300;

/// What the request carries as a proof, before anything is known about it.
pub(crate) enum Credentials {
    /// `client_secret_basic` or `client_secret_post`.
    Secret {
        client_id: ClientId,
        secret: SecretString,
        basic: bool,
    },
    /// `private_key_jwt`.
    Assertion {
        client_id: ClientId,
        token: Box<Unverified<ClientAssertion>>,
    },
    /// A bare `client_id`.
    Named { client_id: ClientId },
    /// Nothing at all.
    Nothing,
}

impl Credentials {
    /// Reads the proof of a request. One method per request (IDP-TK-03).
    ///
    /// # Errors
    /// [`Unreadable`].
    pub(crate) fn read(headers: &HeaderMap, form: &Form) -> Result<Self, Unreadable> {
        let named = form.once("client_id")?;
        let secret = form.once("client_secret")?;
        let assertion = form.once("client_assertion")?;
        let kind = form.once("client_assertion_type")?;
        let mut authorization = headers.get_all(AUTHORIZATION).iter();
        let (basic, second) = (authorization.next(), authorization.next());
        let methods = usize::from(basic.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some());
        if second.is_some() || methods > 1 {
            return Err(Unreadable::SeveralMethods);
        }
        if assertion.is_some() != kind.is_some() {
            return Err(Unreadable::HalfAnAssertion);
        }
        if let Some(value) = basic {
            let (client_id, secret) = read_basic(value.as_bytes()).ok_or(Unreadable::Basic)?;
            if named.is_some_and(|named| named != client_id.as_str()) {
                return Err(Unreadable::TwoClients);
            }
            return Ok(Self::Secret {
                client_id,
                secret,
                basic: true,
            });
        }
        if let (Some(assertion), Some(kind)) = (assertion, kind) {
            if kind != ASSERTION_TYPE {
                return Err(Unreadable::AssertionType);
            }
            let token = Unverified::parse(assertion).map_err(Unreadable::Assertion)?;
            let issuer = token.issuer().and_then(|issuer| ClientId::parse(issuer).ok());
            let client_id = issuer.ok_or(Unreadable::Assertion(VerifyError::Claims))?;
            if named.is_some_and(|named| named != client_id.as_str()) {
                return Err(Unreadable::TwoClients);
            }
            return Ok(Self::Assertion {
                client_id,
                token: Box::new(token),
            });
        }
        let Some(named) = named else {
            return if secret.is_some() {
                Err(Unreadable::NoClientId)
            } else {
                Ok(Self::Nothing)
            };
        };
        let client_id = ClientId::parse(named).map_err(|_| Unreadable::ClientId)?;
        Ok(match secret {
            Some(secret) => Self::Secret {
                client_id,
                secret: SecretString::from(secret),
                basic: false,
            },
            None => Self::Named { client_id },
        })
    }

    /// The client that is named, believed by nobody yet.
    pub(crate) const fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Secret { client_id, .. } | Self::Assertion { client_id, .. } | Self::Named { client_id } => {
                Some(client_id)
            }
            Self::Nothing => None,
        }
    }
}

/// Verifies an assertion with the client's registered key (IDP-TK-05).
///
/// # Errors
/// [`VerifyError`].
pub(crate) fn verify_assertion(
    token: &Unverified<ClientAssertion>,
    client: &Client,
    key: RegisteredKey,
    issuer: &Issuer,
    token_endpoint: &str,
    now: Timestamp,
    leeway: i64,
) -> Result<Presented, VerifyError> {
    let keys = KeySet::from_jwks(&JwkSet {
        keys: vec![key.jwk.clone().with_kid(&key.kid)],
    });
    let both = [issuer.as_str(), token_endpoint];
    let audience = match client.legacy_assertion_audience {
        true => Audience::SoleOf(&both),
        false => Audience::Sole(issuer.as_str()),
    };
    let expected = Expected {
        issuer: client.client_id.as_str(),
        audience,
        now: now.seconds(),
        leeway,
        algorithms: ASSERTION_ALGORITHMS,
        max_lifetime: None,
    };
    let assertion = verify(token, &keys, &expected)?;
    if assertion.exp.seconds() > now.seconds().saturating_add(LONGEST_ASSERTION).saturating_add(leeway) {
        return Err(VerifyError::Lifetime);
    }
    Ok(Presented::Assertion {
        client_id: client.client_id.clone(),
        key: Box::new(key),
        assertion: Box::new(assertion),
    })
}

/// Why no proof could be read. The first four are the caller's mistake in writing the request (row 1), the rest a
/// proof that proves nothing (row 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// A parameter was sent twice.
    #[error(transparent)]
    Form(#[from] FormError),
    /// More than one method in one request.
    #[error("more than one client authentication method was used")]
    SeveralMethods,
    /// One of the two assertion parameters without the other.
    #[error("client_assertion and client_assertion_type belong together")]
    HalfAnAssertion,
    /// The parameter `client_id` and the proof name two clients.
    #[error("two different clients are named")]
    TwoClients,
    /// A secret of nobody.
    #[error("client_secret without client_id")]
    NoClientId,
    /// Not Basic, or not its grammar.
    #[error("the Authorization header is not Basic credentials")]
    Basic,
    /// Another kind of assertion.
    #[error("the client_assertion_type is not supported")]
    AssertionType,
    /// Not a client assertion.
    #[error("the client assertion is not acceptable")]
    Assertion(VerifyError),
    /// Not the syntax of a client id.
    #[error("the client is not known")]
    ClientId,
}

/// Each half is form-encoded before base64 (RFC 6749, section 2.3.1; interop finding 2).
pub(crate) fn read_basic(value: &[u8]) -> Option<(ClientId, SecretString)> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = STANDARD.decode(encoded.trim_matches(' ')).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (id, secret) = decoded.split_at(colon);
    let client_id = ClientId::parse(decode(id).ok()?).ok()?;
    let secret = decode(secret.strip_prefix(b":")?).ok()?;
    Some((client_id, SecretString::from(secret)))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn basic(pair: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(
            AUTHORIZATION,
            format!("Basic {}", STANDARD.encode(pair)).parse().unwrap(),
        );
        headers
    }

    fn read(headers: &HeaderMap, body: &str) -> Result<Credentials, Unreadable> {
        Credentials::read(headers, &Form::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn both_halves_of_basic_are_form_decoded_idp_tk_03() {
        let headers = basic("ide-at-ledger-77:s3cr%2Bt%2Fwith%3Aodd%25chars");
        let Ok(Credentials::Secret {
            client_id,
            secret,
            basic: true,
        }) = read(&headers, "")
        else {
            panic!()
        };
        assert_eq!(client_id.as_str(), "ide-at-ledger-77");
        assert_eq!(secret.expose_secret(), "s3cr+t/with:odd%chars");
    }

    #[test]
    fn percent_encoded_hyphens_are_read_interop_finding_2() {
        let Ok(Credentials::Secret { secret, .. }) = read(&basic("a%2Db:rp%2Dsecret"), "client_id=a-b") else {
            panic!()
        };
        assert_eq!(secret.expose_secret(), "rp-secret");
    }

    #[test]
    fn two_methods_in_one_request_are_refused_idp_tk_03() {
        for body in [
            "client_id=a&client_secret=s",
            "client_assertion=x&client_assertion_type=y",
        ] {
            assert_eq!(
                read(&basic("a:s"), body).err(),
                Some(Unreadable::SeveralMethods),
                "{body}"
            );
        }
        let both = "client_id=a&client_secret=s&client_assertion=x&client_assertion_type=y";
        assert_eq!(read(&HeaderMap::new(), both).err(), Some(Unreadable::SeveralMethods));
    }

    #[test]
    fn basic_may_repeat_its_client_in_the_body_and_name_no_other() {
        assert!(read(&basic("a:s"), "client_id=a").is_ok());
        assert_eq!(read(&basic("a:s"), "client_id=b").err(), Some(Unreadable::TwoClients));
    }

    #[test]
    fn half_an_assertion_is_a_malformed_request() {
        assert_eq!(
            read(&HeaderMap::new(), "client_assertion=x").err(),
            Some(Unreadable::HalfAnAssertion)
        );
    }

    #[test]
    fn what_is_not_basic_credentials_proves_nothing() {
        for value in ["Bearer abc", "Basic", "Basic !!!", "Basic YQ==", "Basic OnM="] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            assert_eq!(read(&headers, "").err(), Some(Unreadable::Basic), "{value}");
        }
    }

    #[test]
    fn a_secret_without_a_client_proves_nothing() {
        assert_eq!(
            read(&HeaderMap::new(), "client_secret=s").err(),
            Some(Unreadable::NoClientId)
        );
    }
}
