//! A company with an identity provider, and what that provider vouches for.

use std::sync::Arc;
use std::time::Duration;

use lanyard_core::admin::connection;
use lanyard_core::admin::denial::AdminDenial;
use lanyard_core::admin::spec::connection::{ClaimsSpec, ConnectionSpec, GroupsSpec, OidcSpec};
use lanyard_core::cx::Cx;
use lanyard_core::outcome::Outcome;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::Tx;
use lanyard_core::upstream::attempt::{self, Carried, Purpose, Taken};
use lanyard_core::upstream::connection::{Connection, LinkBy, Preset};
use lanyard_core::upstream::mapping::Unlisted;
use lanyard_core::upstream::oidc::{Overage, UpstreamAuth};
use lanyard_core::upstream::resolve::Asserted;
use lanyard_core::upstream::sign_in::{self, Browser, SignInRefused, SignedIn};
use lanyard_testkit::company::{Company, IDE, REDIRECT};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::idp_support::{SCOPES, request};
use crate::ras_world::granted;

/// The document of a provider that makes people and lets groups through by name.
pub(crate) fn spec(name: &str) -> ConnectionSpec {
    ConnectionSpec {
        name: name.to_owned(),
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
            names: std::collections::BTreeMap::new(),
            unlisted: Unlisted::Match,
        }),
        strengths: None,
        strength: Strength::Password,
        oidc: Some(OidcSpec {
            issuer: format!("https://{name}.example"),
            client_id: "lanyard".to_owned(),
            client_auth: UpstreamAuth::ClientSecretBasic,
            client_secret: Some("upstream-secret".to_owned()),
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

/// Sets a provider.
pub(crate) fn put(company: &Company, spec: &ConnectionSpec) -> Outcome<Connection, AdminDenial> {
    let (vault, admin, spec) = (Arc::clone(&company.vault), company.admin.clone(), spec.clone());
    match company.write(move |cx, tx| connection::put(cx, tx, &vault, &admin, &spec)) {
        Outcome::Granted((connection, _)) => Outcome::Granted(connection),
        Outcome::Denied(denial) => Outcome::Denied(denial),
    }
}

/// A company with the provider `corp`, changed.
pub(crate) fn company(change: impl FnOnce(&mut ConnectionSpec)) -> Company {
    let company = Company::new();
    let mut spec = spec("corp");
    change(&mut spec);
    let _ = granted(put(&company, &spec));
    company
}

/// What the provider says about a person.
pub(crate) fn asserted(subject: &str, claims: Value) -> Asserted {
    Asserted::new(subject.to_owned(), claims.as_object().cloned().unwrap())
}

pub(crate) fn browser() -> SecretString {
    SecretString::from("b".repeat(43))
}

/// A sign-in of the client `ide` that began at this provider and whose answer has come.
pub(crate) fn taken(company: &Company, connection: &'static str, max_age: Option<i64>) -> Taken {
    let vault = Arc::clone(&company.vault);
    let handle = company.write(move |cx, tx| {
        let connection = tx.find_connection_by_name(connection)?.unwrap();
        let carried = Carried {
            purpose: Purpose::Client,
            request: request(IDE, REDIRECT, SCOPES).encode(),
            max_age,
        };
        attempt::begin(cx, tx, &vault, &connection, &browser(), carried).map(|begun| begun.handle)
    });
    granted(company.write(move |cx, tx| attempt::take(cx, tx, connection, handle.expose_secret(), Some(&browser()))))
}

/// The end of that sign-in.
pub(crate) fn finish(company: &Company, taken: Taken, asserted: Asserted) -> Outcome<SignedIn, SignInRefused> {
    let settings = company.idp.clone();
    let leeway = Duration::from_secs(30);
    company.write(move |cx: &Cx, tx: &mut dyn Tx| {
        sign_in::complete(cx, tx, &settings, &taken, &asserted, Browser::default(), leeway)
    })
}

/// A whole sign-in at `corp`.
pub(crate) fn sign_in(company: &Company, asserted: Asserted) -> Outcome<SignedIn, SignInRefused> {
    let taken = taken(company, "corp", None);
    finish(company, taken, asserted)
}

/// The names of a person's groups.
pub(crate) fn groups_of(company: &Company, username: &'static str) -> Vec<String> {
    let user = company.user(username);
    company.read(move |tx| lanyard_core::directory::put::group_names(tx, &user.id))
}
