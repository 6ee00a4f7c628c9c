//! Signed statements that are no tokens: nobody presents them to be let in, and they do not expire.
//!
//! Owns "this text was signed by one of these keys as this type". Audience and time have no meaning here, which is why
//! none of the [`Kind`]s can be read this way.

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use serde::de::DeserializeOwned;

use super::{AccessToken, ClientAssertion, IdJag, IdToken, Kind, MAX_TOKEN_BYTES, decode, header};
use crate::jwk::KeySet;
use crate::verify::VerifyError;

/// Verifies the signature of a compact JWS whose `typ` is exactly `typ`, and reads what it says.
///
/// # Errors
/// [`VerifyError`]; its text has nothing of the statement.
pub fn verify_statement<C: DeserializeOwned>(text: &str, typ: &str, keys: &KeySet) -> Result<(String, C), VerifyError> {
    if text.len() > MAX_TOKEN_BYTES {
        return Err(VerifyError::Malformed("longer than 16 KB"));
    }
    let mut parts = text.split('.');
    let (Some(head), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(VerifyError::Malformed("not three parts"));
    };
    let (message, _) = text.split_at(head.len() + 1 + payload.len());
    let header = header::parse(&decode(head)?)?;
    if header.typ.as_deref() != Some(typ) || is_token(typ) {
        return Err(VerifyError::Typ);
    }
    let key = keys.find(header.kid.as_deref(), header.algorithm)?;
    (DEFAULT_PROVIDER.verifier_factory)(&header.algorithm.foreign(), &key.decoding)
        .map_err(|_| VerifyError::Algorithm)?
        .verify(message.as_bytes(), &decode(signature)?)
        .map_err(|_| VerifyError::Signature)?;
    let said = lanyard_protocol::json::from_slice(&decode(payload)?).map_err(|_| VerifyError::Claims)?;
    Ok((key.name.as_ref().to_owned(), said))
}

/// Whether a verifier of tokens could take the type for one of its own.
fn is_token(typ: &str) -> bool {
    let typ = Some(typ);
    IdToken::accepts(typ) || IdJag::accepts(typ) || AccessToken::accepts(typ) || ClientAssertion::accepts(typ)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::Algorithm;
    use crate::jwk::KeySet;
    use crate::key::SigningKey;

    #[test]
    fn a_statement_reads_back_and_no_other_key_type_or_byte_does() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let other = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys: KeySet = [key.public_jwk()].into_iter().collect();
        let text = key.sign("note+jwt", &serde_json::json!({"n": 1})).unwrap();
        let (kid, said) = verify_statement::<serde_json::Value>(&text, "note+jwt", &keys).unwrap();
        assert_eq!((kid.as_str(), &said["n"]), (key.kid(), &serde_json::json!(1)));
        assert_eq!(
            verify_statement::<serde_json::Value>(&text, "memo+jwt", &keys),
            Err(VerifyError::Typ)
        );
        let foreign = other.sign("note+jwt", &serde_json::json!({"n": 1})).unwrap();
        assert_eq!(
            verify_statement::<serde_json::Value>(&foreign, "note+jwt", &keys),
            Err(VerifyError::UnknownKey)
        );
        let moved = other
            .sign_with_kid("note+jwt", key.kid(), &serde_json::json!({"n": 2}))
            .unwrap();
        assert_eq!(
            verify_statement::<serde_json::Value>(&moved, "note+jwt", &keys),
            Err(VerifyError::Signature)
        );
    }

    #[test]
    fn no_kind_of_token_is_read_as_a_statement_sec_01() {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let keys: KeySet = [key.public_jwk()].into_iter().collect();
        for typ in [
            "JWT",
            "jwt",
            "oauth-id-jag+jwt",
            "application/at+jwt",
            "at+jwt",
            "client-authentication+jwt",
        ] {
            let text = key.sign(typ, &serde_json::json!({})).unwrap();
            assert_eq!(
                verify_statement::<serde_json::Value>(&text, typ, &keys),
                Err(VerifyError::Typ),
                "{typ}"
            );
        }
    }
}
