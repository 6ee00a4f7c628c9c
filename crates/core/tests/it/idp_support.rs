//! The steps of a sign-in, as a client and a browser would take them.

use std::sync::Arc;

use lanyard_core::client::auth::{self, AuthenticatedClient, Presented};
use lanyard_core::client::registration::Side;
use lanyard_core::clock::Clock;
use lanyard_core::idp::authorize::{self, AuthorizeRequest};
use lanyard_core::idp::id_jag::IdJagGrant;
use lanyard_core::idp::token_exchange::{self, Denial, Subject};
use lanyard_core::idp::token_grant::TokenGrant;
use lanyard_core::idp::{access_token, authorization_code, id_token, refresh_token, sign_in};
use lanyard_core::outcome::Outcome;
use lanyard_core::session::record::Session;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::digest::s256_challenge;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::key::SigningKey;
use lanyard_jose::token::{AccessToken, ClientAssertion, IdToken, Kind, Unverified, Verified};
use lanyard_jose::verify::{Audience, Expected, verify};
use lanyard_protocol::claims::client_assertion::ClientAssertionClaims;
use lanyard_protocol::claims::time::NumericDate;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::oauth::token_request::{AuthorizationCodeRequest, RefreshTokenRequest, TokenExchangeRequest};
use lanyard_protocol::scope::ScopeSet;
use lanyard_testkit::company::{AGENT, CLI, Company, IDE, IDE_SECRET, IDP, LINEAR, RAS, REDIRECT};
use secrecy::{ExposeSecret, SecretString};

pub(crate) const VERIFIER: &str = "q7Jr0mVnK2sYt8XeHc4LdPzW1bUaGf3oRi6NyTkCwQ9";
pub(crate) const SCOPES: &str = "openid profile email offline_access connectors";

pub(crate) fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

pub(crate) fn with_secret(client_id: &str, secret: &str) -> Presented {
    Presented::Secret {
        client_id: ClientId::parse(client_id).unwrap(),
        secret: SecretString::from(secret.to_owned()),
        basic: true,
    }
}

pub(crate) fn authenticated(company: &Company, presented: Presented) -> AuthenticatedClient {
    let vault = Arc::clone(&company.vault);
    let end = company.write(move |cx, tx| auth::authenticate(cx, tx, &vault, Side::Idp, &presented));
    end.into_result().unwrap()
}

/// The client with a secret.
pub(crate) fn ide(company: &Company) -> AuthenticatedClient {
    authenticated(company, with_secret(IDE, IDE_SECRET))
}

/// The client with a key.
pub(crate) fn agent(company: &Company) -> AuthenticatedClient {
    let presented = assertion_of(company, AGENT, &company.agent_key, "jti-agent");
    authenticated(company, presented)
}

/// The native program without any proof.
pub(crate) fn bare_cli(company: &Company) -> AuthenticatedClient {
    authenticated(
        company,
        Presented::None {
            client_id: ClientId::parse(CLI).unwrap(),
        },
    )
}

pub(crate) fn assertion(company: &Company, client_id: &str, key: &SigningKey, jti: &str) -> Verified<ClientAssertion> {
    let client = ClientId::parse(client_id).unwrap();
    let now = company.clock.now().seconds();
    let claims = ClientAssertionClaims {
        iss: client.clone(),
        sub: client,
        aud: lanyard_protocol::audience::OneOrMany::One(IDP.to_owned()),
        jti: jti.to_owned().try_into().unwrap(),
        exp: NumericDate::from_seconds(now + 60),
        iat: Some(NumericDate::from_seconds(now)),
        nbf: None,
    };
    let token = key
        .sign(lanyard_protocol::claims::client_assertion::TYP, &claims)
        .unwrap();
    let keys = KeySet::from_jwks(&[key.public_jwk()].into_iter().collect());
    verified(company, &token, &keys, client_id, Audience::Sole(IDP))
}

pub(crate) fn assertion_of(company: &Company, client_id: &'static str, key: &SigningKey, jti: &str) -> Presented {
    let client_id = ClientId::parse(client_id).unwrap();
    let (id, kid) = (client_id.clone(), key.kid().to_owned());
    let found = company.write(move |_, tx| auth::assertion_keys(tx, Side::Idp, &id, Some(&kid)));
    let (_, registered) = found.unwrap();
    let assertion = Box::new(assertion(company, client_id.as_str(), key, jti));
    Presented::Assertion {
        client_id,
        key: Box::new(registered),
        assertion,
    }
}

pub(crate) fn sign_in(company: &Company, username: &'static str) -> Session {
    let settings = company.idp.clone();
    let end = company.write(move |cx, tx| {
        let candidate = sign_in::lookup(tx, username)?;
        sign_in::complete(cx, tx, &settings, &candidate, true, None)
    });
    end.into_result().map(|new| new.session).unwrap()
}

/// An authorization request of a client, as a form.
pub(crate) fn request(client_id: &str, redirect_uri: &str, scope: &str) -> Form {
    Form::default()
        .with("response_type", "code")
        .with("client_id", client_id)
        .with("redirect_uri", redirect_uri)
        .with("scope", scope)
        .with("state", "zR4b9Qe1")
        .with("nonce", "n-6TtV0c")
        .with("code_challenge", s256_challenge(VERIFIER))
        .with("code_challenge_method", "S256")
}

pub(crate) fn code(company: &Company, session: &Session, form: &Form) -> SecretString {
    let (settings, session) = (company.idp.clone(), session.id.clone());
    let request = AuthorizeRequest::parse(form);
    let end = company.write(move |cx, tx| {
        let valid = authorize::check_client(cx, tx, &request)?.unwrap();
        authorize::issue_code(cx, tx, &settings, &valid, &session)
    });
    end.into_result().map(|issued| issued.code).unwrap()
}

pub(crate) fn code_request(code: &SecretString, redirect_uri: &str) -> AuthorizationCodeRequest {
    AuthorizationCodeRequest {
        code: code.expose_secret().to_owned(),
        redirect_uri: Some(redirect_uri.to_owned()),
        code_verifier: Some(VERIFIER.to_owned()),
    }
}

pub(crate) fn redeem(
    company: &Company,
    client: &AuthenticatedClient,
    request: AuthorizationCodeRequest,
) -> Result<TokenGrant, authorization_code::Denial> {
    let (vault, settings, client) = (Arc::clone(&company.vault), company.idp.clone(), client.clone());
    let end = company.write(move |cx, tx| authorization_code::redeem(cx, tx, &vault, &settings, &client, &request));
    end.into_result()
}

/// Signs a person in through a client with every scope.
pub(crate) fn tokens(company: &Company, client: &AuthenticatedClient, username: &'static str) -> TokenGrant {
    let session = sign_in(company, username);
    tokens_in(company, client, &session, SCOPES)
}

pub(crate) fn tokens_in(company: &Company, client: &AuthenticatedClient, session: &Session, scope: &str) -> TokenGrant {
    let redirect = client
        .client
        .redirect_uris
        .first()
        .cloned()
        .unwrap_or_else(|| REDIRECT.to_owned());
    let code = code(
        company,
        session,
        &request(client.client.client_id.as_str(), &redirect, scope),
    );
    redeem(company, client, code_request(&code, &redirect)).unwrap()
}

pub(crate) fn refresh(
    company: &Company,
    client: &AuthenticatedClient,
    token: &SecretString,
    scope: Option<&str>,
) -> Result<TokenGrant, refresh_token::Denial> {
    let (vault, settings, client) = (Arc::clone(&company.vault), company.idp.clone(), client.clone());
    let request = RefreshTokenRequest {
        refresh_token: token.expose_secret().to_owned(),
        scope: scope.map(scopes),
    };
    company
        .write(move |cx, tx| refresh_token::refresh(cx, tx, &vault, &settings, &client, &request))
        .into_result()
}

fn verified<K: Kind>(
    company: &Company,
    token: &str,
    keys: &KeySet,
    issuer: &str,
    audience: Audience<'_>,
) -> Verified<K> {
    let expected = Expected {
        issuer,
        audience,
        now: company.clock.now().seconds(),
        leeway: 30,
        algorithms: &[Algorithm::Es256],
        max_lifetime: None,
    };
    verify(&Unverified::parse(token).unwrap(), keys, &expected).unwrap()
}

/// The access token of a grant, as its bearer sends it back to the issuer.
pub(crate) fn access_token(company: &Company, grant: &TokenGrant) -> Verified<AccessToken> {
    let ring = company.rings().idp.unwrap();
    let claims = access_token::claims(&company.idp, grant);
    let token = ring
        .active
        .sign(lanyard_protocol::claims::access_token::TYP, &claims)
        .unwrap();
    verified(company, &token, &ring.published, IDP, Audience::Sole(IDP))
}

/// The ID token of a grant, as its client sends it back.
pub(crate) fn id_token(company: &Company, grant: &TokenGrant) -> Verified<IdToken> {
    let claims = id_token::claims(&company.idp, grant, "at", Algorithm::Es256).unwrap();
    id_token_of(company, &claims)
}

pub(crate) fn id_token_of(
    company: &Company,
    claims: &lanyard_protocol::claims::id_token::IdTokenClaims,
) -> Verified<IdToken> {
    let ring = company.rings().idp.unwrap();
    let token = ring
        .active
        .sign(lanyard_protocol::claims::id_token::TYP, claims)
        .unwrap();
    let audience = claims.aud.as_slice()[0].clone();
    verified(company, &token, &ring.published, IDP, Audience::Contains(&audience))
}

/// An exchange for one connector, all its scopes by default.
pub(crate) struct Exchange {
    pub(crate) audience: &'static str,
    pub(crate) resources: Vec<&'static str>,
    pub(crate) scope: Option<&'static str>,
}

impl Default for Exchange {
    fn default() -> Self {
        Self {
            audience: RAS,
            resources: vec![LINEAR],
            scope: Some("linear.read linear.write"),
        }
    }
}

impl Exchange {
    pub(crate) fn form(&self, subject: &Subject) -> Form {
        let (kind, token) = match subject {
            Subject::IdToken(_) => ("urn:ietf:params:oauth:token-type:id_token", "not read again"),
            Subject::RefreshToken(_) => ("urn:ietf:params:oauth:token-type:refresh_token", "not read again"),
            Subject::Assertion(_) => ("urn:ietf:params:oauth:token-type:saml2", "not read again"),
        };
        let mut form = Form::default()
            .with("requested_token_type", "urn:ietf:params:oauth:token-type:id-jag")
            .with("audience", self.audience)
            .with("subject_token", token)
            .with("subject_token_type", kind);
        for resource in &self.resources {
            form = form.with("resource", *resource);
        }
        match self.scope {
            Some(scope) => form.with("scope", scope),
            None => form,
        }
    }

    pub(crate) fn run(
        self,
        company: &Company,
        client: &AuthenticatedClient,
        subject: Subject,
    ) -> Result<IdJagGrant, Denial> {
        let form = self.form(&subject);
        run_form(company, client, subject, &form)
    }
}

pub(crate) fn run_form(
    company: &Company,
    client: &AuthenticatedClient,
    subject: Subject,
    form: &Form,
) -> Result<IdJagGrant, Denial> {
    let request = TokenExchangeRequest::parse(form).unwrap();
    let (vault, policy) = (Arc::clone(&company.vault), Arc::clone(&company.policy));
    let (settings, client) = (company.idp.clone(), client.clone());
    let end: Outcome<IdJagGrant, Denial> = company.write(move |cx, tx| {
        let policy = policy.current(tx)?;
        token_exchange::exchange(cx, tx, &vault, &policy, &settings, &client, &request, &subject)
    });
    end.into_result()
}

/// Exchanges a fresh ID token of a person through [`IDE`].
pub(crate) fn exchange(company: &Company, username: &'static str, exchange: Exchange) -> Result<IdJagGrant, Denial> {
    let client = ide(company);
    let grant = tokens(company, &client, username);
    let subject = Subject::IdToken(Box::new(id_token(company, &grant)));
    exchange.run(company, &client, subject)
}
