//! What is counted: `lanyard_<room>_<noun>_total`. No person, client or token is ever a label (SEC-19).
//!
//! Owns the names. Never decides how they are exported.

use lanyard_core::client::registration::Side;
use lanyard_protocol::oauth::grant_type::GrantType;
use metrics::{Unit, counter, describe_counter};

/// Describes every metric of this crate to the installed recorder.
pub fn describe() {
    let count = |name, text| describe_counter!(name, Unit::Count, text);
    count("lanyard_idp_tokens_total", "Token responses of the issuer, by grant");
    count(
        "lanyard_ras_tokens_total",
        "Token responses of the authorization server, by grant",
    );
    count(
        "lanyard_idp_refusals_total",
        "Refused requests of the issuer, by exact reason",
    );
    count(
        "lanyard_ras_refusals_total",
        "Refused requests of the authorization server, by exact reason",
    );
    count(
        "lanyard_idp_throttled_total",
        "Requests turned away unheard after failed authentications",
    );
    count(
        "lanyard_ras_throttled_total",
        "Requests turned away unheard after failed authentications",
    );
    count("lanyard_scim_changes_total", "Changes by provisioning clients, by act");
    count(
        "lanyard_scim_refusals_total",
        "Refused requests of provisioning clients, by exact reason",
    );
    count("lanyard_audit_sealed_total", "Audit events sealed into the chain");
    count("lanyard_worker_jobs_total", "Background jobs, by result");
}

pub(crate) fn granted(side: Side, grant: GrantType) {
    match side {
        Side::Idp => counter!("lanyard_idp_tokens_total", "grant" => short(grant)).increment(1),
        Side::Ras => counter!("lanyard_ras_tokens_total", "grant" => short(grant)).increment(1),
    }
}

pub(crate) fn refused(side: Side, reason: &'static str) {
    match side {
        Side::Idp => counter!("lanyard_idp_refusals_total", "reason" => reason).increment(1),
        Side::Ras => counter!("lanyard_ras_refusals_total", "reason" => reason).increment(1),
    }
}

pub(crate) fn throttled(side: Side) {
    match side {
        Side::Idp => counter!("lanyard_idp_throttled_total").increment(1),
        Side::Ras => counter!("lanyard_ras_throttled_total").increment(1),
    }
}

pub(crate) fn scim_done(act: &'static str) {
    counter!("lanyard_scim_changes_total", "act" => act).increment(1);
}

pub(crate) fn scim_refused(reason: &'static str) {
    counter!("lanyard_scim_refusals_total", "reason" => reason).increment(1);
}

pub(crate) fn sealed(events: u64) {
    counter!("lanyard_audit_sealed_total").increment(events);
}

pub(crate) fn job(result: &'static str) {
    counter!("lanyard_worker_jobs_total", "result" => result).increment(1);
}

const fn short(grant: GrantType) -> &'static str {
    match grant {
        GrantType::AuthorizationCode => "authorization_code",
        GrantType::RefreshToken => "refresh_token",
        GrantType::TokenExchange => "token_exchange",
        GrantType::JwtBearer => "jwt_bearer",
        _ => "other",
    }
}
