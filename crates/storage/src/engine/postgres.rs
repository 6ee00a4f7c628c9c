//! PostgreSQL.

use crate::open::{OpenError, Opened, StoreConfig};

pub(crate) fn open(_url: &str, _config: &StoreConfig) -> Result<Opened, OpenError> {
    Err(OpenError::Missing("postgres"))
}
