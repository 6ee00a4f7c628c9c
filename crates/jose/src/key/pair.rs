//! A key pair of the backend for each algorithm.
//!
//! Owns the calls that use private numbers.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair, Signature,
};
use zeroize::Zeroizing;

use super::{KeyError, SignError};
use crate::algorithm::Algorithm;
use crate::jwk::{Curve, Material};

pub(super) enum Pair {
    Ec(Curve, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Pair {
    pub(super) fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Malformed("the backend made no key");
        Ok(match kind(algorithm) {
            Kind::Ec(curve) => Self::Ec(curve, EcdsaKeyPair::generate(signing(curve)).map_err(failed)?),
            Kind::Ed25519 => Self::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            Kind::Rsa => Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
        })
    }

    pub(super) fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let failed = |_| KeyError::Malformed("not a PKCS#8 key for the algorithm");
        Ok(match kind(algorithm) {
            Kind::Ec(curve) => Self::Ec(curve, EcdsaKeyPair::from_pkcs8(signing(curve), der).map_err(failed)?),
            Kind::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(failed)?),
            Kind::Rsa => Self::Rsa(RsaKeyPair::from_pkcs8(der).map_err(failed)?),
        })
    }

    /// `private` and `public` must belong together.
    pub(super) fn from_numbers(curve: Curve, private: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        EcdsaKeyPair::from_private_key_and_public_key(signing(curve), private, public)
            .map(|pair| Self::Ec(curve, pair))
            .map_err(|_| KeyError::Malformed("the private and public halves do not match"))
    }

    /// `seed` and `public` must belong together.
    pub(super) fn from_seed(seed: &[u8], public: &[u8]) -> Result<Self, KeyError> {
        Ed25519KeyPair::from_seed_and_public_key(seed, public)
            .map(Self::Ed25519)
            .map_err(|_| KeyError::Malformed("the private and public halves do not match"))
    }

    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let failed = |_| KeyError::Malformed("the key cannot be written");
        let der = match self {
            Self::Ec(_, pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Self::Rsa(pair) => AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(pair)
                .map_err(failed)?
                .as_ref()
                .to_vec(),
        };
        Ok(Zeroizing::new(der))
    }

    pub(super) fn public_spki(&self) -> Result<Vec<u8>, KeyError> {
        let failed = |_| KeyError::Malformed("the key cannot be written");
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ec(_, pair) => pair.public_key().as_der().map_err(failed)?,
            Self::Ed25519(pair) => pair.public_key().as_der().map_err(failed)?,
            Self::Rsa(pair) => pair.public_key().as_der().map_err(failed)?,
        };
        Ok(der.as_ref().to_vec())
    }

    pub(super) fn material(&self) -> Result<Material, KeyError> {
        Ok(match self {
            Self::Ec(curve, pair) => Material::of_point(*curve, pair.public_key().as_ref()),
            Self::Ed25519(pair) => Material::Ed25519 {
                x: pair.public_key().as_ref().to_vec(),
            },
            Self::Rsa(pair) => {
                let public = pair.public_key();
                Material::Rsa {
                    n: public.modulus().big_endian_without_leading_zero().to_vec(),
                    e: public.exponent().big_endian_without_leading_zero().to_vec(),
                }
            }
        })
    }

    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let random = SystemRandom::new();
        match self {
            Self::Ec(_, pair) => fixed(pair.sign(&random, message)),
            Self::Ed25519(pair) => fixed(pair.try_sign(message)),
            Self::Rsa(pair) => {
                let padding = if algorithm == Algorithm::Ps256 {
                    &RSA_PSS_SHA256
                } else {
                    &RSA_PKCS1_SHA256
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .map_err(|_| SignError)?;
                Ok(signature)
            }
        }
    }
}

fn fixed<E>(signature: Result<Signature, E>) -> Result<Vec<u8>, SignError> {
    signature
        .map(|signature| signature.as_ref().to_vec())
        .map_err(|_| SignError)
}

enum Kind {
    Ec(Curve),
    Ed25519,
    Rsa,
}

const fn kind(algorithm: Algorithm) -> Kind {
    match algorithm {
        Algorithm::Es256 => Kind::Ec(Curve::P256),
        Algorithm::Es384 => Kind::Ec(Curve::P384),
        Algorithm::EdDsa => Kind::Ed25519,
        Algorithm::Rs256 | Algorithm::Ps256 => Kind::Rsa,
    }
}

fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
    }
}
