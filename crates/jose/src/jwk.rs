//! Public keys on the wire: JWK and JWK Set (RFC 7517; RFC 7518, section 6; RFC 8037), thumbprints (RFC 7638).
//!
//! Owns which keys are readable at all. Never holds a private or symmetric key, never says whom a key belongs to.

mod key_set;
mod material;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

pub use self::key_set::KeySet;
pub(crate) use self::material::{Curve, Material};
use crate::algorithm::Algorithm;
use crate::digest::{base64url, sha256};
pub use crate::key::KeyError;

/// The largest JWK Set that is read, in bytes (SEC-08).
pub const MAX_SET_BYTES: usize = 64 * 1024;
/// The most keys in a set.
pub const MAX_KEYS: usize = 100;
const MAX_KID_BYTES: usize = 256;

/// One **public** signature key: P-256, P-384, Ed25519 or RSA of 2048 to 8192 bits.
///
/// The material is checked when it is parsed: a point off its curve or a short modulus is not a `Jwk`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Jwk {
    material: Material,
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    marked_for_signatures: bool,
}

impl Jwk {
    /// Reads one key.
    ///
    /// # Errors
    /// [`KeyError::Private`] when a private member is present, [`KeyError::Unsupported`] for a key that cannot verify
    /// signatures here (symmetric, for encryption, another curve or algorithm), [`KeyError::Malformed`] otherwise.
    pub fn parse(value: &Value) -> Result<Self, KeyError> {
        let members = value.as_object().ok_or(KeyError::Malformed("not an object"))?;
        let material = Material::parse(members)?;
        let usage = text(members, "use")?;
        if usage.is_some_and(|usage| usage != "sig") {
            return Err(KeyError::Unsupported("not for signatures"));
        }
        if let Some(operations) = members.get("key_ops") {
            let operations = operations
                .as_array()
                .ok_or(KeyError::Malformed("key_ops is not an array"))?;
            if !operations.iter().any(|operation| operation == "verify") {
                return Err(KeyError::Unsupported("not for verification"));
            }
        }
        let algorithm = match text(members, "alg")? {
            None => None,
            // RFC 9864 names the curve in the algorithm.
            Some("Ed25519") => Some(Algorithm::EdDsa),
            Some(name) => Some(Algorithm::parse(name).ok_or(KeyError::Unsupported("another algorithm"))?),
        };
        if algorithm.is_some_and(|algorithm| !material.algorithms().contains(&algorithm)) {
            return Err(KeyError::Malformed("alg does not fit the key type"));
        }
        let kid = text(members, "kid")?;
        if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID_BYTES) {
            return Err(KeyError::Malformed("kid must have 1 to 256 bytes"));
        }
        Ok(Self {
            material,
            kid: kid.map(str::to_owned),
            algorithm,
            marked_for_signatures: usage.is_some(),
        })
    }

    pub(crate) fn of(material: Material, algorithm: Algorithm) -> Self {
        let mut key = Self {
            material,
            kid: None,
            algorithm: Some(algorithm),
            marked_for_signatures: true,
        };
        key.kid = Some(key.thumbprint());
        key
    }

    /// The key identifier, if the key has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The same key under another identifier.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }

    /// The algorithms that this key verifies: the one of `alg`, else what its type allows (SEC-06).
    pub fn algorithms(&self) -> &[Algorithm] {
        self.algorithm
            .as_ref()
            .map_or(self.material.algorithms(), std::slice::from_ref)
    }

    /// The key type, `EC`, `OKP` or `RSA`.
    pub fn kty(&self) -> &'static str {
        self.material.kty()
    }

    /// The thumbprint with SHA-256 in base64url (RFC 7638, section 3). It depends on the material only.
    pub fn thumbprint(&self) -> String {
        base64url(&sha256(self.material.canonical().as_bytes()))
    }

    /// The key as JSON.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        self.material.write(&mut members);
        if let Some(kid) = &self.kid {
            members.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        if self.marked_for_signatures {
            members.insert("use".to_owned(), Value::from("sig"));
        }
        if let Some(algorithm) = self.algorithm {
            members.insert("alg".to_owned(), Value::from(algorithm.as_str()));
        }
        Value::Object(members)
    }

    pub(crate) const fn material(&self) -> &Material {
        &self.material
    }
}

impl std::fmt::Debug for Jwk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jwk")
            .field("kty", &self.kty())
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// The usable keys of a JWK Set (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct JwkSet {
    /// The keys in order.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// Reads a set of at most [`MAX_SET_BYTES`] of strict JSON.
    ///
    /// Keys that cannot verify signatures here (unknown type or curve, symmetric, for encryption, malformed) are left
    /// out, as RFC 7517, section 5 asks. A private member of an asymmetric key refuses the whole set: somebody has
    /// published a secret.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &[u8]) -> Result<Self, KeyError> {
        if text.len() > MAX_SET_BYTES {
            return Err(KeyError::Malformed("the set is larger than 64 KB"));
        }
        let value: Value =
            lanyard_protocol::json::from_slice(text).map_err(|_| KeyError::Malformed("not acceptable JSON"))?;
        Self::parse_value(&value)
    }

    /// Reads a set that was parsed as JSON already, with the rules of [`parse`](Self::parse).
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse_value(value: &Value) -> Result<Self, KeyError> {
        let members = value
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeyError::Malformed("no array of keys"))?;
        if members.len() > MAX_KEYS {
            return Err(KeyError::Malformed("the set has more than 100 keys"));
        }
        let mut keys = Vec::new();
        for member in members {
            match Jwk::parse(member) {
                Ok(key) => keys.push(key),
                Err(KeyError::Private) => return Err(KeyError::Private),
                Err(KeyError::Unsupported(_) | KeyError::Malformed(_)) => {}
            }
        }
        Ok(Self { keys })
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse_value(&Value::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
        }
    }
}

/// An optional text member; a member of another type is malformed, not absent.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, KeyError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Malformed("a member is not a string")),
    }
}
