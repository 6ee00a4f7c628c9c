//! Agents and the people who answer for them.

use crate::agent::record::Agent;
use crate::clock::Timestamp;
use crate::id::{AgentId, ClientKey, UserId};
use crate::store::StoreError;
use crate::store::page::{Page, PageRequest};

/// The registry of agents.
pub trait AgentStore {
    /// The agent of this name.
    fn find_agent_by_name(&mut self, name: &str) -> Result<Option<Agent>, StoreError>;
    /// The agent that a client at the IdP belongs to.
    fn find_agent_of_client(&mut self, client: &ClientKey) -> Result<Option<Agent>, StoreError>;
    /// Agents in the order of their name.
    fn list_agents(&mut self, page: &PageRequest) -> Result<Page<Agent>, StoreError>;
    /// Every agent that a person answers for, in the order of its name.
    fn list_agents_owned_by(&mut self, user: &UserId) -> Result<Vec<Agent>, StoreError>;
    /// Writes a new agent. [`StoreError::Conflict`] when name or client are taken.
    fn insert_agent(&mut self, agent: &Agent) -> Result<(), StoreError>;
    /// Writes a changed agent whose stored version is `agent.version - 1`.
    fn update_agent(&mut self, agent: &Agent) -> Result<(), StoreError>;
    /// Removes an agent and its owners; `false` when it did not exist.
    fn remove_agent(&mut self, id: &AgentId) -> Result<bool, StoreError>;
    /// Holds an agent until the commit: two units that change its owners, or their state, see each other.
    fn hold_agent(&mut self, id: &AgentId) -> Result<(), StoreError>;

    /// The people who answer for an agent, also those who are deactivated, in the order of their id.
    fn list_agent_owners(&mut self, agent: &AgentId) -> Result<Vec<UserId>, StoreError>;
    /// Adds an owner; `false` when they were one already.
    fn insert_agent_owner(&mut self, agent: &AgentId, user: &UserId, at: Timestamp) -> Result<bool, StoreError>;
    /// Removes an owner; `false` when they were none.
    fn remove_agent_owner(&mut self, agent: &AgentId, user: &UserId) -> Result<bool, StoreError>;
}
