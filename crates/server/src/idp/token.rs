//! The IdP in the pipeline of the token endpoint.
//!
//! Owns which grants it serves. Never decides.

use std::sync::Arc;

use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;
use lanyard_protocol::oauth::token_request::{AuthorizationCodeRequest, RefreshTokenRequest};

use crate::idp::Idp;
use crate::idp::grants::token_exchange::{self, Exchange};
use crate::idp::grants::{authorization_code, refresh_token};
use crate::oauth::basis::Basis;
use crate::oauth::error;
use crate::oauth::refusal::Refusal;
use crate::oauth::token_endpoint::{Decide, Grants, Stop};

/// The parameters of one request.
pub(crate) enum Begun {
    Code(AuthorizationCodeRequest),
    Refresh(RefreshTokenRequest),
    Exchange(Box<Exchange>),
}

impl Grants for Idp {
    type Begun = Begun;

    fn side(&self) -> Side {
        Side::Idp
    }

    fn basis(&self) -> &Basis {
        &self.deps.basis
    }

    fn issuer(&self) -> &Issuer {
        &self.deps.settings.issuer
    }

    fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    fn leeway(&self) -> i64 {
        self.leeway_seconds()
    }

    fn refused_kind(&self, grant: GrantType) -> Option<&'static str> {
        match grant {
            GrantType::AuthorizationCode | GrantType::RefreshToken => Some("idp.tokens.denied"),
            GrantType::TokenExchange => Some("idp.id_jag.denied"),
            // An ID-JAG of ours never buys a token of ours (IDP-TK-06).
            _ => None,
        }
    }

    fn begin(&self, grant: GrantType, form: &Form) -> Result<Begun, Refusal> {
        let refused = |why| error::request(&why);
        match grant {
            GrantType::AuthorizationCode => AuthorizationCodeRequest::parse(form).map(Begun::Code).map_err(refused),
            GrantType::RefreshToken => RefreshTokenRequest::parse(form).map(Begun::Refresh).map_err(refused),
            GrantType::TokenExchange => token_exchange::begin(form).map(|read| Begun::Exchange(Box::new(read))),
            _ => Err(error::UNSUPPORTED_GRANT),
        }
    }

    async fn verify(
        self: &Arc<Self>,
        cx: &Cx,
        client: Option<&ClientId>,
        begun: Begun,
        afresh: bool,
    ) -> Result<Decide, Stop> {
        match begun {
            Begun::Code(request) => Ok(authorization_code::prepare(self, request)),
            Begun::Refresh(request) => Ok(refresh_token::prepare(self, request)),
            Begun::Exchange(read) => Ok(token_exchange::verify(self, cx, client, *read, afresh).await?),
        }
    }
}
