//! What a person may reach through a client: the answer of the connectors endpoint.
//!
//! Owns the list. Never shows a connector that policy would refuse, nor why it would.

use lanyard_protocol::connectors::{ReachableConnector, ReachableConnectors};

use crate::connector::record::ConnectorStatus;
use crate::directory::user::User;
use crate::id::ClientKey;
use crate::policy::cache::PolicyCache;
use crate::policy::explain;
use crate::store::{StoreError, Tx};

/// Everything that an exchange for this person through this client would be granted for.
///
/// # Errors
/// [`StoreError`].
pub fn reachable(
    tx: &mut dyn Tx,
    policy: &PolicyCache,
    user: &User,
    client: &ClientKey,
) -> Result<ReachableConnectors, StoreError> {
    let groups = tx.list_group_ids_of(&user.id)?;
    let policy = policy.current(tx)?;
    let mut connectors = Vec::new();
    for audience in tx.list_audiences()?.into_iter().filter(|audience| audience.enabled) {
        let Some(client_id) = tx.find_mapping(client, &audience.id)? else {
            continue;
        };
        for connector in tx.list_connectors_of_audience(&audience.issuer)? {
            if connector.status != ConnectorStatus::Active {
                continue;
            }
            let most = explain::reach(&policy, &user.id, &groups, client, &connector);
            let Some(rule) = most.hits.first() else { continue };
            connectors.push(ReachableConnector {
                rule: rule.title.to_string(),
                scopes: most.granted.clone(),
                name: connector.name,
                title: connector.title,
                mcp_url: connector.mcp_url,
                resource: connector.resource,
                audience: audience.issuer.clone(),
                client_id: client_id.clone(),
            });
        }
    }
    connectors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(ReachableConnectors { connectors })
}
