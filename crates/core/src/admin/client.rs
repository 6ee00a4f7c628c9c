//! Clients of both sides: set, secrets, switch off.

use lanyard_jose::digest::from_hex;
use lanyard_jose::jwk::JwkSet;
use lanyard_jose::random::token;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::scope::ScopeSet;
use lanyard_protocol::url_rules;
use secrecy::{ExposeSecret, SecretString};

use crate::admin::change::{Change, Kinds, note, state};
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::sign_in::ADMIN_SCOPE;
use crate::admin::spec::ClientSpec;
use crate::admin::standing::out_of_reach;
use crate::admin::token::Admin;
use crate::audit::record::{self, NewEvent};
use crate::client::registration::{
    BackchannelLogout, Client, ClientAuthMethod, ClientSecret, RegisteredKey, SecretDigest, Side,
};
use crate::clock::Timestamp;
use crate::cx::Cx;
use crate::id::{ClientKey, SecretId};
use crate::keys::vault::Vault;
use crate::outcome::Outcome;
use crate::ras::cut_off;
use crate::ras::settings::RasSettings;
use crate::store::{StoreError, Tx};

const KINDS: Kinds = Kinds {
    created: "admin.client.created",
    changed: "admin.client.changed",
    removed: "admin.client.removed",
};

/// The document of a record. Secrets are not shown; keys that people enrolled are not the client's own.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn describe(tx: &mut dyn Tx, client: &Client) -> Result<ClientSpec, StoreError> {
    let keys = tx.list_client_keys(&client.key)?;
    let jwks = (!keys.is_empty()).then(|| {
        let keys: Vec<serde_json::Value> = keys.iter().map(|key| key.jwk.to_value()).collect();
        serde_json::json!({ "keys": keys })
    });
    Ok(ClientSpec {
        side: client.side,
        client_id: client.client_id.to_string(),
        name: Some(client.name.clone()),
        auth: client.auth,
        secret_sha256: None,
        secret: None,
        jwks,
        redirect_uris: client.redirect_uris.clone(),
        post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
        backchannel_logout_uri: client.backchannel_logout.as_ref().map(|logout| logout.uri.clone()),
        backchannel_logout_session_required: client
            .backchannel_logout
            .as_ref()
            .is_some_and(|logout| logout.session_required),
        grants: Some(client.grants.iter().map(|grant| grant.as_str().to_owned()).collect()),
        scopes: Some(client.scopes.to_string()),
        subject: client.subject_mode,
        introspects: client.introspects.clone(),
        saml_service_providers: tx.list_service_providers(&client.key)?,
        legacy_assertion_audience: client.legacy_assertion_audience,
        enabled: client.enabled,
    })
}

/// Makes or changes the client of (`spec.side`, `spec.client_id`). A secret or key set in the document replaces what
/// the client had of that kind; left out, they stay. Switching it off ends what it holds; then it is written with the
/// reserve.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn put(
    cx: &Cx,
    tx: &mut dyn Tx,
    vault: &Vault,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    spec: &ClientSpec,
) -> Result<Outcome<(Client, Change), AdminDenial>, StoreError> {
    let parsed = require(admin, Permission::Write)
        .and_then(|()| parse(cx, spec))
        .and_then(|wanted| Ok((wanted, digest(vault, spec)?, keys(spec)?)));
    let (wanted, digest, keys) = match parsed {
        Ok(parsed) => parsed,
        Err(denial) => return Ok(Outcome::Denied(denial)),
    };
    let before = tx.find_client(wanted.side, &wanted.client_id)?;
    for client in before.iter().chain([&wanted]) {
        if let Err(denial) = within_reach(admin, client) {
            return Ok(Outcome::Denied(denial));
        }
    }
    if let Err(denial) = free_service_providers(tx, before.as_ref(), spec)? {
        return Ok(Outcome::Denied(denial));
    }
    let before_spec = match &before {
        Some(before) => Some(describe(tx, before)?),
        None => None,
    };
    let switched_off = !wanted.enabled && before.as_ref().is_some_and(|before| before.enabled);
    let mut after = match before {
        None => {
            tx.insert_client(&wanted)?;
            wanted
        }
        Some(before) => {
            let after = Client {
                key: before.key.clone(),
                agent: before.agent,
                not_before: before.not_before,
                version: before.version,
                created_at: before.created_at,
                updated_at: before.updated_at,
                ..wanted
            };
            if after == before {
                after
            } else {
                let after = Client {
                    version: before.version + 1,
                    updated_at: cx.now,
                    ..after
                };
                tx.update_client(&after)?;
                after
            }
        }
    };
    let mut credentials_changed = set_service_providers(tx, &after.key, spec)?;
    if let Some(digest) = digest {
        credentials_changed |= set_secret(cx, tx, &after.key, digest)?;
    }
    if let Some(set) = keys {
        credentials_changed |= set_keys(cx, tx, &after.key, &set)?;
    }
    let after_spec = describe(tx, &after)?;
    let change = match &before_spec {
        None => Change::Created,
        Some(before) if *before == after_spec && !credentials_changed => Change::Unchanged,
        Some(_) => Change::Changed,
    };
    if credentials_changed && change == Change::Changed {
        // The version tells caches and verifications in flight that the credential is another one.
        after.version += 1;
        after.updated_at = cx.now;
        tx.update_client(&after)?;
    }
    let states = (before_spec.as_ref().and_then(state), state(&after_spec));
    note(cx, tx, admin, KINDS, change, after.client_id.as_str(), states)?;
    if switched_off {
        end_access(cx, tx, admin, own_ras, &after)?;
    }
    Ok(Outcome::Granted((after, change)))
}

/// Whoever changes a client that administrators sign in with could act as one of them: that is for owners.
fn within_reach(admin: &Admin, client: &Client) -> Result<(), AdminDenial> {
    let administers = client.side == Side::Idp && client.scopes.contains_str(ADMIN_SCOPE);
    if !administers || require(admin, Permission::Administer).is_ok() {
        return Ok(());
    }
    Err(out_of_reach(
        admin,
        "changing a client that administrators sign in with",
    ))
}

/// Switches a client off and records it: when the agent that it belonged to is gone.
pub(super) fn switch_off(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    client: &Client,
) -> Result<(), StoreError> {
    let before = describe(tx, client)?;
    let after = Client {
        enabled: false,
        version: client.version + 1,
        updated_at: cx.now,
        ..client.clone()
    };
    tx.update_client(&after)?;
    let states = (state(&before), state(&describe(tx, &after)?));
    note(cx, tx, admin, KINDS, Change::Changed, client.client_id.as_str(), states)?;
    end_access(cx, tx, admin, own_ras, &after)
}

/// What a client holds when it is switched off: refresh tokens of the IdP, access tokens of our RAS, also when it is
/// switched off at the IdP only (RV-03).
fn end_access(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    own_ras: Option<&Issuer>,
    client: &Client,
) -> Result<(), StoreError> {
    match (client.side, own_ras) {
        (Side::Idp, own_ras) => {
            tx.end_families_of_client(&client.key, cx.now)?;
            let known = match own_ras {
                Some(issuer) => tx.find_audience(issuer)?.map(|audience| (issuer, audience)),
                None => None,
            };
            if let Some((issuer, audience)) = known
                && let Some(there) = tx.find_mapping(&client.key, &audience.id)?
            {
                let actor = admin.actor();
                cut_off::revoke_client(cx, tx, &RasSettings::new(issuer.clone()), actor, &there)?;
            }
        }
        (Side::Ras, Some(issuer)) => {
            let actor = admin.actor();
            cut_off::revoke_client(cx, tx, &RasSettings::new(issuer.clone()), actor, &client.client_id)?;
        }
        (Side::Ras, None) => {}
    }
    Ok(())
}

/// Makes a new secret for a client, beside the ones it has: rotation with overlap (IDP-TK-04). The secret is shown once.
/// `keep_others_until` ends the older ones; without it they stay until removed.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn add_secret(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    (side, client_id): (Side, &ClientId),
    keep_others_until: Option<Timestamp>,
) -> Result<Outcome<SecretString, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Write) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(client) = tx.find_client(side, client_id)? else {
        return Ok(Outcome::Denied(AdminDenial::NotFound {
            what: "client",
            name: client_id.to_string(),
        }));
    };
    if let Err(denial) = within_reach(admin, &client) {
        return Ok(Outcome::Denied(denial));
    }
    if client.auth != ClientAuthMethod::Secret {
        let problem = "the client authenticates with keys; register a public key instead";
        return Ok(Outcome::Denied(AdminDenial::invalid("auth", problem)));
    }
    let live = tx.list_client_secrets(&client.key)?;
    if let Some(until) = keep_others_until {
        for old in &live {
            tx.remove_client_secret(&old.id)?;
            let expires_at = Some(old.expires_at.map_or(until, |own| own.min(until)));
            tx.insert_client_secret(&ClientSecret {
                expires_at,
                ..old.clone()
            })?;
        }
    } else if live.len() >= 2 {
        let problem = "two secrets are live already; remove one first";
        return Ok(Outcome::Denied(AdminDenial::invalid("secrets", problem)));
    }
    let secret = token(&*cx.random);
    let hash = lanyard_jose::digest::sha256(secret.expose_secret().as_bytes());
    tx.insert_client_secret(&ClientSecret {
        id: cx.new_id::<SecretId>(),
        client: client.key.clone(),
        digest: SecretDigest::Sha256(hash),
        created_at: cx.now,
        expires_at: None,
    })?;
    let event = NewEvent::granted("admin.client_secret.added")
        .actor(admin.actor())
        .target(client_id.as_str())
        .detail("before", secrets_shown(&live))
        .detail("after", secrets_shown(&tx.list_client_secrets(&client.key)?));
    record::record(cx, tx, event)?;
    Ok(Outcome::Granted(secret))
}

/// Secrets as the log shows them: which there are and how long they are good.
fn secrets_shown(secrets: &[ClientSecret]) -> serde_json::Value {
    let shown = secrets.iter().map(
        |secret| serde_json::json!({"id": secret.id, "created_at": secret.created_at, "expires_at": secret.expires_at}),
    );
    serde_json::Value::Array(shown.collect())
}

fn set_secret(cx: &Cx, tx: &mut dyn Tx, client: &ClientKey, digest: SecretDigest) -> Result<bool, StoreError> {
    let old = tx.list_client_secrets(client)?;
    if old.len() == 1 && old.iter().all(|secret| secret.digest == digest) {
        return Ok(false);
    }
    for secret in &old {
        tx.remove_client_secret(&secret.id)?;
    }
    tx.insert_client_secret(&ClientSecret {
        id: cx.new_id::<SecretId>(),
        client: client.clone(),
        digest,
        created_at: cx.now,
        expires_at: None,
    })?;
    Ok(true)
}

fn set_keys(cx: &Cx, tx: &mut dyn Tx, client: &ClientKey, set: &JwkSet) -> Result<bool, StoreError> {
    let old = tx.list_client_keys(client)?;
    let kid_of = |jwk: &lanyard_jose::jwk::Jwk| jwk.kid().map_or_else(|| jwk.thumbprint(), str::to_owned);
    let same = old.len() == set.keys.len()
        && set
            .keys
            .iter()
            .all(|jwk| old.iter().any(|key| key.jwk == *jwk && key.kid == kid_of(jwk)));
    if same {
        return Ok(false);
    }
    for key in &old {
        tx.remove_client_key(client, &key.kid)?;
    }
    for jwk in &set.keys {
        tx.insert_client_key(&RegisteredKey {
            kid: kid_of(jwk),
            client: client.clone(),
            jwk: jwk.clone(),
            holder: None,
            label: String::new(),
            created_at: cx.now,
            expires_at: None,
        })?;
    }
    Ok(true)
}

/// Two clients never share an entity id: an assertion is for one of them.
fn free_service_providers(
    tx: &mut dyn Tx,
    before: Option<&Client>,
    spec: &ClientSpec,
) -> Result<Result<(), AdminDenial>, StoreError> {
    for provider in &spec.saml_service_providers {
        let holder = tx.find_client_of_service_provider(&provider.entity_id)?;
        if holder.is_some() && holder.as_ref() != before.map(|before| &before.key) {
            return Ok(Err(AdminDenial::Taken {
                what: "SAML service provider",
                name: provider.entity_id.clone(),
            }));
        }
    }
    Ok(Ok(()))
}

/// Makes them what the document says; whether that changed something.
fn set_service_providers(tx: &mut dyn Tx, client: &ClientKey, spec: &ClientSpec) -> Result<bool, StoreError> {
    let mut wanted = spec.saml_service_providers.clone();
    wanted.sort_by(|one, other| one.entity_id.cmp(&other.entity_id));
    if tx.list_service_providers(client)? == wanted {
        return Ok(false);
    }
    tx.remove_service_providers(client)?;
    for provider in &wanted {
        tx.insert_service_provider(client, provider)?;
    }
    Ok(true)
}

fn digest(vault: &Vault, spec: &ClientSpec) -> Result<Option<SecretDigest>, AdminDenial> {
    match (&spec.secret_sha256, &spec.secret) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(AdminDenial::invalid("secret", "give either secret_sha256 or secret")),
        (Some(hex), None) => from_hex(hex)
            .map(|hash| Some(SecretDigest::Sha256(hash)))
            .ok_or_else(|| AdminDenial::invalid("secret_sha256", "64 hexadecimal digits are needed")),
        (None, Some(secret)) if secret.chars().count() < 32 => Err(AdminDenial::invalid(
            "secret",
            "a chosen secret needs at least 32 characters",
        )),
        (None, Some(secret)) => Ok(Some(vault.digest_chosen_secret(secret))),
    }
}

fn keys(spec: &ClientSpec) -> Result<Option<JwkSet>, AdminDenial> {
    let Some(jwks) = &spec.jwks else { return Ok(None) };
    let set = JwkSet::parse(jwks.to_string().as_bytes()).map_err(|e| AdminDenial::invalid("jwks", e.to_string()))?;
    if set.keys.is_empty() {
        return Err(AdminDenial::invalid("jwks", "there is no usable public key in it"));
    }
    Ok(Some(set))
}

fn parse(cx: &Cx, spec: &ClientSpec) -> Result<Client, AdminDenial> {
    let client_id =
        ClientId::parse(spec.client_id.as_str()).map_err(|e| AdminDenial::invalid("client_id", e.to_string()))?;
    if spec.side == Side::Ras && !spec.redirect_uris.is_empty() && spec.auth == ClientAuthMethod::Native {
        return Err(AdminDenial::invalid(
            "redirect_uris",
            "a native client signs in at the IdP only",
        ));
    }
    if spec.auth == ClientAuthMethod::Secret && spec.jwks.is_some() {
        return Err(AdminDenial::invalid(
            "jwks",
            "auth = \"secret\" takes no keys; use auth = \"private_key_jwt\"",
        ));
    }
    if spec.auth != ClientAuthMethod::Secret && (spec.secret.is_some() || spec.secret_sha256.is_some()) {
        return Err(AdminDenial::invalid("secret", "only auth = \"secret\" takes a secret"));
    }
    for (field, uris) in [
        ("redirect_uris", &spec.redirect_uris),
        ("post_logout_redirect_uris", &spec.post_logout_redirect_uris),
    ] {
        for uri in uris {
            check_redirect_uri(field, uri)?;
        }
    }
    for provider in &spec.saml_service_providers {
        let problem = match spec.side {
            Side::Idp => provider.check(),
            Side::Ras => Err("SAML assertions are exchanged at the IdP only".to_owned()),
        };
        problem.map_err(|problem| AdminDenial::invalid("saml_service_providers", problem))?;
    }
    let mut entities: Vec<&str> = spec
        .saml_service_providers
        .iter()
        .map(|one| one.entity_id.as_str())
        .collect();
    entities.sort_unstable();
    if entities.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(AdminDenial::invalid(
            "saml_service_providers",
            "an entity id stands twice",
        ));
    }
    let grants = match &spec.grants {
        Some(names) => names
            .iter()
            .map(|name| {
                GrantType::parse(name).ok_or_else(|| AdminDenial::invalid("grants", format!("{name} is not known")))
            })
            .collect::<Result<Vec<_>, _>>()?,
        None if spec.side == Side::Idp => {
            vec![
                GrantType::AuthorizationCode,
                GrantType::RefreshToken,
                GrantType::TokenExchange,
            ]
        }
        None => vec![GrantType::JwtBearer],
    };
    let default_scopes = match spec.side {
        Side::Idp => "openid profile email offline_access connectors",
        Side::Ras => "",
    };
    let scopes = ScopeSet::parse(spec.scopes.as_deref().unwrap_or(default_scopes))
        .map_err(|e| AdminDenial::invalid("scopes", e.to_string()))?;
    Ok(Client {
        key: cx.new_id::<ClientKey>(),
        side: spec.side,
        name: spec.name.clone().unwrap_or_else(|| spec.client_id.clone()),
        client_id,
        auth: spec.auth,
        legacy_assertion_audience: spec.legacy_assertion_audience,
        grants,
        redirect_uris: spec.redirect_uris.clone(),
        post_logout_redirect_uris: spec.post_logout_redirect_uris.clone(),
        backchannel_logout: backchannel_logout(spec)?,
        scopes,
        subject_mode: spec.subject,
        introspects: spec.introspects.clone(),
        enabled: spec.enabled,
        agent: None,
        not_before: None,
        version: 1,
        created_at: cx.now,
        updated_at: cx.now,
    })
}

fn backchannel_logout(spec: &ClientSpec) -> Result<Option<BackchannelLogout>, AdminDenial> {
    const FIELD: &str = "backchannel_logout_uri";
    let Some(uri) = &spec.backchannel_logout_uri else {
        return if spec.backchannel_logout_session_required {
            let problem = "it belongs to backchannel_logout_uri; set that too, or leave it out";
            Err(AdminDenial::invalid("backchannel_logout_session_required", problem))
        } else {
            Ok(None)
        };
    };
    if spec.side == Side::Ras {
        return Err(AdminDenial::invalid(FIELD, "sessions are at the IdP; side must be idp"));
    }
    check_redirect_uri(FIELD, uri)?;
    if !uri.starts_with("http") {
        return Err(AdminDenial::invalid(FIELD, format!("{uri} is not an https URL")));
    }
    Ok(Some(BackchannelLogout {
        uri: uri.clone(),
        session_required: spec.backchannel_logout_session_required,
    }))
}

/// `https`, `http` on loopback, or a private-use scheme with a dot (RFC 8252, section 7.1). Never with a fragment.
fn check_redirect_uri(field: &str, uri: &str) -> Result<(), AdminDenial> {
    let parsed =
        url::Url::parse(uri).map_err(|_| AdminDenial::invalid(field, format!("{uri} is not an absolute URI")))?;
    if uri.contains('#') || uri.contains('*') || uri.len() > 1024 {
        return Err(AdminDenial::invalid(
            field,
            format!("{uri} has a fragment or a wildcard, or is too long"),
        ));
    }
    // It is compared byte for byte and written into headers as it stands; a URL reader would take out line breaks.
    let plain =
        |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}');
    if !uri.bytes().all(plain) || !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(AdminDenial::invalid(
            field,
            "a redirect URI is printable ASCII without spaces, quotes and user information",
        ));
    }
    let private_use = parsed.scheme().contains('.');
    if !url_rules::is_protected(&parsed) && !private_use {
        return Err(AdminDenial::invalid(
            field,
            format!("{uri} is neither https nor http on loopback"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_that_would_not_stand_in_a_header_is_refused_idp_au_03() {
        for good in [
            "https://ide.example/cb?a=b",
            "http://127.0.0.1/cb",
            "com.example.ide:/cb",
        ] {
            assert!(check_redirect_uri("redirect_uris", good).is_ok(), "{good}");
        }
        for bad in [
            "https://ide.example/cb\r\nx: y",
            "https://ide.example/c b",
            "https://user:pw@ide.example/cb",
            "https://user@ide.example/cb",
            "https://ide.example/\u{e9}",
            "javascript:alert(1)",
        ] {
            assert!(check_redirect_uri("redirect_uris", bad).is_err(), "{bad}");
        }
    }
}
