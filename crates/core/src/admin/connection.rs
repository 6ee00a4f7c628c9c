//! Identity providers: set, remove, show.

mod parse;

use std::collections::BTreeMap;

use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::SigningKey;
use secrecy::ExposeSecret;

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::spec::connection::{ClaimsSpec, ConnectionSpec, GroupsSpec, OidcSpec};
use crate::admin::token::Admin;
use crate::cx::Cx;
use crate::id::ConnectionId;
use crate::idp::backchannel;
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::store::page::PageRequest;
use crate::store::{StoreError, Tx};
use crate::upstream::connection::{Connection, Kind};
use crate::upstream::oidc::UpstreamAuth;
use crate::upstream::{groups, secret};

const KINDS: Kinds = Kinds {
    created: "admin.identity_provider.created",
    changed: "admin.identity_provider.changed",
    removed: "admin.identity_provider.removed",
};

/// The document of a record.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, connection: &Connection) -> Result<ConnectionSpec, StoreError> {
    let mapping = &connection.mapping;
    let groups = match &mapping.groups {
        Some(groups) => {
            let mut names = BTreeMap::new();
            for (value, group) in &groups.names {
                if let Some(group) = tx.find_group(group)? {
                    names.insert(value.clone(), group.name);
                }
            }
            Some(GroupsSpec {
                claim: groups.claim.clone(),
                only_prefix: groups.only_prefix.clone(),
                strip_prefix: groups.strip_prefix.clone(),
                names,
                unlisted: groups.unlisted,
            })
        }
        None => None,
    };
    let (oidc, saml) = match &connection.kind {
        Kind::Oidc(settings) => {
            let spec = OidcSpec {
                issuer: settings.issuer.to_string(),
                client_id: settings.client_id.clone(),
                client_auth: settings.client_auth,
                client_secret: None,
                scopes: Some(settings.scopes.join(" ")),
                algorithms: settings.algorithms.iter().map(|one| one.as_str().to_owned()).collect(),
                userinfo: settings.userinfo,
                pkce_unannounced: Some(settings.pkce_unannounced),
                groups_overage: settings.groups_overage,
                public_key: settings.public_key.clone(),
            };
            (Some(spec), None)
        }
        Kind::Saml(settings) => (None, Some(settings.clone())),
    };
    Ok(ConnectionSpec {
        name: connection.name.clone(),
        title: Some(connection.title.clone()),
        preset: connection.preset,
        domains: connection.domains.clone(),
        default: connection.is_default,
        enabled: connection.enabled,
        just_in_time: connection.just_in_time,
        link_by: connection.link_by,
        claims: ClaimsSpec {
            username: Some(mapping.username.clone()),
            email: Some(mapping.email.clone()),
            display_name: Some(mapping.display_name.clone()),
        },
        groups,
        strengths: Some(mapping.strengths.clone()),
        strength: mapping.at_least,
        oidc,
        saml,
    })
}

/// Makes or changes the connection of `spec.name`.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    admin: &Admin,
    spec: &ConnectionSpec,
) -> Result<Outcome<(Connection, Change), AdminDenial>, StoreError> {
    let denied = |denial| Ok(Outcome::Denied(denial));
    if let Err(denial) = require(admin, Permission::Administer) {
        return denied(denial);
    }
    let before = tx.find_connection_by_name(&spec.name)?;
    let wanted = match parse::connection(cx, tx, spec)? {
        Ok(wanted) => wanted,
        Err(denial) => return denied(denial),
    };
    let mut wanted = match &before {
        None => wanted,
        Some(before) => Connection {
            id: before.id.clone(),
            version: before.version,
            created_at: before.created_at,
            updated_at: before.updated_at,
            ..wanted
        },
    };
    if let Err(denial) = free_of_others(tx, &wanted)? {
        return denied(denial);
    }
    if let Some(before) = &before
        && authority(before) != authority(&wanted)
        && !tx
            .list_person_links(&before.id, &PageRequest::new(None, 1))?
            .items
            .is_empty()
    {
        // The same subject at another provider is another person.
        let problem =
            "people are linked to subjects of the provider as it is; add the other provider under another name";
        return denied(AdminDenial::invalid("oidc.issuer", problem));
    }
    let new_secret = match credential(vault, before.as_ref(), &mut wanted, spec) {
        Ok(new) => new,
        Err(denial) => return denied(denial),
    };
    let before_spec = match &before {
        Some(before) => Some(describe(tx, before)?),
        None => None,
    };
    let (after, change) = match &before {
        None => {
            tx.insert_connection(&wanted)?;
            (wanted, Change::Created)
        }
        Some(before) if *before == wanted => (wanted, Change::Unchanged),
        Some(before) => {
            let after = Connection {
                version: before.version + 1,
                updated_at: cx.now,
                ..wanted
            };
            tx.update_connection(&after)?;
            (after, Change::Changed)
        }
    };
    if before.is_some_and(|before| before.enabled) && !after.enabled {
        // Switched off means that its word is worth nothing any more, also the one of this morning.
        backchannel::announce_all_from(cx, tx, &after.id)?;
        tx.end_sessions_of_connection(&after.id, cx.now)?;
    }
    let mut after_state = state(&describe(tx, &after)?);
    if let (true, Some(members)) = (new_secret, after_state.as_mut().and_then(|state| state.as_object_mut())) {
        members.insert("client_secret".to_owned(), serde_json::json!("new"));
    }
    let states = (before_spec.as_ref().and_then(state), after_state);
    note(cx, tx, admin, KINDS, change, &after.name, states)?;
    Ok(Outcome::Granted((after, change)))
}

/// Removes a connection with its links, the memberships it made and the sessions it began. People stay.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn remove(cx: &Cx, tx: &mut dyn Tx, admin: &Admin, name: &str) -> Result<Outcome<(), AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Administer) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(before) = tx.find_connection_by_name(name)? else {
        return Ok(Outcome::Denied(not_found(name)));
    };
    let spec = describe(tx, &before)?;
    let mut page = PageRequest::new(None, 500);
    loop {
        let links = tx.list_person_links(&before.id, &page)?;
        for link in &links.items {
            if let Some(user) = tx.find_user(&link.user)? {
                groups::set(cx, tx, &before, &user, None)?;
            }
        }
        match links.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    backchannel::announce_all_from(cx, tx, &before.id)?;
    tx.end_sessions_of_connection(&before.id, cx.now)?;
    tx.remove_connection(&before.id)?;
    let states = (state(&spec), None);
    note(cx, tx, admin, KINDS, Change::Removed, name, states)?;
    Ok(Outcome::Granted(()))
}

/// The connection of a name, for an administrator who may see it.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn find(tx: &mut dyn Tx, admin: &Admin, name: &str) -> Result<Outcome<Connection, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Read) {
        return Ok(Outcome::Denied(denial));
    }
    Ok(match tx.find_connection_by_name(name)? {
        Some(connection) => Outcome::Granted(connection),
        None => Outcome::Denied(not_found(name)),
    })
}

pub(super) fn not_found(name: &str) -> AdminDenial {
    AdminDenial::NotFound {
        what: "identity provider",
        name: name.to_owned(),
    }
}

/// Who gives out the subjects of a connection, and of which kind they are.
fn authority(connection: &Connection) -> (&str, &str, &[&str]) {
    match &connection.kind {
        Kind::Oidc(settings) => ("oidc", settings.issuer.as_str(), connection.preset.quirks().subject),
        Kind::Saml(settings) => ("saml", settings.entity_id.as_str(), &[]),
    }
}

/// Domains and the default belong to one connection each.
fn free_of_others(tx: &mut dyn Tx, wanted: &Connection) -> Result<Result<(), AdminDenial>, StoreError> {
    for domain in &wanted.domains {
        if let Some(other) = tx.find_connection_of_domain(domain)?
            && other.name != wanted.name
        {
            return Ok(Err(AdminDenial::Taken {
                what: "domain",
                name: format!("{domain} (identity provider {})", other.name),
            }));
        }
    }
    if wanted.is_default
        && let Some(other) = tx
            .list_connections()?
            .into_iter()
            .find(|other| other.is_default && other.name != wanted.name)
    {
        let problem = format!("{} is the default already; take it off there first", other.name);
        return Ok(Err(AdminDenial::invalid("default", problem)));
    }
    Ok(Ok(()))
}

/// Fills in the credential: a new one, or the one that is there. Whether it is new.
fn credential(
    vault: &Vault,
    before: Option<&Connection>,
    wanted: &mut Connection,
    spec: &ConnectionSpec,
) -> Result<bool, AdminDenial> {
    let id: ConnectionId = wanted.id.clone();
    let Kind::Oidc(settings) = &mut wanted.kind else {
        wanted.sealed_secret = before.and_then(|before| before.sealed_secret.clone());
        return Ok(false);
    };
    let kept = before.filter(|before| match &before.kind {
        Kind::Oidc(old) => {
            let signs = |auth| auth == UpstreamAuth::PrivateKeyJwt;
            signs(old.client_auth) == signs(settings.client_auth)
        }
        Kind::Saml(_) => false,
    });
    let given = spec.oidc.as_ref().and_then(|oidc| oidc.client_secret.as_deref());
    if settings.client_auth == UpstreamAuth::PrivateKeyJwt {
        if given.is_some() {
            return Err(AdminDenial::invalid("oidc.client_secret", "private_key_jwt has none"));
        }
        if let Some(Kind::Oidc(old)) = kept.map(|kept| &kept.kind) {
            settings.public_key.clone_from(&old.public_key);
            wanted.sealed_secret = kept.and_then(|kept| kept.sealed_secret.clone());
            return Ok(false);
        }
        // A P-256 key is made in microseconds: no reason to make it before the unit.
        let key = SigningKey::generate(Algorithm::Es256)
            .map_err(|error| AdminDenial::invalid("oidc.client_auth", error.to_string()))?;
        settings.public_key = Some(key.public_jwk().to_value());
        wanted.sealed_secret = Some(secret::seal_credential(vault, &id, &key.to_pkcs8()));
        return Ok(true);
    }
    let old = kept.and_then(|kept| kept.sealed_secret.clone());
    let Some(given) = given else {
        return match old {
            Some(old) => {
                wanted.sealed_secret = Some(old);
                Ok(false)
            }
            None => Err(AdminDenial::invalid(
                "oidc.client_secret",
                "the provider's client secret is needed (or client_auth = \"private_key_jwt\")",
            )),
        };
    };
    if given.trim().is_empty() || given.len() > 4096 || given.chars().any(char::is_control) {
        return Err(AdminDenial::invalid(
            "oidc.client_secret",
            "this is no client secret: 1 to 4096 characters without line breaks",
        ));
    }
    // The same secret again changes nothing.
    if let Some(old) = &old
        && let Ok(known) = secret::open_credential(vault, &id, old)
        && known.expose_secret() == given.as_bytes()
    {
        wanted.sealed_secret = Some(old.clone());
        return Ok(false);
    }
    wanted.sealed_secret = Some(secret::seal_credential(vault, &id, given.as_bytes()));
    Ok(true)
}
