//! For which resource a redemption is (RAS-JB-15, RAS-JB-16, RAS-JB-17; D-02).
//!
//! Owns the choice of exactly one registered, trusted and open resource.

use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

use crate::connector::record::ConnectorStatus;
use crate::ras::denial::Denial;
use crate::store::StoreError;
use crate::store::resource::ResourceStore;
use crate::trust::issuer::{Allowed, Trust};
use crate::trust::resource::Resource;

/// More resources in one ID-JAG are not looked up.
const MAX_CLAIMED: usize = 20;

/// What a redemption is for.
#[derive(Debug)]
pub(super) struct Target {
    /// The one resource.
    pub(super) resource: Resource,
    /// The scopes of all resources of the claim, when it has several: such an ID-JAG has one list for all of them.
    pub(super) beside: ScopeSet,
}

pub(super) fn resolve(
    tx: &mut dyn ResourceStore,
    trust: &Trust,
    claimed: Option<&OneOrMany<String>>,
    requested: &[ResourceId],
) -> Result<Result<Target, Denial>, StoreError> {
    let candidates = match claimed {
        Some(claimed) => claimed_resources(tx, trust, claimed.as_slice())?,
        None => configured_resources(tx, trust)?,
    };
    Ok(candidates.and_then(|candidates| {
        let beside = match claimed {
            Some(_) if candidates.len() > 1 => candidates
                .iter()
                .fold(ScopeSet::empty(), |all, resource| all.union(&resource.scopes)),
            _ => ScopeSet::empty(),
        };
        let resource = pick(candidates, requested, claimed.is_some())?;
        Ok(Target { resource, beside })
    }))
}

/// Every value of the claim, or the reason why the whole grant is refused.
fn claimed_resources(
    tx: &mut dyn ResourceStore,
    trust: &Trust,
    claimed: &[String],
) -> Result<Result<Vec<Resource>, Denial>, StoreError> {
    let mut resources: Vec<Resource> = Vec::with_capacity(claimed.len().min(MAX_CLAIMED));
    for value in claimed {
        if resources.iter().any(|known| known.id.as_str() == value) {
            continue;
        }
        let Ok(id) = ResourceId::parse(value.as_str()) else {
            return Ok(Err(Denial::UnknownResource));
        };
        if resources.len() == MAX_CLAIMED {
            return Ok(Err(Denial::UnknownResource));
        }
        let Some(resource) = tx.find_resource(&id)? else {
            return Ok(Err(Denial::UnknownResource));
        };
        if !trust.resources.allows(&resource.id) {
            return Ok(Err(Denial::ResourceNotTrusted(id.into())));
        }
        resources.push(resource);
    }
    // An empty array grants nothing; it is not the same as no claim.
    Ok(if resources.is_empty() {
        Err(Denial::UnknownResource)
    } else {
        Ok(resources)
    })
}

/// Without a claim: what is configured for the issuer.
fn configured_resources(
    tx: &mut dyn ResourceStore,
    trust: &Trust,
) -> Result<Result<Vec<Resource>, Denial>, StoreError> {
    let mut resources = Vec::new();
    match &trust.resources {
        Allowed::All => resources = tx.list_resources()?,
        Allowed::Only(ids) => {
            for id in ids {
                resources.extend(tx.find_resource(id)?);
            }
        }
    }
    resources.retain(|resource| resource.status == ConnectorStatus::Active);
    Ok(Ok(resources))
}

fn pick(mut candidates: Vec<Resource>, requested: &[ResourceId], claimed: bool) -> Result<Resource, Denial> {
    if requested
        .iter()
        .any(|wanted| !candidates.iter().any(|candidate| candidate.id == *wanted))
    {
        return Err(Denial::ResourceOutsideClaim);
    }
    if !requested.is_empty() {
        candidates.retain(|candidate| requested.contains(&candidate.id));
    }
    match (candidates.pop(), candidates.is_empty()) {
        (Some(sole), true) if sole.status == ConnectorStatus::Active => Ok(sole),
        (Some(sole), true) => Err(Denial::ResourceNotOpen(sole.id.into())),
        _ if claimed || !requested.is_empty() => Err(Denial::ResourceNotChosen),
        _ => Err(Denial::NoSoleResource),
    }
}
