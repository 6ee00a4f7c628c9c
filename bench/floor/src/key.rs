//! One P-256 key: signing and verifying compact JWS.

use anyhow::{Context, anyhow};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) struct Key {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Key {
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(|_| anyhow!("no key"))?;
        Ok(Self {
            pair,
            random: SystemRandom::new(),
        })
    }

    /// The public half as an uncompressed point.
    pub(crate) fn public(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    pub(crate) fn public_jwk(&self) -> anyhow::Result<Value> {
        let point = self.public();
        let (x, y) = point
            .get(1..)
            .and_then(|both| both.split_at_checked(32))
            .context("no point")?;
        Ok(serde_json::json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "bench",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }))
    }

    pub(crate) fn sign(&self, typ: &str, claims: &impl Serialize) -> anyhow::Result<String> {
        let mut token = String::with_capacity(900);
        let header = format!(r#"{{"alg":"ES256","typ":"{typ}","kid":"bench"}}"#);
        URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let signed = self.pair.sign(&self.random, token.as_bytes());
        let signature = signed.map_err(|_| anyhow!("no signature"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
        Ok(token)
    }
}

/// The public half of a key.
pub(crate) struct Public(ParsedPublicKey);

impl Public {
    pub(crate) fn parse(point: &[u8]) -> anyhow::Result<Self> {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .map(Self)
            .map_err(|_| anyhow!("no public key"))
    }

    /// The claims of a token with a good signature.
    pub(crate) fn verify<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.0.verify_sig(message.as_bytes(), &signature).ok()?;
        let (header, payload) = message.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.get("alg")? != "ES256" {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}
