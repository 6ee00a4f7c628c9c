//! The SAML service provider that a client is, as it registered with the identity providers (SAML-05, SAML-07).

use serde::{Deserialize, Serialize};

/// A service provider: whom assertions are for, and where they may be delivered.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceProvider {
    /// Its entity id, byte for byte; no other client has it.
    pub entity_id: String,
    /// The addresses of its assertion consumer services.
    pub acs_urls: Vec<String>,
}

impl ServiceProvider {
    /// What is wrong with it.
    ///
    /// # Errors
    /// The problem in words.
    pub fn check(&self) -> Result<(), String> {
        let plain = |text: &str| !text.is_empty() && text.len() <= 1024 && !text.chars().any(char::is_control);
        if !plain(&self.entity_id) {
            return Err("the entity id of the service provider is needed".to_owned());
        }
        if self.acs_urls.is_empty() || self.acs_urls.len() > 32 || !self.acs_urls.iter().all(|url| plain(url)) {
            return Err("1 to 32 addresses of assertion consumer services are needed".to_owned());
        }
        Ok(())
    }
}
