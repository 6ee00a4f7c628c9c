//! A company with an identity provider in front of it, and a browser that goes back and forth.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use lanyard_core::admin::connection;
use lanyard_core::admin::spec::connection::{ClaimsSpec, ConnectionSpec, GroupsSpec, OidcSpec};
use lanyard_core::audit::event::AuditEvent;
use lanyard_core::clock::Clock;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::strength::Strength;
use lanyard_core::upstream::connection::{LinkBy, Preset};
use lanyard_core::upstream::mapping::Unlisted;
use lanyard_core::upstream::oidc::{Overage, UpstreamAuth};
use lanyard_fetch::{Fetch, JwksCache, MetadataCache};
use lanyard_jose::digest::s256_challenge;
use lanyard_protocol::form::Form;
use lanyard_server::http::peer::Peer;
use lanyard_server::idp::upstream::{self, Message, Pages, Providers, UpstreamDeps};
use lanyard_testkit::company::{IDE, IDP, REDIRECT};
use tower::ServiceExt;

use crate::support::{Answer, VERIFIER, World};
use crate::upstream_provider::{CLIENT, Provider, SECRET, UPSTREAM};

/// Pages as plain text: what a person is told and the way on.
pub(crate) struct PlainPages;

impl Pages for PlainPages {
    fn message(&self, message: Message) -> Response {
        let way = message.way.map(|(words, address)| format!("[{words}]({address})"));
        let text = format!(
            "{}\n{}\n{}\n{}\n{}",
            message.title,
            message.text,
            message.advice,
            way.unwrap_or_default(),
            message.reference.map(|id| id.to_string()).unwrap_or_default()
        );
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = message.status;
        response
    }
}

pub(crate) fn spec() -> ConnectionSpec {
    ConnectionSpec {
        name: "corp".to_owned(),
        title: None,
        preset: Preset::Plain,
        domains: Vec::new(),
        default: false,
        enabled: true,
        just_in_time: true,
        link_by: LinkBy::Nothing,
        claims: ClaimsSpec::default(),
        groups: Some(GroupsSpec {
            claim: "groups".to_owned(),
            only_prefix: None,
            strip_prefix: None,
            names: BTreeMap::new(),
            unlisted: Unlisted::Match,
        }),
        strengths: None,
        strength: Strength::Password,
        oidc: Some(OidcSpec {
            issuer: UPSTREAM.to_owned(),
            client_id: CLIENT.to_owned(),
            client_auth: UpstreamAuth::ClientSecretBasic,
            client_secret: Some(SECRET.to_owned()),
            scopes: None,
            algorithms: vec!["ES256".to_owned()],
            userinfo: false,
            pkce_unannounced: None,
            groups_overage: Overage::Refuse,
            public_key: None,
        }),
        saml: None,
    }
}

/// The parts, and the cookies of one browser.
pub(crate) struct Front {
    pub(crate) world: Arc<World>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) providers: Providers,
    router: Router,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Front {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut ConnectionSpec)) -> Self {
        let world = World::new().await;
        let mut spec = spec();
        change(&mut spec);
        let issuer = spec.oidc.as_ref().unwrap().issuer.clone();
        let clock = world.company.clock.clone();
        let provider = Arc::new(Provider::new(&issuer, move || clock.now().seconds()));
        let fetch: Arc<dyn Fetch> = provider.clone();
        let providers = Providers {
            metadata: Arc::new(MetadataCache::new(Arc::clone(&fetch))),
            jwks: Arc::new(JwksCache::new(Arc::clone(&fetch))),
            fetch,
        };
        let router = upstream::router(UpstreamDeps {
            basis: world.basis.clone(),
            settings: Arc::new(world.company.idp.clone()),
            leeway: Duration::from_secs(30),
            providers: providers.clone(),
            pages: Arc::new(PlainPages),
            cut_off: Arc::clone(&world.cut_off),
        });
        let front = Self {
            world: Arc::new(world),
            provider,
            providers,
            router,
            cookies: Mutex::default(),
        };
        front.put(&spec);
        front
    }

    /// Sets a connection.
    pub(crate) fn put(&self, spec: &ConnectionSpec) {
        let company = &self.world.company;
        let (vault, admin, spec) = (Arc::clone(&company.vault), company.admin.clone(), spec.clone());
        if let Outcome::Denied(denial) = company.write(move |cx, tx| connection::put(cx, tx, &vault, &admin, &spec)) {
            panic!("{denial}");
        }
    }

    /// A request of the browser, which keeps what it is given.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let jar: Vec<String> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !jar.is_empty() {
            request
                .headers_mut()
                .insert("cookie", HeaderValue::from_str(&jar.join("; ")).unwrap());
        }
        request.extensions_mut().insert(Peer(IpAddr::from([192, 0, 2, 9])));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
        }
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes().to_vec(),
        }
    }

    /// Forgets every cookie: another browser.
    pub(crate) fn another_browser(&self) {
        self.cookies.lock().unwrap().clear();
    }

    /// Whether the browser has a session.
    pub(crate) fn session_cookie(&self) -> Option<String> {
        self.cookies.lock().unwrap().get("__Host-lanyard_idp").cloned()
    }

    /// Begins a sign-in; where the browser is sent.
    pub(crate) async fn start(&self, more: &[(&str, &str)]) -> String {
        let answer = self.get(&start_path("corp", more)).await;
        assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text());
        answer.header("location").to_owned()
    }

    /// A whole sign-in; the last answer.
    pub(crate) async fn sign_in(&self) -> Answer {
        self.sign_in_with(&[]).await
    }

    pub(crate) async fn sign_in_with(&self, more: &[(&str, &str)]) -> Answer {
        let location = self.start(more).await;
        let query = self.provider.sign_in(&location);
        self.get(&callback_path("corp", &query)).await
    }

    /// The newest event.
    pub(crate) fn last_event(&self) -> AuditEvent {
        self.world.company.events().remove(0).event
    }

    /// How many sessions a person has, live or ended.
    pub(crate) fn people(&self) -> i64 {
        self.world.company.read(|tx| tx.count_users()).0
    }
}

/// The request of the client `ide`, with more parameters.
pub(crate) fn client_request(more: &[(&str, &str)]) -> Form {
    let form = Form::default()
        .with("response_type", "code")
        .with("client_id", IDE)
        .with("redirect_uri", REDIRECT)
        .with("scope", "openid profile")
        .with("state", "zR4b9Qe1")
        .with("code_challenge", s256_challenge(VERIFIER))
        .with("code_challenge_method", "S256");
    more.iter().fold(form, |form, (name, value)| form.with(name, *value))
}

pub(crate) fn start_path(connection: &str, more: &[(&str, &str)]) -> String {
    let query = Form::default().with("request", client_request(more).encode()).encode();
    format!("/upstream/{connection}/start?{query}")
}

pub(crate) fn callback_path(connection: &str, query: &str) -> String {
    format!("/upstream/{connection}/callback?{query}")
}

/// The parameters of an address.
pub(crate) fn parameters(location: &str) -> Form {
    let (_, query) = location.split_once('?').unwrap();
    Form::parse(query.as_bytes()).unwrap()
}

/// Our redirect URI.
pub(crate) fn own_callback() -> String {
    format!("{IDP}/upstream/corp/callback")
}
