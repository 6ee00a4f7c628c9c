//! Tests of [`super`].

use super::*;
use http::StatusCode;
use proptest::prelude::*;

fn mcp(url: &str) -> ResourceId {
    ResourceId::parse(url).unwrap()
}

fn answer(status: u16, kind: &'static str, body: &str) -> FetchResponse {
    let mut headers = http::HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    FetchResponse {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.to_owned().into(),
    }
}

fn document(resource: &str) -> FetchResponse {
    answer(
        200,
        "application/json",
        &format!(r#"{{"resource":"{resource}","authorization_servers":["https://as.example"]}}"#),
    )
}

#[test]
fn the_challenge_names_the_only_place_cl_di_01() {
    let challenge = Challenge::bearer().with("resource_metadata", "https://h.example/custom/location.json");
    let places = metadata_places(&mcp("https://h.example/mcp"), Some(&challenge)).unwrap();
    assert_eq!(places.len(), 1);
    assert_eq!(places[0].url.as_str(), "https://h.example/custom/location.json");
    assert!(!places[0].root);
}

#[test]
fn without_a_named_place_the_path_comes_before_the_root_cl_di_01() {
    let places = metadata_places(&mcp("https://h.example/x/mcp"), Some(&Challenge::bearer())).unwrap();
    let urls: Vec<_> = places.iter().map(|place| (place.url.as_str(), place.root)).collect();
    assert_eq!(
        urls,
        [
            ("https://h.example/.well-known/oauth-protected-resource/x/mcp", false),
            ("https://h.example/.well-known/oauth-protected-resource", true),
        ]
    );
}

#[test]
fn a_place_off_https_is_not_fetched_ht_01() {
    let challenge = Challenge::bearer().with("resource_metadata", "http://h.example/x");
    assert_eq!(
        metadata_places(&mcp("https://h.example/mcp"), Some(&challenge)),
        Err(DiscoveryError::Place)
    );
}

#[test]
fn metadata_of_another_resource_stops_discovery_cl_di_02() {
    let url = mcp("https://h.example/mcp");
    for place in metadata_places(&url, None).unwrap() {
        for other in [
            "https://evil.example/mcp",
            "https://h.example/other",
            "https://h.example/mcp/",
            "https://H.example/mcp",
        ] {
            assert_eq!(
                metadata_response(&place, &url, &document(other)),
                Err(DiscoveryError::OtherResource),
                "{other}"
            );
        }
    }
}

#[test]
fn only_a_root_document_may_name_the_bare_origin_d_20() {
    let url = mcp("https://h.example/mcp");
    let places = metadata_places(&url, None).unwrap();
    let bare = document("https://h.example");
    assert_eq!(
        metadata_response(&places[0], &url, &bare),
        Err(DiscoveryError::OtherResource)
    );
    let found = metadata_response(&places[1], &url, &bare).unwrap().unwrap();
    assert_eq!(
        found.resource, "https://h.example",
        "sent as published, without a slash"
    );
}

#[test]
fn a_missing_document_leads_on_and_a_failing_server_does_not() {
    let url = mcp("https://h.example/mcp");
    let place = &metadata_places(&url, None).unwrap()[0];
    assert_eq!(
        metadata_response(place, &url, &answer(404, "text/html", "<html>")),
        Ok(None)
    );
    assert_eq!(
        metadata_response(place, &url, &answer(200, "text/html", "<html>")),
        Ok(None)
    );
    assert_eq!(
        metadata_response(place, &url, &answer(503, "text/html", "")),
        Err(DiscoveryError::ServerFailed(503))
    );
}

#[test]
fn scopes_come_from_the_challenge_then_the_metadata_then_nowhere_cl_sc_01() {
    let mut metadata = ResourceMetadata {
        resource: "https://h.example/mcp".into(),
        authorization_servers: Vec::new(),
        scopes_supported: ScopeSet::parse("a b").unwrap(),
        resource_name: None,
    };
    let challenge = Challenge::bearer().with("scope", "c");
    assert_eq!(select_scopes(Some(&challenge), &metadata).to_string(), "c");
    assert_eq!(select_scopes(Some(&Challenge::bearer()), &metadata).to_string(), "a b");
    metadata.scopes_supported = ScopeSet::empty();
    assert!(select_scopes(None, &metadata).is_empty());
}

#[test]
fn enterprise_managed_authorization_is_chosen_by_profile_or_by_mapping_cl_di_05() {
    let mut metadata = AuthorizationServerMetadata::new(Issuer::parse("https://as.example").unwrap());
    assert!(!is_managed(&metadata, true));
    metadata.grant_types_supported = vec![GrantType::JwtBearer.as_str().to_owned()];
    assert!(!is_managed(&metadata, false), "the grant type alone proves nothing");
    assert!(is_managed(&metadata, true));
    metadata.authorization_grant_profiles_supported = vec![ID_JAG_PROFILE.to_owned()];
    assert!(is_managed(&metadata, false));
}

proptest! {
    #[test]
    fn no_document_makes_the_reader_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let url = mcp("https://h.example/mcp");
        let place = metadata_places(&url, None).unwrap().remove(0);
        let mut response = document("x");
        response.body = body.into();
        let _ = metadata_response(&place, &url, &response);
    }

    #[test]
    fn only_the_own_resource_is_accepted(resource in "https://[a-z.]{1,12}/[a-z/]{0,8}") {
        let url = mcp("https://h.example/mcp");
        let place = metadata_places(&url, None).unwrap().remove(0);
        let accepted = metadata_response(&place, &url, &document(&resource)).is_ok();
        prop_assert_eq!(accepted, resource == "https://h.example/mcp");
    }
}
