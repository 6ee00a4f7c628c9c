//! What a verified ID token means, with each product's quirks.
//!
//! Owns the stable subject, the tenant, the hosted domain, and groups that were left out. Never maps a name or a group.

use lanyard_core::clock::Timestamp;
use lanyard_core::upstream::connection::{Connection, Preset};
use lanyard_core::upstream::mapping::find;
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_core::upstream::resolve::Asserted;
use lanyard_protocol::claims::upstream_id_token::UpstreamIdTokenClaims;
use url::Url;

use super::denial::UpstreamDenial;

/// What the provider vouches for.
pub(super) fn asserted(
    connection: &Connection,
    settings: &OidcSettings,
    claims: UpstreamIdTokenClaims,
) -> Result<Asserted, UpstreamDenial> {
    let quirks = connection.preset.quirks();
    if connection.preset == Preset::Entra && claims.text("tid") != tenant(settings).as_deref() {
        return Err(UpstreamDenial::Tenant);
    }
    if quirks.hosted_domain {
        let hosted = claims.text("hd").map(str::to_ascii_lowercase);
        if !hosted.is_some_and(|hosted| connection.owns_domain(&hosted)) {
            return Err(UpstreamDenial::HostedDomain);
        }
    }
    let subject = match quirks.subject {
        [] => claims.sub.as_str().to_owned(),
        parts => {
            let mut joined = Vec::with_capacity(parts.len());
            for part in parts {
                let value = claims
                    .text(part)
                    .filter(|value| !value.is_empty() && !value.contains('/'));
                joined.push(value.ok_or(UpstreamDenial::SubjectClaim(part))?);
            }
            joined.join("/")
        }
    };
    Ok(Asserted {
        subject,
        auth_time: claims.seconds("auth_time"),
        acr: claims.text("acr").map(str::to_owned),
        amr: claims.texts("amr"),
        session: claims.text("sid").filter(|sid| sid.len() <= 256).map(str::to_owned),
        ends_by: claims.seconds("session_expiry").map(Timestamp::from_seconds),
        groups_missing: groups_missing(connection, &claims),
        claims: claims.all,
    })
}

/// The tenant that an Entra issuer is of: its first path segment.
fn tenant(settings: &OidcSettings) -> Option<String> {
    let url = Url::parse(settings.issuer.as_str()).ok()?;
    url.path_segments()?.next().map(str::to_owned)
}

/// Whether the groups were left out because there are too many: a distributed claim in their place (OpenID Connect
/// Core, section 5.6.2), or Entra's short form of it.
fn groups_missing(connection: &Connection, claims: &UpstreamIdTokenClaims) -> bool {
    let Some(groups) = &connection.mapping.groups else {
        return false;
    };
    if find(&claims.all, &groups.claim).is_some() {
        return false;
    }
    let elsewhere = claims
        .all
        .get("_claim_names")
        .is_some_and(|names| names.get(&groups.claim).is_some());
    let short = claims.all.get("hasgroups");
    elsewhere || short.is_some_and(|flag| flag.as_bool() == Some(true) || flag.as_str() == Some("true"))
}
