//! The settings of a SAML connection, as they are stored.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an operator said about a SAML identity provider; a document that only the SAML rules look into.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SamlSettings(pub Map<String, Value>);
