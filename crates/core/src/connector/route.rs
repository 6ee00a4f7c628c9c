//! The routes of a gateway, as connectors make them.
//!
//! Owns which connectors become routes. Never forwards anything.

use lanyard_protocol::gateway::{Route, RouteSnapshot, RouteStatus};
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::step_up::AuthenticationNeed;

use crate::connector::record::{Connector, ConnectorStatus};
use crate::session::requirement::Requirement;
use crate::session::strength::Strength;
use crate::store::page::PageRequest;
use crate::store::{StoreError, Tx};

/// The routes of the gateway whose origin is `origin` (every gateway's without one): connectors that stand behind it.
///
/// # Errors
/// [`StoreError`].
pub fn snapshot(tx: &mut dyn Tx, origin: Option<&str>) -> Result<RouteSnapshot, StoreError> {
    let version = u64::try_from(tx.connectors_version()?).unwrap_or(0);
    let mut routes = Vec::new();
    let mut page = PageRequest::new(None, PageRequest::MAX);
    loop {
        let part = tx.list_connectors(&page)?;
        let here = |connector: &&Connector| origin.is_none_or(|origin| connector.resource.origin() == origin);
        routes.extend(part.items.iter().filter(here).filter_map(route));
        match part.next {
            Some(after) => page.after = Some(after),
            None => return Ok(RouteSnapshot { version, routes }),
        }
    }
}

fn route(connector: &Connector) -> Option<Route> {
    let upstream = connector.upstream.as_ref()?;
    Some(Route {
        name: connector.name.clone(),
        title: connector.title.clone(),
        resource: connector.resource.clone(),
        authorization_server: connector.audience.clone(),
        upstream: upstream.url.clone(),
        insecure_upstream: upstream.insecure,
        tools: connector.tools.clone(),
        authentication: connector
            .tools
            .iter()
            .filter_map(|(tool, scopes)| Some((tool.clone(), needed(connector, scopes)?)))
            .collect(),
        scopes: connector.default_scopes.clone(),
        implied_scopes: std::collections::BTreeMap::new(),
        status: match connector.status {
            ConnectorStatus::Active => RouteStatus::Active,
            ConnectorStatus::Staged => RouteStatus::Staged,
            ConnectorStatus::Off => RouteStatus::Off,
        },
        filter_tools: true,
        durable: upstream.durable,
        allowed_origins: Vec::new(),
    })
}

/// What the scopes of a tool ask of a sign-in, as the gateway finds it in tokens.
fn needed(connector: &Connector, scopes: &ScopeSet) -> Option<AuthenticationNeed> {
    let all = scopes
        .iter()
        .filter_map(|scope| connector.requirement(scope))
        .fold(Requirement::default(), Requirement::and);
    (!all.is_nothing()).then(|| AuthenticationNeed {
        acr_values: all.strength.map(Strength::acrs_that_do).unwrap_or_default(),
        max_age: all.max_age,
    })
}
