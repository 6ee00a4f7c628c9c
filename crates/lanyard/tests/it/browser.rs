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
        let callback = browser
            .until_callback(Url::parse(page).unwrap(), username, password)
            .await;
        let shown = browser.send(FetchRequest::get(callback)).await;
        assert_eq!(shown.status, 200);
    });
}

/// Signs in at `page`; the redirect back to the client, which nobody follows.
pub(crate) fn redirect_of(page: &str, username: &str, password: &str) -> Url {
    runtime().block_on(Browser::new().until_callback(Url::parse(page).unwrap(), username, password))
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

    async fn until_callback(&mut self, page: Url, username: &str, password: &str) -> Url {
        let mut at = page;
        let mut answer = self.send(FetchRequest::get(at.clone())).await;
        for _ in 0..6 {
            if answer.status.is_redirection() {
                let next = at.join(answer.headers[LOCATION].to_str().unwrap()).unwrap();
                if next.path() == "/callback" {
                    return next;
                }
                at = next;
                answer = self.send(FetchRequest::get(at.clone())).await;
                continue;
            }
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            let form = text.split("<form").nth(1).unwrap().split("</form>").next().unwrap();
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
            self.cookies
                .push(cookie.to_str().unwrap().split(';').next().unwrap().to_owned());
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
