//! What a failed client command tells the person, and its exit code.
//!
//! Owns the words and the codes: 0 done, 1 failed, 2 usage, 3 not signed in, 4 denied by policy. Never ends the process.

use std::process::ExitCode;
use std::sync::Arc;

use lanyard_client::flow_error::FlowError;
use lanyard_client::sign_in::SignInError;
use lanyard_client::token_endpoint::TokenError;
use lanyard_core::directory::name::is_hidden;
use lanyard_fetch::{FetchError, MetadataError};
use lanyard_protocol::issuer::Issuer;
use lanyard_protocol::oauth::error::ErrorCode;

/// Not signed in.
pub(crate) const NOT_SIGNED_IN: u8 = 3;
/// Denied by policy.
pub(crate) const DENIED: u8 = 4;

const REACH: &str = "Check the address and the network. Servers on private addresses need an entry in [outbound] allow \
                     of client.toml.";

/// Why a command ended early: what happened, what to do, and the code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{happened}")]
pub(crate) struct Ending {
    pub(crate) code: u8,
    pub(crate) happened: String,
    pub(crate) remedy: Option<String>,
    pub(crate) request_id: Option<String>,
}

impl Ending {
    /// Nobody is signed in.
    pub(crate) fn not_signed_in(issuer: Option<&Issuer>) -> Self {
        let at = issuer.map_or("URL", Issuer::as_str);
        Self {
            code: NOT_SIGNED_IN,
            happened: "You are not signed in.".to_owned(),
            remedy: Some(format!("Sign in with: lanyard login --issuer {at}")),
            request_id: None,
        }
    }

    /// No connector of this name.
    pub(crate) fn unknown_connector(name: &str) -> Self {
        Self {
            code: DENIED,
            happened: format!("There is no connector `{name}` that you may reach."),
            remedy: Some(
                "`lanyard connectors` lists what you may reach. An administrator can add a rule for you.".to_owned(),
            ),
            request_id: None,
        }
    }

    /// Sorts an error of a command; one that is none of ours is told with its causes.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        for cause in error.chain() {
            if let Some(ending) = cause.downcast_ref::<Self>() {
                return ending.clone();
            }
            if let Some(SignInError::Refused { code, .. }) = cause.downcast_ref::<SignInError>()
                && let Some(ending) = Self::of_refused_sign_in(code, &cause.to_string())
            {
                return ending;
            }
            if let Some(flow) = cause.downcast_ref::<FlowError>() {
                return Self::of_flow(flow);
            }
            if let Some(flow) = cause.downcast_ref::<Arc<FlowError>>() {
                return Self::of_flow(flow);
            }
            if let Some(TokenError::Refused(refusal)) = cause.downcast_ref::<TokenError>() {
                return Self::failed(&sentence(&format!("{error:#}")), None).with_request(refusal.request_id.clone());
            }
        }
        let unreachable = error
            .chain()
            .any(|cause| cause.is::<FetchError>() || cause.is::<MetadataError>());
        Self::failed(&sentence(&format!("{error:#}")), unreachable.then_some(REACH))
    }

    /// Puts the flow's ending into words.
    pub(crate) fn of_flow(error: &FlowError) -> Self {
        let request_id = error.request_id().map(str::to_owned);
        let ending = match error {
            FlowError::NotSignedIn { issuer } => Self::not_signed_in(Some(issuer)),
            FlowError::SignInOver { issuer, .. } => Self {
                code: NOT_SIGNED_IN,
                happened: format!("Your sign-in at {issuer} is over."),
                remedy: Some(format!("Sign in again with: lanyard login --issuer {issuer}")),
                request_id: None,
            },
            FlowError::SignIn(SignInError::Refused { code, .. }) => {
                let told = error.to_string();
                Self::of_refused_sign_in(code, &told).unwrap_or_else(|| Self::failed(&sentence(&told), None))
            }
            FlowError::OtherPerson => Self::failed(
                "Somebody else signed in. Nothing was changed.",
                Some("To go on as another person sign in with: lanyard login"),
            ),
            FlowError::StepUp { acr_values, max_age } => Self {
                code: NOT_SIGNED_IN,
                happened: "A stronger or more recent sign-in is needed for this.".to_owned(),
                remedy: Some(step_up_remedy(acr_values.as_deref(), *max_age)),
                request_id: None,
            },
            // A key that was removed or ran out, or that died with its person's account.
            FlowError::Token { error, .. } if is_invalid_client(error) => Self {
                code: NOT_SIGNED_IN,
                happened: "This machine's credential is not accepted any more.".to_owned(),
                remedy: Some("Sign in again with `lanyard login`; if that fails, ask an administrator.".to_owned()),
                request_id: None,
            },
            FlowError::Denied { refusal, .. } => Self::denied(&format!(
                "Your organisation's policy does not permit this ({}).",
                refusal.description.as_deref().unwrap_or(&refusal.code)
            )),
            FlowError::ScopeWithheld { missing } => {
                Self::denied(&format!("This needs the scopes {missing}, which you were not granted."))
            }
            FlowError::Forbidden => Self::denied("The server forbids this call."),
            FlowError::NotManaged { mcp_url, issuer } => Self::failed(
                &format!("{mcp_url} is not managed by your organisation (its authorization server is {issuer})."),
                Some("Ask an administrator to add it as a connector, or add a [[ras]] entry to client.toml."),
            ),
            FlowError::NoCredentials { issuer } => Self::failed(
                &format!("This program has no client credentials for {issuer}."),
                Some("Sign in again to enrol this machine there, or add a [[ras]] entry to client.toml."),
            ),
            FlowError::Rejected => Self::failed(
                "The server refuses a token that was just issued for it.",
                Some(
                    "Its administrator should compare the resource identifier and the trusted issuer with those of the token (`lanyard inspect`).",
                ),
            ),
            other => Self::failed(&sentence(&other.to_string()), remedy_for(other)),
        };
        if ending.request_id.is_some() {
            ending
        } else {
            ending.with_request(request_id)
        }
    }

    /// A sign-in that the IdP refused for a reason that the person should know.
    fn of_refused_sign_in(code: &str, told: &str) -> Option<Self> {
        match code {
            "access_denied" => Some(Self::denied(&format!("{told}."))),
            "unmet_authentication_requirements" => Some(Self {
                code: NOT_SIGNED_IN,
                happened: "A stronger sign-in is needed than the one you made.".to_owned(),
                remedy: Some(
                    "Set up a second factor or a passkey at your organisation's issuer, then try again.".to_owned(),
                ),
                request_id: None,
            }),
            _ => None,
        }
    }

    fn denied(happened: &str) -> Self {
        Self {
            code: DENIED,
            happened: happened.to_owned(),
            remedy: Some("An administrator can see the reason and change the rule.".to_owned()),
            request_id: None,
        }
    }

    /// Anything else that went wrong.
    pub(crate) fn failed(happened: &str, remedy: Option<&str>) -> Self {
        Self {
            code: 1,
            happened: happened.to_owned(),
            remedy: remedy.map(str::to_owned),
            request_id: None,
        }
    }

    fn with_request(mut self, request_id: Option<String>) -> Self {
        self.request_id = request_id;
        self
    }

    /// Prints the ending to stderr and gives the code.
    pub(crate) fn tell(&self) -> ExitCode {
        eprintln!("error: {}", plain(&self.happened));
        if let Some(remedy) = &self.remedy {
            eprintln!("  {}", plain(remedy));
        }
        if let Some(request_id) = &self.request_id {
            eprintln!("  Request id for your administrator: {}", plain(request_id));
        }
        ExitCode::from(self.code)
    }
}

fn is_invalid_client(error: &TokenError) -> bool {
    error
        .refusal()
        .is_some_and(|refusal| refusal.is(ErrorCode::InvalidClient))
}

fn step_up_remedy(acr_values: Option<&str>, max_age: Option<u64>) -> String {
    let mut command = "Sign in again with: lanyard login".to_owned();
    if let Some(acr_values) = acr_values {
        command.push_str(&format!(" --acr-values '{acr_values}'"));
    }
    if let Some(max_age) = max_age {
        command.push_str(&format!(" --max-age {max_age}"));
    }
    command
}

/// Errors begin small because they are put together; a message to a person is a sentence.
fn sentence(text: &str) -> String {
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    // A path or a URL is written as it is.
    if text.split_whitespace().next().is_some_and(|word| word.contains('/')) {
        return format!("{text}{end}");
    }
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}{end}", chars.as_str())
}

const fn remedy_for(error: &FlowError) -> Option<&'static str> {
    match error {
        FlowError::Fetch(_) | FlowError::Metadata { .. } => Some(REACH),
        FlowError::Discovery(_) => Some("The MCP server's administrator should check its protected resource metadata."),
        FlowError::Token { .. } => Some("If it stays so, sign in again or ask an administrator."),
        _ => None,
    }
}

/// Foreign text for the terminal: hidden characters (but line breaks and tabs) are shown as spaces.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| {
            if is_hidden(c) && !matches!(c, '\n' | '\t') {
                ' '
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_ending_has_its_code() {
        let issuer = Issuer::parse("https://idp.example").unwrap();
        assert_eq!(Ending::of_flow(&FlowError::NotSignedIn { issuer }).code, 3);
        assert_eq!(
            Ending::of_flow(&FlowError::StepUp {
                acr_values: None,
                max_age: Some(60)
            })
            .code,
            3
        );
        assert_eq!(Ending::of_flow(&FlowError::Forbidden).code, 4);
        assert_eq!(Ending::of_flow(&FlowError::Rejected).code, 1);
    }

    #[test]
    fn a_wrapped_flow_error_is_found() {
        let error = anyhow::Error::new(FlowError::Forbidden).context("while calling");
        assert_eq!(Ending::of(&error).code, 4);
    }

    #[test]
    fn step_up_names_the_command_su_03() {
        let ending = Ending::of_flow(&FlowError::StepUp {
            acr_values: Some("urn:x:mfa".into()),
            max_age: Some(300),
        });
        assert!(
            ending
                .remedy
                .unwrap()
                .ends_with("--acr-values 'urn:x:mfa' --max-age 300")
        );
    }

    #[test]
    fn foreign_text_cannot_command_the_terminal() {
        assert_eq!(plain("a\u{1b}]0;x\u{7}b"), "a ]0;x b");
    }
}
