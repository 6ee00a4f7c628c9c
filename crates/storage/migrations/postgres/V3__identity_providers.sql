-- Upstream identity providers, links of people to them, sign-ins under way.

CREATE TABLE connections (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    title TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    preset TEXT COLLATE "C" NOT NULL,
    domains TEXT COLLATE "C" NOT NULL,
    is_default BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    just_in_time BIGINT NOT NULL,
    link_by TEXT COLLATE "C" NOT NULL,
    mapping TEXT COLLATE "C" NOT NULL,
    secret BYTEA,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- A domain belongs to one connection.
CREATE TABLE connection_domains (
    domain TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    connection TEXT COLLATE "C" NOT NULL REFERENCES connections (id)
);
CREATE INDEX connection_domains_connection ON connection_domains (connection);

CREATE TABLE person_links (
    connection TEXT COLLATE "C" NOT NULL REFERENCES connections (id),
    subject TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    linked_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    PRIMARY KEY (connection, subject),
    UNIQUE (connection, user_id)
);
CREATE INDEX person_links_user ON person_links (user_id);

-- Which memberships a connection made: only those it takes away again.
CREATE TABLE upstream_memberships (
    connection TEXT COLLATE "C" NOT NULL REFERENCES connections (id),
    user_id TEXT COLLATE "C" NOT NULL,
    group_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (connection, user_id, group_id)
);

CREATE TABLE sign_in_attempts (
    handle_hash BYTEA NOT NULL PRIMARY KEY,
    browser_hash BYTEA NOT NULL,
    connection TEXT COLLATE "C" NOT NULL,
    connection_version BIGINT NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    request TEXT COLLATE "C" NOT NULL,
    nonce TEXT COLLATE "C" NOT NULL,
    verifier BYTEA,
    max_age BIGINT,
    asked_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    report TEXT COLLATE "C"
);
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
CREATE INDEX sign_in_attempts_connection ON sign_in_attempts (connection);
