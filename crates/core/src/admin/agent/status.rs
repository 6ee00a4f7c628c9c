//! Approving, stopping and reviewing an agent.

use serde_json::json;

use crate::admin::agent::missing;
use crate::admin::denial::AdminDenial;
use crate::admin::permission::{Permission, require};
use crate::admin::token::Admin;
use crate::agent::orphan;
use crate::agent::record::{Agent, AgentStatus};
use crate::audit::record::{NewEvent, record};
use crate::cx::Cx;
use crate::directory::user::User;
use crate::outcome::Outcome;
use crate::store::{StoreError, Tx};

/// What is done to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It may act from now on: the approval of a staged one, the return of another.
    Activate,
    /// It is not in use; a staged one is turned down.
    Deactivate,
    /// It is stopped.
    Suspend,
    /// Somebody confirmed that it is still needed as it is.
    Review,
}

impl Act {
    const fn kind(self) -> &'static str {
        match self {
            Self::Activate => "admin.agent.activated",
            Self::Deactivate => "admin.agent.deactivated",
            Self::Suspend => "admin.agent.suspended",
            Self::Review => "admin.agent.reviewed",
        }
    }

    /// What waits is for approvers; what was decided before is changed by operators.
    const fn needs(self, status: AgentStatus) -> Permission {
        match (self, status) {
            (Self::Review, _) | (Self::Activate | Self::Deactivate, AgentStatus::Staged) => Permission::Approve,
            (Self::Activate | Self::Deactivate | Self::Suspend, _) => Permission::Write,
        }
    }
}

/// Does it. An agent that may not act any more loses what its client holds: written with the reserve; the jobs carry it
/// to the RAS.
///
/// # Errors
/// [`StoreError`] when the store fails.
pub fn act(
    cx: &Cx,
    tx: &mut dyn Tx,
    admin: &Admin,
    name: &str,
    act: Act,
) -> Result<Outcome<Agent, AdminDenial>, StoreError> {
    if let Err(denial) = require(admin, Permission::Approve) {
        return Ok(Outcome::Denied(denial));
    }
    let Some(listed) = tx.find_agent_by_name(name)? else {
        return Ok(Outcome::Denied(missing(name)));
    };
    tx.hold_agent(&listed.id)?;
    let Some(before) = tx.find_agent_by_name(name)? else {
        return Ok(Outcome::Denied(missing(name)));
    };
    if let Err(denial) = require(admin, act.needs(before.status)) {
        return Ok(Outcome::Denied(denial));
    }
    let mut after = before.clone();
    match act {
        Act::Activate => {
            after.status = AgentStatus::Active;
            after.orphaned = false;
        }
        Act::Deactivate => after.status = AgentStatus::Inactive,
        Act::Suspend => after.status = AgentStatus::Suspended,
        Act::Review => after.reviewed_at = Some(cx.now),
    }
    let people = orphan::owners(tx, &before.id)?;
    if let Err(denial) = may_be(&after, Some(&before), &people) {
        return Ok(Outcome::Denied(denial));
    }
    if after == before {
        return Ok(Outcome::Granted(before));
    }
    after.version += 1;
    after.updated_at = cx.now;
    tx.update_agent(&after)?;
    orphan::follow(cx, tx, Some(&before), &after)?;
    let shown = |agent: &Agent| json!({"status": agent.status, "reviewed_at": agent.reviewed_at});
    let event = NewEvent::granted(act.kind())
        .actor(admin.actor())
        .target(name)
        .detail("before", shown(&before));
    record(cx, tx, event.detail("after", shown(&after)))?;
    Ok(Outcome::Granted(after))
}

/// An agent acts only while somebody active answers for it.
pub(super) fn may_be(wanted: &Agent, before: Option<&Agent>, owners: &[User]) -> Result<(), AdminDenial> {
    let becomes = wanted.status == AgentStatus::Active && before.is_none_or(|before| before.status != wanted.status);
    if becomes && !owners.iter().any(User::is_active) {
        let problem = "nobody active answers for the agent; add an owner first";
        return Err(AdminDenial::invalid("owners", problem));
    }
    Ok(())
}
