-- Directories that provision people and groups (SCIM), their tokens, and what each says about its own.

CREATE TABLE directories (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    adopts BIGINT NOT NULL,
    strict_paths BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE directory_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    directory TEXT COLLATE "C" NOT NULL REFERENCES directories (id),
    hash BYTEA NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT
);
CREATE INDEX directory_tokens_directory ON directory_tokens (directory, id);

-- Names and addresses are in lower case here, as filters compare them; the document has them as they were sent.
CREATE TABLE scim_users (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id),
    directory TEXT COLLATE "C" NOT NULL REFERENCES directories (id),
    external_id TEXT COLLATE "C",
    display_name TEXT COLLATE "C",
    given_name TEXT COLLATE "C",
    family_name TEXT COLLATE "C",
    employee_number TEXT COLLATE "C",
    manager TEXT COLLATE "C",
    document TEXT COLLATE "C" NOT NULL
);
CREATE INDEX scim_users_directory ON scim_users (directory, user_id);
CREATE UNIQUE INDEX scim_users_external_id ON scim_users (directory, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX scim_users_display_name ON scim_users (display_name) WHERE display_name IS NOT NULL;

CREATE TABLE scim_emails (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES scim_users (user_id),
    place BIGINT NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C",
    is_primary BIGINT NOT NULL,
    PRIMARY KEY (user_id, place)
);
CREATE INDEX scim_emails_value ON scim_emails (value);

CREATE TABLE scim_groups (
    group_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES user_groups (id),
    directory TEXT COLLATE "C" NOT NULL REFERENCES directories (id),
    external_id TEXT COLLATE "C",
    display_name TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX scim_groups_external_id ON scim_groups (directory, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX scim_groups_display_name ON scim_groups (directory, display_name);
