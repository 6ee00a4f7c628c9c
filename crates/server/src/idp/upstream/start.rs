//! `GET {issuer}/upstream/{connection}/start`: remembers what the sign-in is for, binds it to the browser, and sends the
//! browser to the provider.
//!
//! Always a GET from a link or a redirect: browsers hold a redirect after a form to the policy of the page with the form.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::{COOKIE, HeaderValue, RETRY_AFTER};
use http::request::Parts;
use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_core::idp::authorize::{AuthorizeRequest, check_client};
use lanyard_core::session::form_token;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_core::upstream::attempt::{self, Begun, Carried, Purpose};
use lanyard_core::upstream::connection::{Connection, Kind};
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_core::upstream::saml::SamlSettings;
use lanyard_core::upstream::sign_in::record_failure;
use lanyard_jose::digest::base64url;
use lanyard_protocol::form::Form;
use secrecy::SecretString;

use super::authorization::{self, Wishes};
use super::denial::UpstreamDenial;
use super::pages::{Message, redirect};
use super::provider::Provider;
use super::saml::keys::OwnKeys;
use super::{Upstream, provider, redirect_uri, saml};
use crate::metrics;
use crate::oauth::refusal;

/// The longest request of a client that is carried over a sign-in, in bytes.
const MAX_REQUEST: usize = 8 * 1024;

/// What a browser asks for here.
enum Asked {
    /// For a client's authorization request.
    Client(Form),
    /// For a page of ours.
    Page(String),
    /// For an administrator who tests the connection.
    Test(String),
}

impl Asked {
    fn read(form: &Form) -> Option<Self> {
        let once = |name| form.once(name).ok().flatten();
        if let Some(ticket) = once("test") {
            return Some(Self::Test(ticket.to_owned()));
        }
        if let Some(page) = once("return_to") {
            return is_own_page(page).then(|| Self::Page(page.to_owned()));
        }
        let request = once("request").filter(|request| request.len() <= MAX_REQUEST)?;
        Form::parse(request.as_bytes()).ok().map(Self::Client)
    }

    fn wishes(&self) -> Wishes {
        match self {
            Self::Client(request) => Wishes::of(request),
            Self::Page(_) => Wishes::default(),
            // Whoever tests wants to choose whom to be.
            Self::Test(_) => Wishes {
                prompt: Some("select_account"),
                ..Wishes::default()
            },
        }
    }
}

/// A page of a person's own account: letters and slashes below one path, so that it leads nowhere else.
fn is_own_page(path: &str) -> bool {
    let below = path == "/account" || path.starts_with("/account/");
    below
        && path.len() <= 64
        && path.bytes().all(|b| b.is_ascii_lowercase() || b == b'/' || b == b'-')
        && !path.contains("//")
}

pub(super) async fn handle(State(own): State<Arc<Upstream>>, Path(name): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cx = own.deps.basis.cx(&parts);
    if let Err(seconds) = own.deps.basis.guard.begin(cx.peer) {
        metrics::throttled(Side::Idp);
        let mut response = own.busy(&cx);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        return response;
    }
    let query = Form::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let Some(asked) = Asked::read(&query) else {
        return own.unusable(&cx, StatusCode::BAD_REQUEST);
    };
    let mut wishes = asked.wishes();
    if let Some(hint) = query.once("hint").ok().flatten().and_then(authorization::hint) {
        wishes.hint = Some(hint);
    }
    let connection = match own.usable(&cx, &name, &asked).await {
        Ok(Some(connection)) => connection,
        Ok(None) => return own.unusable(&cx, StatusCode::NOT_FOUND),
        Err(error) => return refusal::failure(&error, &cx.request_id),
    };
    match own.lead_away(&cx, &parts, &connection, asked, &wishes).await {
        Ok(response) => response,
        Err(error) => refusal::failure(&error, &cx.request_id),
    }
}

/// What is needed to make a request to a provider.
enum Road<'a> {
    Oidc(&'a OidcSettings, Box<Provider>),
    Saml(&'a SamlSettings, Box<OwnKeys>),
}

impl Upstream {
    /// The connection, when a sign-in there may begin for this.
    async fn usable(&self, cx: &Cx, name: &str, asked: &Asked) -> Result<Option<Connection>, StoreError> {
        let client = match asked {
            Asked::Client(form) => Some(AuthorizeRequest::parse(form)),
            Asked::Page(_) | Asked::Test(_) => None,
        };
        let testing = matches!(asked, Asked::Test(_));
        let (own, name) = (cx.clone(), name.to_owned());
        let read = self.deps.basis.store.read(move |tx| {
            let found = tx.find_connection_by_name(&name)?;
            let Some(connection) = found.filter(|found| found.enabled || testing) else {
                return Ok(None);
            };
            Ok(match client {
                Some(request) => check_client(&own, tx, &request)?.is_ok().then_some(connection),
                None => Some(connection),
            })
        });
        read.await
    }

    /// Remembers the sign-in and sends the browser to the provider.
    async fn lead_away(
        &self,
        cx: &Cx,
        parts: &Parts,
        connection: &Connection,
        asked: Asked,
        wishes: &Wishes,
    ) -> Result<Response, StoreError> {
        let road = match &connection.kind {
            Kind::Oidc(settings) => match provider::find(&self.deps.providers, settings).await {
                Ok(provider) => Road::Oidc(settings, Box::new(provider)),
                Err(denial) => return Ok(self.failed_to_start(cx, connection, &asked, denial).await),
            },
            Kind::Saml(settings) => Road::Saml(settings, Box::new(saml::keys::load(&self.deps.basis, cx).await?)),
        };
        let known = self.cookies.browser(sent(parts));
        let browser = known.clone().unwrap_or_else(|| form_token::pre_session(cx));
        let Some(begun) = self.begin(cx, connection, &browser, asked, wishes.max_age).await? else {
            return Ok(self.unusable(cx, StatusCode::NOT_FOUND));
        };
        let location = match &road {
            Road::Oidc(settings, provider) => {
                let back = redirect_uri(&self.deps.settings, &connection.name);
                authorization::location(connection, settings, provider, &back, &begun, wishes)
            }
            Road::Saml(settings, own) => {
                let issuer = &self.deps.settings.issuer;
                saml::request::location(cx, issuer, connection, settings, own, &begun, wishes)?
            }
        };
        let cookies: Vec<String> = match known {
            Some(_) => Vec::new(),
            None => vec![self.cookies.give_browser(&browser)],
        };
        Ok(redirect(&location, &cookies))
    }

    /// Remembers the sign-in; nothing when a ticket is not good.
    async fn begin(
        &self,
        cx: &Cx,
        connection: &Connection,
        browser: &SecretString,
        asked: Asked,
        max_age: Option<i64>,
    ) -> Result<Option<Begun>, StoreError> {
        let (own, vault) = (cx.clone(), Arc::clone(&self.deps.basis.vault));
        let (connection, browser) = (connection.clone(), browser.clone());
        let write = self.deps.basis.store.write(move |tx: &mut dyn Tx| {
            let (purpose, request) = match asked {
                Asked::Client(form) => (Purpose::Client, form.encode()),
                Asked::Page(page) => (Purpose::Page, page),
                Asked::Test(ticket) => match attempt::take_ticket(&own, tx, &connection, &ticket)? {
                    Some(found) => (Purpose::Test, base64url(&found)),
                    None => return Ok(None),
                },
            };
            let carried = Carried {
                purpose,
                request,
                max_age,
            };
            attempt::begin(&own, tx, &vault, &connection, &browser, carried).map(Some)
        });
        write.await
    }

    /// The provider cannot be used: told, with another way where there is one.
    async fn failed_to_start(
        &self,
        cx: &Cx,
        connection: &Connection,
        asked: &Asked,
        denial: UpstreamDenial,
    ) -> Response {
        metrics::refused(Side::Idp, denial.code());
        if self.deps.basis.guard.record_refusal(cx.peer, cx.now) {
            let (own, name, code, why) = (cx.clone(), connection.name.clone(), denial.code(), denial.to_string());
            let written = self
                .deps
                .basis
                .store
                .write(move |tx| record_failure(&own, tx, &name, code, &why))
                .await;
            if let Err(error) = written {
                return refusal::failure(&error, &cx.request_id);
            }
        }
        let way = match asked {
            Asked::Client(form) => Some(self.another_way(form)),
            Asked::Page(page) => Some(self.another_way_to(page)),
            Asked::Test(_) => None,
        };
        self.problem(cx, &denial, way)
    }

    fn unusable(&self, cx: &Cx, status: StatusCode) -> Response {
        self.deps.pages.message(Message {
            status,
            title: "This sign-in cannot begin",
            text: "The link is damaged, or the way to sign in that it names does not exist any more.".to_owned(),
            advice: "Go back to the program you came from and start again.",
            way: None,
            reference: Some(cx.request_id.clone()),
        })
    }

    fn busy(&self, cx: &Cx) -> Response {
        self.deps.pages.message(Message {
            status: StatusCode::TOO_MANY_REQUESTS,
            title: "That was often",
            text: "Very many sign-ins were begun from your network.".to_owned(),
            advice: "Please wait a moment and try again.",
            way: None,
            reference: Some(cx.request_id.clone()),
        })
    }

    /// The page where the person may choose how to sign in, with the client's request.
    pub(super) fn another_way(&self, request: &Form) -> (&'static str, String) {
        let address = format!("{}/oauth2/authorize?{}&choose=1", self.base, request.encode());
        ("Sign in another way", address)
    }

    /// The same for a page of ours, which would lead straight back to a default provider without a choice.
    pub(super) fn another_way_to(&self, page: &str) -> (&'static str, String) {
        ("Sign in another way", format!("{}{page}?choose=1", self.base))
    }
}

/// The values of the `Cookie` headers.
pub(super) fn sent(parts: &Parts) -> impl Iterator<Item = &str> {
    parts
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_of_the_account_is_returned_to() {
        for good in ["/account", "/account/security"] {
            assert!(is_own_page(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "account",
            "//evil.example",
            "/account//evil.example",
            "/accounts",
            "/account/../x",
            "/account?x",
            "/account/%2e",
            "https://evil.example/account",
            "/account\\evil",
        ] {
            assert!(!is_own_page(bad), "{bad}");
        }
    }
}
