//! Records to write; one of each kind, told apart by a number or a name.

use lanyard_core::admin::token::{AdminRole, AdminToken};
use lanyard_core::audit::event::{Actor, AuditEvent, AuditOutcome};
use lanyard_core::client::registration::{
    BackchannelLogout, Client, ClientAuthMethod, ClientSecret, RegisteredKey, SecretDigest, Side, SubjectMode,
};
use lanyard_core::clock::Timestamp;
use lanyard_core::connector::record::{Connector, ConnectorScope, ConnectorStatus, Upstream};
use lanyard_core::directory::group::{Group, GroupKind};
use lanyard_core::directory::user::{User, UserStatus};
use lanyard_core::id::{Id, UserId};
use lanyard_core::keys::record::{KeyState, Ring, StoredKey};
use lanyard_core::policy::rule::{Effect, People, Rule, ScopeSelection, Selection};
use lanyard_core::ras::access_grant::AccessGrant;
use lanyard_core::ras::account::{Account, AccountLink, AccountOrigin};
use lanyard_core::session::code::AuthorizationCode;
use lanyard_core::session::record::{Authentication, Session};
use lanyard_core::session::refresh::{RefreshFamily, RefreshToken};
use lanyard_core::session::requirement::Requirement;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::page::PageRequest;
use lanyard_core::trust::audience::Audience;
use lanyard_core::trust::issuer::{Allowed, ScopeRule, Tenant, Trust, TrustKeys};
use lanyard_core::trust::resource::Resource;
use lanyard_core::upstream::attempt::{Purpose, SignInAttempt};
use lanyard_core::upstream::connection::{Connection, Kind, LinkBy, Preset};
use lanyard_core::upstream::link::{Link, LinkOrigin};
use lanyard_core::upstream::mapping::{GroupMapping, Mapping, Unlisted};
use lanyard_core::upstream::oidc::{OidcSettings, Overage, UpstreamAuth};
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::Jwk;
use lanyard_jose::key::SigningKey;
use lanyard_protocol::claims::time::Subject;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::{Scope, ScopeSet};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_800_000_000 + seconds)
}

pub(crate) fn id<T: Id>(name: &str) -> T {
    T::from_stored(format!("{}{name}", T::PREFIX))
}

pub(crate) fn first(limit: u32) -> PageRequest {
    PageRequest::new(None, limit)
}

pub(crate) fn then(after: Option<String>, limit: u32) -> PageRequest {
    PageRequest::new(after, limit)
}

pub(crate) fn issuer(name: &str) -> Issuer {
    Issuer::parse(format!("https://{name}.example")).unwrap()
}

pub(crate) fn resource_id(name: &str) -> ResourceId {
    ResourceId::parse(format!("https://mcp.example/{name}/mcp")).unwrap()
}

pub(crate) fn client_id(name: &str) -> ClientId {
    ClientId::parse(name).unwrap()
}

pub(crate) fn subject(name: &str) -> Subject {
    Subject::parse(name).unwrap()
}

pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

pub(crate) fn jwk() -> Jwk {
    SigningKey::generate(Algorithm::Es256).unwrap().public_jwk()
}

pub(crate) fn user(name: &str) -> User {
    User {
        id: id(name),
        username: name.to_owned(),
        email: Some(format!("{name}@acme.example")),
        display_name: format!("Display {name}"),
        status: UserStatus::Active,
        not_before: None,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn group(name: &str) -> Group {
    Group {
        id: id(name),
        name: name.to_owned(),
        kind: GroupKind::Role,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn client(side: Side, name: &str) -> Client {
    Client {
        key: id(&format!("{name}{}", side.as_str())),
        side,
        client_id: client_id(name),
        name: format!("Client {name}"),
        auth: ClientAuthMethod::PrivateKeyJwt,
        legacy_assertion_audience: true,
        grants: vec![
            GrantType::AuthorizationCode,
            GrantType::TokenExchange,
            GrantType::JwtBearer,
        ],
        redirect_uris: vec!["http://127.0.0.1/callback".to_owned()],
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout: (side == Side::Idp).then(|| BackchannelLogout {
            uri: format!("https://{name}.example/logout"),
            session_required: true,
        }),
        scopes: scopes("openid email"),
        subject_mode: SubjectMode::Pairwise,
        introspects: vec!["https://mcp.example/linear/mcp".to_owned()],
        enabled: true,
        agent: None,
        not_before: None,
        version: 1,
        created_at: at(0),
        updated_at: at(1),
    }
}

pub(crate) fn secret(client: &Client, name: &str, made: i64) -> ClientSecret {
    ClientSecret {
        id: id(name),
        client: client.key.clone(),
        digest: SecretDigest::Hmac([7; 32]),
        created_at: at(made),
        expires_at: Some(at(1000)),
    }
}

pub(crate) fn client_key(client: &Client, kid: &str) -> RegisteredKey {
    RegisteredKey {
        kid: kid.to_owned(),
        client: client.key.clone(),
        jwk: jwk(),
        holder: None,
        label: "laptop".to_owned(),
        created_at: at(0),
        expires_at: None,
    }
}

pub(crate) fn audience(name: &str) -> Audience {
    Audience {
        id: id(name),
        issuer: issuer(name),
        name: name.to_owned(),
        subject_mode: SubjectMode::Public,
        aud_tenant: Some("acme".to_owned()),
        allow_missing_resource: true,
        id_jag_ttl_seconds: 300,
        enabled: true,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn connector(name: &str) -> Connector {
    let read = Scope::parse("read").unwrap();
    Connector {
        id: id(name),
        name: name.to_owned(),
        title: format!("Title {name}"),
        mcp_url: format!("https://mcp.example/{name}/mcp"),
        resource: resource_id(name),
        audience: issuer("ras"),
        scopes: vec![ConnectorScope {
            scope: read,
            description: "reads".to_owned(),
            high_impact: true,
            requires: Some(requirement()),
        }],
        default_scopes: scopes("read"),
        tools: [("search".to_owned(), scopes("read")), ("*".to_owned(), scopes(""))].into(),
        upstream: Some(Upstream {
            url: "http://127.0.0.1:1/mcp".to_owned(),
            insecure: true,
            durable: false,
        }),
        status: ConnectorStatus::Staged,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) const fn requirement() -> Requirement {
    Requirement {
        strength: Some(Strength::MultiFactor),
        max_age: Some(900),
    }
}

pub(crate) fn rule(name: &str) -> Rule {
    Rule {
        id: id(name),
        title: format!("Title {name}"),
        effect: Effect::Deny,
        people: People::Some {
            groups: vec![id("eng")],
            users: vec![id("ada")],
        },
        clients: Selection::All,
        connectors: Selection::Only(vec![id("linear")]),
        scopes: ScopeSelection::Only(scopes("read write")),
        requires: Some(requirement()),
        enabled: true,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn tenant(name: &str) -> Tenant {
    Tenant {
        id: id(name),
        name: name.to_owned(),
        managed_only: true,
        created_at: at(0),
    }
}

pub(crate) fn trust(name: &str, of: &Issuer, claim: Option<&str>) -> Trust {
    Trust {
        id: id(name),
        tenant: id("acme"),
        issuer: of.clone(),
        tenant_claim: claim.map(str::to_owned),
        keys: TrustKeys::JwksUri("https://idp.example/jwks".to_owned()),
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        clients: Allowed::Only(vec![client_id("agent")]),
        resources: Allowed::All,
        scopes: Some(scopes("read")),
        max_id_jag_ttl_seconds: 600,
        access_token_ttl_seconds: 601,
        scope_rule: ScopeRule::Downscope,
        just_in_time: true,
        aud_tenant: None,
        enabled: true,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn resource(name: &str) -> Resource {
    Resource {
        id: resource_id(name),
        name: name.to_owned(),
        scopes: scopes("read write"),
        default_scopes: scopes("read"),
        status: ConnectorStatus::Active,
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn account(tenant: &str, name: &str) -> Account {
    Account {
        id: id(name),
        tenant: id(tenant),
        origin: AccountOrigin::JustInTime,
        enabled: true,
        not_before: None,
        ended_sessions: Vec::new(),
        created_at: at(0),
    }
}

pub(crate) fn link(tenant: &str, account: &str, claim: Option<&str>, of: &str) -> AccountLink {
    AccountLink {
        tenant: id(tenant),
        issuer: issuer("idp"),
        issuer_tenant: claim.map(str::to_owned),
        subject: subject(of),
        account: id(account),
        linked_at: at(0),
    }
}

pub(crate) fn grant(jti: &str, account: &str) -> AccessGrant {
    AccessGrant {
        jti: jti.to_owned(),
        tenant: id("acme"),
        account: id(account),
        client_id: client_id("agent"),
        resource: resource_id("linear"),
        scope: scopes("read write"),
        issuer: issuer("idp"),
        subject: subject("ada"),
        id_jag_jti: format!("jag-{jti}"),
        sid: Some("ses_1".to_owned()),
        auth_time: Some(1_800_000_000),
        acr: Some("pwd".to_owned()),
        amr: Some(vec!["pwd".to_owned()]),
        issued_at: at(0),
        expires_at: at(600),
        revoked_at: None,
    }
}

pub(crate) fn authentication() -> Authentication {
    Authentication {
        auth_time: at(-5),
        acr: "urn:pwd".to_owned(),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
        strength: Strength::MultiFactor,
    }
}

pub(crate) fn session(name: &str, user: &str, secret: u8) -> Session {
    Session {
        id: id(name),
        user: id::<UserId>(user),
        secret_hash: [secret; 32],
        authentication: authentication(),
        connection: Some(id("corp")),
        upstream_session: Some("up-1".to_owned()),
        agent: Some("Firefox on Linux".to_owned()),
        peer: Some("192.0.2.7".to_owned()),
        created_at: at(0),
        last_used_at: at(0),
        expires_at: at(3600),
        ended_at: None,
        ended_by_admin: false,
    }
}

pub(crate) fn code(hash: u8) -> AuthorizationCode {
    AuthorizationCode {
        hash: [hash; 32],
        client: id("agent"),
        user: id("ada"),
        session: id("s1"),
        redirect_uri: "http://127.0.0.1:8123/callback?x=%20y".to_owned(),
        scope: scopes("openid"),
        nonce: Some("n".to_owned()),
        code_challenge: "c".repeat(43),
        authentication: authentication(),
        created_at: at(0),
        expires_at: at(60),
        used_at: None,
        family: None,
    }
}

pub(crate) fn family(name: &str, session: &str, offline: bool) -> RefreshFamily {
    RefreshFamily {
        id: id(name),
        client: id("agent"),
        bound_kid: None,
        user: id("ada"),
        session: id(session),
        offline,
        scope: scopes("openid offline_access"),
        authentication: authentication(),
        created_at: at(0),
        expires_at: at(30 * 86_400),
        ended_at: None,
    }
}

pub(crate) fn refresh_token(hash: u8, family: &str, generation: i64) -> RefreshToken {
    RefreshToken {
        hash: [hash; 32],
        family: id(family),
        generation,
        issued_at: at(0),
        expires_at: at(14 * 86_400),
        rotated_at: None,
    }
}

pub(crate) fn connection(name: &str, domains: &[&str]) -> Connection {
    Connection {
        id: id(name),
        name: name.to_owned(),
        title: format!("Title {name}"),
        kind: Kind::Oidc(OidcSettings {
            issuer: issuer(name),
            client_id: "lanyard".to_owned(),
            client_auth: UpstreamAuth::ClientSecretPost,
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            algorithms: vec![Algorithm::Rs256],
            userinfo: true,
            pkce_unannounced: true,
            groups_overage: Overage::Keep,
            public_key: None,
        }),
        preset: Preset::Entra,
        domains: domains.iter().map(|domain| (*domain).to_owned()).collect(),
        is_default: true,
        enabled: true,
        just_in_time: true,
        link_by: LinkBy::Username,
        mapping: Mapping {
            username: "upn".to_owned(),
            email: "email".to_owned(),
            display_name: "name".to_owned(),
            groups: Some(GroupMapping {
                claim: "groups".to_owned(),
                only_prefix: Some("mcp-".to_owned()),
                strip_prefix: None,
                names: [("mcp-eng".to_owned(), id("eng"))].into(),
                unlisted: Unlisted::Create,
            }),
            strengths: Mapping::usual_strengths(),
            at_least: Strength::MultiFactor,
        },
        sealed_secret: Some(vec![1, 2, 3]),
        version: 1,
        created_at: at(0),
        updated_at: at(0),
    }
}

pub(crate) fn person_link(connection: &str, subject: &str, user: &str) -> Link {
    Link {
        connection: id(connection),
        subject: subject.to_owned(),
        user: id(user),
        origin: LinkOrigin::Administrator,
        linked_at: at(0),
        last_seen_at: None,
    }
}

pub(crate) fn attempt(handle: u8, connection: &str) -> SignInAttempt {
    SignInAttempt {
        handle_hash: [handle; 32],
        browser_hash: [9; 32],
        connection: id(connection),
        connection_version: 1,
        purpose: Purpose::Client,
        request: "client_id=agent&state=x".to_owned(),
        nonce: "_n".to_owned(),
        sealed_verifier: Some(vec![4, 5]),
        max_age: Some(0),
        asked_at: at(0),
        expires_at: at(600),
        used_at: None,
        report: None,
    }
}

pub(crate) fn stored_key(ring: Ring, state: KeyState, made: i64) -> StoredKey {
    let public = jwk();
    StoredKey {
        kid: public.thumbprint(),
        ring,
        algorithm: Algorithm::Es256,
        state,
        public,
        sealed_private: vec![1, 2, 3],
        created_at: at(made),
        activates_at: at(made + 1),
        retired_at: None,
        remove_after: None,
    }
}

pub(crate) fn admin_token(name: &str, hash: u8, role: AdminRole) -> AdminToken {
    AdminToken {
        id: id(name),
        hash: [hash; 32],
        name: name.to_owned(),
        role,
        created_at: at(0),
        expires_at: Some(at(3600)),
        revoked_at: None,
    }
}

pub(crate) fn event(name: &str, kind: &str, seconds: i64) -> (AuditEvent, String) {
    let event = AuditEvent {
        id: id(name),
        at: at(seconds),
        kind: kind.to_owned(),
        outcome: AuditOutcome::Denied,
        reason: Some("policy".to_owned()),
        actor: Actor::Client("agent".to_owned()),
        subject: Some(format!("sub-{name}")),
        client_id: Some("agent".to_owned()),
        target: None,
        tenant: None,
        detail: serde_json::Map::new(),
        request_id: id(name),
        peer: None,
    };
    let text = serde_json::to_string(&event).unwrap();
    (event, text)
}
