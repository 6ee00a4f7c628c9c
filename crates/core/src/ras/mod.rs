//! Decisions of the RAS. Never imports `idp`.

pub mod access_grant;
pub mod access_token;
pub mod account;
pub mod cut_off;
pub mod denial;
pub mod introspect;
pub mod jwt_bearer;
pub mod native_key;
pub mod revoke;
mod scope;
pub mod settings;
mod subject;
mod target;
