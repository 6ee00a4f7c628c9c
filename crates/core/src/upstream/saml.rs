//! The settings of a SAML connection, as they are stored and as an operator writes them.
//!
//! Owns what an operator decided and what the metadata of the provider said when it was imported: both are pinned. Never
//! reads XML.

use lanyard_protocol::issuer::Issuer;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::upstream::UpstreamStore;
use crate::upstream::connection::{Connection, Kind};

/// What is pinned about a SAML identity provider.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlSettings {
    /// Its entity id, byte for byte.
    pub entity_id: String,
    /// Where sign-ins begin: its SingleSignOnService with the HTTP-Redirect binding.
    pub sso_url: String,
    /// Where logouts are asked for and answered: its SingleLogoutService with the HTTP-Redirect binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_url: Option<String>,
    /// Where answers to its logouts go, when that is elsewhere (ResponseLocation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo_response_url: Option<String>,
    /// Its signing certificates, base64 of the DER form. Nothing else it sends is believed.
    pub certificates: Vec<String>,
    /// Until when the metadata said it is good: told by `lanyard idp test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub valid_until: Option<Timestamp>,
    /// Whether responses that nobody asked for are accepted: an IdP-initiated sign-in.
    #[serde(default)]
    pub idp_initiated: bool,
    /// The format of names that is asked for; the provider chooses when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_id_format: Option<String>,
    /// The attribute that identifies a person for ever, where the NameID does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_attribute: Option<String>,
}

impl SamlSettings {
    /// What is wrong with the settings: the field, and why.
    ///
    /// # Errors
    /// The field and the problem. Without a certificate nothing could be verified, so such a connection is not kept.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if !is_plain(&self.entity_id) {
            return Err(("saml.entity_id", "the entity id of the provider is needed".to_owned()));
        }
        let urls = [
            ("saml.sso_url", Some(&self.sso_url)),
            ("saml.slo_url", self.slo_url.as_ref()),
            ("saml.slo_response_url", self.slo_response_url.as_ref()),
        ];
        for (field, url) in urls {
            if let Some(url) = url
                && !is_address(url)
            {
                return Err((field, "an https URL is needed".to_owned()));
            }
        }
        if self.certificates.is_empty() || self.certificates.len() > 8 {
            return Err((
                "saml.certificates",
                "1 to 8 signing certificates of the provider are needed".to_owned(),
            ));
        }
        for (field, text) in [
            ("saml.name_id_format", &self.name_id_format),
            ("saml.subject_attribute", &self.subject_attribute),
        ] {
            if text.as_deref().is_some_and(|text| !is_plain(text)) {
                return Err((
                    field,
                    "1 to 1024 characters without control characters are needed".to_owned(),
                ));
            }
        }
        Ok(())
    }
}

/// The entity id that we have at the provider of this connection; our metadata is served there.
pub fn entity_id(issuer: &Issuer, connection: &str) -> String {
    issuer.endpoint(&format!("/upstream/{connection}/saml/metadata"))
}

/// Where its responses are posted.
pub fn acs_url(issuer: &Issuer, connection: &str) -> String {
    issuer.endpoint(&format!("/upstream/{connection}/saml/acs"))
}

/// Where logouts are asked for and answered.
pub fn slo_url(issuer: &Issuer, connection: &str) -> String {
    issuer.endpoint(&format!("/upstream/{connection}/saml/slo"))
}

/// The SAML connection whose provider has this entity id.
///
/// # Errors
/// [`StoreError`].
pub fn find(tx: &mut dyn UpstreamStore, entity_id: &str) -> Result<Option<Connection>, StoreError> {
    let connections = tx.list_connections()?;
    Ok(connections.into_iter().find(|connection| match &connection.kind {
        Kind::Saml(settings) => settings.entity_id == entity_id,
        Kind::Oidc(_) => false,
    }))
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.len() <= 1024 && !text.chars().any(char::is_control)
}

fn is_address(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let plain = text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain && url.fragment().is_none() && lanyard_protocol::url_rules::is_protected(&url)
}
