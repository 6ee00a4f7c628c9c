//! Decisions of the IdP. Never imports `ras`.
