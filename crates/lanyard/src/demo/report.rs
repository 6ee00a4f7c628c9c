//! What the demo saw, as data and in its last words.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use crate::demo::Teller;

/// Everything that was seen; `--json` prints it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether every step was as told.
    pub passed: bool,
    /// What was not.
    pub failures: Vec<String>,
    /// All of it.
    pub seconds: f64,
    /// Everybody signed in and provisioned.
    pub rollout: Rollout,
    /// One employee's tools, by connector.
    pub tools: BTreeMap<String, ToolsSeen>,
    /// A contractor refused.
    pub contractor: Refusal,
    /// Fewer scopes than asked for.
    pub narrowed: Narrowed,
    /// Accounts that the company does not manage.
    pub personal: Personal,
    /// Somebody cut off.
    pub leaver: Leaver,
    /// The audit trail.
    pub audit: Audit,
}

/// The roll-out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Rollout {
    /// Employees signed in with their passwords.
    pub signed_in: usize,
    /// Seconds for it.
    pub sign_in_seconds: f64,
    /// Consent prompts met.
    pub consent_prompts: u32,
    /// ID-JAGs issued.
    pub id_jags: usize,
    /// Access tokens issued.
    pub access_tokens: usize,
    /// Seconds for both legs of all.
    pub chain_seconds: f64,
    /// Chains by the scopes that were granted.
    pub scopes: BTreeMap<String, usize>,
}

/// What one employee can do at a connector.
#[derive(Debug, Default, Serialize)]
pub(super) struct ToolsSeen {
    /// Tools listed by the gateway.
    pub tools: Vec<String>,
    /// The one that was called.
    pub called: String,
    /// What it answered.
    pub answer: String,
}

/// A refusal from both sides.
#[derive(Debug, Default, Serialize)]
pub(super) struct Refusal {
    /// Who.
    pub person: String,
    /// What was wanted.
    pub connector: String,
    /// What the client sees.
    pub error: String,
    /// Its neutral sentence.
    pub error_description: String,
    /// By which the administrator finds the reason.
    pub request_id: String,
    /// The exact reason in the audit log.
    pub reason: String,
    /// What the policy says, for an administrator.
    pub because: Vec<String>,
}

/// A narrowed grant.
#[derive(Debug, Default, Serialize)]
pub(super) struct Narrowed {
    /// Who.
    pub person: String,
    /// Asked for.
    pub requested: String,
    /// Got.
    pub granted: String,
}

/// Both doors that stay closed to personal accounts.
#[derive(Debug, Default, Serialize)]
pub(super) struct Personal {
    /// The error at the authorization endpoint.
    pub interactive_error: String,
    /// The issuer named in that answer.
    pub interactive_iss: String,
    /// The error for an ID-JAG of an issuer nobody trusts.
    pub untrusted_error: String,
    /// Requests that the untrusted issuer got from us.
    pub outbound_requests: usize,
}

/// A cut-off.
#[derive(Debug, Default, Serialize)]
pub(super) struct Leaver {
    /// Who.
    pub person: String,
    /// From the administrator's request to its answer, milliseconds.
    pub deactivation_ms: f64,
    /// The next exchange.
    pub exchange_error: String,
    /// The next call's HTTP status.
    pub call_status: u16,
    /// From the administrator's request to the refused call, milliseconds.
    pub refused_after_ms: f64,
}

/// The trail.
#[derive(Debug, Default, Serialize)]
pub(super) struct Audit {
    /// Events about the leaver.
    pub events_of_person: usize,
    /// Their kinds, oldest first.
    pub kinds: Vec<String>,
    /// Sealed events verified.
    pub verified: u64,
    /// Checkpoints verified.
    pub checkpoints: u64,
    /// Whether the chain is whole.
    pub intact: bool,
}

impl Report {
    /// The last words and the exit code.
    pub(crate) fn end(mut self, teller: &Teller) -> anyhow::Result<ExitCode> {
        self.passed = self.failures.is_empty();
        if teller.json {
            teller.ui.json(&self)?;
        } else if self.passed {
            teller.title(&format!("All of it as told, in {:.0} s.", self.seconds));
            teller.line("Try next:");
            teller.line("  lanyard lab                 the same on fixed ports, with people and clients to sign in");
            teller.line("  lanyard login --issuer http://127.0.0.1:4500 && lanyard connectors");
            teller.line("  lanyard serve --config …    run it for real: docs/running.md");
        } else {
            teller.title("Not as told:");
            for failure in &self.failures {
                teller.line(&format!("- {failure}"));
            }
        }
        Ok(if self.passed {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
