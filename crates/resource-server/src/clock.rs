//! The present, as it is handed in.
//!
//! Owns the type. Never reads a system clock: only the composition does.

use std::sync::Arc;

/// Gives the present in seconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;
