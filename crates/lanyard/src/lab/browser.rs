//! Signing in as a person would, by the real pages: for `lab id-token` and the demo.
//!
//! Owns cookies and forms of our own sign-in page. Never skips a step of it.

use std::sync::Arc;

use anyhow::{Context, bail};
use http::HeaderValue;
use http::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use lanyard_fetch::{Fetch, FetchRequest, FetchResponse};
use lanyard_protocol::form::Form;
use url::Url;

/// What a sign-in led to.
#[derive(Debug)]
pub(crate) struct SignedIn {
    /// The redirect back to the client, with its parameters.
    pub redirect: Url,
    /// Pages with a button that were neither the password form nor the redirect: consent prompts, if there were any.
    pub prompts: u32,
}

/// A browser with a cookie jar for one origin and no scripts.
pub(crate) struct Browser {
    fetch: Arc<dyn Fetch>,
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// A fresh browser.
    pub(crate) fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self {
            fetch,
            cookies: Vec::new(),
        }
    }

    /// Opens an authorization request and signs in.
    ///
    /// # Errors
    /// When a page is not what it should be, or the credentials are refused.
    pub(crate) async fn sign_in(
        &mut self,
        authorize: &Url,
        username: &str,
        password: &str,
    ) -> anyhow::Result<SignedIn> {
        let mut at = authorize.clone();
        let mut response = self.send(FetchRequest::get(at.clone())).await?;
        let mut prompts = 0;
        let mut typed = false;
        for _ in 0..8 {
            if response.status.is_redirection() {
                let location = response.headers.get(LOCATION).and_then(|value| value.to_str().ok());
                let next = at.join(location.context("a redirect says nowhere")?)?;
                if next.origin() != at.origin() || next.query_pairs().any(|(name, _)| name == "code" || name == "error")
                {
                    return Ok(SignedIn {
                        redirect: next,
                        prompts,
                    });
                }
                at = next;
                response = self.send(FetchRequest::get(at.clone())).await?;
                continue;
            }
            let page = String::from_utf8_lossy(&response.body).into_owned();
            let Some(form) = PageForm::find(&page) else {
                bail!("the page has no form (status {})", response.status)
            };
            let asks_password = form.fields.iter().any(|(name, _)| name == "password");
            if asks_password && typed {
                bail!("the user name or password of {username} was refused");
            }
            typed |= asks_password;
            prompts += u32::from(!asks_password);
            at = at.join(&form.action)?;
            let request = FetchRequest::post_form(at.clone(), &form.filled(username, password));
            let origin = at.origin().ascii_serialization();
            response = self
                .send(request.header(ORIGIN, HeaderValue::try_from(origin)?))
                .await?;
        }
        bail!("the sign-in did not come to an end")
    }

    async fn send(&mut self, mut request: FetchRequest) -> anyhow::Result<FetchResponse> {
        if !self.cookies.is_empty() {
            let pairs: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header(COOKIE, HeaderValue::try_from(pairs.join("; "))?);
        }
        request.max_body = 256 * 1024;
        request.show_redirects = true;
        let response = self.fetch.fetch(request).await?;
        for value in response.headers.get_all(SET_COOKIE) {
            let pair = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(own, _)| own != name.trim());
                if !value.is_empty() {
                    self.cookies.push((name.trim().to_owned(), value.to_owned()));
                }
            }
        }
        Ok(response)
    }
}

struct PageForm {
    action: String,
    fields: Vec<(String, String)>,
}

impl PageForm {
    /// The first form of a page that posts.
    fn find(page: &str) -> Option<Self> {
        let mut rest = page;
        while let Some((_, after)) = rest.split_once("<form") {
            let (body, beyond) = after.split_once("</form>")?;
            let (tag, body) = body.split_once('>')?;
            if attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post")) {
                let inputs = body.split("<input").skip(1).filter_map(|input| {
                    let tag = input.split('>').next()?;
                    Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
                });
                return Some(Self {
                    action: attribute(tag, "action").unwrap_or_default(),
                    fields: inputs.collect(),
                });
            }
            rest = beyond;
        }
        None
    }

    fn filled(&self, username: &str, password: &str) -> Form {
        self.fields
            .iter()
            .fold(Form::default(), |form, (name, value)| match name.as_str() {
                "username" => form.with(name, username),
                "password" => form.with(name, password),
                _ => form.with(name, value.as_str()),
            })
    }
}

/// The value of an attribute in a tag that our own templates wrote: double-quoted.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = after.split_once('"')?;
    Some(unescaped(value))
}

fn unescaped(text: &str) -> String {
    let named = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    let numbered = named
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#x27;", "'")
        .replace("&#60;", "<");
    numbered
        .replace("&#62;", ">")
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_fields_are_kept_and_the_credentials_filled_in() {
        let page = r#"<form method="get" action="/x"></form>
            <form class="card" method="post" action="/oauth2/authorize?a=1&amp;b=2">
            <input type="hidden" name="csrf" value="a&#34;b"><input id="u" name="username" value="">
            <input type="password" name="password"></form>"#;
        let form = PageForm::find(page).unwrap();
        assert_eq!(form.action, "/oauth2/authorize?a=1&b=2");
        let filled = form.filled("alice", "pw");
        assert_eq!(filled.once("csrf"), Ok(Some("a\"b")));
        assert_eq!(filled.once("username"), Ok(Some("alice")));
        assert_eq!(filled.once("password"), Ok(Some("pw")));
    }
}
