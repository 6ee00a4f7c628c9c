//! Which scopes a redemption grants (D-04, D-05, D-06; RAS-JB-18, RAS-JB-20).
//!
//! Owns a pure function. The result is never wider than the ID-JAG, the request, the resource, the client's
//! registration or the trust record.

use lanyard_protocol::scope::ScopeSet;

use crate::ras::denial::Denial;
use crate::trust::issuer::ScopeRule;
use crate::trust::resource::Resource;

/// Scopes of OpenID Connect, which no ID-JAG can buy (interop, section 3).
const NEVER: [&str; 2] = ["openid", "offline_access"];

/// What takes part in the decision.
pub(super) struct Asked<'a> {
    pub(super) rule: ScopeRule,
    /// The `scope` claim; `None` when the IdP set no ceiling.
    pub(super) claimed: Option<&'a ScopeSet>,
    /// The `scope` parameter; `None` or empty is "as granted".
    pub(super) requested: Option<&'a ScopeSet>,
    pub(super) resource: &'a Resource,
    /// Scopes of other resources of the same claim: known, and nothing for this one.
    pub(super) beside: &'a ScopeSet,
    /// Empty is no ceiling.
    pub(super) client: &'a ScopeSet,
    pub(super) trust: Option<&'a ScopeSet>,
}

pub(super) fn decide(asked: &Asked<'_>) -> Result<ScopeSet, Denial> {
    let requested = asked.requested.filter(|scopes| !scopes.is_empty());
    let mut granted = match asked.claimed {
        Some(claimed) => within_claim(asked, claimed, requested)?,
        None => requested
            .unwrap_or(&asked.resource.default_scopes)
            .intersection(&asked.resource.default_scopes),
    };
    if !asked.client.is_empty() {
        granted = granted.intersection(asked.client);
    }
    if let Some(ceiling) = asked.trust {
        granted = granted.intersection(ceiling);
    }
    if NEVER.iter().any(|never| granted.contains_str(never)) {
        granted = granted
            .iter()
            .filter(|scope| !NEVER.contains(&scope.as_str()))
            .cloned()
            .collect();
    }
    if granted.is_empty() {
        Err(Denial::NoScope)
    } else {
        Ok(granted)
    }
}

fn within_claim(asked: &Asked<'_>, claimed: &ScopeSet, requested: Option<&ScopeSet>) -> Result<ScopeSet, Denial> {
    let unknown = claimed.difference(&asked.resource.scopes).difference(asked.beside);
    if !unknown.is_empty() {
        return Err(Denial::UnknownScope(unknown));
    }
    let claimed = &claimed.intersection(&asked.resource.scopes);
    let Some(requested) = requested else {
        return Ok(claimed.clone());
    };
    match asked.rule {
        ScopeRule::Strict if !claimed.is_subset(requested) => {
            Err(Denial::NarrowerRequest(claimed.difference(requested)))
        }
        ScopeRule::Strict | ScopeRule::Downscope => Ok(claimed.intersection(requested)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::connector::record::ConnectorStatus;
    use lanyard_protocol::resource::ResourceId;
    use proptest::prelude::*;

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).unwrap()
    }

    fn resource(scopes: &str, default: &str) -> Resource {
        Resource {
            id: ResourceId::parse("https://mcp.example/mcp").unwrap(),
            name: String::new(),
            scopes: set(scopes),
            default_scopes: set(default),
            status: ConnectorStatus::Active,
            version: 1,
            created_at: Timestamp::from_seconds(0),
            updated_at: Timestamp::from_seconds(0),
        }
    }

    fn run(rule: ScopeRule, claimed: Option<&str>, requested: Option<&str>) -> Result<String, &'static str> {
        let resource = resource("read comment approve", "read");
        let (claimed, requested) = (claimed.map(set), requested.map(set));
        let asked = Asked {
            rule,
            claimed: claimed.as_ref(),
            requested: requested.as_ref(),
            resource: &resource,
            beside: &ScopeSet::empty(),
            client: &ScopeSet::empty(),
            trust: None,
        };
        decide(&asked)
            .map(|granted| granted.to_string())
            .map_err(|denial| denial.code())
    }

    /// RAS-JB-18, D-04, D-05: {claim present, absent} × {no request, wider, narrower, disjoint} × {strict, downscope}.
    #[test]
    fn the_truth_table_of_claim_request_and_rule() {
        use ScopeRule::{Downscope, Strict};
        let jag = Some("read comment");
        let wider = Some("read comment approve");
        for (rule, claimed, requested, expected) in [
            (Strict, jag, None, Ok("comment read")),
            (Downscope, jag, None, Ok("comment read")),
            (Strict, jag, wider, Ok("comment read")),
            (Downscope, jag, wider, Ok("comment read")),
            (Strict, jag, Some("read"), Err("narrower_request")),
            (Downscope, jag, Some("read"), Ok("read")),
            (Strict, jag, Some("approve"), Err("narrower_request")),
            (Downscope, jag, Some("approve"), Err("no_scope")),
            (Strict, None, None, Ok("read")),
            (Downscope, None, None, Ok("read")),
            (Strict, None, wider, Ok("read")),
            (Downscope, None, wider, Ok("read")),
            (Strict, None, Some("read"), Ok("read")),
            (Strict, None, Some("approve"), Err("no_scope")),
            (Downscope, None, Some("approve"), Err("no_scope")),
            (Strict, Some(""), None, Err("no_scope")),
            (Strict, Some("read"), Some(""), Ok("read")),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(
                run(rule, claimed, requested),
                expected,
                "{rule:?} {claimed:?} {requested:?}"
            );
        }
    }

    #[test]
    fn a_scope_that_the_resource_does_not_have_refuses_the_grant_d_06() {
        assert_eq!(run(ScopeRule::Strict, Some("read payroll"), None), Err("unknown_scope"));
        assert_eq!(
            run(ScopeRule::Downscope, Some("read payroll"), Some("read")),
            Err("unknown_scope")
        );
    }

    #[test]
    fn openid_and_offline_access_are_never_granted() {
        let resource = resource("read openid offline_access", "read openid");
        for claimed in [Some(set("read openid offline_access")), None] {
            let asked = Asked {
                rule: ScopeRule::Strict,
                claimed: claimed.as_ref(),
                requested: None,
                resource: &resource,
                beside: &ScopeSet::empty(),
                client: &ScopeSet::empty(),
                trust: None,
            };
            assert_eq!(decide(&asked), Ok(set("read")));
        }
    }

    #[test]
    fn local_ceilings_narrow_a_known_scope_silently_ras_jb_20() {
        let resource = resource("read comment approve", "read");
        let (claimed, client, trust) = (set("read comment approve"), set("read comment"), set("comment approve"));
        let asked = Asked {
            rule: ScopeRule::Strict,
            claimed: Some(&claimed),
            requested: None,
            resource: &resource,
            beside: &ScopeSet::empty(),
            client: &client,
            trust: Some(&trust),
        };
        assert_eq!(decide(&asked), Ok(set("comment")));
        let asked = Asked {
            trust: Some(&ScopeSet::empty()),
            ..asked
        };
        assert_eq!(decide(&asked), Err(Denial::NoScope));
    }

    fn scopes() -> impl Strategy<Value = ScopeSet> {
        proptest::collection::btree_set("[a-e]", 0..5)
            .prop_map(|names| set(&names.into_iter().collect::<Vec<_>>().join(" ")))
    }

    proptest! {
        /// RAS-JB-18: never wider than claim, request, resource, registration, trust.
        #[test]
        fn the_grant_is_never_wider_than_anything_that_limits_it(
            claimed in proptest::option::of(scopes()), requested in proptest::option::of(scopes()),
            all in scopes(), default in scopes(), client in scopes(), beside in scopes(), trust in proptest::option::of(scopes()),
            downscope: bool,
        ) {
            let resource = Resource { scopes: all.clone(), default_scopes: default.intersection(&all), ..resource("", "") };
            let rule = if downscope { ScopeRule::Downscope } else { ScopeRule::Strict };
            let asked = Asked { rule, claimed: claimed.as_ref(), requested: requested.as_ref(), resource: &resource,
                beside: &beside, client: &client, trust: trust.as_ref() };
            if let Ok(granted) = decide(&asked) {
                prop_assert!(!granted.is_empty() && granted.is_subset(&all));
                prop_assert!(claimed.is_none_or(|claimed| granted.is_subset(&claimed)));
                prop_assert!(requested.is_none_or(|requested| requested.is_empty() || granted.is_subset(&requested)));
                prop_assert!(client.is_empty() || granted.is_subset(&client));
                prop_assert!(trust.is_none_or(|trust| granted.is_subset(&trust)));
            }
        }
    }
}
