//! The result of a decision.

/// Granted or denied. Both arms are committed; only an `Err` around it rolls back.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome<T, D> {
    /// The decision is yes.
    Granted(T),
    /// The decision is no, with its exact reason.
    Denied(D),
}

impl<T, D> Outcome<T, D> {
    /// As a `Result`, for the layer above the transaction.
    ///
    /// # Errors
    /// The denial.
    pub fn into_result(self) -> Result<T, D> {
        match self {
            Self::Granted(value) => Ok(value),
            Self::Denied(denial) => Err(denial),
        }
    }
}
