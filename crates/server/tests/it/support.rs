//! A company behind its two routers, and the requests of its clients.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use lanyard_core::clock::Clock;
use lanyard_core::id::SessionId;
use lanyard_core::idp::authorize::{AuthorizeRequest, check_client, issue_code};
use lanyard_core::idp::sign_in::{complete, lookup};
use lanyard_core::keys::record::Ring;
use lanyard_core::outcome::Outcome;
use lanyard_fetch::{Fetch, FetchError, FetchFuture, FetchRequest, JwksCache, MetadataCache};
use lanyard_jose::digest::s256_challenge;
use lanyard_jose::key::SigningKey;
use lanyard_jose::verify::VerdictCache;
use lanyard_protocol::form::{Form, encode};
use lanyard_protocol::gateway::RevocationEntry;
use lanyard_server::cut_off::CutOff;
use lanyard_server::feed::{Feed, RevocationSink};
use lanyard_server::http::host::{Hosts, by_host};
use lanyard_server::http::peer::{Peer, TrustedProxies};
use lanyard_server::idp::upstream::{self, Providers, UpstreamDeps};
use lanyard_server::idp::{self, IdpDeps};
use lanyard_server::oauth::basis::Basis;
use lanyard_server::oauth::guard::{Guard, GuardSettings};
use lanyard_server::oauth::rings::Rings;
use lanyard_server::ras::{self, LocalIssuers, RasDeps};
use lanyard_server::worker::Worker;
use lanyard_testkit::company::{Company, IDE, IDE_AT_RAS, IDE_SECRET, IDP, LINEAR, RAS, REDIRECT};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tower::ServiceExt;

use crate::upstream_world::PlainPages;

pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(crate) const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
pub(crate) const ID_JAG: &str = "urn:ietf:params:oauth:token-type:id-jag";
pub(crate) const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
pub(crate) const REFRESH_TOKEN: &str = "urn:ietf:params:oauth:token-type:refresh_token";
pub(crate) const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
pub(crate) const VERIFIER: &str = "q7Jr0mVnK2sYt8XeHc4LdPzW1bUaGf3oRi6NyTkCwQ9";

/// A network on which every request is an error of the test, and counted.
#[derive(Default)]
pub(crate) struct NoNetwork(pub(crate) std::sync::atomic::AtomicUsize);

impl Fetch for NoNetwork {
    fn fetch(&self, _request: FetchRequest) -> FetchFuture<'_> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::pin(async { Err(FetchError::Unreachable) })
    }
}

/// A view that remembers what it was told.
#[derive(Default)]
pub(crate) struct Told(pub(crate) std::sync::Mutex<Vec<RevocationEntry>>);

impl RevocationSink for Told {
    fn head(&self) -> i64 {
        self.0.lock().unwrap().last().map_or(0, |entry| entry.sequence)
    }

    fn push(&self, entries: &[RevocationEntry]) {
        self.0.lock().unwrap().extend_from_slice(entries);
    }

    fn confirm(&self) {}
}

/// Both roles of a healthy company.
pub(crate) struct World {
    pub(crate) company: Company,
    pub(crate) basis: Basis,
    pub(crate) network: Arc<NoNetwork>,
    pub(crate) view: Arc<Told>,
    pub(crate) feed: Arc<Feed>,
    pub(crate) cut_off: Arc<CutOff>,
    router: Router,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}: not JSON: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The OAuth error code, with its status.
    pub(crate) fn error(&self) -> (u16, String) {
        (
            self.status.as_u16(),
            self.json()["error"].as_str().unwrap_or("no error").to_owned(),
        )
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn token(&self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        self.json()["access_token"].as_str().unwrap().to_owned()
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Company::new()).await
    }

    pub(crate) async fn of(company: Company) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(company.clock.clone());
        let wanted = vec![Ring::Idp, Ring::Ras, Ring::Audit];
        let rings = Rings::load(&*company.store, Arc::clone(&company.vault), wanted)
            .await
            .unwrap();
        let rings = Arc::new(rings);
        let basis = Basis {
            store: Arc::clone(&company.store),
            clock: Arc::clone(&clock),
            random: Arc::clone(&company.random),
            vault: Arc::clone(&company.vault),
            rings: Arc::clone(&rings),
            guard: Arc::new(Guard::new(clock, &GuardSettings::default())),
            proxies: Arc::new(TrustedProxies::default()),
            jobs: Arc::new(Notify::new()),
        };
        let network = Arc::new(NoNetwork::default());
        let view = Arc::new(Told::default());
        let sink: Arc<dyn RevocationSink> = view.clone();
        let feed = Arc::new(Feed::new(Arc::clone(&company.store), vec![sink]));
        let (idp, ras) = (Arc::new(company.idp.clone()), Arc::new(company.ras.clone()));
        let cut_off = Arc::new(CutOff::new(
            basis.clone(),
            Some(Arc::clone(&ras)),
            Arc::clone(&feed),
            None,
        ));
        let own = company.idp.issuer.clone();
        let local: LocalIssuers = Arc::new(move |issuer| {
            (*issuer == own)
                .then(|| rings.snapshot().idp.as_ref().map(|ring| Arc::clone(&ring.published)))
                .flatten()
        });
        let idp_router = idp::router(IdpDeps {
            basis: basis.clone(),
            settings: Arc::clone(&idp),
            policy: Arc::clone(&company.policy),
            verdicts: VerdictCache::new(1000),
            leeway: Duration::from_secs(30),
            ras: Some(Arc::clone(&ras)),
        });
        let fetch: Arc<dyn Fetch> = network.clone();
        let upstream_router = upstream::router(UpstreamDeps {
            basis: basis.clone(),
            settings: Arc::clone(&idp),
            leeway: Duration::from_secs(30),
            providers: Providers {
                metadata: Arc::new(MetadataCache::new(Arc::clone(&fetch))),
                jwks: Arc::new(JwksCache::new(Arc::clone(&fetch))),
                fetch,
            },
            pages: Arc::new(PlainPages),
            cut_off: Arc::clone(&cut_off),
        });
        let ras_router = ras::router(RasDeps {
            basis: basis.clone(),
            settings: Arc::clone(&ras),
            jwks: Arc::new(JwksCache::new(network.clone())),
            local,
            feed: Arc::clone(&feed),
        });
        let router = by_host(vec![
            (Hosts::of(&idp.issuer), idp_router.merge(upstream_router)),
            (Hosts::of(&ras.issuer), ras_router),
        ]);
        Self {
            company,
            basis,
            network,
            view,
            feed,
            cut_off,
            router,
        }
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker {
            basis: self.basis.clone(),
            cut_off: Arc::clone(&self.cut_off),
            feed: Arc::clone(&self.feed),
            seal: lanyard_core::audit::seal::SealSettings::default(),
            rotation: lanyard_core::keys::rotation::RotationSettings::default(),
            logout_tokens: None,
            holder: "test".to_owned(),
        }
    }

    /// Sends a request, from 192.0.2.1 unless it says otherwise.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(IpAddr::from([192, 0, 2, 1])));
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, url: &str) -> Answer {
        self.send(get(url).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_with_token(&self, url: &str, token: &str) -> Answer {
        self.send(
            get(url)
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    /// Posts a form, as the confidential client by Basic.
    pub(crate) async fn post(&self, url: &str, client: &str, fields: &[(&str, &str)]) -> Answer {
        let request = post(url).header("authorization", basic(client, IDE_SECRET));
        self.send(request.body(Body::from(form(fields))).unwrap()).await
    }

    /// Posts a form without any client authentication but what is in it.
    pub(crate) async fn post_bare(&self, url: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(post(url).body(Body::from(form(fields))).unwrap()).await
    }

    /// A session of a person, without the page.
    pub(crate) fn session(&self, username: &'static str) -> SessionId {
        let settings = self.company.idp.clone();
        self.company.write(move |cx, tx| {
            let candidate = lookup(tx, username)?;
            match complete(cx, tx, &settings, &candidate, true, None)? {
                Outcome::Granted(new) => Ok(new.session.id),
                Outcome::Denied(denial) => panic!("{denial}"),
            }
        })
    }

    /// A code of a session, without the page.
    pub(crate) fn code(&self, session: &SessionId, client: &str, redirect_uri: &str, scope: &str) -> String {
        let asked = Form::default()
            .with("response_type", "code")
            .with("client_id", client)
            .with("redirect_uri", redirect_uri)
            .with("scope", scope)
            .with("nonce", "n-1")
            .with("code_challenge", s256_challenge(VERIFIER))
            .with("code_challenge_method", "S256");
        let (settings, session) = (self.company.idp.clone(), session.clone());
        self.company.write(move |cx, tx| {
            let valid = check_client(cx, tx, &AuthorizeRequest::parse(&asked))?.expect("a valid request");
            match issue_code(cx, tx, &settings, &valid, &session)? {
                Outcome::Granted(code) => Ok(code.code.expose_secret().to_owned()),
                Outcome::Denied(denial) => panic!("{denial}"),
            }
        })
    }

    /// The tokens of a sign-in through the confidential client.
    pub(crate) async fn sign_in(&self, username: &'static str) -> Value {
        let session = self.session(username);
        self.tokens_of(&session).await
    }

    pub(crate) async fn tokens_of(&self, session: &SessionId) -> Value {
        let code = self.code(session, IDE, REDIRECT, "openid profile email offline_access connectors");
        let answer = self.redeem_code(&code).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    pub(crate) async fn redeem_code(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post(&token_url(IDP), IDE, &fields).await
    }

    /// An ID token of a person for the confidential client.
    pub(crate) async fn id_token(&self, username: &'static str) -> String {
        self.sign_in(username).await["id_token"].as_str().unwrap().to_owned()
    }

    /// Leg 1 for [`LINEAR`] with further fields in place of the usual ones.
    pub(crate) async fn exchange(&self, id_token: &str, changes: &[(&str, &str)]) -> Answer {
        self.post(&token_url(IDP), IDE, &exchange_fields(id_token, changes))
            .await
    }

    /// A fresh ID-JAG of a person for [`LINEAR`].
    pub(crate) async fn id_jag(&self, username: &'static str) -> String {
        let id_token = self.id_token(username).await;
        self.exchange(&id_token, &[]).await.token()
    }

    /// Leg 2 as the confidential client.
    pub(crate) async fn redeem(&self, id_jag: &str) -> Answer {
        self.post(
            &token_url(RAS),
            IDE_AT_RAS,
            &[("grant_type", BEARER), ("assertion", id_jag)],
        )
        .await
    }

    /// An ID-JAG that our own IdP would never make: good signature, changed claims.
    pub(crate) fn forged(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.id_jag_claims();
        change(&mut claims);
        self.idp_key().sign("oauth-id-jag+jwt", &claims).unwrap()
    }

    /// The claims of a healthy ID-JAG for a person that the RAS has not seen.
    pub(crate) fn id_jag_claims(&self) -> Value {
        let now = self.company.clock.now().seconds();
        json!({
            "iss": IDP, "sub": "usr_somebody", "aud": RAS, "client_id": IDE_AT_RAS, "jti": fresh_jti(),
            "iat": now, "exp": now + 300, "resource": LINEAR, "scope": "linear.read linear.write",
        })
    }

    pub(crate) fn idp_key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.basis.rings.snapshot().idp.as_ref().unwrap().active)
    }

    /// A client assertion of the agent with its key.
    pub(crate) fn assertion(&self, client: &str, audience: &str) -> String {
        self.assertion_with(client, |claims| claims["aud"] = audience.into())
    }

    pub(crate) fn assertion_with(&self, client: &str, change: impl FnOnce(&mut Value)) -> String {
        let now = self.company.clock.now().seconds();
        let mut claims = json!({
            "iss": client, "sub": client, "aud": IDP, "jti": fresh_jti(), "iat": now, "exp": now + 60,
        });
        change(&mut claims);
        self.company
            .agent_key
            .sign("client-authentication+jwt", &claims)
            .unwrap()
    }

    /// The newest event is of this kind, and a denial for this reason.
    #[track_caller]
    pub(crate) fn assert_denied(&self, kind: &str, reason: &str) {
        assert_eq!(self.company.last_event(), (kind.to_owned(), Some(reason.to_owned())));
    }

    #[track_caller]
    pub(crate) fn assert_granted(&self, kind: &str) {
        assert_eq!(self.company.last_event(), (kind.to_owned(), None));
    }
}

/// Identifiers that differ within one test run.
fn fresh_jti() -> String {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
    format!("test-{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
}

pub(crate) fn token_url(issuer: &str) -> String {
    format!("{issuer}/oauth2/token")
}

pub(crate) fn exchange_fields<'a>(id_token: &'a str, changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [
        ("grant_type", EXCHANGE),
        ("requested_token_type", ID_JAG),
        ("audience", RAS),
        ("resource", LINEAR),
        ("scope", "linear.read linear.write"),
        ("subject_token", id_token),
        ("subject_token_type", ID_TOKEN),
    ];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes.iter().copied())
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    fields
        .iter()
        .fold(Form::default(), |form, (name, value)| form.with(name, *value))
        .encode()
}

pub(crate) fn basic(client: &str, secret: &str) -> String {
    use base64::Engine;
    let pair = format!("{}:{}", encode(client), encode(secret));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

pub(crate) fn get(url: &str) -> http::request::Builder {
    to("GET", url)
}

pub(crate) fn post(url: &str) -> http::request::Builder {
    to("POST", url).header("content-type", "application/x-www-form-urlencoded")
}

pub(crate) fn to(method: &str, url: &str) -> http::request::Builder {
    let parsed = url::Url::parse(url).unwrap();
    let path = match parsed.query() {
        Some(query) => format!("{}?{query}", parsed.path()),
        None => parsed.path().to_owned(),
    };
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", parsed.host_str().unwrap())
}

/// The claims of a token, unverified: for looking at what was issued.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&lanyard_jose::digest::from_base64url(text).unwrap()).unwrap()
}
