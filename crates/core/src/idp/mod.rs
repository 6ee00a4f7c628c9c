//! Decisions of the IdP. Never imports `ras`.

pub mod access_token;
pub mod assertion;
pub mod authorization_code;
pub mod authorize;
pub mod backchannel;
pub mod connectors;
pub mod id_jag;
pub mod id_token;
pub mod known_browser;
pub mod logout;
pub mod native_key;
pub mod own_token;
pub mod refresh_family;
pub mod refresh_token;
pub mod revoke;
pub mod second_factor;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod subject;
mod subject_token;
pub mod token_exchange;
pub mod token_grant;
mod token_id;
pub mod userinfo;

use crate::store::StoreError;

/// Why a decision stopped early: denied, which is committed, or failed, which is rolled back.
#[derive(Debug)]
enum Stop<D> {
    Denied(D),
    Failed(StoreError),
}

impl<D> From<StoreError> for Stop<D> {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl<D> Stop<D> {
    /// Splits a result into a decision and a failure.
    fn settle<T>(result: Result<T, Self>) -> Result<Result<T, D>, StoreError> {
        match result {
            Ok(value) => Ok(Ok(value)),
            Err(Self::Denied(denial)) => Ok(Err(denial)),
            Err(Self::Failed(error)) => Err(error),
        }
    }
}

/// At most the first 256 characters of a text that a client chose, for the record.
fn excerpt(text: &str) -> String {
    text.chars().take(256).collect()
}
