//! The JOSE header of a compact JWS (RFC 7515, section 4.1).
//!
//! Owns which members are refused: all that bring a key along or change what the signature covers.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use crate::algorithm::Algorithm;
use crate::verify::VerifyError;

pub(super) struct Header {
    pub(super) algorithm: Algorithm,
    pub(super) typ: Option<String>,
    pub(super) kid: Option<String>,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default, deserialize_with = "string")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "string")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "string")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    crit: bool,
    #[serde(default, deserialize_with = "present")]
    b64: bool,
    #[serde(default, deserialize_with = "present")]
    jku: bool,
    #[serde(default, deserialize_with = "present")]
    jwk: bool,
    #[serde(default, deserialize_with = "present")]
    x5u: bool,
    #[serde(default, deserialize_with = "present")]
    x5c: bool,
    /// JWE members: this is not a JWS.
    #[serde(default, deserialize_with = "present")]
    enc: bool,
    #[serde(default, deserialize_with = "present")]
    zip: bool,
}

/// A member that is there must be a string: `null` is not absence.
fn string<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

pub(super) fn parse(text: &[u8]) -> Result<Header, VerifyError> {
    // Without this an array would be read member by member.
    if text.first() != Some(&b'{') {
        return Err(VerifyError::Malformed("the header is not an object"));
    }
    let members: Members = lanyard_protocol::json::from_slice(text)
        .map_err(|_| VerifyError::Malformed("the header is not acceptable JSON"))?;
    let forbidden = [
        (members.crit, "crit"),
        (members.b64, "b64"),
        (members.jku, "jku"),
        (members.jwk, "jwk"),
        (members.x5u, "x5u"),
        (members.x5c, "x5c"),
        (members.enc, "enc"),
        (members.zip, "zip"),
    ];
    if let Some((_, name)) = forbidden.into_iter().find(|(there, _)| *there) {
        return Err(VerifyError::ForbiddenHeader(name));
    }
    let algorithm = members.alg.as_deref().ok_or(VerifyError::Malformed("alg is missing"))?;
    let algorithm = Algorithm::parse(algorithm).ok_or(VerifyError::Algorithm)?;
    if members
        .kid
        .as_ref()
        .is_some_and(|kid| kid.is_empty() || kid.len() > 256)
    {
        return Err(VerifyError::Malformed("kid must have 1 to 256 bytes"));
    }
    Ok(Header {
        algorithm,
        typ: members.typ,
        kid: members.kid,
    })
}
