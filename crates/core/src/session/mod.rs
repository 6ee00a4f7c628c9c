//! Browser sessions, authorization codes and refresh tokens of the IdP.

pub mod agent;
pub mod code;
pub mod cookie;
pub mod form_token;
pub mod password;
pub mod passwords;
pub mod record;
pub mod refresh;
pub mod requirement;
pub mod strength;
