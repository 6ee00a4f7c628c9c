//! How a client says who it is at a token endpoint (RFC 6749, section 2.3; RFC 7523, section 2.2).
//!
//! Owns the credentials of one client at one issuer. Never sends them to another one: whoever holds a
//! [`ClientIdentity`] keeps it beside its issuer (CL-ST-02).

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::{self, Random};
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::client_assertion::{self, ClientAssertionClaims};
use lanyard_protocol::claims::time::{NumericDate, TokenId};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::{self, Form};
use secrecy::{ExposeSecret as _, SecretString};

/// How long a client assertion is valid, in seconds.
const ASSERTION_TTL: i64 = 60;

/// A client at one authorization server.
#[derive(Debug, Clone)]
pub struct ClientIdentity {
    /// The client's id there.
    pub client_id: ClientId,
    /// Its credential there.
    pub auth: ClientAuth,
}

impl ClientIdentity {
    /// A client without a credential.
    pub const fn public(client_id: ClientId) -> Self {
        Self {
            client_id,
            auth: ClientAuth::None,
        }
    }
}

/// A credential of a client.
#[derive(Clone)]
#[non_exhaustive]
pub enum ClientAuth {
    /// None: a public client names itself only (towards foreign IdPs by explicit configuration, CF-03).
    None,
    /// `client_secret_basic`.
    SecretBasic(SecretString),
    /// `client_secret_post`.
    SecretPost(SecretString),
    /// `private_key_jwt`; `kid` is the registered key id when it is not the key's thumbprint.
    PrivateKeyJwt {
        /// The private key.
        key: Arc<SigningKey>,
        /// The registered key id.
        kid: Option<String>,
    },
}

impl ClientAuth {
    /// The method's registered name (RFC 8414, section 2).
    pub const fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic(_) => "client_secret_basic",
            Self::SecretPost(_) => "client_secret_post",
            Self::PrivateKeyJwt { .. } => "private_key_jwt",
        }
    }
}

impl fmt::Debug for ClientAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method())
    }
}

/// What a request of one client at one server needs beside its own parameters.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    /// Who calls.
    pub identity: &'a ClientIdentity,
    /// The issuer identifier of the server: the only audience of a client assertion (D-09).
    pub audience: &'a str,
    /// The time, seconds since the epoch.
    pub now: i64,
    /// For the `jti` of a client assertion.
    pub random: &'a dyn Random,
}

/// A form with the client's credential added, and the `Authorization` header that goes with it.
pub struct Authenticated {
    /// The parameters.
    pub form: Form,
    /// `Basic …`, when that method is used.
    pub authorization: Option<SecretString>,
}

/// Adds the credential to `form`. `client_id` is in the body with every method: some servers answer 401 to Basic
/// without it (interop finding 4).
///
/// # Errors
/// [`CredentialError`] when the key cannot sign.
pub fn authenticate(caller: &Caller<'_>, form: Form) -> Result<Authenticated, CredentialError> {
    let id = caller.identity.client_id.as_str();
    let form = form.with("client_id", id);
    Ok(match &caller.identity.auth {
        ClientAuth::None => Authenticated {
            form,
            authorization: None,
        },
        ClientAuth::SecretBasic(secret) => Authenticated {
            form,
            authorization: Some(basic(id, secret.expose_secret())),
        },
        ClientAuth::SecretPost(secret) => Authenticated {
            form: form.with("client_secret", secret.expose_secret()),
            authorization: None,
        },
        ClientAuth::PrivateKeyJwt { key, kid } => {
            let assertion = client_assertion(caller, key, kid.as_deref())?;
            let form = form
                .with("client_assertion_type", client_assertion::ASSERTION_TYPE)
                .with("client_assertion", assertion);
            Authenticated {
                form,
                authorization: None,
            }
        }
    })
}

/// Each half is form-encoded before Base64 (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> SecretString {
    let pair = format!("{}:{}", form::encode(id), form::encode(secret));
    SecretString::from(format!("Basic {}", STANDARD.encode(pair)))
}

/// A fresh client assertion for `caller.audience` alone (7523bis; D-09).
///
/// # Errors
/// [`CredentialError`] when the key cannot sign.
pub fn client_assertion(caller: &Caller<'_>, key: &SigningKey, kid: Option<&str>) -> Result<String, CredentialError> {
    let jti = random::token(caller.random);
    let claims = ClientAssertionClaims {
        iss: caller.identity.client_id.clone(),
        sub: caller.identity.client_id.clone(),
        aud: OneOrMany::One(caller.audience.to_owned()),
        jti: TokenId::try_from(jti.expose_secret().to_owned()).map_err(|_| CredentialError)?,
        exp: NumericDate::from_seconds(caller.now.saturating_add(ASSERTION_TTL)),
        iat: Some(NumericDate::from_seconds(caller.now)),
        nbf: None,
    };
    match kid {
        Some(kid) => key.sign_with_kid(client_assertion::TYP, kid, &claims),
        None => key.sign(client_assertion::TYP, &claims),
    }
    .map_err(|_| CredentialError)
}

/// The client's key could not sign a client assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client's key could not sign a client assertion")]
pub struct CredentialError;

#[cfg(test)]
mod tests {
    use super::*;
    use lanyard_jose::algorithm::Algorithm;
    use lanyard_jose::random::SystemRandom;

    fn authenticated(auth: ClientAuth, id: &str) -> Authenticated {
        let identity = ClientIdentity {
            client_id: ClientId::parse(id).unwrap(),
            auth,
        };
        let caller = Caller {
            identity: &identity,
            audience: "https://as.example",
            now: 1000,
            random: &SystemRandom,
        };
        authenticate(&caller, Form::default()).unwrap()
    }

    #[test]
    fn each_half_of_basic_is_form_encoded_as_in_wire_example_9_1() {
        let secret = SecretString::from("s3cr+t/with:odd%chars");
        let sent = authenticated(ClientAuth::SecretBasic(secret), "ide-at-ledger-77");
        assert_eq!(
            sent.authorization.unwrap().expose_secret(),
            "Basic aWRlLWF0LWxlZGdlci03NzpzM2NyJTJCdCUyRndpdGglM0FvZGQlMjVjaGFycw=="
        );
        assert_eq!(sent.form.once("client_id").unwrap(), Some("ide-at-ledger-77"));
        assert!(!sent.form.has("client_secret"));
    }

    #[test]
    fn a_client_without_a_secret_sends_its_id_only_cf_03() {
        let sent = authenticated(ClientAuth::None, "public");
        assert!(sent.authorization.is_none());
        assert_eq!(sent.form.names().collect::<Vec<_>>(), ["client_id"]);
    }

    #[test]
    fn a_client_assertion_names_only_the_issuer_d_09() {
        let key = Arc::new(SigningKey::generate(Algorithm::Es256).unwrap());
        let sent = authenticated(
            ClientAuth::PrivateKeyJwt {
                key,
                kid: Some("k1".into()),
            },
            "c",
        );
        let assertion = sent.form.once("client_assertion").unwrap().unwrap().to_owned();
        let payload = assertion.split('.').nth(1).unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&lanyard_jose::digest::from_base64url(payload).unwrap()).unwrap();
        assert_eq!(claims["aud"], "https://as.example");
        assert_eq!(claims["exp"], 1060);
        assert_eq!(
            sent.form.once("client_assertion_type").unwrap(),
            Some(client_assertion::ASSERTION_TYPE)
        );
    }

    #[test]
    fn credentials_are_not_printed_cl_st_01() {
        let auth = ClientAuth::SecretPost(SecretString::from("hunter2"));
        assert_eq!(format!("{auth:?}"), "client_secret_post");
    }
}
