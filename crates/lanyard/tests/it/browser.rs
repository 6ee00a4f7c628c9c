//! A person at the sign-in page, without scripts.

use std::sync::Arc;

use http::HeaderValue;
use http::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use lanyard_fetch::{Fetch, FetchRequest, FetchResponse, HttpFetch, Outbound};
use lanyard_protocol::form::Form;
use url::Url;

/// Signs in at `page` and follows the answer to the program that waits for it.
pub(crate) fn sign_in(page: &str, username: &str, password: &str) {
    runtime().block_on(async {
        let mut browser = Browser::new();
        let page = Url::parse(page).unwrap();
        let callback = browser.walk(page, username, password).await.callback();
        let shown = browser.send(FetchRequest::get(callback)).await;
        assert_eq!(shown.status, 200);
    });
}

/// Signs in at `page`; the redirect back to the client, which nobody follows.
pub(crate) fn redirect_of(page: &str, username: &str, password: &str) -> Url {
    let page = Url::parse(page).unwrap();
    runtime()
        .block_on(Browser::new().walk(page, username, password))
        .callback()
}

/// Signs in at `page`, as often as asked, until there is a page without a form; its text.
pub(crate) fn page_after(page: &str, username: &str, password: &str) -> String {
    let page = Url::parse(page).unwrap();
    match runtime().block_on(Browser::new().walk(page, username, password)) {
        End::Page(text) => text,
        End::Callback(url) => panic!("sent back to a client: {url}"),
    }
}

/// Where a walk ends.
enum End {
    /// The redirect back to the client, which nobody followed.
    Callback(Url),
    /// A page without a form.
    Page(String),
}

impl End {
    fn callback(self) -> Url {
        match self {
            Self::Callback(url) => url,
            Self::Page(text) => panic!("not sent back to a client: {text}"),
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

struct Browser {
    fetch: Arc<dyn Fetch>,
    cookies: Vec<String>,
}

impl Browser {
    fn new() -> Self {
        lanyard_fetch::install_crypto_provider();
        let outbound = Outbound {
            development: true,
            ..Outbound::default()
        };
        Self {
            fetch: Arc::new(HttpFetch::new(&outbound).unwrap()),
            cookies: Vec::new(),
        }
    }

    async fn walk(&mut self, page: Url, username: &str, password: &str) -> End {
        let mut at = page;
        let mut answer = self.send(FetchRequest::get(at.clone())).await;
        for _ in 0..12 {
            if answer.status.is_redirection() {
                let next = at.join(answer.headers[LOCATION].to_str().unwrap()).unwrap();
                if next.path() == "/callback" {
                    return End::Callback(next);
                }
                at = next;
                answer = self.send(FetchRequest::get(at.clone())).await;
                continue;
            }
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            let Some(form) = text.split("<form").nth(1) else {
                return End::Page(text);
            };
            let form = form.split("</form>").next().unwrap();
            at = at.join(&attribute(form, "action")).unwrap();
            let filled = form.split("<input").skip(1).fold(Form::default(), |filled, input| {
                let name = attribute(input, "name");
                let value = match name.as_str() {
                    "username" => username.to_owned(),
                    "password" => password.to_owned(),
                    _ => attribute(input, "value"),
                };
                filled.with(&name, value)
            });
            let origin = HeaderValue::from_str(&at.origin().ascii_serialization()).unwrap();
            answer = self
                .send(FetchRequest::post_form(at.clone(), &filled).header(ORIGIN, origin))
                .await;
        }
        panic!("the sign-in did not come to an end");
    }

    async fn send(&mut self, mut request: FetchRequest) -> FetchResponse {
        request.show_redirects = true;
        request.max_body = 256 * 1024;
        if !self.cookies.is_empty() {
            let cookies = HeaderValue::from_str(&self.cookies.join("; ")).unwrap();
            request = request.header(COOKIE, cookies);
        }
        let answer = self.fetch.fetch(request).await.unwrap();
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap();
            let name = cookie.split('=').next().unwrap();
            self.cookies.retain(|known| known.split('=').next() != Some(name));
            self.cookies.push(cookie.to_owned());
        }
        answer
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag
        .split_once(&format!("{name}=\""))
        .and_then(|(_, after)| after.split_once('"'));
    value
        .map(|(value, _)| value.replace("&#38;", "&").replace("&amp;", "&"))
        .unwrap_or_default()
}
