//! What happens to agents when somebody who answers for them leaves.
//!
//! Owns the suspension of an orphaned agent and the cut-off of its client. Never deactivates a person.

use serde_json::json;

use crate::agent::record::{Agent, AgentStatus};
use crate::audit::event::Actor;
use crate::audit::record::{NewEvent, record};
use crate::client::registration::Client;
use crate::cx::Cx;
use crate::directory::user::User;
use crate::id::{AgentId, ClientKey};
use crate::jobs::outbox::{Job, Task};
use crate::store::{StoreError, Tx};

/// Suspends every active agent for which nobody active answers any more, now that this person is deactivated; others
/// that lost their last owner are marked. In the unit of the deactivation, and it gives the jobs that carry the cut-off
/// to the RAS.
///
/// # Errors
/// [`StoreError`].
pub fn owner_left(cx: &Cx, tx: &mut dyn Tx, actor: &Actor, user: &User) -> Result<Vec<Job>, StoreError> {
    let mut jobs = Vec::new();
    for listed in tx.list_agents_owned_by(&user.id)? {
        // Two owners who leave at once see each other: what was read before is read again.
        tx.hold_agent(&listed.id)?;
        let Some(agent) = tx.find_agent_by_name(&listed.name)? else {
            continue;
        };
        let owners = owners(tx, &agent.id)?;
        if agent.orphaned || owners.iter().any(User::is_active) {
            continue;
        }
        let status = match agent.status {
            AgentStatus::Active | AgentStatus::Suspended => AgentStatus::Suspended,
            waiting @ (AgentStatus::Staged | AgentStatus::Inactive) => waiting,
        };
        let after = Agent {
            status,
            orphaned: true,
            version: agent.version + 1,
            updated_at: cx.now,
            ..agent.clone()
        };
        tx.update_agent(&after)?;
        jobs.extend(follow(cx, tx, Some(&agent), &after)?);
        let event = NewEvent::granted("admin.agent.orphaned")
            .actor(actor.clone())
            .target(&agent.name)
            .detail("last_owner", user.username.as_str())
            .detail("before", json!({"status": agent.status}))
            .detail("after", json!({"status": after.status, "orphaned": true}));
        record(cx, tx, event)?;
    }
    Ok(jobs)
}

/// The people who answer for an agent, in the order of their user name.
///
/// # Errors
/// [`StoreError`].
pub fn owners(tx: &mut dyn Tx, agent: &AgentId) -> Result<Vec<User>, StoreError> {
    let mut people = Vec::new();
    for id in tx.list_agent_owners(agent)? {
        people.extend(tx.find_user(&id)?);
    }
    people.sort_by(|a, b| a.username.cmp(&b.username));
    Ok(people)
}

/// Writes the status of an agent into the row of its client, where every decision reads it; when it may not act any
/// more, ends what the client holds. The job carries that to the RAS.
///
/// # Errors
/// [`StoreError`].
pub fn follow(cx: &Cx, tx: &mut dyn Tx, before: Option<&Agent>, after: &Agent) -> Result<Option<Job>, StoreError> {
    let Some(key) = &after.client else { return Ok(None) };
    let Some(client) = tx.find_client_by_key(key)? else {
        return Ok(None);
    };
    if client.agent != Some(after.status) {
        // The version tells what is under way that the client is another one now.
        tx.update_client(&Client {
            agent: Some(after.status),
            version: client.version + 1,
            updated_at: cx.now,
            ..client
        })?;
    }
    let acted = before.is_none_or(|before| before.status == AgentStatus::Active || before.client.is_none());
    if acted && after.status != AgentStatus::Active {
        end_access(cx, tx, key).map(Some)
    } else {
        Ok(None)
    }
}

/// Ends what a client holds: its refresh tokens here, by a job its access tokens at our RAS.
fn end_access(cx: &Cx, tx: &mut dyn Tx, client: &ClientKey) -> Result<Job, StoreError> {
    tx.end_families_of_client(client, cx.now)?;
    let job = Job::now(cx, Task::RevokeClient { client: client.clone() });
    tx.insert_job(&job)?;
    Ok(job)
}
