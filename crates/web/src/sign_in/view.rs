//! The templates and what they are filled with.

use askama::Template;

use crate::page::Page;

/// The sign-in page.
#[derive(Template)]
#[template(path = "sign_in/sign_in.html")]
pub(super) struct SignInPage<'a> {
    pub(super) page: &'a Page,
    /// The client's name.
    pub(super) client: &'a str,
    /// Where the person is sent afterwards, in words.
    pub(super) destination: String,
    pub(super) action: &'a str,
    /// The request, carried over the sign-in as it was sent.
    pub(super) request: &'a str,
    pub(super) form_token: String,
    pub(super) username: &'a str,
    pub(super) problem: Option<String>,
}

/// A page without a form.
#[derive(Template)]
#[template(path = "sign_in/message.html")]
pub(super) struct MessagePage<'a> {
    pub(super) page: &'a Page,
    pub(super) title: &'a str,
    pub(super) text: &'a str,
    pub(super) advice: Option<&'a str>,
    pub(super) request_id: Option<&'a str>,
}

/// Asks before signing out.
#[derive(Template)]
#[template(path = "sign_in/sign_out.html")]
pub(super) struct SignOutPage<'a> {
    pub(super) page: &'a Page,
    pub(super) person: &'a str,
    pub(super) action: &'a str,
    pub(super) request: &'a str,
    pub(super) form_token: String,
}

/// Where the person is sent after signing in (IDP-AU-03, SBP).
pub(super) fn destination(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) if lanyard_protocol::url_rules::is_loopback(&url) => {
            "After signing in you return to a program on this computer. Continue only if you have just started it \
             yourself."
                .to_owned()
        }
        Ok(url) => match url.host_str().filter(|host| !host.is_empty()) {
            Some(host) => format!("After signing in you are sent to {host}."),
            None => "After signing in you return to an app on this device.".to_owned(),
        },
        Err(_) => String::new(),
    }
}
