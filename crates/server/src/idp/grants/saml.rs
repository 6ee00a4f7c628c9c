//! A SAML assertion as the subject token of an exchange: checking its signature (SAML-02 … SAML-04).
//!
//! Owns the way from the parameter to what core judges. Never decides: `core/src/idp/assertion.rs` does.

use lanyard_core::idp::assertion::PresentedAssertion;
use lanyard_core::saml::denial::SamlDenial;
use lanyard_core::store::{StoreError, StoreExt};
use lanyard_core::upstream::connection::{Connection, Kind};
use lanyard_core::upstream::saml::{self, SamlSettings};
use lanyard_federation::saml::assertion::UnverifiedAssertion;
use lanyard_federation::saml::certificate::Certificate;
use lanyard_federation::saml::decode_token;

use crate::idp::Idp;

/// Finds the connection of whoever claims to have made the assertion, and checks the signature with its certificates.
pub(super) async fn verify(idp: &Idp, token: &str) -> Result<Result<PresentedAssertion, SamlDenial>, StoreError> {
    let unverified = match decode_token(token).and_then(|bytes| UnverifiedAssertion::parse(&bytes)) {
        Ok(unverified) => unverified,
        Err(defect) => return Ok(Err(defect.into())),
    };
    let issuer = unverified.issuer().to_owned();
    let found = idp.deps.basis.store.read(move |tx| saml::find(tx, &issuer)).await?;
    Ok(match found.filter(|connection| connection.enabled) {
        None => Err(SamlDenial::UnknownIssuer),
        Some(connection) => judge(&connection, &unverified),
    })
}

fn judge(connection: &Connection, unverified: &UnverifiedAssertion) -> Result<PresentedAssertion, SamlDenial> {
    let Kind::Saml(settings) = &connection.kind else {
        return Err(SamlDenial::UnknownIssuer);
    };
    Ok(PresentedAssertion {
        connection: connection.id.clone(),
        version: connection.version,
        assertion: unverified.verify(&certificates(settings)?)?,
    })
}

/// The pinned certificates of a connection.
pub(crate) fn certificates(settings: &SamlSettings) -> Result<Vec<Certificate>, SamlDenial> {
    let read = |text: &String| Certificate::parse(text).map_err(|_| SamlDenial::Certificate);
    settings.certificates.iter().map(read).collect()
}
