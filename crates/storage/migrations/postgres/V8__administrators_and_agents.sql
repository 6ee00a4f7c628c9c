-- Who administers, and the registry of agents.

-- A role given to a person or to a group; the prefix of the holder's id tells which.
CREATE TABLE admin_grants (
    holder TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role TEXT COLLATE "C" NOT NULL,
    provisioned BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE agents (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    title TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    vendor TEXT COLLATE "C",
    software TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    orphaned BIGINT NOT NULL,
    client TEXT COLLATE "C" UNIQUE REFERENCES clients (id),
    reviewed_at BIGINT,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE agent_owners (
    agent TEXT COLLATE "C" NOT NULL REFERENCES agents (id),
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    since BIGINT NOT NULL,
    PRIMARY KEY (agent, user_id)
);
CREATE INDEX agent_owners_user ON agent_owners (user_id);

-- The status of the agent that a client belongs to stands in the client's row, so that an exchange reads it with the
-- client. Written in the unit that changes the agent.
ALTER TABLE clients ADD COLUMN agent_status TEXT COLLATE "C";
-- Grants minted for a client of the RAS before this moment buy nothing any more.
ALTER TABLE clients ADD COLUMN not_before BIGINT;
