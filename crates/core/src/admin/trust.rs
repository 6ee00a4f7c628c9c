//! Trusted issuers of the RAS: set, remove.

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::JwkSet;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::url_rules;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::spec::{AllOr, TrustSpec};
use crate::admin::token::Admin;
use crate::cx::Cx;
use crate::id::{TenantId, TrustId};
use crate::outcome::Outcome;
use crate::ras::cut_off;
use crate::ras::settings::RasSettings;
use crate::store::{StoreError, Tx};
use crate::trust::issuer::{Allowed, Tenant, Trust, TrustKeys};

const KINDS: Kinds = Kinds {
    created: "admin.trust.created",
    changed: "admin.trust.changed",
    removed: "admin.trust.removed",
};

/// The document of a record.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, trust: &Trust) -> Result<TrustSpec, StoreError> {
    let tenant = tx.find_tenant(&trust.tenant)?;
    let (jwks_uri, jwks) = match &trust.keys {
        TrustKeys::JwksUri(uri) => (Some(uri.clone()), None),
        TrustKeys::Static(set) => (None, serde_json::to_value(set).ok()),
    };
    Ok(TrustSpec {
        issuer: trust.issuer.to_string(),
        tenant: tenant.map_or_else(|| trust.tenant.to_string(), |tenant| tenant.name),
        tenant_claim: trust.tenant_claim.clone(),
        jwks_uri,
        jwks,
        algorithms: trust
            .algorithms
            .iter()
            .map(|algorithm| algorithm.as_str().to_owned())
            .collect(),
        clients: list(&trust.clients),
        resources: list(&trust.resources),
        scopes: trust.scopes.as_ref().map(ToString::to_string),
        max_id_jag_ttl_seconds: trust.max_id_jag_ttl_seconds,
        access_token_ttl_seconds: trust.access_token_ttl_seconds,
        scope_rule: trust.scope_rule,
        just_in_time: trust.just_in_time,
        aud_tenant: trust.aud_tenant.clone(),
        enabled: trust.enabled,
    })
}

/// Makes or changes the record of (`spec.issuer`, `spec.tenant_claim`). The tenant is made when it does not exist.
/// Switching it off, or taking a client, a resource or a scope out of it, ends what stood on the issuer's word (RV-03).
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    spec: &TrustSpec,
) -> Result<Outcome<(Trust, Change), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let name = spec.tenant.trim();
    if name.is_empty() || name.len() > 128 {
        return Ok(Outcome::Denied(AdminDenial::invalid("tenant", "1 to 128 characters")));
    }
    let known = tx.find_tenant_by_name(name)?;
    let tenant = known
        .as_ref()
        .map_or_else(|| cx.new_id::<TenantId>(), |tenant| tenant.id.clone());
    let wanted = match parse(cx, own_ras, spec, &tenant) {
        Ok(wanted) => wanted,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if known.is_none() {
        tx.insert_tenant(&Tenant {
            id: tenant,
            name: name.to_owned(),
            managed_only: true,
            created_at: cx.now,
        })?;
    }
    let before = tx
        .list_trusts_of_issuer(&wanted.issuer)?
        .into_iter()
        .find(|trust| trust.tenant_claim == wanted.tenant_claim);
    let before_spec = match &before {
        Some(before) => Some(describe(tx, before)?),
        None => None,
    };
    let withdrawn = before
        .as_ref()
        .is_some_and(|before| before.enabled && (!wanted.enabled || narrows(before, &wanted)));
    let (after, change) = match before {
        None => {
            tx.insert_trust(&wanted)?;
            (wanted, Change::Created)
        }
        Some(before) => {
            let after = Trust {
                id: before.id.clone(),
                version: before.version,
                created_at: before.created_at,
                updated_at: before.updated_at,
                ..wanted
            };
            if after == before {
                (after, Change::Unchanged)
            } else {
                let after = Trust {
                    version: before.version + 1,
                    updated_at: cx.now,
                    ..after
                };
                tx.update_trust(&after)?;
                (after, Change::Changed)
            }
        }
    };
    let after_spec = describe(tx, &after)?;
    let states = (before_spec.as_ref().and_then(state), state(&after_spec));
    note(cx, tx, admin, KINDS, change, after.issuer.as_str(), states)?;
    if withdrawn {
        end_access(cx, tx, admin, own_ras, &after)?;
    }
    Ok(Outcome::Granted((after, change)))
}

/// Removes a record: the issuer is not trusted any more, and what stood on its word ends (SEC-18). Written with the
/// reserve.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    id: &TrustId,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_trust(id)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "trust",
            name: id.to_string(),
        }));
    };
    let spec = describe(tx, &before)?;
    tx.remove_trust(id)?;
    note(
        cx,
        tx,
        admin,
        KINDS,
        Change::Removed,
        before.issuer.as_str(),
        (state(&spec), None),
    )?;
    end_access(cx, tx, admin, own_ras, &before)?;
    Ok(Outcome::Granted(()))
}

/// Ends the live tokens that stand on an issuer's word. Where it stays trusted for another tenant, people of that tenant
/// get new ones without being asked.
fn end_access(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    trust: &Trust,
) -> Result<(), StoreError> {
    let Some(own) = own_ras else { return Ok(()) };
    let actor = admin.actor();
    cut_off::revoke_issuer(cx, tx, &RasSettings::new(own.clone()), actor, &trust.issuer)?;
    Ok(())
}

/// Whether something that was allowed is not any more. Who may still come gets new tokens without being asked.
fn narrows(before: &Trust, after: &Trust) -> bool {
    let fewer_scopes = match (&before.scopes, &after.scopes) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(before), Some(after)) => !before.is_subset(after),
    };
    fewer_scopes || loses(&before.clients, &after.clients) || loses(&before.resources, &after.resources)
}

fn loses<T: PartialEq>(before: &Allowed<T>, after: &Allowed<T>) -> bool {
    match (before, after) {
        (_, Allowed::All) => false,
        (Allowed::All, Allowed::Only(_)) => true,
        (Allowed::Only(values), after) => values.iter().any(|value| !after.allows(value)),
    }
}

fn list<T: ToString>(allowed: &Allowed<T>) -> AllOr {
    match allowed {
        Allowed::All => AllOr::ALL,
        Allowed::Only(values) => AllOr::Only(values.iter().map(ToString::to_string).collect()),
    }
}

fn allowed<T>(
    field: &str,
    wanted: &AllOr,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Allowed<T>, AdminDenial> {
    match wanted {
        AllOr::All(_) => Ok(Allowed::All),
        AllOr::Only(names) => {
            let parsed: Result<Vec<T>, String> = names.iter().map(|name| parse(name)).collect();
            parsed
                .map(Allowed::Only)
                .map_err(|problem| AdminDenial::invalid(field, problem))
        }
    }
}

fn parse(cx: &Cx, own_ras: Option<&Issuer>, spec: &TrustSpec, tenant: &TenantId) -> Result<Trust, AdminDenial> {
    let issuer = Issuer::parse(spec.issuer.as_str()).map_err(|e| AdminDenial::invalid("issuer", e.to_string()))?;
    if own_ras == Some(&issuer) {
        return Err(AdminDenial::invalid(
            "issuer",
            "a RAS never redeems a grant of its own issuer; name the IdP's",
        ));
    }
    let keys = match (&spec.jwks_uri, &spec.jwks) {
        (Some(uri), None) => {
            let url =
                url::Url::parse(uri).map_err(|_| AdminDenial::invalid("jwks_uri", "an absolute URL is needed"))?;
            if !url_rules::is_protected(&url) {
                return Err(AdminDenial::invalid(
                    "jwks_uri",
                    "keys are never fetched over plain http (MD-KEY-02)",
                ));
            }
            TrustKeys::JwksUri(uri.clone())
        }
        (None, Some(jwks)) => {
            let set =
                JwkSet::parse(jwks.to_string().as_bytes()).map_err(|e| AdminDenial::invalid("jwks", e.to_string()))?;
            if set.keys.is_empty() {
                return Err(AdminDenial::invalid("jwks", "there is no usable public key in it"));
            }
            TrustKeys::Static(set)
        }
        _ => return Err(AdminDenial::invalid("jwks_uri", "give either jwks_uri or jwks")),
    };
    let algorithms = spec
        .algorithms
        .iter()
        .map(|name| {
            Algorithm::parse(name).ok_or_else(|| {
                AdminDenial::invalid(
                    "algorithms",
                    format!("{name} is not one of ES256, ES384, EdDSA, RS256, PS256"),
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if algorithms.is_empty() {
        return Err(AdminDenial::invalid("algorithms", "at least one is needed"));
    }
    if !(30..=3600).contains(&spec.max_id_jag_ttl_seconds) {
        return Err(AdminDenial::invalid("max_id_jag_ttl_seconds", "30 to 3600 seconds"));
    }
    if !(60..=86_400).contains(&spec.access_token_ttl_seconds) {
        return Err(AdminDenial::invalid("access_token_ttl_seconds", "60 to 86400 seconds"));
    }
    let scopes = spec
        .scopes
        .as_deref()
        .map(ScopeSet::parse)
        .transpose()
        .map_err(|e| AdminDenial::invalid("scopes", e.to_string()))?;
    Ok(Trust {
        id: cx.new_id::<TrustId>(),
        tenant: tenant.clone(),
        issuer,
        tenant_claim: spec.tenant_claim.clone(),
        keys,
        algorithms,
        clients: allowed("clients", &spec.clients, |name| {
            ClientId::parse(name).map_err(|e| e.to_string())
        })?,
        resources: allowed("resources", &spec.resources, |name| {
            ResourceId::parse(name).map_err(|e| e.to_string())
        })?,
        scopes,
        max_id_jag_ttl_seconds: spec.max_id_jag_ttl_seconds,
        access_token_ttl_seconds: spec.access_token_ttl_seconds,
        scope_rule: spec.scope_rule,
        just_in_time: spec.just_in_time,
        aud_tenant: spec.aud_tenant.clone(),
        enabled: spec.enabled,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    })
}
