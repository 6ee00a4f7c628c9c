-- Upstream identity providers, links of people to them, sign-ins under way.

CREATE TABLE connections (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    settings TEXT NOT NULL,
    preset TEXT NOT NULL,
    domains TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    just_in_time INTEGER NOT NULL,
    link_by TEXT NOT NULL,
    mapping TEXT NOT NULL,
    secret BLOB,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- A domain belongs to one connection.
CREATE TABLE connection_domains (
    domain TEXT NOT NULL PRIMARY KEY,
    connection TEXT NOT NULL REFERENCES connections (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX connection_domains_connection ON connection_domains (connection);

CREATE TABLE person_links (
    connection TEXT NOT NULL REFERENCES connections (id),
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL,
    origin TEXT NOT NULL,
    linked_at INTEGER NOT NULL,
    last_seen_at INTEGER,
    PRIMARY KEY (connection, subject),
    UNIQUE (connection, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_links_user ON person_links (user_id);

-- Which memberships a connection made: only those it takes away again.
CREATE TABLE upstream_memberships (
    connection TEXT NOT NULL REFERENCES connections (id),
    user_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    PRIMARY KEY (connection, user_id, group_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sign_in_attempts (
    handle_hash BLOB NOT NULL PRIMARY KEY,
    browser_hash BLOB NOT NULL,
    connection TEXT NOT NULL,
    connection_version INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    request TEXT NOT NULL,
    nonce TEXT NOT NULL,
    verifier BLOB,
    max_age INTEGER,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    report TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_in_attempts_expiry ON sign_in_attempts (expires_at);
CREATE INDEX sign_in_attempts_connection ON sign_in_attempts (connection);
