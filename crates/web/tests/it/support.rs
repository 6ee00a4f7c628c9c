//! A company behind its sign-in pages, and one browser.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use lanyard_core::admin::apply::Deployment;
use lanyard_core::clock::{Clock, Timestamp};
use lanyard_core::cx::Cx;
use lanyard_protocol::form::{Form, encode};
use lanyard_testkit::company::{Company, IDE, PASSWORD, REDIRECT};
use lanyard_web::sign_in::{Limits, SignInDeps, router};
use tower::ServiceExt;

/// Five attempts per source and account.
#[derive(Default)]
struct Five(Mutex<HashMap<(Option<IpAddr>, String), u32>>);

impl Limits for Five {
    fn admit(&self, source: Option<IpAddr>, account: &str, _now: Timestamp) -> Result<(), u64> {
        let failed = self
            .0
            .lock()
            .unwrap()
            .get(&(source, account.to_owned()))
            .copied()
            .unwrap_or(0);
        if failed < 5 { Ok(()) } else { Err(60) }
    }

    fn failed(&self, source: Option<IpAddr>, account: &str, _now: Timestamp) {
        *self.0.lock().unwrap().entry((source, account.to_owned())).or_default() += 1;
    }

    fn record_refusal(&self, _source: Option<IpAddr>, _now: Timestamp) -> bool {
        true
    }
}

pub(crate) struct World {
    pub(crate) company: Company,
    router: Router,
    cookies: Mutex<HashMap<String, String>>,
    /// Where the browser is.
    pub(crate) address: Arc<Mutex<IpAddr>>,
    /// What the browser says it is.
    pub(crate) agent: Mutex<String>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The parameters of the redirect, if it goes to the client.
    #[track_caller]
    pub(crate) fn sent_to_client(&self) -> HashMap<String, String> {
        let location = self.header("location");
        assert!(
            location.starts_with(REDIRECT),
            "{} {location} {}",
            self.status,
            self.body
        );
        let url = url::Url::parse(location).unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// The value of a hidden field.
    #[track_caller]
    pub(crate) fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let at = self
            .body
            .find(&start)
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        quoted(&self.body[at + start.len()..])
    }

    /// The value of an attribute, the first of its name.
    #[track_caller]
    pub(crate) fn attribute(&self, name: &str) -> String {
        let start = format!("{name}=\"");
        let at = self
            .body
            .find(&start)
            .unwrap_or_else(|| panic!("no {name} in {}", self.body));
        quoted(&self.body[at + start.len()..])
    }

    /// The fields of every hidden input, the last of each name.
    pub(crate) fn fields(&self) -> HashMap<String, String> {
        let inputs = self.body.split("<input type=\"hidden\" name=\"").skip(1);
        let pairs = inputs.filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            Some((name.to_owned(), quoted(rest)))
        });
        pairs.collect()
    }
}

/// A text up to the next quotation mark, without entities.
fn quoted(rest: &str) -> String {
    rest[..rest.find('"').unwrap()]
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

/// The cookies of a browser, to be put back later.
pub(crate) type Jar = HashMap<String, String>;

impl World {
    /// Another browser takes this one's place; its cookies.
    pub(crate) fn swap(&self, other: Jar) -> Jar {
        std::mem::replace(&mut *self.cookies.lock().unwrap(), other)
    }

    /// Loses one cookie.
    pub(crate) fn forget(&self, name: &str) {
        self.cookies.lock().unwrap().remove(name);
    }

    /// Sends the hidden fields of a page, with others beside or instead.
    pub(crate) async fn fill(&self, path: &str, page: &Answer, with: &[(&str, &str)]) -> Answer {
        let mut fields = page.fields();
        for (name, value) in with {
            fields.insert((*name).to_owned(), (*value).to_owned());
        }
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.post(path, &fields).await
    }

    /// The reasons and kinds of the newest events, newest first.
    pub(crate) fn told(&self, count: usize) -> Vec<(String, Option<String>)> {
        let events = self.company.events().into_iter().take(count);
        events.map(|event| (event.event.kind, event.event.reason)).collect()
    }

    pub(crate) fn new() -> Self {
        Self::of(Company::new())
    }

    pub(crate) fn of(company: Company) -> Self {
        let address = Arc::new(Mutex::new(IpAddr::from([192, 0, 2, 1])));
        let (clock, random) = (company.clock.clone(), Arc::clone(&company.random));
        let keys = Arc::new(company.rings());
        let seen = Arc::clone(&address);
        let router = router(SignInDeps {
            store: Arc::clone(&company.store),
            cx: Arc::new(move |peer| Cx::new(clock.now(), peer, Arc::clone(&random))),
            vault: Arc::clone(&company.vault),
            settings: Arc::new(company.idp.clone()),
            keys: Arc::new(move || Arc::clone(&keys)),
            peer: Arc::new(move |_| Some(*seen.lock().unwrap())),
            limits: Arc::new(Five::default()),
            passwords: lanyard_testkit::passwords::passwords(Arc::clone(&company.random)),
            organisation: "Northwind <Ltd>".to_owned(),
            deployment: Arc::new(Deployment {
                idp: Some(company.idp.issuer.clone()),
                ras: Some(company.ras.issuer.clone()),
            }),
        });
        Self {
            company,
            router,
            cookies: Mutex::default(),
            address,
            agent: Mutex::default(),
        }
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: impl Into<Body>) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let agent = self.agent.lock().unwrap().clone();
        let request = request.header("cookie", cookies.join("; ")).header("user-agent", agent);
        let request = request.body(body.into()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.cookies.lock().unwrap();
            if value.is_empty() || text.contains("Max-Age=0") {
                jar.remove(name);
            } else {
                jar.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .fold(Form::default(), |form, (name, value)| form.with(name, *value))
            .encode();
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request, body).await
    }

    /// The sign-in page of a healthy request with changes.
    pub(crate) async fn page(&self, changes: &[(&str, &str)]) -> Answer {
        self.get(&authorize(changes)).await
    }

    /// Fills the sign-in form.
    pub(crate) async fn submit(&self, page: &Answer, username: &str, password: &str) -> Answer {
        let (request, token) = (page.hidden("request"), page.hidden("form_token"));
        let fields = [
            ("request", request.as_str()),
            ("form_token", &token),
            ("username", username),
            ("password", password),
        ];
        self.post("/oauth2/sign-in", &fields).await
    }

    /// A signed-in browser.
    pub(crate) async fn sign_in(&self, username: &str) -> Answer {
        let page = self.page(&[]).await;
        self.submit(&page, username, PASSWORD).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub(crate) fn forget_cookies(&self) {
        self.cookies.lock().unwrap().clear();
    }
}

/// The path of a healthy authorization request with changes; an empty value leaves the parameter out.
pub(crate) fn authorize(changes: &[(&str, &str)]) -> String {
    let usual = [
        ("response_type", "code"),
        ("client_id", IDE),
        ("redirect_uri", REDIRECT),
        ("scope", "openid offline_access"),
        ("state", "zR4b9Qe1"),
        ("nonce", "n-1"),
        ("code_challenge", "wJ2IaxisipXmREciSRJlDRcyAd_Hm1sZx07t9RF9l9I"),
        ("code_challenge_method", "S256"),
    ];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    let pairs: Vec<String> = kept
        .chain(changes.iter().copied())
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect();
    format!("/oauth2/authorize?{}", pairs.join("&"))
}
