//! What an exchange is for: the audience and its connectors (IDP-TX-03, IDP-TX-05 to IDP-TX-07; SEC-02, SEC-03).
//!
//! Owns the table of pairs. Never decides who may reach a target.

use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::token_request::TokenExchangeRequest;
use lanyard_protocol::resource::ResourceId;

use crate::connector::record::{Connector, ConnectorStatus};
use crate::idp::Stop;
use crate::idp::token_exchange::Denial;
use crate::store::Tx;
use crate::trust::audience::Audience;

/// The connectors that a request is about.
pub(super) struct Chosen {
    pub(super) connectors: Vec<Connector>,
    /// Whether the ID-JAG names them. If not, it could be redeemed for any of them.
    pub(super) named: bool,
}

/// The audience, from our own registry and never from the request (SEC-03).
pub(super) fn audience(tx: &mut dyn Tx, request: &TokenExchangeRequest) -> Result<Audience, Stop<Denial>> {
    let unknown = || Stop::Denied(Denial::UnknownAudience);
    let issuer = Issuer::parse(request.audience.as_str()).map_err(|_| unknown())?;
    let audience = tx.find_audience(&issuer)?.ok_or_else(unknown)?;
    if audience.enabled {
        Ok(audience)
    } else {
        Err(Stop::Denied(Denial::AudienceDisabled))
    }
}

/// The connectors of the pairs, or those that stand for a missing resource.
pub(super) fn connectors(
    tx: &mut dyn Tx,
    audience: &Audience,
    resources: &[ResourceId],
) -> Result<Chosen, Stop<Denial>> {
    if resources.is_empty() {
        return unnamed(tx, audience);
    }
    let mut connectors: Vec<Connector> = Vec::with_capacity(resources.len());
    for resource in resources {
        if connectors.iter().any(|connector| connector.resource == *resource) {
            continue;
        }
        let connector = tx.find_connector_by_pair(&audience.issuer, resource)?.ok_or_else(|| {
            Stop::Denied(Denial::UnknownPair {
                resource: resource.as_str().to_owned(),
            })
        })?;
        if connector.status != ConnectorStatus::Active {
            return Err(not_active(connector));
        }
        connectors.push(connector);
    }
    Ok(Chosen {
        connectors,
        named: true,
    })
}

fn unnamed(tx: &mut dyn Tx, audience: &Audience) -> Result<Chosen, Stop<Denial>> {
    let (active, resting): (Vec<_>, Vec<_>) = tx
        .list_connectors_of_audience(&audience.issuer)?
        .into_iter()
        .partition(|connector| connector.status == ConnectorStatus::Active);
    match active.len() {
        0 => Err(resting
            .into_iter()
            .next()
            .map_or(Stop::Denied(Denial::ResourceNeeded), not_active)),
        1 => Ok(Chosen {
            connectors: active,
            named: true,
        }),
        _ if audience.allow_missing_resource => Ok(Chosen {
            connectors: active,
            named: false,
        }),
        _ => Err(Stop::Denied(Denial::ResourceNeeded)),
    }
}

fn not_active(connector: Connector) -> Stop<Denial> {
    Stop::Denied(Denial::ConnectorNotActive {
        connector: connector.name,
        status: connector.status.as_str(),
    })
}
