//! The RAS in the pipeline of the token endpoint.
//!
//! Owns which grants it serves: one. Never decides.

use std::sync::Arc;

use lanyard_core::client::registration::Side;
use lanyard_core::cx::Cx;
use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::form::Form;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::grant_type::GrantType;

use crate::oauth::basis::Basis;
use crate::oauth::error;
use crate::oauth::refusal::Refusal;
use crate::oauth::token_endpoint::{Decide, Grants, Stop};
use crate::ras::Ras;
use crate::ras::grants::jwt_bearer::{self, Presented};

impl Grants for Ras {
    type Begun = Presented;

    fn side(&self) -> Side {
        Side::Ras
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
        i64::try_from(self.deps.settings.leeway.as_secs()).unwrap_or(0)
    }

    fn refused_kind(&self, grant: GrantType) -> Option<&'static str> {
        match grant {
            GrantType::JwtBearer => Some("ras.id_jag.denied"),
            _ => None,
        }
    }

    fn begin(&self, grant: GrantType, form: &Form) -> Result<Presented, Refusal> {
        match grant {
            GrantType::JwtBearer => jwt_bearer::begin(form),
            _ => Err(error::UNSUPPORTED_GRANT),
        }
    }

    async fn verify(
        self: &Arc<Self>,
        cx: &Cx,
        _client: Option<&ClientId>,
        begun: Presented,
        afresh: bool,
    ) -> Result<Decide, Stop> {
        jwt_bearer::verify(self, cx, begun, afresh).await
    }
}
