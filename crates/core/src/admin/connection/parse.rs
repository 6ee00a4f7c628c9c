//! From the document of an identity provider to a record.

use std::collections::BTreeMap;

use lanyard_jose::algorithm::Algorithm;
use lanyard_protocol::issuer::Issuer;
use url::Url;

use crate::admin::denial::AdminDenial;
use crate::admin::spec::connection::{ConnectionSpec, GroupsSpec, OidcSpec};
use crate::cx::Cx;
use crate::id::ConnectionId;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::{Connection, Kind, Preset};
use crate::upstream::home_realm::parse_domain;
use crate::upstream::mapping::{GroupMapping, Mapping};
use crate::upstream::oidc::OidcSettings;

/// The record that a document asks for, without its credential.
pub(super) fn connection(
    cx: &Cx,
    tx: &mut dyn Tx,
    spec: &ConnectionSpec,
) -> Result<Result<Connection, AdminDenial>, StoreError> {
    let groups = match &spec.groups {
        Some(groups) => match self::groups(tx, groups)? {
            Ok(groups) => Some(groups),
            Err(denial) => return Ok(Err(denial)),
        },
        None => None,
    };
    Ok(record(cx, spec, groups))
}

fn record(cx: &Cx, spec: &ConnectionSpec, groups: Option<GroupMapping>) -> Result<Connection, AdminDenial> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if spec.name.is_empty() || spec.name.len() > 63 || !spec.name.bytes().all(good) {
        return Err(AdminDenial::invalid(
            "name",
            "1 to 63 lower-case letters, digits and - are needed, as in okta",
        ));
    }
    let domains = domains(&spec.domains, spec.enabled)?;
    let kind = match (&spec.oidc, &spec.saml) {
        (Some(oidc), None) => Kind::Oidc(settings(spec.preset, oidc, &domains, spec.enabled)?),
        (None, Some(saml)) => {
            saml.check()
                .map_err(|(field, problem)| AdminDenial::invalid(field, problem))?;
            Kind::Saml(saml.clone())
        }
        _ => return Err(AdminDenial::invalid("oidc", "exactly one of oidc and saml is needed")),
    };
    let title = spec.title.as_deref().map_or_else(|| title(spec), str::to_owned);
    if title.trim().is_empty() || title.chars().count() > 64 || title.chars().any(char::is_control) {
        return Err(AdminDenial::invalid(
            "title",
            "use 1 to 64 characters without control characters",
        ));
    }
    Ok(Connection {
        id: cx.new_id::<ConnectionId>(),
        name: spec.name.clone(),
        title,
        kind,
        preset: spec.preset,
        domains,
        is_default: spec.default,
        enabled: spec.enabled,
        just_in_time: spec.just_in_time,
        link_by: spec.link_by,
        mapping: mapping(spec, groups)?,
        sealed_secret: None,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    })
}

fn title(spec: &ConnectionSpec) -> String {
    match spec.preset {
        Preset::Plain => spec.name.clone(),
        Preset::Okta => "Okta".to_owned(),
        Preset::Entra => "Microsoft".to_owned(),
        Preset::Google => "Google".to_owned(),
        Preset::Ping => "Ping Identity".to_owned(),
        Preset::Keycloak => "Keycloak".to_owned(),
    }
}

fn domains(named: &[String], enabled: bool) -> Result<Vec<String>, AdminDenial> {
    let mut domains = named
        .iter()
        .map(|name| {
            parse_domain(name)
                .filter(|domain| !enabled || is_host_name(domain))
                .ok_or_else(|| AdminDenial::invalid("domains", format!("{name} is no domain, as in acme.example")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    domains.sort();
    domains.dedup();
    Ok(domains)
}

/// Whether it can be the host of a mail address (RFC 1123, section 2.1). A URL's host may be more, such as `*.acme.example`,
/// which nobody's address has: domains are compared as they are.
fn is_host_name(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label)
}

fn mapping(spec: &ConnectionSpec, groups: Option<GroupMapping>) -> Result<Mapping, AdminDenial> {
    let quirks = spec.preset.quirks();
    let claim = |field: &str, named: &Option<String>, usual: &str| {
        let name = named.as_deref().unwrap_or(usual);
        check_claim(field, name).map(|()| name.to_owned())
    };
    let strengths = match &spec.strengths {
        Some(rules) => {
            if rules.len() > 64 || rules.iter().any(|rule| rule.value.is_empty() || rule.value.len() > 256) {
                return Err(AdminDenial::invalid(
                    "strengths",
                    "at most 64 rules, each with a value of 1 to 256 characters",
                ));
            }
            rules.clone()
        }
        None => Mapping::usual_strengths(),
    };
    Ok(Mapping {
        username: claim("claims.username", &spec.claims.username, quirks.username)?,
        email: claim("claims.email", &spec.claims.email, "email")?,
        display_name: claim("claims.display_name", &spec.claims.display_name, "name")?,
        groups,
        strengths,
        at_least: spec.strength,
    })
}

fn check_claim(field: &str, name: &str) -> Result<(), AdminDenial> {
    if name.is_empty() || name.len() > 256 || name.chars().any(char::is_control) {
        return Err(AdminDenial::invalid(field, "the name of a claim is needed"));
    }
    Ok(())
}

fn groups(tx: &mut dyn Tx, spec: &GroupsSpec) -> Result<Result<GroupMapping, AdminDenial>, StoreError> {
    if let Err(denial) = check_claim("groups.claim", &spec.claim) {
        return Ok(Err(denial));
    }
    let mut names = BTreeMap::new();
    for (value, name) in &spec.names {
        match tx.find_group_by_name(name)? {
            Some(group) => names.insert(value.clone(), group.id),
            None => {
                return Ok(Err(AdminDenial::NotFound {
                    what: "group or role",
                    name: name.clone(),
                }));
            }
        };
    }
    let prefix = |prefix: &Option<String>| prefix.clone().filter(|prefix| !prefix.is_empty());
    Ok(Ok(GroupMapping {
        claim: spec.claim.clone(),
        only_prefix: prefix(&spec.only_prefix),
        strip_prefix: prefix(&spec.strip_prefix),
        names,
        unlisted: spec.unlisted,
    }))
}

fn settings(preset: Preset, spec: &OidcSpec, domains: &[String], enabled: bool) -> Result<OidcSettings, AdminDenial> {
    let quirks = preset.quirks();
    let issuer =
        Issuer::parse(spec.issuer.as_str()).map_err(|error| AdminDenial::invalid("oidc.issuer", error.to_string()))?;
    // What lets nobody in may stand as it is: an old record can be switched off.
    if enabled {
        check_issuer(preset, &issuer)?;
    }
    if quirks.hosted_domain && domains.is_empty() {
        return Err(AdminDenial::invalid(
            "domains",
            "name your Google Workspace domains: without them everybody with a Google account would be let in",
        ));
    }
    let id = &spec.client_id;
    if id.is_empty() || id.len() > 512 || id.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(AdminDenial::invalid(
            "oidc.client_id",
            "the client id that the provider gave is needed",
        ));
    }
    let scopes: Vec<String> = match &spec.scopes {
        Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
        None => quirks.scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    if !scopes.iter().any(|scope| scope == "openid") || scopes.len() > 32 {
        return Err(AdminDenial::invalid(
            "oidc.scopes",
            "openid must be among them, of at most 32",
        ));
    }
    let algorithms = spec
        .algorithms
        .iter()
        .map(|name| {
            Algorithm::parse(name)
                .ok_or_else(|| AdminDenial::invalid("oidc.algorithms", format!("{name} is not known or not safe")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if algorithms.is_empty() {
        return Err(AdminDenial::invalid("oidc.algorithms", "at least one is needed"));
    }
    Ok(OidcSettings {
        issuer,
        client_id: id.clone(),
        client_auth: spec.client_auth,
        scopes,
        algorithms,
        userinfo: spec.userinfo,
        pkce_unannounced: spec.pkce_unannounced.unwrap_or(quirks.pkce_unannounced),
        groups_overage: spec.groups_overage,
        public_key: None,
    })
}

/// The preset that an issuer at `host` cannot do without: who a person is there, or whose they are, is not in the claims
/// that the specifications name.
fn preset_of(host: &str) -> Option<Preset> {
    match host.trim_end_matches('.') {
        // The last two are Microsoft's clouds for the government of the US and for China.
        "login.microsoftonline.com"
        | "sts.windows.net"
        | "login.microsoftonline.us"
        | "login.partner.microsoftonline.cn" => Some(Preset::Entra),
        "accounts.google.com" => Some(Preset::Google),
        _ => None,
    }
}

/// What each product's issuer must look like, where a wrong one would let strangers in or never work.
fn check_issuer(preset: Preset, issuer: &Issuer) -> Result<(), AdminDenial> {
    let invalid = |problem: String| Err(AdminDenial::invalid("oidc.issuer", problem));
    let url = Url::parse(issuer.as_str()).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if let Some(needed) = preset_of(host)
        && needed != preset
    {
        let issuer = match needed {
            Preset::Entra => "; its issuer is https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0",
            _ => "",
        };
        return invalid(format!(
            "{host} needs the preset {0}: without its rules strangers could be let in; set preset = \"{0}\" \
             (`lanyard idp add --preset {0}`){issuer}",
            needed.as_str()
        ));
    }
    let segments: Vec<&str> = url
        .as_ref()
        .and_then(|url| url.path_segments())
        .map(|segments| segments.filter(|segment| !segment.is_empty()).collect())
        .unwrap_or_default();
    match preset {
        Preset::Entra => {
            let tenant = segments.first().copied().unwrap_or_default();
            if matches!(tenant, "common" | "organizations" | "consumers") {
                return invalid(format!(
                    "{tenant} lets in every tenant of Microsoft; take your own tenant's: \
                     https://login.microsoftonline.com/<Directory (tenant) ID>/v2.0"
                ));
            }
            if uuid::Uuid::parse_str(tenant).is_err() || segments.get(1..) != Some(&["v2.0"]) {
                return invalid(
                    "it ends in /<Directory (tenant) ID>/v2.0, with the tenant as an ID and not as a domain name"
                        .to_owned(),
                );
            }
            Ok(())
        }
        Preset::Google if issuer.as_str() != "https://accounts.google.com" => {
            invalid("Google's issuer is https://accounts.google.com".to_owned())
        }
        Preset::Google | Preset::Plain | Preset::Okta | Preset::Ping | Preset::Keycloak => Ok(()),
    }
}
