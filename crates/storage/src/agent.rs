//! Agents and the people who answer for them.
//!
//! Owns the tables `agents` and `agent_owners`. The status in a client's row is written with the client (`client.rs`).

use lanyard_core::agent::record::{Agent, AgentStatus};
use lanyard_core::clock::Timestamp;
use lanyard_core::id::{AgentId, ClientKey, UserId};
use lanyard_core::store::StoreError;
use lanyard_core::store::agent::AgentStore;
use lanyard_core::store::page::{Page, PageRequest};

use crate::paging::{after, fetch, page};
use crate::row::Row;
use crate::sql::SqlTx;

fn agent(row: &mut Row<'_>) -> Result<Agent, StoreError> {
    Ok(Agent {
        id: row.id()?,
        name: row.text()?,
        title: row.text()?,
        purpose: row.text()?,
        vendor: row.maybe_text()?,
        software: row.maybe_text()?,
        status: row.one_of(&AgentStatus::ALL, AgentStatus::as_str)?,
        orphaned: row.flag()?,
        client: row.maybe_id()?,
        reviewed_at: row.maybe_time()?,
        version: row.int()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}

impl AgentStore for SqlTx<'_> {
    fn find_agent_by_name(&mut self, name: &str) -> Result<Option<Agent>, StoreError> {
        self.find(
            "SELECT id, name, title, purpose, vendor, software, status, orphaned, client, reviewed_at, version,
             created_at, updated_at FROM agents WHERE name = $1",
            &[name.into()],
            agent,
        )
    }

    fn find_agent_of_client(&mut self, client: &ClientKey) -> Result<Option<Agent>, StoreError> {
        self.find(
            "SELECT id, name, title, purpose, vendor, software, status, orphaned, client, reviewed_at, version,
             created_at, updated_at FROM agents WHERE client = $1",
            &[client.into()],
            agent,
        )
    }

    fn list_agents(&mut self, request: &PageRequest) -> Result<Page<Agent>, StoreError> {
        let items = self.list(
            "SELECT id, name, title, purpose, vendor, software, status, orphaned, client, reviewed_at, version,
             created_at, updated_at FROM agents WHERE name > $1 ORDER BY name LIMIT $2",
            &[after(request).into(), fetch(request).into()],
            agent,
        )?;
        Ok(page(items, request, |agent| &agent.name))
    }

    fn list_agents_owned_by(&mut self, user: &UserId) -> Result<Vec<Agent>, StoreError> {
        self.list(
            "SELECT a.id, a.name, a.title, a.purpose, a.vendor, a.software, a.status, a.orphaned, a.client,
             a.reviewed_at, a.version, a.created_at, a.updated_at
             FROM agent_owners o JOIN agents a ON a.id = o.agent WHERE o.user_id = $1 ORDER BY a.name",
            &[user.into()],
            agent,
        )
    }

    fn insert_agent(&mut self, agent: &Agent) -> Result<(), StoreError> {
        self.add(
            "agent name or client",
            "INSERT INTO agents (id, name, title, purpose, vendor, software, status, orphaned, client, reviewed_at,
             version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT DO NOTHING",
            &[
                (&agent.id).into(),
                (&agent.name).into(),
                (&agent.title).into(),
                (&agent.purpose).into(),
                agent.vendor.as_ref().into(),
                agent.software.as_ref().into(),
                agent.status.as_str().into(),
                agent.orphaned.into(),
                agent.client.as_ref().map(ClientKey::as_str).into(),
                agent.reviewed_at.into(),
                agent.version.into(),
                agent.created_at.into(),
                agent.updated_at.into(),
            ],
        )
    }

    fn update_agent(&mut self, agent: &Agent) -> Result<(), StoreError> {
        self.change(
            "agent",
            "UPDATE agents SET name = $1, title = $2, purpose = $3, vendor = $4, software = $5, status = $6,
             orphaned = $7, client = $8, reviewed_at = $9, version = $10, updated_at = $11
             WHERE id = $12 AND version = $13",
            &[
                (&agent.name).into(),
                (&agent.title).into(),
                (&agent.purpose).into(),
                agent.vendor.as_ref().into(),
                agent.software.as_ref().into(),
                agent.status.as_str().into(),
                agent.orphaned.into(),
                agent.client.as_ref().map(ClientKey::as_str).into(),
                agent.reviewed_at.into(),
                agent.version.into(),
                agent.updated_at.into(),
                (&agent.id).into(),
                agent.version.saturating_sub(1).into(),
            ],
        )
    }

    fn remove_agent(&mut self, id: &AgentId) -> Result<bool, StoreError> {
        self.execute("DELETE FROM agent_owners WHERE agent = $1", &[id.into()])?;
        self.touched("DELETE FROM agents WHERE id = $1", &[id.into()])
    }

    fn hold_agent(&mut self, id: &AgentId) -> Result<(), StoreError> {
        self.execute("UPDATE agents SET version = version WHERE id = $1", &[id.into()])?;
        Ok(())
    }

    fn list_agent_owners(&mut self, agent: &AgentId) -> Result<Vec<UserId>, StoreError> {
        self.list(
            "SELECT user_id FROM agent_owners WHERE agent = $1 ORDER BY user_id",
            &[agent.into()],
            |row| row.id(),
        )
    }

    fn insert_agent_owner(&mut self, agent: &AgentId, user: &UserId, at: Timestamp) -> Result<bool, StoreError> {
        self.touched(
            "INSERT INTO agent_owners (agent, user_id, since) VALUES ($1, $2, $3)
             ON CONFLICT (agent, user_id) DO NOTHING",
            &[agent.into(), user.into(), at.into()],
        )
    }

    fn remove_agent_owner(&mut self, agent: &AgentId, user: &UserId) -> Result<bool, StoreError> {
        self.touched(
            "DELETE FROM agent_owners WHERE agent = $1 AND user_id = $2",
            &[agent.into(), user.into()],
        )
    }
}
