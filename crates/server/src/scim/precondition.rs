//! What the client says it saw: `If-Match` and `If-None-Match` (RFC 9110, section 13; SC-19).

use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use lanyard_core::scim::provisioner::IfMatch;

/// Which versions may be changed. A tag that is none of ours is a version that never was.
pub(super) fn if_match(headers: &HeaderMap) -> IfMatch {
    match tags(headers, &IF_MATCH) {
        None => IfMatch::Any,
        Some(tags) if tags.iter().any(|tag| tag == "*") => IfMatch::Any,
        Some(tags) => IfMatch::Versions(tags.iter().filter_map(|tag| version(tag)).collect()),
    }
}

/// Whether the client has this version already.
pub(super) fn is_known(headers: &HeaderMap, current: i64) -> bool {
    let tags = tags(headers, &IF_NONE_MATCH).unwrap_or_default();
    tags.iter().any(|tag| tag == "*" || version(tag) == Some(current))
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    if !headers.contains_key(name) {
        return None;
    }
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    Some(
        values
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().to_owned())
            .collect(),
    )
}

/// Our tags are weak; clients that quote without `W/` mean the same.
fn version(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn a_tag_of_ours_is_a_version_and_another_is_none_sc_19() {
        let read = |value| if_match(&headers("if-match", value));
        assert_eq!(read("W/\"3\", \"4\""), IfMatch::Versions(vec![3, 4]));
        assert_eq!(read("\"abc\""), IfMatch::Versions(vec![]));
        assert_eq!(read("*"), IfMatch::Any);
        assert_eq!(if_match(&HeaderMap::new()), IfMatch::Any);
        assert!(is_known(&headers("if-none-match", "W/\"3\""), 3));
        assert!(!is_known(&headers("if-none-match", "W/\"3\""), 4) && !is_known(&HeaderMap::new(), 4));
    }
}
