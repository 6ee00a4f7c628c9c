//! A small RAS with one trusted IdP, on SQLite: healthy by default, each test changes one thing.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use lanyard_core::audit::event::AuditEvent;
use lanyard_core::client::auth::AuthenticatedClient;
use lanyard_core::client::registration::{Client, ClientAuthMethod, KeyHolder, RegisteredKey, Side, SubjectMode};
use lanyard_core::clock::Timestamp;
use lanyard_core::connector::record::ConnectorStatus;
use lanyard_core::cx::Cx;
use lanyard_core::id::{ClientKey, Id, TenantId, TrustId};
use lanyard_core::outcome::Outcome;
use lanyard_core::ras::access_grant::AccessGrant;
use lanyard_core::ras::denial::Denial;
use lanyard_core::ras::jwt_bearer::{self, Verification};
use lanyard_core::ras::settings::RasSettings;
use lanyard_core::store::audit::AuditFilter;
use lanyard_core::store::page::PageRequest;
use lanyard_core::store::{Mode, Ran, Store, StoreError, Tx, Unit};
use lanyard_core::trust::issuer::{Allowed, ScopeRule, Tenant, Trust, TrustKeys};
use lanyard_core::trust::resource::Resource;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::{JwkSet, KeySet};
use lanyard_jose::key::SigningKey;
use lanyard_jose::random::Random;
use lanyard_jose::token::{AccessToken, IdJag, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::audience::OneOrMany;
use lanyard_protocol::claims::id_jag::IdJagClaims;
use lanyard_protocol::claims::time::{NumericDate, Subject, TokenId};
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::JwtBearerRequest;
use lanyard_protocol::resource::ResourceId;
use lanyard_protocol::scope::ScopeSet;

pub(crate) const IDP: &str = "https://idp.example";
pub(crate) const RAS: &str = "https://ras.example";
pub(crate) const A: &str = "https://mcp.example/a/mcp";
pub(crate) const B: &str = "https://mcp.example/b/mcp";
pub(crate) const START: i64 = 1_800_000_000;

/// Numbers that look random and are the same in every run.
struct Counted(AtomicU64);

impl Random for Counted {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            let n = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = ((n ^ (n >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56).to_le_bytes()[0];
        }
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: RasSettings,
    pub(crate) idp_key: SigningKey,
    pub(crate) trust: Trust,
    random: Arc<dyn Random>,
    micros: AtomicI64,
    jtis: AtomicU64,
    kept: lanyard_testkit::store::TestStore,
}

pub(crate) fn issuer(text: &str) -> Issuer {
    Issuer::parse(text).unwrap()
}

pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

pub(crate) fn resource_id(text: &str) -> ResourceId {
    ResourceId::parse(text).unwrap()
}

pub(crate) fn client_id(text: &str) -> ClientId {
    ClientId::parse(text).unwrap()
}

pub(crate) fn subject(text: &str) -> Subject {
    Subject::parse(text).unwrap()
}

fn tenant(n: u8) -> TenantId {
    TenantId::from_stored(format!("ten_{n}"))
}

pub(crate) fn trust_of(issuer_text: &str, n: u8, key: &SigningKey) -> Trust {
    Trust {
        id: TrustId::from_stored(format!("tru_{n}")),
        tenant: tenant(n),
        issuer: issuer(issuer_text),
        tenant_claim: None,
        keys: TrustKeys::Static(JwkSet {
            keys: vec![key.public_jwk()],
        }),
        algorithms: vec![Algorithm::Es256],
        clients: Allowed::All,
        resources: Allowed::All,
        scopes: None,
        max_id_jag_ttl_seconds: 600,
        access_token_ttl_seconds: 600,
        scope_rule: ScopeRule::Strict,
        just_in_time: true,
        aud_tenant: None,
        enabled: true,
        version: 1,
        created_at: Timestamp::from_seconds(START),
        updated_at: Timestamp::from_seconds(START),
    }
}

pub(crate) fn client_record(name: &str, auth: ClientAuthMethod, side: Side) -> Client {
    Client {
        key: ClientKey::from_stored(format!("cli_{}_{name}", side.as_str())),
        side,
        client_id: client_id(name),
        name: name.to_owned(),
        auth,
        legacy_assertion_audience: false,
        grants: vec![GrantType::JwtBearer],
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout: None,
        scopes: ScopeSet::empty(),
        subject_mode: SubjectMode::Public,
        introspects: Vec::new(),
        enabled: true,
        agent: None,
        not_before: None,
        version: 1,
        created_at: Timestamp::from_seconds(START),
        updated_at: Timestamp::from_seconds(START),
    }
}

fn resource(id: &str) -> Resource {
    Resource {
        id: resource_id(id),
        name: id.to_owned(),
        scopes: scopes("read comment approve"),
        default_scopes: scopes("read"),
        status: ConnectorStatus::Active,
        version: 1,
        created_at: Timestamp::from_seconds(START),
        updated_at: Timestamp::from_seconds(START),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// With a trust record that differs.
    pub(crate) fn with(change: impl FnOnce(&mut Trust)) -> Self {
        let company = lanyard_testkit::store::TestStore::new();
        let idp_key = SigningKey::generate(Algorithm::Es256).unwrap();
        let mut trust = trust_of(IDP, 1, &idp_key);
        change(&mut trust);
        let world = Self {
            store: company.store(),
            settings: RasSettings::new(issuer(RAS)),
            idp_key,
            trust: trust.clone(),
            random: Arc::new(Counted(AtomicU64::new(1))),
            micros: AtomicI64::new(START * 1_000_000),
            jtis: AtomicU64::new(0),
            kept: company,
        };
        world
            .write(move |tx| {
                tx.insert_tenant(&Tenant {
                    id: trust.tenant.clone(),
                    name: trust.tenant.to_string(),
                    managed_only: true,
                    created_at: trust.created_at,
                })?;
                tx.insert_trust(&trust)?;
                tx.insert_resource(&resource(A))?;
                tx.insert_resource(&resource(B))?;
                for name in ["agent", "other"] {
                    tx.insert_client(&client_record(name, ClientAuthMethod::Secret, Side::Ras))?;
                }
                tx.insert_client(&client_record("cli", ClientAuthMethod::Native, Side::Ras))?;
                Ok(())
            })
            .unwrap();
        world
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    /// The store goes away under the running deployment.
    pub(crate) fn lose_store(&self) {
        self.kept.stop();
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.micros
            .fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn cx(&self) -> Cx {
        Cx::new(self.now(), None, Arc::clone(&self.random))
    }

    pub(crate) fn write<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        run(&*self.store, Mode::Write, unit)
    }

    pub(crate) fn read<T: Send + 'static>(
        &self,
        unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        run(&*self.store, Mode::Read, unit).unwrap()
    }

    /// A second IdP that is trusted for a tenant of its own.
    pub(crate) fn trust_also(&self, n: u8, issuer_text: &str, change: impl FnOnce(&mut Trust)) -> (Trust, SigningKey) {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let mut trust = trust_of(issuer_text, n, &key);
        change(&mut trust);
        let stored = trust.clone();
        self.write(move |tx| {
            if tx.find_tenant(&stored.tenant)?.is_none() {
                tx.insert_tenant(&Tenant {
                    id: stored.tenant.clone(),
                    name: stored.tenant.to_string(),
                    managed_only: true,
                    created_at: stored.created_at,
                })?;
            }
            tx.insert_trust(&stored)
        })
        .unwrap();
        (trust, key)
    }

    /// Claims of a healthy ID-JAG for `agent`, resource A, scopes `read comment`.
    pub(crate) fn claims(&self) -> IdJagClaims {
        let now = self.now().seconds();
        let n = self.jtis.fetch_add(1, Ordering::SeqCst);
        IdJagClaims {
            iss: issuer(IDP),
            sub: subject("alice"),
            aud: OneOrMany::One(RAS.to_owned()),
            client_id: client_id("agent"),
            jti: TokenId::try_from(format!("jag-{n}")).unwrap(),
            exp: NumericDate::from_seconds(now + 300),
            iat: NumericDate::from_seconds(now),
            nbf: None,
            resource: Some(OneOrMany::One(A.to_owned())),
            scope: Some(scopes("read comment")),
            authorization_details: None,
            tenant: None,
            aud_tenant: None,
            aud_sub: None,
            auth_time: Some(NumericDate::from_seconds(now - 60)),
            acr: Some("urn:example:acr:mfa".to_owned()),
            amr: Some(vec!["pwd".to_owned(), "otp".to_owned()]),
            email: None,
            cnf: None,
            sid: Some("handle".to_owned()),
        }
    }

    pub(crate) fn id_jag(&self, change: impl FnOnce(&mut IdJagClaims)) -> Verified<IdJag> {
        let mut claims = self.claims();
        change(&mut claims);
        verified(&claims, &self.idp_key, self.now())
    }

    pub(crate) fn client(&self, name: &'static str) -> AuthenticatedClient {
        let client = self
            .read(move |tx| tx.find_client(Side::Ras, &client_id(name)))
            .unwrap();
        AuthenticatedClient { client, key: None }
    }

    /// The native client, with a key that `holder` enrolled.
    pub(crate) fn native(&self, holder: Option<KeyHolder>) -> AuthenticatedClient {
        let mut client = self.client("cli");
        client.key = Some(RegisteredKey {
            kid: "k".to_owned(),
            client: client.client.key.clone(),
            jwk: self.idp_key.public_jwk(),
            holder,
            label: "laptop".to_owned(),
            created_at: self.now(),
            expires_at: None,
        });
        client
    }

    pub(crate) fn redeem(&self, id_jag: &Verified<IdJag>) -> Result<AccessGrant, Denial> {
        self.redeem_as("agent", id_jag, None, &[])
    }

    pub(crate) fn redeem_as(
        &self,
        client: &'static str,
        id_jag: &Verified<IdJag>,
        scope: Option<&str>,
        resources: &[&str],
    ) -> Result<AccessGrant, Denial> {
        self.redeem_by(
            self.client(client),
            id_jag,
            scope,
            resources,
            &Verification::by(&self.trust),
        )
    }

    pub(crate) fn redeem_by(
        &self,
        client: AuthenticatedClient,
        id_jag: &Verified<IdJag>,
        scope: Option<&str>,
        resources: &[&str],
        used: &Verification,
    ) -> Result<AccessGrant, Denial> {
        let request = request(scope, resources);
        let (cx, settings, id_jag, used) = (self.cx(), self.settings.clone(), id_jag.clone(), used.clone());
        self.write(move |tx| jwt_bearer::redeem(&cx, tx, &settings, &client, &request, &id_jag, &used))
            .unwrap()
            .into_result()
    }

    /// The access token of a grant, verified as a resource server would.
    pub(crate) fn access_token(&self, grant: &AccessGrant) -> Verified<AccessToken> {
        let claims = lanyard_core::ras::access_token::claims(&self.settings, grant).unwrap();
        let text = self.idp_key.sign("at+jwt", &claims).unwrap();
        let keys: KeySet = [self.idp_key.public_jwk()].into_iter().collect();
        let expected = Expected {
            issuer: RAS,
            audience: Audience::Sole(grant.resource.as_str()),
            now: self.now().seconds(),
            leeway: 30,
            algorithms: &[Algorithm::Es256],
            max_lifetime: None,
        };
        verify(&Unverified::parse(&text).unwrap(), &keys, &expected).unwrap()
    }

    /// Events, newest first.
    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.read(|tx| tx.list_events(&AuditFilter::default(), &PageRequest::new(None, 100)))
            .into_iter()
            .map(|stored| stored.event)
            .collect()
    }

    /// Kind and reason of the newest event.
    pub(crate) fn last(&self) -> (String, Option<String>) {
        let event = self.events().into_iter().next().unwrap();
        (event.kind, event.reason)
    }

    pub(crate) fn last_is(&self, kind: &str, reason: Option<&str>) {
        assert_eq!(self.last(), (kind.to_owned(), reason.map(str::to_owned)));
    }
}

pub(crate) fn request(scope: Option<&str>, resources: &[&str]) -> JwtBearerRequest {
    JwtBearerRequest {
        assertion: String::new(),
        scope: scope.map(scopes),
        resources: resources.iter().map(|resource| resource_id(resource)).collect(),
    }
}

pub(crate) fn verified(claims: &IdJagClaims, key: &SigningKey, now: Timestamp) -> Verified<IdJag> {
    let text = key.sign("oauth-id-jag+jwt", claims).unwrap();
    let keys: KeySet = [key.public_jwk()].into_iter().collect();
    let expected = Expected {
        issuer: claims.iss.as_str(),
        audience: Audience::Sole(RAS),
        now: now.seconds(),
        leeway: 30,
        algorithms: &[Algorithm::Es256],
        max_lifetime: None,
    };
    verify(&Unverified::parse(&text).unwrap(), &keys, &expected).unwrap()
}

pub(crate) fn run<T: Send + 'static>(
    store: &dyn Store,
    mode: Mode,
    unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    submit(store, mode, unit)()
}

/// Queues a unit and gives a function that waits for its end.
pub(crate) fn submit<T: Send + 'static>(
    store: &dyn Store,
    mode: Mode,
    unit: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) -> impl FnOnce() -> Result<T, StoreError> {
    let (sender, receiver) = mpsc::channel();
    let (result, results) = mpsc::channel();
    store.submit(Unit {
        mode,
        run: Box::new(move |tx| {
            let made = unit(tx);
            let ran = if made.is_ok() { Ran::Commit } else { Ran::RollBack };
            result.send(made).unwrap();
            ran
        }),
        done: Box::new(move |end| sender.send(end).unwrap()),
    });
    move || {
        let end = receiver.recv().unwrap();
        match (end, results.try_recv()) {
            (Ok(()), Ok(result)) => result,
            (Err(_), Ok(Err(error))) => Err(error),
            (Err(error), _) => Err(error),
            (Ok(()), Err(_)) => panic!("the unit left no result"),
        }
    }
}

pub(crate) fn granted<T, D: std::fmt::Debug>(outcome: Outcome<T, D>) -> T {
    match outcome {
        Outcome::Granted(value) => value,
        Outcome::Denied(denial) => panic!("denied: {denial:?}"),
    }
}

pub(crate) fn denied<T, D>(outcome: Outcome<T, D>) -> D {
    match outcome {
        Outcome::Granted(_) => panic!("it was granted"),
        Outcome::Denied(denial) => denial,
    }
}
