//! `lanyard logout`
//!
//! Owns ending the sign-in of this machine: at the issuer as far as it can be reached, here always.

use std::process::ExitCode;

use anyhow::Context as _;
use lanyard_client::connectors::{remove_key_request, remove_key_response};
use lanyard_client::flow_error::FlowError;
use lanyard_client::store::CredentialStore as _;
use lanyard_client::token_endpoint::TokenError;
use lanyard_protocol::oauth::error::ErrorCode;

use crate::client_config::at::At;
use crate::client_config::open::{Client, Ground};
use crate::client_config::outcome::{Ending, plain};
use crate::client_config::state::key_name;
use crate::command::login;
use crate::credentials::SessionStore;
use crate::ui::Ui;

/// Sign out: revoke the sign-in, remove this machine's key, forget both here
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    at: At,
}

/// Runs the command.
///
/// # Errors
/// None: what went wrong is told and becomes the exit code.
pub(crate) async fn run(args: LogoutArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    match sign_out(&args, ui).await {
        Ok(code) => Ok(code),
        Err(error) => Ok(Ending::of(&error).tell()),
    }
}

async fn sign_out(args: &LogoutArgs, ui: &Ui) -> anyhow::Result<ExitCode> {
    let ground = Ground::open(&args.at.places)?;
    let issuer = ground
        .issuer(args.at.issuer.as_ref())
        .ok_or_else(|| Ending::not_signed_in(None))?;
    // A damaged key must not keep anybody signed in: then only this machine forgets.
    let at_issuer = match ground.client(issuer.clone(), None) {
        Ok(None) => return Err(Ending::not_signed_in(Some(&issuer)).into()),
        Ok(Some(client)) => end_at_issuer(&client).await,
        Err(error) => Err(error),
    };
    let mut ground = Ground::open(&args.at.places)?;
    SessionStore::new(std::sync::Arc::clone(&ground.secrets))
        .remove(&issuer)
        .await?;
    ground.secrets.remove(&key_name(&issuer))?;
    ground.state.issuers.remove(&issuer);
    if ground.state.current.as_ref() == Some(&issuer) {
        ground.state.current = None;
    }
    ground.state.save(&ground.directory)?;
    match at_issuer {
        Err(error) if ended_before(&error) => {
            ui.line(&format!(
                "Signed out on this machine; {issuer} had ended the sign-in already."
            ));
            Ok(ExitCode::SUCCESS)
        }
        Ok(()) => {
            ui.line(&format!("Signed out at {issuer}."));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            ui.note(&format!(
                "Signed out on this machine. {issuer} could not be told: {}.",
                plain(&format!("{error:#}"))
            ));
            ui.note("  An administrator can end the session and remove this machine's key there.");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Whether the issuer refuses because there is nothing left to end: key, token or account are gone.
fn ended_before(error: &anyhow::Error) -> bool {
    let gone = |error: &TokenError| {
        let refusal = error.refusal();
        refusal.is_some_and(|refusal| refusal.is(ErrorCode::InvalidToken) || refusal.is(ErrorCode::InvalidClient))
    };
    error.chain().any(
        |cause| match (cause.downcast_ref::<FlowError>(), cause.downcast_ref::<TokenError>()) {
            (Some(FlowError::SignInOver { .. } | FlowError::NotSignedIn { .. }), _) => true,
            (Some(FlowError::Token { error, .. }), _) | (_, Some(error)) => gone(error),
            _ => false,
        },
    )
}

/// Removing this machine's key ends the sign-ins that are bound to it. Where there is no such key, the refresh token is
/// revoked (RFC 7009).
async fn end_at_issuer(client: &Client) -> anyhow::Result<()> {
    let metadata = client.metadata().await?;
    let subject = client.flow.subject().context("no issuer is configured")?;
    let record = client.state.issuers.get(&client.issuer);
    let key = record.and_then(|record| record.key.as_ref());
    if let (Some(key), Some(endpoint)) = (key, &metadata.lanyard_connectors_endpoint) {
        let token = subject.issuer_access_token(&client.flow).await?;
        let answer = client
            .fetch
            .fetch(remove_key_request(endpoint, &token, &key.kid)?)
            .await?;
        return remove_key_response(&answer).context("this machine's key could not be removed");
    }
    let session = subject.session().await?;
    login::revoke(&client.fetch, &metadata, &client.identity, &session)
        .await
        .context("the sign-in could not be revoked")
}
