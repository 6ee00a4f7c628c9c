//! Why a request brought no answer.
//!
//! Owns the reasons. Never carries a body, a header or text from the other side.

/// Why a request was refused or brought nothing usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The destination or the answer is not allowed (SEC-08); nothing was sent, or nothing was followed.
    #[error("the request is not allowed: {0}")]
    Forbidden(&'static str),
    /// No connection, or it broke.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The deadline passed.
    #[error("the server did not answer in time")]
    Timeout,
    /// The answer is larger than the request allows.
    #[error("the answer is too large")]
    TooLarge,
    /// The certificate or the protocol.
    #[error("no trusted TLS connection")]
    Tls,
    /// Another status than the one that is needed.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// An answer that is not what was asked for.
    #[error("the answer is not usable: {0}")]
    Content(&'static str),
    /// The configuration of outbound requests.
    #[error("the configuration of outbound requests is wrong: {0}")]
    Configuration(String),
}

impl FetchError {
    /// A stable name for records and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forbidden(_) => "forbidden",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::Tls => "tls",
            Self::Status(_) => "status",
            Self::Content(_) => "content",
            Self::Configuration(_) => "configuration",
        }
    }
}
