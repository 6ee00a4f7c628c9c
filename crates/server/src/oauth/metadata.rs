//! Metadata documents of both roles (RFC 8414; OpenID Connect Discovery).
//!
//! Owns what each role says about itself. Never says whom it trusts (MD-RAS-03).

use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::metadata::authorization_server::AuthorizationServerMetadata;
use lanyard_protocol::oauth::grant_type::{GrantType, ID_JAG_PROFILE};
use lanyard_protocol::oauth::token_type::TokenTypeUri;

use crate::oauth::client_auth::ASSERTION_ALGORITHMS;

/// The endpoints below an issuer, as paths.
pub mod path {
    /// Authorization endpoint: pages for people, served by `web`.
    pub const AUTHORIZE: &str = "/oauth2/authorize";
    /// Token endpoint.
    pub const TOKEN: &str = "/oauth2/token";
    /// Public keys.
    pub const JWKS: &str = "/oauth2/jwks";
    /// Introspection (RAS).
    pub const INTROSPECT: &str = "/oauth2/introspect";
    /// Revocation.
    pub const REVOKE: &str = "/oauth2/revoke";
    /// Claims about the signed-in person (IdP).
    pub const USERINFO: &str = "/oauth2/userinfo";
    /// RP-initiated logout: pages for people, served by `web`.
    pub const LOGOUT: &str = "/oauth2/logout";
    /// What the person may reach (IdP).
    pub const CONNECTORS: &str = "/connectors";
    /// Keys of the person's native clients (IdP).
    pub const CONNECTOR_KEYS: &str = "/connectors/keys";
}

/// The document of the IdP (MD-IDP-01 to 04), for the algorithms of its published keys.
pub fn idp(issuer: &Issuer, signing: &[Algorithm], acr_values: &[String]) -> AuthorizationServerMetadata {
    let mut document = common(issuer);
    document.userinfo_endpoint = Some(issuer.endpoint(path::USERINFO));
    document.end_session_endpoint = Some(issuer.endpoint(path::LOGOUT));
    document.backchannel_logout_supported = Some(true);
    document.backchannel_logout_session_supported = Some(true);
    document.lanyard_connectors_endpoint = Some(issuer.endpoint(path::CONNECTORS));
    document.grant_types_supported = grants(&[
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::TokenExchange,
    ]);
    document.identity_chaining_requested_token_types_supported = texts(&[TokenTypeUri::IdJag.as_str()]);
    document.subject_types_supported = texts(&["public", "pairwise"]);
    document.id_token_signing_alg_values_supported = signing.iter().map(|alg| alg.as_str().to_owned()).collect();
    document.scopes_supported = texts(&["openid", "profile", "email", "offline_access", "connectors"]);
    document.claims_supported = texts(&[
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "acr",
        "amr",
        "azp",
        "at_hash",
        "sid",
        "email",
        "name",
        "preferred_username",
    ]);
    document.acr_values_supported = acr_values.to_vec();
    document.prompt_values_supported = texts(&["none", "login"]);
    document.claims_parameter_supported = Some(false);
    document.request_parameter_supported = Some(false);
    // Absent would mean true (OpenID Connect Discovery, section 3).
    document.request_uri_parameter_supported = Some(false);
    document
}

/// The document of the RAS (MD-RAS-01 to 05).
///
/// An authorization endpoint is published although the grants served need none: clients refuse a document without
/// it (interop finding 1). `none` is not listed: clients would then leave out their secret (finding 10).
pub fn ras(issuer: &Issuer) -> AuthorizationServerMetadata {
    let mut document = common(issuer);
    document.introspection_endpoint = Some(issuer.endpoint(path::INTROSPECT));
    document.grant_types_supported = grants(&[GrantType::JwtBearer]);
    document.authorization_grant_profiles_supported = texts(&[ID_JAG_PROFILE]);
    document.introspection_endpoint_auth_methods_supported = methods();
    document.introspection_endpoint_auth_signing_alg_values_supported = assertion_algorithms();
    document.client_id_metadata_document_supported = Some(false);
    document
}

fn common(issuer: &Issuer) -> AuthorizationServerMetadata {
    let mut document = AuthorizationServerMetadata::new(issuer.clone());
    document.authorization_endpoint = Some(issuer.endpoint(path::AUTHORIZE));
    document.token_endpoint = Some(issuer.endpoint(path::TOKEN));
    document.jwks_uri = Some(issuer.endpoint(path::JWKS));
    document.revocation_endpoint = Some(issuer.endpoint(path::REVOKE));
    document.response_types_supported = texts(&["code"]);
    document.response_modes_supported = texts(&["query"]);
    document.code_challenge_methods_supported = texts(&["S256"]);
    document.token_endpoint_auth_methods_supported = methods();
    document.token_endpoint_auth_signing_alg_values_supported = assertion_algorithms();
    document.revocation_endpoint_auth_methods_supported = methods();
    document.revocation_endpoint_auth_signing_alg_values_supported = assertion_algorithms();
    document.authorization_response_iss_parameter_supported = true;
    document
}

/// The paths at which a document is served: the suffix inserted (RFC 8414) and appended (OpenID Connect Discovery).
pub(crate) fn well_known(issuer: &Issuer, suffix: &str) -> Vec<String> {
    let own = issuer.path();
    let mut paths = vec![format!("/.well-known/{suffix}{own}")];
    if !own.is_empty() {
        paths.push(format!("{own}/.well-known/{suffix}"));
    }
    paths
}

fn methods() -> Vec<String> {
    texts(&["client_secret_basic", "client_secret_post", "private_key_jwt"])
}

fn assertion_algorithms() -> Vec<String> {
    ASSERTION_ALGORITHMS.iter().map(|alg| alg.as_str().to_owned()).collect()
}

fn grants(grants: &[GrantType]) -> Vec<String> {
    grants.iter().map(|grant| grant.as_str().to_owned()).collect()
}

fn texts(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_with_a_path_has_both_forms_md_idp_01() {
        let issuer = Issuer::parse("https://login.example/t1").unwrap();
        let expected = [
            "/.well-known/openid-configuration/t1",
            "/t1/.well-known/openid-configuration",
        ];
        assert_eq!(well_known(&issuer, "openid-configuration"), expected);
        let root = Issuer::parse("https://login.example").unwrap();
        assert_eq!(
            well_known(&root, "openid-configuration"),
            ["/.well-known/openid-configuration"]
        );
    }

    #[test]
    fn the_document_of_the_idp_is_the_reviewed_one_md_idp_02() {
        let issuer = Issuer::parse("https://login.example").unwrap();
        let acr = ["urn:lanyard:acr:pwd".to_owned()];
        insta::assert_json_snapshot!(idp(&issuer, &[Algorithm::Es256], &acr));
    }

    #[test]
    fn the_document_of_the_ras_is_the_reviewed_one_md_ras_01() {
        insta::assert_json_snapshot!(ras(&Issuer::parse("https://auth.example").unwrap()));
    }

    #[test]
    fn the_profile_is_listed_together_with_its_grant_md_ras_02() {
        let document = ras(&Issuer::parse("https://auth.example").unwrap());
        assert!(
            document
                .grant_types_supported
                .contains(&GrantType::JwtBearer.as_str().to_owned())
        );
        assert_eq!(document.authorization_grant_profiles_supported, [ID_JAG_PROFILE]);
    }

    #[test]
    fn none_is_never_listed_interop_finding_10() {
        for document in [
            idp(&Issuer::parse("https://a.example").unwrap(), &[], &[]),
            ras(&Issuer::parse("https://b.example").unwrap()),
        ] {
            assert!(
                !document
                    .token_endpoint_auth_methods_supported
                    .contains(&"none".to_owned())
            );
        }
    }
}
