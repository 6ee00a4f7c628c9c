//! What we sign, `jsonwebtoken` reads; what it signs, we read.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::base64url;
use lanyard_jose::key::SigningKey;
use lanyard_jose::token::IdJag;
use serde_json::Value;

use crate::forge::{ISSUER, NOW, RAS, expected, id_jag, redeem};

fn theirs(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.as_str().parse().unwrap()
}

#[test]
fn jsonwebtoken_decodes_what_we_sign() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap();
        let token = key.sign("oauth-id-jag+jwt", &id_jag()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.public_jwk().to_value()).unwrap();
        let mut validation = Validation::new(theirs(algorithm));
        validation.set_audience(&[RAS]);
        validation.set_issuer(&[ISSUER]);
        // Its clock is the system's; ours is the test's.
        validation.validate_exp = false;
        let read = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        assert_eq!(read.claims, id_jag(), "{algorithm}");
        assert_eq!(read.header.typ.as_deref(), Some("oauth-id-jag+jwt"));
        assert_eq!(read.header.kid.as_deref(), Some(key.kid()));
    }
}

#[test]
fn we_verify_what_jsonwebtoken_encodes() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm).unwrap();
        let der = key.to_pkcs8();
        let encoding = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_ec_der(&der),
        };
        let mut header = Header::new(theirs(algorithm));
        header.typ = Some("oauth-id-jag+jwt".to_owned());
        header.kid = Some(key.kid().to_owned());
        let token = encode(&header, &id_jag(), &encoding).unwrap();
        let keys = [key.public_jwk()].into_iter().collect();
        assert_eq!(
            redeem::<IdJag>(&token, &keys, &expected()).unwrap().exp.seconds(),
            NOW + 300,
            "{algorithm}"
        );
    }
}

#[test]
fn we_verify_rsa_signatures_of_the_backend_itself() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        let key = SigningKey::generate(algorithm).unwrap();
        let pair = aws_lc_rs::signature::RsaKeyPair::from_pkcs8(&key.to_pkcs8()).unwrap();
        let header = serde_json::json!({"typ": "oauth-id-jag+jwt", "alg": algorithm.as_str(), "kid": key.kid()});
        let message = format!(
            "{}.{}",
            base64url(header.to_string().as_bytes()),
            base64url(id_jag().to_string().as_bytes())
        );
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        // The two paddings are different static types.
        match algorithm {
            Algorithm::Ps256 => pair.sign(
                &aws_lc_rs::signature::RSA_PSS_SHA256,
                &random,
                message.as_bytes(),
                &mut signature,
            ),
            _ => pair.sign(
                &aws_lc_rs::signature::RSA_PKCS1_SHA256,
                &random,
                message.as_bytes(),
                &mut signature,
            ),
        }
        .unwrap();
        let token = format!("{message}.{}", base64url(&signature));
        let keys = [key.public_jwk()].into_iter().collect();
        assert!(redeem::<IdJag>(&token, &keys, &expected()).is_ok(), "{algorithm}");
    }
}
