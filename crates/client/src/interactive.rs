//! The code flow at an MCP server's own authorization server, for servers that the organisation does not manage.
//!
//! Owns that path. Off unless a host configures it, and never taken once Enterprise-Managed Authorization was chosen
//! for a server (CL-DI-07). How the person sees the authorization page is the host's ([`AuthorizationAgent`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lanyard_protocol::client_id::ClientId;
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::scope::ScopeSet;
use url::Url;

use crate::cache::AccessToken;
use crate::credentials::ClientIdentity;
use crate::flow::Flow;
use crate::flow_error::{FlowError, Leg};
use crate::jwt_bearer::bearer;
use crate::registration::{register_request, register_response};
use crate::sign_in::{SignIn, authorization_request, authorization_response, code_request, code_response};
use crate::store::BoxFuture;
use crate::target::Target;

/// Shows the authorization page to the person and brings back the answer.
pub trait AuthorizationAgent: Send + Sync {
    /// Where the answer comes back, known before the page is opened.
    fn redirect_uri(&self) -> String;

    /// Opens the page and returns the query string that came back; the error says why there is none.
    fn authorize<'a>(&'a self, page: &'a Url) -> BoxFuture<'a, Result<String, String>>;
}

/// The configuration of the code flow.
pub struct Interactive {
    agent: Arc<dyn AuthorizationAgent>,
    client_name: String,
    client_metadata_url: Option<ClientId>,
    registered: Mutex<HashMap<Issuer, ClientIdentity>>,
}

impl Interactive {
    /// The code flow, shown by `agent`.
    pub fn new(agent: Arc<dyn AuthorizationAgent>, client_name: &str) -> Self {
        Self {
            agent,
            client_name: client_name.to_owned(),
            client_metadata_url: None,
            registered: Mutex::default(),
        }
    }

    /// Identifies by a client id metadata document where the server supports that.
    #[must_use]
    pub fn with_client_metadata_url(mut self, url: ClientId) -> Self {
        self.client_metadata_url = Some(url);
        self
    }
}

impl Flow {
    /// Runs the code flow for `target`.
    pub(crate) async fn authorize(
        &self,
        interactive: &Interactive,
        target: &Target,
        scope: &ScopeSet,
    ) -> Result<AccessToken, FlowError> {
        let server = &target.authorization_server;
        let endpoint = target.token_endpoint()?;
        let identity = self.identify(interactive, target).await?;
        let sign_in = SignIn {
            redirect_uri: interactive.agent.redirect_uri(),
            scope: scope.clone(),
            resource: Some(target.resource.clone()),
            ..SignIn::default()
        };
        let (page, pending) = authorization_request(server, &identity.client_id, &sign_in, self.random())?;
        let query = interactive.agent.authorize(&page).await.map_err(FlowError::Agent)?;
        let code = authorization_response(pending, &query)?;
        let of_code = |error| FlowError::of_token(Leg::Code, error);
        let caller = self.caller(&identity, server.issuer.as_str());
        let (request, _) = code_request(endpoint, &caller, code).map_err(of_code)?;
        let answer = self.send(request).await?;
        bearer(code_response(&answer).map_err(of_code)?, self.now()).map_err(of_code)
    }

    /// Configured credentials, else a client id metadata document, else a registration (CL-RG-01); each for this
    /// issuer alone (CL-ST-02).
    async fn identify(&self, interactive: &Interactive, target: &Target) -> Result<ClientIdentity, FlowError> {
        let server = &target.authorization_server;
        if let Some(identity) = self.credentials(&server.issuer) {
            return Ok(identity.clone());
        }
        if let Some(url) = &interactive.client_metadata_url
            && server.client_id_metadata_document_supported == Some(true)
        {
            return Ok(ClientIdentity::public(url.clone()));
        }
        let known = interactive
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&server.issuer)
            .cloned();
        if let Some(identity) = known {
            return Ok(identity);
        }
        if server.registration_endpoint.is_none() {
            return Err(FlowError::NoCredentials {
                issuer: server.issuer.clone(),
            });
        }
        let of_code = |error| FlowError::of_token(Leg::Code, error);
        let redirect_uri = interactive.agent.redirect_uri();
        let request = register_request(server, &interactive.client_name, &redirect_uri).map_err(of_code)?;
        let answer = self.send(request).await?;
        let identity = register_response(server, &answer).map_err(of_code)?;
        let mut registered = interactive.registered.lock().unwrap_or_else(PoisonError::into_inner);
        registered.insert(server.issuer.clone(), identity.clone());
        Ok(identity)
    }
}
