//! The claims of an ID-JAG, made from the grant after the commit.
//!
//! Owns the allow-list of claims (TOK-JG-02). Never decides and never signs.

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::id_jag::IdJagClaims;
use lanyard_protocol::claims::time::{NumericDate, Subject, TokenId};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

use crate::clock::Timestamp;
use crate::idp::settings::IdpSettings;
use crate::session::record::Authentication;

/// What was granted, exactly as it goes into the ID-JAG (IDP-MN-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdJagGrant {
    /// Unique; 128 random bits (IDP-MN-04).
    pub jti: TokenId,
    /// The person as the RAS knows them (IDP-MN-03).
    pub subject: Subject,
    /// The RAS.
    pub audience: Issuer,
    /// The client's id at the RAS (IDP-MN-02).
    pub client_id: ClientId,
    /// The granted resources; empty only where the audience allows a missing `resource` (IDP-TX-07).
    pub resources: Vec<ResourceId>,
    /// The granted scopes; never empty.
    pub scope: ScopeSet,
    /// Our tenant at the RAS (MT-06).
    pub aud_tenant: Option<String>,
    /// The original sign-in (IDP-MN-05).
    pub authentication: Authentication,
    /// The session as this RAS may know it.
    pub session_handle: Option<String>,
    /// The instant of the decision.
    pub issued_at: Timestamp,
    /// Lifetime in seconds.
    pub lifetime: i64,
}

impl IdJagGrant {
    /// The `resource` of claim and answer (D-15).
    pub fn resource(&self) -> Option<OneOrMany<String>> {
        let resources: Vec<String> = self
            .resources
            .iter()
            .map(|resource| resource.as_str().to_owned())
            .collect();
        (!resources.is_empty()).then(|| OneOrMany::from(resources))
    }

    /// The second at which it expires.
    pub fn expires_at(&self) -> NumericDate {
        NumericDate::from_seconds(self.issued_at.seconds().saturating_add(self.lifetime))
    }
}

/// The claims of a granted ID-JAG.
pub fn claims(settings: &IdpSettings, grant: &IdJagGrant) -> IdJagClaims {
    IdJagClaims {
        iss: settings.issuer.clone(),
        sub: grant.subject.clone(),
        aud: OneOrMany::One(grant.audience.as_str().to_owned()),
        client_id: grant.client_id.clone(),
        jti: grant.jti.clone(),
        exp: grant.expires_at(),
        iat: NumericDate::from_seconds(grant.issued_at.seconds()),
        nbf: None,
        resource: grant.resource(),
        scope: Some(grant.scope.clone()).filter(|scope| !scope.is_empty()),
        authorization_details: None,
        tenant: None,
        aud_tenant: grant.aud_tenant.clone(),
        aud_sub: None,
        auth_time: grant.authentication.auth_time_claim(),
        acr: Some(grant.authentication.acr_claim().to_owned()),
        amr: Some(grant.authentication.amr.clone()),
        email: None,
        cnf: None,
        sid: grant.session_handle.clone(),
    }
}
