//! The request for a sign-in at a SAML identity provider (SAML Core, section 3.4.1).
//!
//! Owns what is passed on of what a client asked.

use lanyard_core::cx::Cx;
use lanyard_core::store::StoreError;
use lanyard_core::upstream::attempt::Begun;
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::saml::{SamlSettings, acs_url, entity_id};
use lanyard_federation::saml::message::{Envelope, SignIn, authn_request};
use lanyard_federation::saml::redirect::{Carrier, address};
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use secrecy::ExposeSecret;
use url::Url;

use super::keys::OwnKeys;
use crate::idp::upstream::authorization::{Wishes, acr_values};

/// The signed request, as the address to send the browser to.
pub(in crate::idp::upstream) fn location(
    cx: &Cx,
    issuer: &Issuer,
    connection: &Connection,
    settings: &SamlSettings,
    own: &OwnKeys,
    begun: &Begun,
    wishes: &Wishes,
) -> Result<String, StoreError> {
    let message = authn_request(
        &Envelope {
            id: &begun.nonce,
            issuer: &entity_id(issuer, &connection.name),
            destination: &settings.sso_url,
            at: cx.now,
        },
        &SignIn {
            acs: &acs_url(issuer, &connection.name),
            name_id_format: settings.name_id_format.as_deref(),
            // An age cannot be asked for, nor another account: both are had by a new sign-in.
            force: wishes.max_age.is_some() || wishes.prompt.is_some(),
            classes: &classes(connection, wishes),
        },
    );
    let handle = Some(begun.handle.expose_secret());
    let location = address(
        &settings.sso_url,
        Carrier::Request,
        &message,
        handle,
        Some(&own.signing),
    )
    .map_err(|_| StoreError::Corrupt("a SAML request could not be signed".to_owned()))?;
    Ok(match &wishes.hint {
        // No part of SAML, and no part of what is signed: Entra, Keycloak and Okta fill in the name by it.
        Some(hint) => format!("{location}&{}", Form::default().with("login_hint", hint).encode()),
        None => location,
    })
}

/// The classes that the connection's rules name for what was asked. Providers refuse a request for one that they do not
/// know, so that only what an operator wrote down is asked for: classes are URIs, our usual rules name none.
fn classes(connection: &Connection, wishes: &Wishes) -> Vec<String> {
    let mut classes = acr_values(connection, &wishes.acr_values);
    classes.retain(|class| Url::parse(class).is_ok());
    classes
}
