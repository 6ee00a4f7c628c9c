-- Portable columns: ids and names are text, times are integer microseconds UTC, booleans are 0 or 1,
-- documents are JSON text that SQL does not look into. The PostgreSQL folder holds the same tables.

CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Numbers that grow with every change of what they name.
CREATE TABLE versions (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO versions (name, value) VALUES ('policy', 0), ('connectors', 0), ('keys', 0), ('revocations', 0);

-- People and groups.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    email TEXT,
    display_name TEXT NOT NULL,
    status TEXT NOT NULL,
    not_before INTEGER,
    search TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    password_hash TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_groups (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE memberships (
    user_id TEXT NOT NULL REFERENCES users (id),
    group_id TEXT NOT NULL REFERENCES user_groups (id),
    since INTEGER NOT NULL,
    PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX memberships_group ON memberships (group_id);

-- Clients of both sides.

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    side TEXT NOT NULL,
    client_id TEXT NOT NULL,
    name TEXT NOT NULL,
    auth TEXT NOT NULL,
    legacy_assertion_audience INTEGER NOT NULL,
    grants TEXT NOT NULL,
    redirect_uris TEXT NOT NULL,
    post_logout_redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    subject_mode TEXT NOT NULL,
    introspects TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (side, client_id)
) STRICT;

CREATE TABLE client_secrets (
    id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL REFERENCES clients (id),
    kind TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX client_secrets_client ON client_secrets (client);

CREATE TABLE client_keys (
    client TEXT NOT NULL REFERENCES clients (id),
    kid TEXT NOT NULL,
    jwk TEXT NOT NULL,
    holder_user TEXT,
    holder_issuer TEXT,
    holder_subject TEXT,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (client, kid)
) STRICT;
CREATE INDEX client_keys_unheld ON client_keys (client) WHERE holder_user IS NULL AND holder_issuer IS NULL;
CREATE INDEX client_keys_user ON client_keys (holder_user) WHERE holder_user IS NOT NULL;
CREATE INDEX client_keys_subject ON client_keys (holder_issuer, holder_subject) WHERE holder_issuer IS NOT NULL;

-- What the IdP issues for.

CREATE TABLE audiences (
    id TEXT NOT NULL PRIMARY KEY,
    issuer TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    subject_mode TEXT NOT NULL,
    aud_tenant TEXT,
    allow_missing_resource INTEGER NOT NULL,
    id_jag_ttl_seconds INTEGER NOT NULL,
    enabled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE client_mappings (
    client TEXT NOT NULL REFERENCES clients (id),
    audience TEXT NOT NULL REFERENCES audiences (id),
    ras_client_id TEXT NOT NULL,
    PRIMARY KEY (client, audience),
    UNIQUE (audience, ras_client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE connectors (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    mcp_url TEXT NOT NULL,
    resource TEXT NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    tools TEXT NOT NULL,
    upstream TEXT,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (audience, resource)
) STRICT;

CREATE TABLE rules (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL UNIQUE,
    effect TEXT NOT NULL,
    people TEXT NOT NULL,
    clients TEXT NOT NULL,
    connectors TEXT NOT NULL,
    scopes TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Whom and what the RAS knows.

CREATE TABLE tenants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    managed_only INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- tenant_claim: '' stands for none.
CREATE TABLE trusts (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    issuer TEXT NOT NULL,
    tenant_claim TEXT NOT NULL,
    keys TEXT NOT NULL,
    algorithms TEXT NOT NULL,
    clients TEXT NOT NULL,
    resources TEXT NOT NULL,
    scopes TEXT,
    max_id_jag_ttl_seconds INTEGER NOT NULL,
    access_token_ttl_seconds INTEGER NOT NULL,
    scope_rule TEXT NOT NULL,
    just_in_time INTEGER NOT NULL,
    aud_tenant TEXT,
    enabled INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (issuer, tenant_claim)
) STRICT;

CREATE TABLE resources (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    default_scopes TEXT NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
    id TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL REFERENCES tenants (id),
    origin TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    not_before INTEGER,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX accounts_tenant ON accounts (tenant, id);

-- issuer_tenant: '' stands for none.
CREATE TABLE account_links (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    issuer_tenant TEXT NOT NULL,
    tenant TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES accounts (id),
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject, issuer_tenant, tenant)
) STRICT, WITHOUT ROWID;
CREATE INDEX account_links_account ON account_links (account);

CREATE TABLE access_grants (
    jti TEXT NOT NULL PRIMARY KEY,
    tenant TEXT NOT NULL,
    account TEXT NOT NULL,
    client_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    id_jag_jti TEXT NOT NULL,
    sid TEXT,
    auth_time INTEGER,
    acr TEXT,
    amr TEXT,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
-- One index that grows at its end only: revoking by account or client looks through the live part of it. An index
-- by account would write a page of its own for nearly every grant.
CREATE INDEX access_grants_live ON access_grants (expires_at, account, client_id);

CREATE TABLE revocations (
    sequence INTEGER NOT NULL PRIMARY KEY,
    revoked TEXT NOT NULL,
    at INTEGER NOT NULL,
    keep_until INTEGER NOT NULL
) STRICT;
CREATE INDEX revocations_expiry ON revocations (keep_until);

-- Everything that may be used once.

CREATE TABLE used_once (
    scope TEXT NOT NULL,
    kind TEXT NOT NULL,
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (scope, kind, issuer, jti)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_expiry ON used_once (keep_until);

-- Sign-ins.

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    secret_hash BLOB NOT NULL UNIQUE,
    auth_time INTEGER NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by_admin INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE codes (
    hash BLOB NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    scope TEXT NOT NULL,
    nonce TEXT,
    code_challenge TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    family TEXT
) STRICT;
CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE refresh_families (
    id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL,
    bound_kid TEXT,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    offline INTEGER NOT NULL,
    scope TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    acr TEXT NOT NULL,
    amr TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX refresh_families_session ON refresh_families (session_id);
CREATE INDEX refresh_families_user ON refresh_families (user_id);
CREATE INDEX refresh_families_client ON refresh_families (client, bound_kid);
CREATE INDEX refresh_families_expiry ON refresh_families (expires_at);
CREATE INDEX refresh_families_ended ON refresh_families (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    hash BLOB NOT NULL PRIMARY KEY,
    family TEXT NOT NULL,
    generation INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    rotated_at INTEGER,
    UNIQUE (family, generation)
) STRICT;
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Keys, administrators, jobs.

CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    ring TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    public TEXT NOT NULL,
    private BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    activates_at INTEGER NOT NULL,
    retired_at INTEGER,
    remove_after INTEGER
) STRICT;

CREATE TABLE admin_tokens (
    id TEXT NOT NULL PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE TABLE owner_claims (
    slot INTEGER NOT NULL PRIMARY KEY CHECK (slot = 1),
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;

CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    task TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    leased_until INTEGER
) STRICT;
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE leases (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;

-- The audit log: events as they are written; seals apart, so that sealing rewrites no event.

CREATE TABLE audit_events (
    position INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL,
    subject TEXT,
    client_id TEXT,
    request_id TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX audit_events_request ON audit_events (request_id);

CREATE TABLE audit_seals (
    position INTEGER NOT NULL PRIMARY KEY,
    sequence INTEGER NOT NULL UNIQUE,
    hash TEXT NOT NULL
) STRICT;

-- Events by subject, filled when they are sealed: many at once share the pages that one at a time would each write.
-- Until then there are few, and they are looked through.
CREATE TABLE audit_subjects (
    subject TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (subject, position)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_seals_subjects AFTER INSERT ON audit_seals BEGIN
    INSERT INTO audit_subjects (subject, position)
    SELECT e.subject, e.position FROM audit_events e WHERE e.position = new.position AND e.subject IS NOT NULL;
END;

CREATE TABLE audit_checkpoints (
    sequence INTEGER NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    at INTEGER NOT NULL,
    signature TEXT NOT NULL
) STRICT;
