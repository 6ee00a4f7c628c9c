//! The routes: which resource is served at which address, and what is behind it (RS-GW-01).
//!
//! Owns the table and how it is replaced at run time. Never decides on a call.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use lanyard_protocol::gateway::{Route, RouteSnapshot, RouteStatus};
use lanyard_protocol::scope::ScopeSet;
use lanyard_resource_server::origin::Origins;
use lanyard_resource_server::resource::ProtectedResource;
use lanyard_resource_server::scopes::ScopeHierarchy;
use lanyard_resource_server::verifier::{Verifier, VerifierParts};
use url::Url;

use crate::upstream::{self, Target};

/// One version of all routes.
#[derive(Default)]
pub(crate) struct RouteTable {
    pub(crate) version: u64,
    /// Every host that is ours, and what is there by path.
    doors: HashMap<String, HashMap<String, Door>>,
    /// For hosts that stand for any of ours: the path alone, where it is unambiguous.
    by_path: HashMap<String, Option<Door>>,
    routes: HashMap<String, Arc<ServedRoute>>,
    aliases: Vec<String>,
}

/// What is at an address.
#[derive(Clone)]
pub(crate) enum Door {
    /// The MCP endpoint of a route.
    Mcp(Arc<ServedRoute>),
    /// Its protected resource metadata.
    Metadata(Arc<ServedRoute>),
}

/// A route, ready to serve.
pub(crate) struct ServedRoute {
    pub(crate) config: Route,
    pub(crate) upstream: Target,
    pub(crate) verifier: Verifier,
    pub(crate) origins: Origins,
    /// Every scope that means something here; a token needs at least one of them.
    pub(crate) scopes: ScopeSet,
    /// Whether the server behind was seen to give session ids; outlives a change of other settings.
    pub(crate) keeps_sessions: Arc<AtomicBool>,
}

/// A route of a snapshot that is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route {name} is not served: {problem}")]
pub struct RouteProblem {
    /// The connector's short name.
    pub name: String,
    /// What is wrong, for the operator.
    pub problem: &'static str,
}

/// Checks one route without serving it, for `config check` and the admin API.
///
/// # Errors
/// [`RouteProblem`].
pub fn check_route(route: &Route) -> Result<(), RouteProblem> {
    check(route).map(|_| ()).map_err(|problem| RouteProblem {
        name: route.name.clone(),
        problem,
    })
}

impl RouteTable {
    /// Builds a table. A route that cannot be served is left out and reported; the others are served.
    pub(crate) fn build(
        snapshot: RouteSnapshot,
        parts: &VerifierParts,
        leeway: i64,
        aliases: &[String],
        before: &Self,
    ) -> (Self, Vec<RouteProblem>) {
        let mut table = Self {
            version: snapshot.version,
            aliases: aliases
                .iter()
                .map(|host| canonical_authority(host).into_owned())
                .collect(),
            ..Self::default()
        };
        let mut problems = Vec::new();
        for route in snapshot.routes {
            let name = route.name.clone();
            if let Err(problem) = table.add(route, parts, leeway, before) {
                problems.push(RouteProblem { name, problem });
            }
        }
        (table, problems)
    }

    fn add(&mut self, route: Route, parts: &VerifierParts, leeway: i64, before: &Self) -> Result<(), &'static str> {
        let upstream = check(&route)?;
        // A route that is switched off has no address at all: nobody can tell it from one that never was.
        if route.status == RouteStatus::Off {
            return Ok(());
        }
        let url = Url::parse(route.resource.as_str()).map_err(|_| "the resource is not a URL")?;
        let authority = authority_of(&url);
        let path = url.path().to_owned();
        let resource = ProtectedResource::new(route.resource.clone(), route.authorization_server.clone())
            .with_scopes(&route.scopes)
            .with_name(if route.title.is_empty() {
                route.name.clone()
            } else {
                route.title.clone()
            });
        let metadata_path = resource.metadata_path().to_owned();
        let taken = |path: &str| self.doors.get(&authority).is_some_and(|doors| doors.contains_key(path));
        if taken(&path) || taken(&metadata_path) {
            return Err("another route has the same address");
        }
        if self.routes.contains_key(&route.name) {
            return Err("another route has the same name");
        }
        let keeps_sessions = before
            .routes
            .get(&route.name)
            .filter(|known| known.config.resource == route.resource && known.config.upstream == route.upstream)
            .map_or_else(Arc::default, |known| Arc::clone(&known.keeps_sessions));
        let served = Arc::new(ServedRoute {
            upstream,
            verifier: Verifier::new(resource, parts.clone())
                .with_leeway(leeway)
                .with_hierarchy(ScopeHierarchy::new(route.implied_scopes.clone())),
            origins: Origins::new(&route.resource, &route.allowed_origins),
            scopes: route
                .tools
                .values()
                .fold(route.scopes.clone(), |all, scopes| all.union(scopes)),
            keeps_sessions,
            config: route,
        });
        self.routes.insert(served.config.name.clone(), Arc::clone(&served));
        let doors = self.doors.entry(authority).or_default();
        for (path, door) in [
            (path, Door::Mcp(Arc::clone(&served))),
            (metadata_path, Door::Metadata(served)),
        ] {
            doors.insert(path.clone(), door.clone());
            // Two routes with one path on different hosts cannot be told apart by path.
            self.by_path
                .entry(path)
                .and_modify(|entry| *entry = None)
                .or_insert(Some(door));
        }
        Ok(())
    }

    /// What is at an address. The host must be one of a route, or a configured alias; paths are compared byte for byte.
    pub(crate) fn find(&self, authority: &str, path: &str) -> Found {
        let authority = canonical_authority(authority);
        let own = self.doors.get(authority.as_ref());
        if let Some(door) = own.and_then(|doors| doors.get(path)) {
            return Found::Door(door.clone());
        }
        if self.aliases.iter().any(|alias| *alias == authority) {
            return match self.by_path.get(path) {
                Some(Some(door)) => Found::Door(door.clone()),
                _ => Found::Nothing,
            };
        }
        if own.is_some() {
            Found::Nothing
        } else {
            Found::ForeignHost
        }
    }

    /// Whether a route is still served as it was when a stream was opened.
    pub(crate) fn still_serves(&self, route: &ServedRoute) -> bool {
        self.routes.get(&route.config.name).is_some_and(|now| {
            now.config.status == RouteStatus::Active
                && now.config.resource == route.config.resource
                && now.config.upstream == route.config.upstream
        })
    }
}

/// The result of a look into the table.
pub(crate) enum Found {
    Door(Door),
    Nothing,
    /// A host that is not ours: DNS rebinding, or a wrong proxy setting (security, row 25).
    ForeignHost,
}

fn check(route: &Route) -> Result<Target, &'static str> {
    if route.name.is_empty() {
        return Err("it has no name");
    }
    if route.resource.path().is_empty() || route.resource.as_str().contains('?') {
        return Err("the resource must be a URL without a query");
    }
    if route.authentication.keys().any(|tool| !route.tools.contains_key(tool)) {
        return Err("authentication names a tool that is not mapped");
    }
    upstream::parse(&route.upstream, route.insecure_upstream)
}

fn authority_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => canonical_authority(&format!("{host}:{port}")).into_owned(),
        None => canonical_authority(host).into_owned(),
    }
}

/// Lower case, no default port, and one name for loopback, which has three.
fn canonical_authority(authority: &str) -> Cow<'_, str> {
    if authority.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Owned(canonical_authority(&authority.to_ascii_lowercase()).into_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.ends_with(':') => (host, Some(port)),
        _ => (authority, None),
    };
    let loopback = matches!(host, "localhost" | "[::1]");
    let one = if loopback { "127.0.0.1" } else { host };
    match port {
        None | Some("" | "80" | "443") => Cow::Borrowed(one),
        Some(port) if loopback => Cow::Owned(format!("{one}:{port}")),
        Some(_) => Cow::Borrowed(authority),
    }
}

#[cfg(test)]
mod tests {
    use super::canonical_authority;

    #[test]
    fn an_authority_has_one_spelling() {
        for (written, one) in [
            ("MCP.Example", "mcp.example"),
            ("mcp.example:443", "mcp.example"),
            ("mcp.example:8443", "mcp.example:8443"),
            ("localhost:4502", "127.0.0.1:4502"),
            ("[::1]:4502", "127.0.0.1:4502"),
            ("[2001:db8::1]", "[2001:db8::1]"),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ] {
            assert_eq!(canonical_authority(written), one);
        }
    }
}
