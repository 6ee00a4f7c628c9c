//! Audiences of the IdP and their client-id mappings: set, remove.

use std::collections::BTreeMap;

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::spec::AudienceSpec;
use crate::admin::token::Admin;
use crate::client::registration::Side;
use crate::cx::Cx;
use crate::id::AudienceId;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};
use crate::trust::audience::{Audience, ClientMapping};

const KINDS: Kinds = Kinds {
    created: "admin.audience.created",
    changed: "admin.audience.changed",
    removed: "admin.audience.removed",
};

/// The document of a record, with its mappings by client id.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, audience: &Audience) -> Result<AudienceSpec, StoreError> {
    let mut clients = BTreeMap::new();
    for mapping in tx.list_mappings(&audience.id)? {
        if let Some(client) = tx.find_client_by_key(&mapping.client)? {
            clients.insert(client.client_id.to_string(), mapping.ras_client_id.to_string());
        }
    }
    Ok(AudienceSpec {
        issuer: audience.issuer.to_string(),
        name: Some(audience.name.clone()),
        subject: audience.subject_mode,
        aud_tenant: audience.aud_tenant.clone(),
        allow_missing_resource: audience.allow_missing_resource,
        id_jag_ttl_seconds: audience.id_jag_ttl_seconds,
        enabled: audience.enabled,
        clients: Some(clients),
    })
}

/// Makes or changes the audience of `spec.issuer`, and sets its mappings when the document names them.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_idp: Option<&Issuer>,
    spec: &AudienceSpec,
) -> Result<Outcome<(Audience, Change), AdminDenial>, StoreError> {
    let wanted = require(admin, Permission::Administer).and_then(|()| parse(cx, own_idp, spec));
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let before = tx.find_audience(&wanted.issuer)?;
    let before_spec = match &before {
        Some(before) => Some(describe(tx, before)?),
        None => None,
    };
    let after = match &before {
        None => {
            tx.insert_audience(&wanted)?;
            wanted
        }
        Some(before) => {
            let after = Audience {
                id: before.id.clone(),
                version: before.version,
                created_at: before.created_at,
                updated_at: before.updated_at,
                ..wanted
            };
            if after == *before {
                after
            } else {
                let after = Audience {
                    version: before.version + 1,
                    updated_at: cx.now,
                    ..after
                };
                tx.update_audience(&after)?;
                after
            }
        }
    };
    if let Some(clients) = &spec.clients
        && let Outcome::Denied(denial) = set_mappings(tx, &after.id, clients)?
    {
        return Ok(Outcome::Denied(denial));
    }
    let after_spec = describe(tx, &after)?;
    let change = match &before_spec {
        None => Change::Created,
        Some(before) if *before == after_spec => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    let states = (before_spec.as_ref().and_then(state), state(&after_spec));
    note(cx, tx, admin, KINDS, change, after.issuer.as_str(), states)?;
    Ok(Outcome::Granted((after, change)))
}

/// Removes an audience: nothing is issued for it any more.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    issuer: &Issuer,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_audience(issuer)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "audience",
            name: issuer.to_string(),
        }));
    };
    let spec = describe(tx, &before)?;
    tx.remove_audience(&before.id)?;
    note(
        cx,
        tx,
        admin,
        KINDS,
        Change::Removed,
        issuer.as_str(),
        (state(&spec), None),
    )?;
    Ok(Outcome::Granted(()))
}

fn set_mappings(
    tx: &mut dyn Tx,
    audience: &AudienceId,
    clients: &BTreeMap<String, String>,
) -> Result<Outcome<(), AdminDenial>, StoreError> {
    let mut wanted = Vec::new();
    for (idp, ras) in clients {
        let field = format!("clients.{idp}");
        let (Ok(idp_id), Ok(ras_client_id)) = (ClientId::parse(idp.as_str()), ClientId::parse(ras.as_str())) else {
            return Ok(Outcome::Denied(AdminDenial::invalid(
                field,
                "both sides are client identifiers",
            )));
        };
        let Some(client) = tx.find_client(Side::Idp, &idp_id)? else {
            return Ok(Outcome::Denied(AdminDenial::NotFound {
                what: "client at the issuer",
                name: idp.clone(),
            }));
        };
        if wanted
            .iter()
            .any(|other: &ClientMapping| other.ras_client_id == ras_client_id)
        {
            return Ok(Outcome::Denied(AdminDenial::invalid(
                field,
                "another client is mapped to this id (MT-09)",
            )));
        }
        wanted.push(ClientMapping {
            client: client.key,
            audience: audience.clone(),
            ras_client_id,
        });
    }
    for old in tx.list_mappings(audience)? {
        if !wanted.contains(&old) {
            tx.remove_mapping(&old.client, audience)?;
        }
    }
    for mapping in &wanted {
        tx.put_mapping(mapping)?;
    }
    Ok(Outcome::Granted(()))
}

fn parse(cx: &Cx, own_idp: Option<&Issuer>, spec: &AudienceSpec) -> Result<Audience, AdminDenial> {
    let issuer = Issuer::parse(spec.issuer.as_str()).map_err(|e| AdminDenial::invalid("issuer", e.to_string()))?;
    if own_idp == Some(&issuer) {
        return Err(AdminDenial::invalid("issuer", "this is our own issuer; name the RAS's"));
    }
    if !(30..=600).contains(&spec.id_jag_ttl_seconds) {
        return Err(AdminDenial::invalid("id_jag_ttl_seconds", "30 to 600 seconds"));
    }
    Ok(Audience {
        id: cx.new_id::<AudienceId>(),
        name: spec.name.clone().unwrap_or_else(|| spec.issuer.clone()),
        issuer,
        subject_mode: spec.subject,
        aud_tenant: spec.aud_tenant.clone(),
        allow_missing_resource: spec.allow_missing_resource,
        id_jag_ttl_seconds: spec.id_jag_ttl_seconds,
        enabled: spec.enabled,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    })
}
