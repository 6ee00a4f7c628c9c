//! `grant_type=refresh_token` (RFC 6749, section 6).

use std::sync::Arc;

use lanyard_core::idp::refresh_token::refresh;
use lanyard_core::outcome::Outcome;
use lanyard_protocol::oauth::token_request::RefreshTokenRequest;

use crate::idp::Idp;
use crate::idp::grants::issue;
use crate::oauth::error;
use crate::oauth::token_endpoint::Decide;

/// Prepares the decision; there is nothing to verify before it.
pub(crate) fn prepare(idp: &Arc<Idp>, request: RefreshTokenRequest) -> Decide {
    let idp = Arc::clone(idp);
    Box::new(move |cx, tx, client| {
        let deps = &idp.deps;
        match refresh(cx, tx, &deps.basis.vault, &deps.settings, client, &request)? {
            Outcome::Granted(grant) => issue(deps, tx, grant).map(Ok),
            Outcome::Denied(denial) => Ok(Err(error::refresh_grant(&denial))),
        }
    })
}
