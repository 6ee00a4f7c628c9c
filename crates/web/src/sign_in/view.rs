//! The templates and what they are filled with.

use askama::Template;

use crate::page::Page;
use crate::passkeys::Asked;

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
    /// A challenge for any passkey, where there can be passkeys.
    pub(super) passkey: Option<&'a Asked>,
    pub(super) passkey_action: &'a str,
    /// The page of the ways, when there are others.
    pub(super) another: Option<String>,
    pub(super) problem: Option<String>,
}

/// A provider on the page of the ways.
pub(super) struct ProviderLink<'a> {
    pub(super) title: &'a str,
    pub(super) href: String,
}

/// The ways to sign in.
#[derive(Template)]
#[template(path = "sign_in/choose.html")]
pub(super) struct ChoosePage<'a> {
    pub(super) page: &'a Page,
    pub(super) client: &'a str,
    pub(super) destination: String,
    pub(super) providers: Vec<ProviderLink<'a>>,
    /// Whether a name is asked for, since its domain may decide.
    pub(super) by_name: bool,
    pub(super) action: &'a str,
    pub(super) request: &'a str,
    pub(super) form_token: String,
    pub(super) username: &'a str,
    /// The form for a password.
    pub(super) password: String,
    pub(super) problem: Option<&'a str>,
}

/// Leads to a provider that was found by the domain of a name.
#[derive(Template)]
#[template(path = "sign_in/continue.html")]
pub(super) struct ContinuePage<'a> {
    pub(super) page: &'a Page,
    pub(super) title: &'a str,
    pub(super) href: &'a str,
    /// The page of the ways.
    pub(super) another: &'a str,
}

/// Asks for the second half of a sign-in.
#[derive(Template)]
#[template(path = "sign_in/second_factor.html")]
pub(super) struct SecondFactorPage<'a> {
    pub(super) page: &'a Page,
    pub(super) username: &'a str,
    pub(super) request: &'a str,
    pub(super) form_token: String,
    pub(super) step: &'a str,
    pub(super) passkey: Option<&'a Asked>,
    pub(super) has_app: bool,
    pub(super) has_codes: bool,
    pub(super) code_action: &'a str,
    pub(super) passkey_action: &'a str,
    /// Where the sign-in begins anew.
    pub(super) again: &'a str,
    pub(super) problem: Option<&'a str>,
}

/// The secret of an app that is being set up.
pub(crate) struct AppSecretView {
    /// The QR code, an `svg` element of our own making.
    pub(crate) svg: String,
    /// The secret for typing.
    pub(crate) text: String,
    /// The same for a tap on a telephone.
    pub(crate) uri: String,
}

/// Asks to set up a second factor before the sign-in goes on.
#[derive(Template)]
#[template(path = "sign_in/enrol.html")]
pub(super) struct EnrolPage<'a> {
    pub(super) page: &'a Page,
    pub(super) username: &'a str,
    pub(super) request: &'a str,
    pub(super) form_token: String,
    pub(super) step: &'a str,
    pub(super) action: &'a str,
    /// Absent where only a passkey will do.
    pub(super) app: Option<&'a AppSecretView>,
    pub(super) passkey: Option<&'a Asked>,
    pub(super) problem: Option<&'a str>,
}

/// Recovery codes, shown once.
#[derive(Template)]
#[template(path = "sign_in/codes.html")]
pub(crate) struct CodesPage<'a> {
    pub(crate) page: &'a Page,
    pub(crate) codes: Vec<&'a str>,
    /// The way on.
    pub(crate) on: &'a str,
}

/// A page without a form.
#[derive(Template)]
#[template(path = "sign_in/message.html")]
pub(crate) struct MessagePage<'a> {
    pub(crate) page: &'a Page,
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    pub(crate) advice: Option<&'a str>,
    /// A way on: its words and its address.
    pub(crate) way: Option<(&'a str, &'a str)>,
    pub(crate) request_id: Option<&'a str>,
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
