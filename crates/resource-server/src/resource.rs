//! The protected resource: its metadata document and its challenges (RFC 9728; RFC 6750, section 3).
//!
//! Owns their exact form. Never decides which one is sent.

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use lanyard_protocol::challenge::Challenge;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::protected_resource::ProtectedResourceMetadata;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::{Scope, ScopeSet};
use lanyard_protocol::step_up::AuthenticationNeed;

/// A resource as it presents itself to clients.
#[derive(Debug, Clone)]
pub struct ProtectedResource {
    id: ResourceId,
    authorization_server: Issuer,
    scopes: ScopeSet,
    name: Option<String>,
    metadata_url: String,
    metadata_path: String,
}

impl ProtectedResource {
    /// The resource `id`, for which `authorization_server` issues access tokens.
    pub fn new(id: ResourceId, authorization_server: Issuer) -> Self {
        let metadata_url = id.metadata_url();
        let metadata_path = metadata_url.strip_prefix(&id.origin()).unwrap_or_default().to_owned();
        let metadata_path = metadata_path.split('?').next().unwrap_or_default().to_owned();
        Self {
            id,
            authorization_server,
            scopes: ScopeSet::empty(),
            name: None,
            metadata_url,
            metadata_path,
        }
    }

    /// The minimal set of scopes, for the metadata and the first challenge. `offline_access` is never listed (RS-CH-04).
    #[must_use]
    pub fn with_scopes(mut self, scopes: &ScopeSet) -> Self {
        self.scopes = scopes
            .iter()
            .filter(|scope| scope.as_str() != "offline_access")
            .cloned()
            .collect();
        self
    }

    /// A name for people.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// The resource identifier.
    pub const fn id(&self) -> &ResourceId {
        &self.id
    }

    /// Who issues tokens for it.
    pub const fn authorization_server(&self) -> &Issuer {
        &self.authorization_server
    }

    /// The scopes it lists.
    pub const fn scopes(&self) -> &ScopeSet {
        &self.scopes
    }

    /// The path at which its metadata is served (RFC 9728, section 3.1; MD-PRM-01).
    pub fn metadata_path(&self) -> &str {
        &self.metadata_path
    }

    /// The metadata document (MD-PRM-01, MD-PRM-02).
    pub fn metadata(&self) -> ProtectedResourceMetadata {
        ProtectedResourceMetadata {
            resource: self.id.as_str().to_owned(),
            authorization_servers: vec![self.authorization_server.as_str().to_owned()],
            scopes_supported: self.scopes.iter().map(|scope| scope.as_str().to_owned()).collect(),
            bearer_methods_supported: vec!["header".to_owned()],
            resource_name: self.name.clone(),
        }
    }

    /// Answers a request for the metadata document: `GET`, `HEAD`, and `OPTIONS` of browsers (HT-04).
    pub fn metadata_response(&self, method: &Method) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::default());
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if method == Method::OPTIONS {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
            *response.status_mut() = StatusCode::NO_CONTENT;
        } else if method == Method::GET || method == Method::HEAD {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
            if method == Method::GET {
                let document = serde_json::to_vec(&self.metadata()).unwrap_or_default();
                *response.body_mut() = Full::new(Bytes::from(document));
            }
        } else {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        response
    }

    /// Form A of the requirements, section 16: no credentials (RS-CH-01).
    pub fn challenge(&self) -> Challenge {
        self.with_own_scopes(Challenge::bearer().with("resource_metadata", &self.metadata_url))
    }

    /// Form B: the token is not good (RS-CH-02).
    pub fn invalid_token(&self, description: &str) -> Challenge {
        self.with_own_scopes(
            Challenge::bearer()
                .with("error", "invalid_token")
                .with("error_description", description)
                .with("resource_metadata", &self.metadata_url),
        )
    }

    /// Form C: the token lacks scopes. All that the operation needs are named at once (RS-CH-03, D-19).
    pub fn insufficient_scope(&self, needed: &ScopeSet, description: &str) -> Challenge {
        let needed: ScopeSet = needed.iter().filter(|scope| !is_offline(scope)).cloned().collect();
        let challenge = Challenge::bearer().with("error", "insufficient_scope");
        let challenge = match needed.to_wire() {
            Some(scope) => challenge.with("scope", &scope),
            None => challenge,
        };
        challenge
            .with("resource_metadata", &self.metadata_url)
            .with("error_description", description)
    }

    /// Form D: the sign-in behind the token is too weak or too old (SU-05; RFC 9470, section 3).
    pub fn insufficient_authentication(&self, need: &AuthenticationNeed, description: &str) -> Challenge {
        let mut challenge = Challenge::bearer()
            .with("error", "insufficient_user_authentication")
            .with("error_description", description);
        if !need.acr_values.is_empty() {
            challenge = challenge.with("acr_values", &need.acr_values.join(" "));
        }
        if let Some(max_age) = need.max_age {
            challenge = challenge.with("max_age", &max_age.to_string());
        }
        challenge.with("resource_metadata", &self.metadata_url)
    }

    /// Row 25: several or malformed credentials.
    pub fn invalid_request(&self, description: &str) -> Challenge {
        Challenge::bearer()
            .with("error", "invalid_request")
            .with("error_description", description)
    }

    fn with_own_scopes(&self, challenge: Challenge) -> Challenge {
        match self.scopes.to_wire() {
            Some(scope) => challenge.with("scope", &scope),
            None => challenge,
        }
    }
}

fn is_offline(scope: &Scope) -> bool {
    scope.as_str() == "offline_access"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource() -> ProtectedResource {
        ProtectedResource::new(
            ResourceId::parse("https://h/mcp").unwrap(),
            Issuer::parse("https://auth.example").unwrap(),
        )
        .with_scopes(&ScopeSet::parse("a b offline_access").unwrap())
        .with_name("Ledger")
    }

    #[test]
    fn the_challenges_have_the_forms_of_section_16_rs_ch_01_02_03() {
        let metadata = "https://h/.well-known/oauth-protected-resource/mcp";
        assert_eq!(
            resource().challenge().to_string(),
            format!(r#"Bearer resource_metadata="{metadata}", scope="a b""#)
        );
        assert_eq!(
            resource().invalid_token("token expired").to_string(),
            format!(
                r#"Bearer error="invalid_token", error_description="token expired", resource_metadata="{metadata}", scope="a b""#
            )
        );
        assert_eq!(
            resource()
                .insufficient_scope(&ScopeSet::parse("a c").unwrap(), "more is needed")
                .to_string(),
            format!(
                r#"Bearer error="insufficient_scope", scope="a c", resource_metadata="{metadata}", error_description="more is needed""#
            )
        );
    }

    #[test]
    fn a_weak_sign_in_is_challenged_in_form_d_su_05() {
        let need = AuthenticationNeed {
            acr_values: vec!["urn:northwind:acr:phrh".to_owned(), "phr".to_owned()],
            max_age: Some(300),
        };
        let challenge = resource().insufficient_authentication(&need, "recent strong login needed");
        assert_eq!(
            challenge.to_string(),
            r#"Bearer error="insufficient_user_authentication", error_description="recent strong login needed", acr_values="urn:northwind:acr:phrh phr", max_age="300", resource_metadata="https://h/.well-known/oauth-protected-resource/mcp""#
        );
    }

    #[test]
    fn offline_access_is_in_no_challenge_and_not_in_the_metadata_rs_ch_04() {
        let needed = ScopeSet::parse("c offline_access").unwrap();
        assert!(
            !resource()
                .insufficient_scope(&needed, "x")
                .to_string()
                .contains("offline")
        );
        assert_eq!(resource().metadata().scopes_supported, ["a", "b"]);
    }

    #[test]
    fn the_metadata_names_the_resource_verbatim_md_prm_01_md_prm_02() {
        let document = serde_json::to_value(resource().metadata()).unwrap();
        assert_eq!(
            document,
            serde_json::json!({
                "resource": "https://h/mcp",
                "authorization_servers": ["https://auth.example"],
                "scopes_supported": ["a", "b"],
                "bearer_methods_supported": ["header"],
                "resource_name": "Ledger",
            })
        );
        assert_eq!(resource().metadata_path(), "/.well-known/oauth-protected-resource/mcp");
    }
}
