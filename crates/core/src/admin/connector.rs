//! Connectors: set, remove. A connector that our own RAS governs is registered there as a resource as well.

use std::collections::BTreeMap;

use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::{Scope, ScopeSet};
use lanyard_protocol::url_rules;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::requirement::RequirementSpec;
use crate::admin::resource;
use crate::admin::spec::{ConnectorSpec, ResourceSpec, ScopeSpec};
use crate::admin::token::Admin;
use crate::connector::record::{Connector, ConnectorScope, ConnectorStatus};
use crate::cx::Cx;
use crate::id::ConnectorId;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

const KINDS: Kinds = Kinds {
    created: "admin.connector.created",
    changed: "admin.connector.changed",
    removed: "admin.connector.removed",
};

impl ConnectorSpec {
    /// The document of a record.
    pub fn of(connector: &Connector) -> Self {
        let scopes = connector.scopes.iter().map(|scope| ScopeSpec {
            scope: scope.scope.to_string(),
            description: scope.description.clone(),
            high_impact: scope.high_impact,
            requires: scope.requires.as_ref().map(RequirementSpec::of),
        });
        Self {
            name: connector.name.clone(),
            title: Some(connector.title.clone()),
            mcp_url: connector.mcp_url.clone(),
            resource: Some(connector.resource.to_string()),
            audience: Some(connector.audience.to_string()),
            scopes: scopes.collect(),
            default_scopes: Some(connector.default_scopes.to_string()),
            tools: connector
                .tools
                .iter()
                .map(|(tool, scopes)| (tool.clone(), scopes.to_string()))
                .collect(),
            upstream: connector.upstream.clone(),
            status: connector.status,
        }
    }
}

/// Makes or changes the connector of `spec.name`. `own_ras` is the issuer of the RAS in this deployment.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    spec: &ConnectorSpec,
) -> Result<Outcome<(Connector, Change), AdminDenial>, StoreError> {
    match require(admin, Permission::Write) {
        Ok(()) => set(cx, tx, admin, own_ras, spec),
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// Approves a connector that is staged: from now on rules reach it.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn activate(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    name: &str,
) -> Result<Outcome<(Connector, Change), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Approve) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_connector_by_name(name)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "connector",
            name: name.to_owned(),
        }));
    };
    match before.status {
        ConnectorStatus::Active => return Ok(Outcome::Granted((before, Change::Unchanged))),
        ConnectorStatus::Staged => {}
        // What was decided before is changed by whoever may change everything.
        ConnectorStatus::Off => {
            if let Err(denial) = require(admin, Permission::Write) {
                return Ok(Outcome::Denied(denial));
            }
        }
    }
    let spec = ConnectorSpec {
        status: ConnectorStatus::Active,
        ..ConnectorSpec::of(&before)
    };
    set(cx, tx, admin, own_ras, &spec)
}

fn set(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    spec: &ConnectorSpec,
) -> Result<Outcome<(Connector, Change), AdminDenial>, StoreError> {
    let wanted = match parse(cx, own_ras, spec) {
        Ok(wanted) => wanted,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    if let Some(other) = tx.find_connector_by_pair(&wanted.audience, &wanted.resource)?
        && other.name != wanted.name
    {
        let name = format!("{} (connector {})", wanted.resource, other.name);
        return Ok(Outcome::Denied(AdminDenial::Taken {
            what: "resource of this audience",
            name,
        }));
    }
    let before = tx.find_connector_by_name(&wanted.name)?;
    let (after, change) = match &before {
        None => {
            tx.insert_connector(&wanted)?;
            (wanted, Change::Created)
        }
        Some(before) => {
            let after = Connector {
                id: before.id.clone(),
                version: before.version,
                created_at: before.created_at,
                updated_at: before.updated_at,
                ..wanted
            };
            if after == *before {
                (after, Change::Unchanged)
            } else {
                let after = Connector {
                    version: before.version + 1,
                    updated_at: cx.now,
                    ..after
                };
                tx.update_connector(&after)?;
                (after, Change::Changed)
            }
        }
    };
    let states = (
        before.as_ref().and_then(|before| state(&ConnectorSpec::of(before))),
        state(&ConnectorSpec::of(&after)),
    );
    note(cx, tx, admin, KINDS, change, &after.name, states)?;
    if own_ras == Some(&after.audience) {
        if let Some(before) =
            before.filter(|before| before.audience == after.audience && before.resource != after.resource)
        {
            tx.remove_resource(&before.resource)?;
        }
        let registered = ResourceSpec {
            id: after.resource.to_string(),
            name: Some(after.title.clone()),
            scopes: after.scope_set().to_string(),
            default_scopes: after.default_scopes.to_string(),
            status: after.status,
        };
        if let Outcome::Denied(denial) = resource::set(cx, tx, admin, &registered)? {
            return Ok(Outcome::Denied(denial));
        }
    }
    Ok(Outcome::Granted((after, change)))
}

/// Removes a connector, and its resource at our own RAS.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    name: &str,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_connector_by_name(name)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "connector",
            name: name.to_owned(),
        }));
    };
    tx.remove_connector(&before.id)?;
    note(
        cx,
        tx,
        admin,
        KINDS,
        Change::Removed,
        name,
        (state(&ConnectorSpec::of(&before)), None),
    )?;
    if own_ras == Some(&before.audience) && tx.find_resource(&before.resource)?.is_some() {
        return resource::remove(cx, tx, admin, &before.resource);
    }
    Ok(Outcome::Granted(()))
}

fn parse(cx: &Cx, own_ras: Option<&Issuer>, spec: &ConnectorSpec) -> Result<Connector, AdminDenial> {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if spec.name.is_empty() || spec.name.len() > 63 || !spec.name.bytes().all(good) {
        return Err(AdminDenial::invalid(
            "name",
            "1 to 63 lower-case letters, digits and - are needed, as in linear",
        ));
    }
    let resource = spec.resource.as_deref().unwrap_or(&spec.mcp_url);
    let resource = ResourceId::parse(resource).map_err(|e| AdminDenial::invalid("resource", e.to_string()))?;
    ResourceId::parse(spec.mcp_url.as_str()).map_err(|e| AdminDenial::invalid("mcp_url", e.to_string()))?;
    let audience = match (&spec.audience, own_ras) {
        (Some(audience), _) => {
            Issuer::parse(audience.as_str()).map_err(|e| AdminDenial::invalid("audience", e.to_string()))?
        }
        (None, Some(own)) => own.clone(),
        (None, None) => {
            return Err(AdminDenial::invalid(
                "audience",
                "name the issuer of the RAS that governs it",
            ));
        }
    };
    let scopes = spec
        .scopes
        .iter()
        .map(|scope| {
            Ok(ConnectorScope {
                scope: Scope::parse(scope.scope.as_str()).map_err(|e| AdminDenial::invalid("scopes", e.to_string()))?,
                description: scope.description.clone(),
                high_impact: scope.high_impact,
                requires: scope
                    .requires
                    .as_ref()
                    .map(|requires| requires.parse("scopes.requires"))
                    .transpose()?,
            })
        })
        .collect::<Result<Vec<_>, AdminDenial>>()?;
    let all: ScopeSet = scopes.iter().map(|scope| scope.scope.clone()).collect();
    if all.is_empty() || all.len() != scopes.len() {
        return Err(AdminDenial::invalid(
            "scopes",
            "at least one scope is needed, each named once",
        ));
    }
    let default_scopes = match &spec.default_scopes {
        Some(text) => known_scopes("default_scopes", text, &all)?,
        None => scopes
            .iter()
            .filter(|scope| !scope.high_impact)
            .map(|scope| scope.scope.clone())
            .collect(),
    };
    let tools = spec
        .tools
        .iter()
        .map(|(tool, scopes)| Ok((tool.clone(), known_scopes(&format!("tools.{tool}"), scopes, &all)?)))
        .collect::<Result<BTreeMap<_, _>, AdminDenial>>()?;
    if let Some(upstream) = &spec.upstream {
        check_upstream(&upstream.url, upstream.insecure)?;
    }
    Ok(Connector {
        id: cx.new_id::<ConnectorId>(),
        name: spec.name.clone(),
        title: spec.title.clone().unwrap_or_else(|| spec.name.clone()),
        mcp_url: spec.mcp_url.clone(),
        resource,
        audience,
        scopes,
        default_scopes,
        tools,
        upstream: spec.upstream.clone(),
        status: spec.status,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    })
}

fn known_scopes(field: &str, text: &str, all: &ScopeSet) -> Result<ScopeSet, AdminDenial> {
    let scopes = ScopeSet::parse(text).map_err(|e| AdminDenial::invalid(field, e.to_string()))?;
    if !scopes.is_subset(all) {
        let unknown = scopes.difference(all);
        return Err(AdminDenial::invalid(
            field,
            format!("{unknown} is not among the connector's scopes; add it there"),
        ));
    }
    Ok(scopes)
}

fn check_upstream(text: &str, insecure: bool) -> Result<(), AdminDenial> {
    let url = url::Url::parse(text).map_err(|_| AdminDenial::invalid("upstream.url", "an absolute URL is needed"))?;
    let http_like = matches!(url.scheme(), "http" | "https");
    if !http_like || url.host().is_none() || !url.username().is_empty() || url.password().is_some() {
        return Err(AdminDenial::invalid(
            "upstream.url",
            "an http or https URL without user information is needed",
        ));
    }
    if !url_rules::is_protected(&url) && !insecure {
        let problem = "plain http off loopback; use https, or set upstream.insecure = true if the network is trusted";
        return Err(AdminDenial::invalid("upstream.url", problem));
    }
    Ok(())
}
