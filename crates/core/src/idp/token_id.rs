//! Identifiers of the tokens that the IdP issues.
//!
//! Owns their entropy (IDP-MN-04) and how a token names the family it belongs to. Never looks a family up.

use lanyard_jose::digest::base64url;
use lanyard_protocol::claims::time::TokenId;

use crate::cx::Cx;
use crate::id::FamilyId;

/// A fresh identifier: the time, which the token tells anyway, and 128 random bits. The time in front lets the records
/// of uses grow at their end, wherever they are kept.
pub(super) fn fresh(cx: &Cx) -> TokenId {
    token_id(format!("{:011x}{}", cx.now.micros().div_euclid(1000), noise(cx)))
}

/// A fresh identifier that says which family the token belongs to, so that it dies with it.
pub(super) fn of_family(cx: &Cx, family: &FamilyId) -> TokenId {
    token_id(format!("{family}.{}", noise(cx)))
}

/// The family that an identifier names.
pub(super) fn family(jti: &str) -> Option<FamilyId> {
    let (family, _) = jti.split_once('.')?;
    FamilyId::parse(family).ok()
}

fn noise(cx: &Cx) -> String {
    let mut noise = [0_u8; 16];
    cx.random.fill(&mut noise);
    base64url(&noise)
}

fn token_id(text: String) -> TokenId {
    #[expect(
        clippy::expect_used,
        reason = "at most 92 letters, digits, dots, hyphens and underscores"
    )]
    TokenId::try_from(text).expect("a short printable text is a token identifier")
}
