-- Who administers, and the registry of agents.

-- A role given to a person or to a group; the prefix of the holder's id tells which.
CREATE TABLE admin_grants (
    holder TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL,
    provisioned INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agents (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    purpose TEXT NOT NULL,
    vendor TEXT,
    software TEXT,
    status TEXT NOT NULL,
    orphaned INTEGER NOT NULL,
    client TEXT UNIQUE REFERENCES clients (id),
    reviewed_at INTEGER,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE agent_owners (
    agent TEXT NOT NULL REFERENCES agents (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    since INTEGER NOT NULL,
    PRIMARY KEY (agent, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX agent_owners_user ON agent_owners (user_id);

-- The status of the agent that a client belongs to stands in the client's row, so that an exchange reads it with the
-- client. Written in the unit that changes the agent.
ALTER TABLE clients ADD COLUMN agent_status TEXT;
-- Grants minted for a client of the RAS before this moment buy nothing any more.
ALTER TABLE clients ADD COLUMN not_before INTEGER;
