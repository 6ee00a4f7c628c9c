//! Resources of the RAS: list, set, remove.

use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::spec::ResourceSpec;
use crate::admin::token::Admin;
use crate::cx::Cx;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};
use crate::trust::resource::Resource;

const KINDS: Kinds = Kinds {
    created: "admin.resource.created",
    changed: "admin.resource.changed",
    removed: "admin.resource.removed",
};

impl ResourceSpec {
    /// The document of a record.
    pub fn of(resource: &Resource) -> Self {
        Self {
            id: resource.id.to_string(),
            name: Some(resource.name.clone()),
            scopes: resource.scopes.to_string(),
            default_scopes: resource.default_scopes.to_string(),
            status: resource.status,
        }
    }
}

/// Makes or changes the resource of `spec.id`.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    spec: &ResourceSpec,
) -> Result<Outcome<(Resource, Change), AdminDenial>, StoreError> {
    match require(admin, Permission::Write) {
        Ok(()) => set(cx, tx, admin, spec),
        Err(denial) => Ok(Outcome::Denied(denial)),
    }
}

/// As [`put`], for a connector that somebody was allowed to change.
pub(super) fn set(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    spec: &ResourceSpec,
) -> Result<Outcome<(Resource, Change), AdminDenial>, StoreError> {
    let (id, scopes, default_scopes) = match parse(spec) {
        Ok(parsed) => parsed,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let name = spec.name.clone().unwrap_or_else(|| spec.id.clone());
    let Some(before) = tx.find_resource(&id)? else {
        let resource = Resource {
            id,
            name,
            scopes,
            default_scopes,
            status: spec.status,
            version: 1,
            created_at: cx.now,
            updated_at: cx.now,
        };
        tx.insert_resource(&resource)?;
        let after = state(&ResourceSpec::of(&resource));
        note(
            cx,
            tx,
            admin,
            KINDS,
            Change::Created,
            resource.id.as_str(),
            (None, after),
        )?;
        return Ok(Outcome::Granted((resource, Change::Created)));
    };
    let mut after = Resource {
        name,
        scopes,
        default_scopes,
        status: spec.status,
        ..before.clone()
    };
    if after == before {
        return Ok(Outcome::Granted((before, Change::Unchanged)));
    }
    after.version += 1;
    after.updated_at = cx.now;
    tx.update_resource(&after)?;
    let states = (state(&ResourceSpec::of(&before)), state(&ResourceSpec::of(&after)));
    note(cx, tx, admin, KINDS, Change::Changed, after.id.as_str(), states)?;
    Ok(Outcome::Granted((after, Change::Changed)))
}

/// Removes a resource.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    id: &ResourceId,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_resource(id)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "resource",
            name: id.to_string(),
        }));
    };
    tx.remove_resource(id)?;
    note(
        cx,
        tx,
        admin,
        KINDS,
        Change::Removed,
        id.as_str(),
        (state(&ResourceSpec::of(&before)), None),
    )?;
    Ok(Outcome::Granted(()))
}

fn parse(spec: &ResourceSpec) -> Result<(ResourceId, ScopeSet, ScopeSet), AdminDenial> {
    let id = ResourceId::parse(spec.id.as_str()).map_err(|e| AdminDenial::invalid("id", e.to_string()))?;
    let scopes = ScopeSet::parse(&spec.scopes).map_err(|e| AdminDenial::invalid("scopes", e.to_string()))?;
    let defaults =
        ScopeSet::parse(&spec.default_scopes).map_err(|e| AdminDenial::invalid("default_scopes", e.to_string()))?;
    if !defaults.is_subset(&scopes) {
        let extra = defaults.difference(&scopes);
        return Err(AdminDenial::invalid(
            "default_scopes",
            format!("add {extra} to scopes, or take it out here"),
        ));
    }
    Ok((id, scopes, defaults))
}
