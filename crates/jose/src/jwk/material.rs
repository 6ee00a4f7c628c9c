//! The numbers of a public key.
//!
//! Owns their encoding and the check that they are a key. Never holds private numbers.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::text;
use crate::algorithm::Algorithm;
use crate::digest::{base64url, from_base64url};
use crate::key::KeyError;

/// A NIST curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Curve {
    P256,
    P384,
}

impl Curve {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Length of one coordinate (RFC 7518, section 6.2.1.2).
    const fn coordinate(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// What makes a public key, canonically encoded.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Material {
    /// The uncompressed point: 0x04, x, y.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519 {
        x: Vec<u8>,
    },
    /// Big-endian without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

/// Members that hold private or symmetric numbers (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl Material {
    pub(crate) fn parse(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let kty = text(members, "kty")?.ok_or(KeyError::Malformed("kty is missing"))?;
        if kty == "oct" {
            return Err(KeyError::Unsupported("a symmetric key"));
        }
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Private);
        }
        let crv = text(members, "crv")?;
        let material = match (kty, crv) {
            ("EC", Some("P-256")) => point(Curve::P256, members)?,
            ("EC", Some("P-384")) => point(Curve::P384, members)?,
            ("OKP", Some("Ed25519")) => Self::Ed25519 {
                x: bytes(members, "x", 32)?,
            },
            ("RSA", _) => Self::Rsa {
                n: number(members, "n")?,
                e: number(members, "e")?,
            },
            ("EC" | "OKP", None) => return Err(KeyError::Malformed("crv is missing")),
            _ => return Err(KeyError::Unsupported("another key type or curve")),
        };
        material.check()?;
        Ok(material)
    }

    pub(crate) fn of_point(curve: Curve, point: &[u8]) -> Self {
        Self::Ec {
            curve,
            point: point.to_vec(),
        }
    }

    /// What a key of this type may verify when it does not say it itself.
    pub(crate) const fn algorithms(&self) -> &'static [Algorithm] {
        match self {
            Self::Ec { curve: Curve::P256, .. } => &[Algorithm::Es256],
            Self::Ec { curve: Curve::P384, .. } => &[Algorithm::Es384],
            Self::Ed25519 { .. } => &[Algorithm::EdDsa],
            Self::Rsa { .. } => &[Algorithm::Rs256, Algorithm::Ps256],
        }
    }

    pub(crate) const fn kty(&self) -> &'static str {
        match self {
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } => "OKP",
            Self::Rsa { .. } => "RSA",
        }
    }

    /// The JSON that is hashed for the thumbprint: required members only, in order, without spaces (RFC 7638, 3.1).
    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::Ec { curve, point } => {
                let (x, y) = coordinates(*curve, point);
                let (x, y) = (base64url(x), base64url(y));
                format!(r#"{{"crv":"{}","kty":"EC","x":"{x}","y":"{y}"}}"#, curve.name())
            }
            Self::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url(x)),
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64url(e), base64url(n)),
        }
    }

    pub(crate) fn write(&self, members: &mut Map<String, Value>) {
        let mut put = |name: &str, value: String| members.insert(name.to_owned(), Value::from(value));
        put("kty", self.kty().to_owned());
        match self {
            Self::Ec { curve, point } => {
                let (x, y) = coordinates(*curve, point);
                put("crv", curve.name().to_owned());
                put("x", base64url(x));
                put("y", base64url(y));
            }
            Self::Ed25519 { x } => {
                put("crv", "Ed25519".to_owned());
                put("x", base64url(x));
            }
            Self::Rsa { n, e } => {
                put("n", base64url(n));
                put("e", base64url(e));
            }
        }
    }

    /// The key as the verifying library takes it.
    pub(crate) fn decoding_key(&self) -> DecodingKey {
        match self {
            Self::Ec { point, .. } => DecodingKey::from_ec_der(point),
            Self::Ed25519 { x } => DecodingKey::from_ed_der(x),
            Self::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        }
    }

    /// Refuses numbers that are no key, once, instead of at every verification.
    fn check(&self) -> Result<(), KeyError> {
        let parsed = match self {
            Self::Ec { curve, point } => {
                let algorithm: &'static dyn VerificationAlgorithm = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_FIXED,
                    Curve::P384 => &ECDSA_P384_SHA384_FIXED,
                };
                ParsedPublicKey::new(algorithm, point)
            }
            Self::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x),
            Self::Rsa { n, e } => {
                let bits = n.len() * 8
                    - n.first()
                        .map_or(0, |byte| usize::try_from(byte.leading_zeros()).unwrap_or(0));
                if !(2048..=8192).contains(&bits) {
                    return Err(KeyError::Unsupported(
                        "an RSA key of less than 2048 or more than 8192 bits",
                    ));
                }
                // 1 would make every padded text its own signature.
                if e.len() > 4 || e.as_slice() == [1] || e.last().is_none_or(|byte| byte % 2 == 0) {
                    return Err(KeyError::Malformed("not a public exponent"));
                }
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
        };
        parsed
            .map(drop)
            .map_err(|_| KeyError::Malformed("the numbers are not a key"))
    }
}

fn coordinates(curve: Curve, point: &[u8]) -> (&[u8], &[u8]) {
    let numbers = point.strip_prefix(&[4]).unwrap_or(point);
    numbers.split_at_checked(curve.coordinate()).unwrap_or((numbers, &[]))
}

fn point(curve: Curve, members: &Map<String, Value>) -> Result<Material, KeyError> {
    let mut point = vec![4];
    point.extend(bytes(members, "x", curve.coordinate())?);
    point.extend(bytes(members, "y", curve.coordinate())?);
    Ok(Material::Ec { curve, point })
}

/// A member of exactly `length` bytes. Fixed lengths keep `x` and `y` from running into each other.
fn bytes(members: &Map<String, Value>, name: &str, length: usize) -> Result<Vec<u8>, KeyError> {
    let value = text(members, name)?
        .and_then(from_base64url)
        .ok_or(KeyError::Malformed("a number is missing"))?;
    if value.len() == length {
        Ok(value)
    } else {
        Err(KeyError::Malformed("a number has a wrong length"))
    }
}

/// A number of any length, reduced to the form without leading zeros, which gives one thumbprint per key.
fn number(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyError> {
    let value = text(members, name)?
        .and_then(from_base64url)
        .ok_or(KeyError::Malformed("a number is missing"))?;
    let digits: Vec<u8> = value.into_iter().skip_while(|byte| *byte == 0).collect();
    if digits.is_empty() {
        Err(KeyError::Malformed("a number is zero"))
    } else {
        Ok(digits)
    }
}
