//! Private keys as JWK (RFC 7518, section 6.2.2; RFC 8037, section 2), for clients' key files.
//!
//! Owns reading and writing them. Never used for anything that is published.

use aws_lc_rs::encoding::AsBigEndian;
use serde_json::Value;
use zeroize::Zeroizing;

use super::KeyError;
use super::pair::Pair;
use crate::algorithm::Algorithm;
use crate::digest::{base64url, from_base64url};
use crate::jwk::{Curve, Jwk, Material, text};

pub(super) fn read(value: &Value) -> Result<(Algorithm, Pair), KeyError> {
    let members = value.as_object().ok_or(KeyError::Malformed("not an object"))?;
    let private = text(members, "d")?.and_then(from_base64url).map(Zeroizing::new);
    let private = private.ok_or(KeyError::Malformed("the private number is missing"))?;
    let mut public = members.clone();
    public.remove("d");
    let jwk = Jwk::parse(&Value::Object(public))?;
    let algorithm = *jwk.algorithms().first().ok_or(KeyError::Unsupported("no algorithm"))?;
    let pair = match jwk.material() {
        Material::Ec { curve, point } => {
            let length = match curve {
                Curve::P256 => 32,
                Curve::P384 => 48,
            };
            if private.len() != length {
                return Err(KeyError::Malformed("a number has a wrong length"));
            }
            Pair::from_numbers(*curve, &private, point)?
        }
        Material::Ed25519 { x } => Pair::from_seed(&private, x)?,
        Material::Rsa { .. } => return Err(KeyError::Unsupported("RSA keys are read as PKCS#8")),
    };
    Ok((algorithm, pair))
}

pub(super) fn write(pair: &Pair, public: &Jwk) -> Result<Value, KeyError> {
    let failed = |_| KeyError::Malformed("the key cannot be written");
    let private = match pair {
        Pair::Ec(_, pair) => {
            let key = pair.private_key();
            let number: aws_lc_rs::encoding::EcPrivateKeyBin<'_> = key.as_be_bytes().map_err(failed)?;
            base64url(number.as_ref())
        }
        Pair::Ed25519(pair) => {
            let seed: aws_lc_rs::encoding::Curve25519SeedBin<'_> =
                pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(failed)?;
            base64url(seed.as_ref())
        }
        Pair::Rsa(_) => return Err(KeyError::Unsupported("RSA keys are written as PKCS#8")),
    };
    let mut value = public.to_value();
    if let Some(members) = value.as_object_mut() {
        members.insert("d".to_owned(), Value::from(private));
    }
    Ok(value)
}
