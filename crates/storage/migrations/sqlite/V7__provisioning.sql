-- Directories that provision people and groups (SCIM), their tokens, and what each says about its own.

CREATE TABLE directories (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    adopts INTEGER NOT NULL,
    strict_paths INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE directory_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    directory TEXT NOT NULL REFERENCES directories (id),
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE INDEX directory_tokens_directory ON directory_tokens (directory, id);

-- Names and addresses are in lower case here, as filters compare them; the document has them as they were sent.
CREATE TABLE scim_users (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    directory TEXT NOT NULL REFERENCES directories (id),
    external_id TEXT,
    display_name TEXT,
    given_name TEXT,
    family_name TEXT,
    employee_number TEXT,
    manager TEXT,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_users_directory ON scim_users (directory, user_id);
CREATE UNIQUE INDEX scim_users_external_id ON scim_users (directory, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX scim_users_display_name ON scim_users (display_name) WHERE display_name IS NOT NULL;

CREATE TABLE scim_emails (
    user_id TEXT NOT NULL REFERENCES scim_users (user_id),
    place INTEGER NOT NULL,
    value TEXT NOT NULL,
    kind TEXT,
    is_primary INTEGER NOT NULL,
    PRIMARY KEY (user_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX scim_emails_value ON scim_emails (value);

CREATE TABLE scim_groups (
    group_id TEXT NOT NULL PRIMARY KEY REFERENCES user_groups (id),
    directory TEXT NOT NULL REFERENCES directories (id),
    external_id TEXT,
    display_name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX scim_groups_external_id ON scim_groups (directory, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX scim_groups_display_name ON scim_groups (directory, display_name);
