//! `GET …/jwks`: the public keys of a role (MD-KEY-01).

use axum::response::Response;
use http::StatusCode;
use lanyard_core::keys::record::Ring;

use crate::http::answer;
use crate::oauth::rings::Rings;

/// Answers with the published keys: next, active and retired ones, public members only.
pub(crate) fn answer(rings: &Rings, ring: Ring) -> Response {
    match rings.snapshot().get(ring) {
        Some(ring) => answer::document(&*ring.jwks),
        None => answer::empty(StatusCode::NOT_FOUND),
    }
}
