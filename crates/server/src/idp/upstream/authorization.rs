//! The authentication request to a provider (OpenID Connect Core, section 3.1.2.1).
//!
//! Owns what is passed on of what a client asked. Never passes on anything by which a client could change the answer's
//! address, kind or scope.

use lanyard_core::session::strength::Strength;
use lanyard_core::upstream::attempt::Begun;
use lanyard_core::upstream::connection::Connection;
use lanyard_core::upstream::oidc::OidcSettings;
use lanyard_jose::digest::s256_challenge;
use lanyard_protocol::form::Form;
use secrecy::ExposeSecret;

use super::provider::Provider;

/// The longest hint that is passed on.
const MAX_HINT: usize = 256;

/// What a client, or a page of ours, wants of the sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    /// `login`, `select_account`, or nothing.
    pub(super) prompt: Option<&'static str>,
    /// How old the sign-in may be; zero for a new one.
    pub(super) max_age: Option<i64>,
    /// The contexts asked for, as we name them.
    pub(super) acr_values: Vec<String>,
    /// Who is likely to sign in.
    pub(super) hint: Option<String>,
    /// Preferred languages.
    pub(super) ui_locales: Option<String>,
}

impl Wishes {
    /// Reads the wishes out of a client's authorization request, which was validated.
    pub(super) fn of(request: &Form) -> Self {
        let once = |name| request.once(name).ok().flatten();
        let prompts: Vec<&str> = once("prompt").unwrap_or_default().split(' ').collect();
        let max_age = once("max_age").and_then(|text| text.parse::<u32>().ok()).map(i64::from);
        // Both ask for the same. Providers that count in whole seconds let one of this second pass for `max_age=0`.
        let again = prompts.contains(&"login") || max_age == Some(0);
        Self {
            prompt: match again {
                true => Some("login"),
                false => prompts.contains(&"select_account").then_some("select_account"),
            },
            max_age: if again { Some(0) } else { max_age },
            acr_values: once("acr_values")
                .unwrap_or_default()
                .split(' ')
                .filter(|value| !value.is_empty())
                .map(str::to_owned)
                .collect(),
            hint: once("login_hint").and_then(hint),
            ui_locales: once("ui_locales")
                .filter(|text| text.len() <= MAX_HINT)
                .map(str::to_owned),
        }
    }
}

/// A hint that may be passed on.
pub(super) fn hint(text: &str) -> Option<String> {
    let good = !text.is_empty() && text.len() <= MAX_HINT && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
}

/// The address to send the browser to.
pub(super) fn location(
    connection: &Connection,
    settings: &OidcSettings,
    provider: &Provider,
    redirect_uri: &str,
    begun: &Begun,
    wishes: &Wishes,
) -> String {
    let mut form = Form::default()
        .with("response_type", "code")
        .with("client_id", &settings.client_id)
        .with("redirect_uri", redirect_uri)
        .with("scope", settings.scopes.join(" "))
        .with("state", begun.handle.expose_secret())
        .with("nonce", &begun.nonce)
        .with("code_challenge", s256_challenge(begun.verifier.expose_secret()))
        .with("code_challenge_method", "S256");
    if let Some(prompt) = wishes
        .prompt
        .and_then(|wished| connection.preset.quirks().prompt(wished))
    {
        form = form.with("prompt", prompt);
    }
    if let Some(max_age) = wishes.max_age {
        form = form.with("max_age", max_age.to_string());
    }
    let acr_values = acr_values(connection, &wishes.acr_values);
    if !acr_values.is_empty() {
        form = form.with("acr_values", acr_values.join(" "));
    }
    if let Some(hint) = &wishes.hint {
        form = form.with("login_hint", hint);
    }
    if let Some(locales) = &wishes.ui_locales {
        form = form.with("ui_locales", locales);
    }
    if connection.preset.quirks().hosted_domain {
        // A hint for the page; what counts is the claim in the answer.
        let hosted = match connection.domains.as_slice() {
            [only] => only,
            _ => "*",
        };
        form = form.with("hd", hosted);
    }
    let mut url = provider.authorization.clone();
    let query = match url.query().filter(|query| !query.is_empty()) {
        Some(own) => format!("{own}&{}", form.encode()),
        None => form.encode(),
    };
    url.set_query(Some(&query));
    url.into()
}

/// What the contexts are called there: a value of the connection's own rules as it is, one of ours as the values that
/// reach it. Others mean nothing to the provider.
pub(super) fn acr_values(connection: &Connection, asked: &[String]) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for value in asked {
        let known = connection.mapping.acr_values(Strength::Password);
        let theirs = match Strength::of_acr(value) {
            Some(strength) => connection.mapping.acr_values(strength),
            None if known.contains(&value.as_str()) => vec![value.as_str()],
            None => Vec::new(),
        };
        for value in theirs {
            if !values.iter().any(|own| own == value) {
                values.push(value.to_owned());
            }
        }
    }
    values
}
