//! Decisions of the RAS. Never imports `idp`.

pub mod account;
pub mod access_grant;
