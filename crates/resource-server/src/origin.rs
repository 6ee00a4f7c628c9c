//! The `Origin` of a request (RS-WR-02).
//!
//! Owns which web pages may call. Never authenticates anybody.

use http::HeaderMap;
use http::header::ORIGIN;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::url_rules;
use url::Url;

/// Which origins may call a resource from a browser.
///
/// The resource's own origin may, and the ones that were named. When the resource is on loopback, pages on loopback
/// may as well. A request without `Origin` does not come from a web page and passes.
#[derive(Debug, Clone)]
pub struct Origins {
    own: String,
    named: Vec<String>,
    loopback: bool,
}

impl Origins {
    /// The origins for `resource`; `named` are compared byte for byte after lower-casing.
    pub fn new(resource: &ResourceId, named: &[String]) -> Self {
        Self {
            own: resource.origin().to_ascii_lowercase(),
            named: named
                .iter()
                .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
                .collect(),
            loopback: Url::parse(resource.as_str()).is_ok_and(|url| url_rules::is_loopback(&url)),
        }
    }

    /// Whether a request with these headers may pass. Several `Origin` headers never do.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        let mut values = headers.get_all(ORIGIN).iter();
        let Some(value) = values.next() else { return true };
        if values.next().is_some() {
            return false;
        }
        let Ok(origin) = value.to_str() else { return false };
        let origin = origin.to_ascii_lowercase();
        origin == self.own
            || self.named.contains(&origin)
            || (self.loopback
                && Url::parse(&origin).is_ok_and(|url| is_plain_origin(&url) && url_rules::is_loopback(&url)))
    }
}

fn is_plain_origin(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(resource: &str, named: &[&str], origins: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for origin in origins {
            headers.append(ORIGIN, origin.parse().unwrap());
        }
        let named: Vec<String> = named.iter().map(|&origin| origin.to_owned()).collect();
        Origins::new(&ResourceId::parse(resource).unwrap(), &named).allow(&headers)
    }

    #[test]
    fn a_foreign_origin_is_refused_rs_wr_02() {
        let resource = "https://mcp.example/mcp";
        for bad in [
            "https://evil.example",
            "null",
            "https://mcp.example.evil.example",
            "http://mcp.example",
            "http://127.0.0.1",
        ] {
            assert!(!allows(resource, &[], &[bad]), "{bad}");
        }
        assert!(!allows(resource, &[], &["https://mcp.example", "https://evil.example"]));
        assert!(allows(resource, &[], &[]));
        assert!(allows(resource, &[], &["https://mcp.example"]));
        assert!(allows(resource, &["https://app.example/"], &["https://App.example"]));
    }

    #[test]
    fn a_resource_on_loopback_may_be_called_from_loopback_only() {
        let resource = "http://127.0.0.1:4502/a/mcp";
        assert!(allows(resource, &[], &["http://localhost:9999"]));
        for bad in [
            "http://evil.example",
            "http://127.0.0.1.evil.example",
            "http://u@127.0.0.1",
        ] {
            assert!(!allows(resource, &[], &[bad]), "{bad}");
        }
    }
}
