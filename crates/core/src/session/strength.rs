//! How strongly a person authenticated: the order that step-up compares, and its names on the wire.
//!
//! Owns the order and our `acr` values. Never decides what a resource needs.

use serde::{Deserialize, Serialize};

/// A phishing-resistant key protected by hardware; it counts as phishing-resistant.
const HARDWARE: &str = "phrh";

/// How strongly a person authenticated; a later one satisfies whatever asks for an earlier one.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// One factor: a password, or a sign-in at an identity provider that says nothing about it.
    #[default]
    Password,
    /// Two factors.
    MultiFactor,
    /// A key that a false site cannot use: a passkey or a smart card.
    PhishingResistant,
}

impl Strength {
    /// Every strength, weakest first.
    pub const ALL: [Self; 3] = [Self::Password, Self::MultiFactor, Self::PhishingResistant];

    /// The stored and shown name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::MultiFactor => "multi_factor",
            Self::PhishingResistant => "phishing_resistant",
        }
    }

    /// The authentication context class that says this. `phr` is the one of the OpenID Connect Extended
    /// Authentication Profile; the others are ours, since no registry has one for them.
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Password => "urn:lanyard:acr:pwd",
            Self::MultiFactor => "urn:lanyard:acr:mfa",
            Self::PhishingResistant => "phr",
        }
    }

    /// Every `acr` of ours that a token with at least this strength can carry, the least first.
    pub fn acrs_that_do(self) -> Vec<String> {
        let ours = Self::ALL.into_iter().filter(|strength| *strength >= self);
        let acrs = ours.map(Self::acr).chain([HARDWARE]);
        acrs.map(str::to_owned).collect()
    }

    /// The strength that an `acr` value of ours names; a hardware-protected key (`phrh`) counts as `phr`.
    pub fn of_acr(acr: &str) -> Option<Self> {
        if acr == HARDWARE {
            return Some(Self::PhishingResistant);
        }
        Self::ALL.into_iter().find(|strength| strength.acr() == acr)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stronger_sign_in_satisfies_a_weaker_demand_and_not_the_other_way_round() {
        assert!(Strength::PhishingResistant > Strength::MultiFactor && Strength::MultiFactor > Strength::Password);
    }

    #[test]
    fn every_acr_of_ours_is_read_back_as_its_strength() {
        for strength in Strength::ALL {
            assert_eq!(Strength::of_acr(strength.acr()), Some(strength));
        }
        assert_eq!(Strength::of_acr("phrh"), Some(Strength::PhishingResistant));
        assert_eq!(
            Strength::of_acr("urn:oasis:names:tc:SAML:2.0:ac:classes:Password"),
            None
        );
    }
}
