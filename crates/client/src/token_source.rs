//! How an HTTP client of an MCP server asks for tokens and reports refusals.
//!
//! Owns the questions. Never sends a request to the MCP server.

use std::sync::Arc;

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use lanyard_protocol::challenge::Challenge;
use secrecy::SecretString;

use crate::flow_error::FlowError;
use crate::store::BoxFuture;

/// Gives tokens for MCP servers. [`crate::flow::Flow`] is one.
pub trait TokenSource: Send + Sync {
    /// The token to send along, renewed when it is about to expire; `None` when none was needed so far.
    fn current<'a>(&'a self, mcp_url: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, Arc<FlowError>>>;

    /// A token that may do better after the server refused a request. An error ends the call.
    fn answer<'a>(
        &'a self,
        mcp_url: &'a str,
        rejection: Rejection,
        attempts: &'a mut Attempts,
    ) -> BoxFuture<'a, Result<SecretString, Arc<FlowError>>>;
}

/// A 401 or 403 of an MCP server.
#[derive(Clone)]
pub struct Rejection {
    /// The status.
    pub status: u16,
    /// The challenges of its `WWW-Authenticate` headers.
    pub challenges: Vec<Challenge>,
    /// The token that was sent.
    pub token: Option<SecretString>,
}

impl Rejection {
    /// Reads the challenges of one header value.
    pub fn new(status: u16, www_authenticate: &str, token: Option<SecretString>) -> Self {
        Self {
            status,
            challenges: Challenge::parse_all(www_authenticate),
            token,
        }
    }

    /// Reads the challenges of every `WWW-Authenticate` header.
    pub fn from_headers(status: u16, headers: &HeaderMap, token: Option<SecretString>) -> Self {
        let values = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok());
        Self {
            status,
            challenges: values.flat_map(Challenge::parse_all).collect(),
            token,
        }
    }

    /// The bearer challenge, when there is one.
    pub fn bearer(&self) -> Option<&Challenge> {
        self.challenges
            .iter()
            .find(|challenge| challenge.scheme.eq_ignore_ascii_case("bearer"))
    }

    /// The `error` of the bearer challenge.
    pub fn error(&self) -> Option<&str> {
        self.bearer()?.parameter("error")
    }
}

/// How often one call was tried again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// After a 401.
    pub renewals: u8,
    /// After a 403 that asked for scopes.
    pub step_ups: u8,
    /// After somebody asked for a stronger or more recent sign-in.
    pub sign_ins: u8,
}
