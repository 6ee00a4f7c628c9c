//! A healthy company: two people and a leaver, two connectors, three clients, one trust. A test changes one thing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lanyard_core::admin::apply::{self, Deployment};
use lanyard_core::admin::spec::{
    AllOr, AudienceSpec, ClientSpec, ConnectorSpec, GroupSpec, Organisation, RuleSpec, ScopeSpec, TrustSpec, UserSpec,
};
use lanyard_core::admin::token::{Admin, AdminRole, Administrator};
use lanyard_core::client::registration::{Client, ClientAuthMethod, Side, SubjectMode};
use lanyard_core::clock::Clock;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::cx::Cx;
use lanyard_core::directory::group::GroupKind;
use lanyard_core::directory::user::User;
use lanyard_core::id::AdminTokenId;
use lanyard_core::idp::settings::IdpSettings;
use lanyard_core::keys::record::Ring;
use lanyard_core::keys::ring::{KeyRings, load_all};
use lanyard_core::keys::rotation::{self, FreshKey};
use lanyard_core::keys::vault::Vault;
use lanyard_core::outcome::Outcome;
use lanyard_core::policy::cache::PolicyCache;
use lanyard_core::policy::rule::Effect;
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::session::password;
use lanyard_core::store::audit::{AuditFilter, StoredEvent};
use lanyard_core::store::page::PageRequest;
use lanyard_core::store::{Store, StoreError, StoreExt, Tx};
use lanyard_core::trust::issuer::ScopeRule;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::sha256_hex;
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::Random;
use lanyard_jose::seal::Kek;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::resource::ResourceId;
use lanyard_storage::{Handle, StoreConfig};

use crate::block_on::block_on;
use crate::clock::FixedClock;
use crate::random::SeededRandom;

/// The IdP.
pub const IDP: &str = "https://login.northwind.example";
/// The RAS.
pub const RAS: &str = "https://auth.ledger.example";
/// The resource of the connector `linear`.
pub const LINEAR: &str = "https://mcp.ledger.example/linear/mcp";
/// The resource of the connector `figma`.
pub const FIGMA: &str = "https://mcp.ledger.example/figma/mcp";
/// The redirect URI of every client.
pub const REDIRECT: &str = "https://ide.contoso.example/cb";
/// The client with a secret, at the IdP.
pub const IDE: &str = "ide";
/// The same client at the RAS.
pub const IDE_AT_RAS: &str = "ide-at-ledger";
/// Its secret on both sides.
pub const IDE_SECRET: &str = "s3cr+t/with:odd%chars-and-enough-of-them";
/// The client with a key, at the IdP.
pub const AGENT: &str = "agent";
/// The same client at the RAS.
pub const AGENT_AT_RAS: &str = "agent-at-ledger";
/// The native client, on both sides.
pub const CLI: &str = "lanyard-cli";
/// An employee, in group engineering: every scope of both connectors.
pub const ALICE: &str = "alice";
/// A contractor, in group contractors: `linear.read` only.
pub const CAROL: &str = "carol";
/// Deactivated.
pub const DAVE: &str = "dave";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";
/// The rings that a process has from its start.
const ISSUING_RINGS: [Ring; 3] = [Ring::Idp, Ring::Ras, Ring::Audit];

/// A deployment of both roles on SQLite in a temporary directory, with its organisation.
pub struct Company {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Its holder's side.
    pub handle: Handle,
    /// The clock.
    pub clock: FixedClock,
    /// The random source.
    pub random: Arc<dyn Random>,
    /// Derived secrets.
    pub vault: Arc<Vault>,
    /// Compiled policy.
    pub policy: Arc<PolicyCache>,
    /// The IdP's settings.
    pub idp: IdpSettings,
    /// The RAS's settings.
    pub ras: RasSettings,
    /// The private key of [`AGENT`] on both sides.
    pub agent_key: SigningKey,
    /// An owner.
    pub admin: Admin,
    directory: tempfile::TempDir,
}

impl Default for Company {
    fn default() -> Self {
        Self::new()
    }
}

impl Company {
    /// The healthy company.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// The healthy company with its document changed before it is applied.
    pub fn with(change: impl FnOnce(&mut Organisation)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let opened = lanyard_storage::open(&StoreConfig::sqlite(directory.path().join("lanyard.db"))).unwrap();
        let idp = Issuer::parse(IDP).unwrap();
        let ras = Issuer::parse(RAS).unwrap();
        let company = Self {
            store: opened.store,
            handle: opened.handle,
            clock: FixedClock::default(),
            random: Arc::new(SeededRandom::new(1)),
            vault: Arc::new(Vault::new(Kek::from_bytes([7; 32]))),
            policy: Arc::new(PolicyCache::new()),
            idp: IdpSettings::new(idp),
            ras: RasSettings::new(ras),
            agent_key: SigningKey::generate(Algorithm::Es256).unwrap(),
            admin: Admin {
                who: Administrator::Token(AdminTokenId::parse("adm_test").unwrap()),
                role: AdminRole::Owner,
            },
            directory,
        };
        company.make_keys();
        let mut organisation = company.organisation();
        change(&mut organisation);
        company.apply(&organisation);
        company
    }

    /// The directory of the store file.
    pub fn directory(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// A fresh context at the clock's time.
    pub fn cx(&self) -> Cx {
        Cx::new(self.clock.now(), None, Arc::clone(&self.random))
    }

    /// One write unit; a failure ends the test.
    pub fn write<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&Cx, &mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        let cx = self.cx();
        block_on(self.store.write(move |tx| unit(&cx, tx))).unwrap()
    }

    /// One write unit that may fail.
    ///
    /// # Errors
    /// What the unit or the store said.
    pub fn try_write<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&Cx, &mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let cx = self.cx();
        block_on(self.store.write(move |tx| unit(&cx, tx)))
    }

    /// One read unit; a failure ends the test.
    pub fn read<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        block_on(self.store.read(unit)).unwrap()
    }

    /// Applies a further document; a denial ends the test.
    pub fn apply(&self, organisation: &Organisation) {
        let mut organisation = organisation.clone();
        let mut hashes = HashMap::new();
        for user in &mut organisation.users {
            if let Some(password) = user.password.take() {
                hashes.insert(user.username.clone(), cheap_hash(&*self.random, &password));
            }
        }
        let (vault, admin) = (Arc::clone(&self.vault), self.admin.clone());
        let deployment = Deployment {
            idp: Some(self.idp.issuer.clone()),
            ras: Some(self.ras.issuer.clone()),
        };
        let end = self.write(move |cx, tx| apply::apply(cx, tx, &vault, &admin, &deployment, &organisation, &hashes));
        if let Outcome::Denied(denial) = end {
            panic!("the organisation was refused: {denial}");
        }
    }

    /// The signing keys.
    pub fn rings(&self) -> KeyRings {
        let vault = Arc::clone(&self.vault);
        self.read(move |tx| load_all(tx, &vault, &ISSUING_RINGS))
    }

    /// A person.
    pub fn user(&self, username: &'static str) -> User {
        self.read(move |tx| tx.find_user_by_username(username)).unwrap()
    }

    /// A client.
    pub fn client(&self, side: Side, client_id: &'static str) -> Client {
        let id = ClientId::parse(client_id).unwrap();
        self.read(move |tx| tx.find_client(side, &id)).unwrap()
    }

    /// A resource identifier.
    pub fn resource(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    /// Every event, newest first.
    pub fn events(&self) -> Vec<StoredEvent> {
        self.read(|tx| tx.list_events(&AuditFilter::default(), &PageRequest::new(None, 1000)))
    }

    /// The newest event, as `kind` and the reason of a denial.
    pub fn last_event(&self) -> (String, Option<String>) {
        let event = self.events().into_iter().next().expect("no event was recorded").event;
        (event.kind, event.reason)
    }

    fn make_keys(&self) {
        for ring in ISSUING_RINGS {
            let fresh = FreshKey::generate(&self.vault, ring, Algorithm::Es256).unwrap();
            assert!(self.write(move |cx, tx| rotation::ensure(cx, tx, &fresh)));
        }
    }

    /// The healthy document.
    pub fn organisation(&self) -> Organisation {
        let idp_keys = self.rings().idp.unwrap().jwks;
        Organisation {
            groups: ["engineering", "contractors"].map(group).to_vec(),
            users: vec![
                person(ALICE, "Alice Example", "engineering", true),
                person(CAROL, "Carol Example", "contractors", true),
                person(DAVE, "Dave Example", "engineering", false),
            ],
            administrators: Vec::new(),
            clients: self.clients(),
            audiences: vec![AudienceSpec {
                issuer: RAS.to_owned(),
                name: Some("Ledger".to_owned()),
                subject: SubjectMode::Public,
                aud_tenant: None,
                allow_missing_resource: false,
                id_jag_ttl_seconds: 300,
                enabled: true,
                clients: Some(BTreeMap::from(
                    [(IDE, IDE_AT_RAS), (AGENT, AGENT_AT_RAS), (CLI, CLI)].map(|(a, b)| (a.to_owned(), b.to_owned())),
                )),
            }],
            connectors: vec![connector("linear", LINEAR), connector("figma", FIGMA)],
            resources: Vec::new(),
            trusts: vec![TrustSpec {
                issuer: IDP.to_owned(),
                tenant: "default".to_owned(),
                tenant_claim: None,
                jwks_uri: None,
                jwks: Some(serde_json::to_value(&*idp_keys).unwrap()),
                algorithms: vec!["ES256".to_owned()],
                clients: AllOr::only([IDE_AT_RAS, AGENT_AT_RAS, CLI]),
                resources: AllOr::only([LINEAR, FIGMA]),
                scopes: None,
                max_id_jag_ttl_seconds: 600,
                access_token_ttl_seconds: 600,
                scope_rule: ScopeRule::Strict,
                just_in_time: true,
                aud_tenant: None,
                enabled: true,
            }],
            agents: Vec::new(),
            rules: vec![
                rule(
                    "Engineering uses every connector",
                    "engineering",
                    AllOr::ALL,
                    AllOr::ALL,
                ),
                rule(
                    "Contractors read Linear",
                    "contractors",
                    AllOr::only(["linear"]),
                    AllOr::only(["linear.read"]),
                ),
            ],
            identity_providers: Vec::new(),
        }
    }

    fn clients(&self) -> Vec<ClientSpec> {
        let jwks = serde_json::json!({ "keys": [self.agent_key.public_jwk().to_value()] });
        let client = |side: Side, client_id: &str, auth: ClientAuthMethod| ClientSpec {
            side,
            client_id: client_id.to_owned(),
            name: None,
            auth,
            secret_sha256: (auth == ClientAuthMethod::Secret).then(|| sha256_hex(IDE_SECRET.as_bytes())),
            secret: None,
            jwks: (auth == ClientAuthMethod::PrivateKeyJwt).then(|| jwks.clone()),
            redirect_uris: match (side, auth) {
                (Side::Idp, ClientAuthMethod::Native) => vec!["http://127.0.0.1/callback".to_owned()],
                (Side::Idp, _) => vec![REDIRECT.to_owned()],
                (Side::Ras, _) => Vec::new(),
            },
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
            grants: None,
            scopes: None,
            subject: SubjectMode::Public,
            introspects: Vec::new(),
            saml_service_providers: Vec::new(),
            legacy_assertion_audience: false,
            enabled: true,
        };
        vec![
            client(Side::Idp, IDE, ClientAuthMethod::Secret),
            client(Side::Ras, IDE_AT_RAS, ClientAuthMethod::Secret),
            client(Side::Idp, AGENT, ClientAuthMethod::PrivateKeyJwt),
            client(Side::Ras, AGENT_AT_RAS, ClientAuthMethod::PrivateKeyJwt),
            client(Side::Idp, CLI, ClientAuthMethod::Native),
            client(Side::Ras, CLI, ClientAuthMethod::Native),
        ]
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        self.handle.shutdown();
    }
}

fn group(name: &str) -> GroupSpec {
    GroupSpec {
        name: name.to_owned(),
        kind: GroupKind::Group,
    }
}

fn person(username: &str, display_name: &str, group: &str, active: bool) -> UserSpec {
    UserSpec {
        username: username.to_owned(),
        display_name: Some(display_name.to_owned()),
        email: Some(format!("{username}@northwind.example")),
        groups: Some(vec![group.to_owned()]),
        active: Some(active),
        password: Some(PASSWORD.to_owned()),
    }
}

fn connector(name: &str, resource: &str) -> ConnectorSpec {
    let scope = |what: &str, high_impact: bool| ScopeSpec {
        scope: format!("{name}.{what}"),
        description: String::new(),
        high_impact,
        requires: None,
    };
    ConnectorSpec {
        name: name.to_owned(),
        title: None,
        mcp_url: resource.to_owned(),
        resource: None,
        audience: None,
        scopes: vec![scope("read", false), scope("write", false)],
        default_scopes: None,
        tools: BTreeMap::new(),
        upstream: None,
        status: ConnectorStatus::Active,
    }
}

fn rule(title: &str, group: &str, connectors: AllOr, scopes: AllOr) -> RuleSpec {
    RuleSpec {
        title: title.to_owned(),
        effect: Effect::Allow,
        everyone: false,
        groups: vec![group.to_owned()],
        users: Vec::new(),
        clients: AllOr::ALL,
        connectors,
        scopes,
        requires: None,
        enabled: true,
    }
}

/// The real hash, made once per process and password: making it for each company would be most of a test's time.
fn cheap_hash(random: &dyn Random, password: &str) -> String {
    static KNOWN: std::sync::Mutex<BTreeMap<String, String>> = std::sync::Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    known
        .entry(password.to_owned())
        .or_insert_with(|| password::hash(random, password).unwrap())
        .clone()
}
