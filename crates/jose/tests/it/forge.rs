//! What an attacker can write: any header, any payload, any signature.

use jsonwebtoken::EncodingKey;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::base64url;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::key::SigningKey;
use lanyard_jose::token::{Kind, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify};
use serde_json::{Value, json};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://login.northwind.example";
pub(crate) const RAS: &str = "https://auth.ledger.example";

/// An issuer with one ES256 key.
pub(crate) struct Issuer {
    pub(crate) key: SigningKey,
    pub(crate) keys: KeySet,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        Self::with(Algorithm::Es256)
    }

    pub(crate) fn with(algorithm: Algorithm) -> Self {
        let key = SigningKey::generate(algorithm).unwrap();
        let keys = [key.public_jwk()].into_iter().collect();
        Self { key, keys }
    }

    pub(crate) fn header(&self) -> Value {
        json!({"typ": "oauth-id-jag+jwt", "alg": self.key.algorithm().as_str(), "kid": self.key.kid()})
    }

    /// The given header and payload with a true signature of this issuer.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        let signature = self.signature(&message);
        format!("{message}.{signature}")
    }

    pub(crate) fn signature(&self, message: &str) -> String {
        let der = self.key.to_pkcs8();
        let (key, algorithm) = match self.key.algorithm() {
            Algorithm::Es256 => (EncodingKey::from_ec_der(&der), jsonwebtoken::Algorithm::ES256),
            Algorithm::Es384 => (EncodingKey::from_ec_der(&der), jsonwebtoken::Algorithm::ES384),
            Algorithm::EdDsa => (EncodingKey::from_ed_der(&der), jsonwebtoken::Algorithm::EdDSA),
            other => panic!("{other} keys are signed with elsewhere"),
        };
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap()
    }
}

/// The claims of a good ID-JAG.
pub(crate) fn id_jag() -> Value {
    json!({
        "iss": ISSUER, "sub": "u-1", "aud": RAS, "client_id": "agent", "jti": "j-1",
        "iat": NOW, "exp": NOW + 300, "scope": "files.read",
    })
}

/// `base` with one member set, or removed when the value is null.
pub(crate) fn change(mut base: Value, name: &str, value: Value) -> Value {
    let members = base.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    base
}

pub(crate) fn expected() -> Expected<'static> {
    Expected {
        issuer: ISSUER,
        audience: Audience::Sole(RAS),
        now: NOW,
        leeway: 30,
        algorithms: &Algorithm::ALL,
        max_lifetime: Some(600),
    }
}

/// Reads and verifies in one step, as a server does.
pub(crate) fn redeem<K: Kind>(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<Verified<K>, VerifyError> {
    verify(&Unverified::<K>::parse(token)?, keys, expected)
}
