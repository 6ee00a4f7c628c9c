-- Portable columns: ids and names are text, times are integer microseconds UTC, booleans are 0 or 1,
-- documents are JSON text that SQL does not look into. The SQLite folder holds the same tables.
-- COLLATE "C" orders text by its bytes, as SQLite does.

CREATE TABLE settings (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- Numbers that grow with every change of what they name.
CREATE TABLE versions (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO versions (name, value) VALUES ('policy', 0), ('connectors', 0), ('keys', 0), ('revocations', 0);

-- People and groups.

CREATE TABLE users (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    username TEXT COLLATE "C" NOT NULL UNIQUE,
    email TEXT COLLATE "C",
    display_name TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    not_before BIGINT,
    search TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE credentials (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id),
    password_hash TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE TABLE user_groups (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE memberships (
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (id),
    group_id TEXT COLLATE "C" NOT NULL REFERENCES user_groups (id),
    since BIGINT NOT NULL,
    PRIMARY KEY (user_id, group_id)
);
CREATE INDEX memberships_group ON memberships (group_id);

-- Clients of both sides.

CREATE TABLE clients (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    side TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    auth TEXT COLLATE "C" NOT NULL,
    legacy_assertion_audience BIGINT NOT NULL,
    grants TEXT COLLATE "C" NOT NULL,
    redirect_uris TEXT COLLATE "C" NOT NULL,
    post_logout_redirect_uris TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    subject_mode TEXT COLLATE "C" NOT NULL,
    introspects TEXT COLLATE "C" NOT NULL,
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (side, client_id)
);

CREATE TABLE client_secrets (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client TEXT COLLATE "C" NOT NULL REFERENCES clients (id),
    kind TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX client_secrets_client ON client_secrets (client);

CREATE TABLE client_keys (
    client TEXT COLLATE "C" NOT NULL REFERENCES clients (id),
    kid TEXT COLLATE "C" NOT NULL,
    jwk TEXT COLLATE "C" NOT NULL,
    holder_user TEXT COLLATE "C",
    holder_issuer TEXT COLLATE "C",
    holder_subject TEXT COLLATE "C",
    label TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (client, kid)
);
CREATE INDEX client_keys_unheld ON client_keys (client) WHERE holder_user IS NULL AND holder_issuer IS NULL;
CREATE INDEX client_keys_user ON client_keys (holder_user) WHERE holder_user IS NOT NULL;
CREATE INDEX client_keys_subject ON client_keys (holder_issuer, holder_subject) WHERE holder_issuer IS NOT NULL;

-- What the IdP issues for.

CREATE TABLE audiences (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    issuer TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    subject_mode TEXT COLLATE "C" NOT NULL,
    aud_tenant TEXT COLLATE "C",
    allow_missing_resource BIGINT NOT NULL,
    id_jag_ttl_seconds BIGINT NOT NULL,
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE client_mappings (
    client TEXT COLLATE "C" NOT NULL REFERENCES clients (id),
    audience TEXT COLLATE "C" NOT NULL REFERENCES audiences (id),
    ras_client_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (client, audience),
    UNIQUE (audience, ras_client_id)
);

CREATE TABLE connectors (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    title TEXT COLLATE "C" NOT NULL,
    mcp_url TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    audience TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    default_scopes TEXT COLLATE "C" NOT NULL,
    tools TEXT COLLATE "C" NOT NULL,
    upstream TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (audience, resource)
);

CREATE TABLE rules (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    title TEXT COLLATE "C" NOT NULL UNIQUE,
    effect TEXT COLLATE "C" NOT NULL,
    people TEXT COLLATE "C" NOT NULL,
    clients TEXT COLLATE "C" NOT NULL,
    connectors TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Whom and what the RAS knows.

CREATE TABLE tenants (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    managed_only BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- tenant_claim: '' stands for none.
CREATE TABLE trusts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    issuer TEXT COLLATE "C" NOT NULL,
    tenant_claim TEXT COLLATE "C" NOT NULL,
    keys TEXT COLLATE "C" NOT NULL,
    algorithms TEXT COLLATE "C" NOT NULL,
    clients TEXT COLLATE "C" NOT NULL,
    resources TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C",
    max_id_jag_ttl_seconds BIGINT NOT NULL,
    access_token_ttl_seconds BIGINT NOT NULL,
    scope_rule TEXT COLLATE "C" NOT NULL,
    just_in_time BIGINT NOT NULL,
    aud_tenant TEXT COLLATE "C",
    enabled BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (issuer, tenant_claim)
);

CREATE TABLE resources (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    default_scopes TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE accounts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    origin TEXT COLLATE "C" NOT NULL,
    enabled BIGINT NOT NULL,
    not_before BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX accounts_tenant ON accounts (tenant, id);

-- issuer_tenant: '' stands for none.
CREATE TABLE account_links (
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    issuer_tenant TEXT COLLATE "C" NOT NULL,
    tenant TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL REFERENCES accounts (id),
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject, issuer_tenant, tenant)
);
CREATE INDEX account_links_account ON account_links (account);

CREATE TABLE access_grants (
    jti TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    resource TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    id_jag_jti TEXT COLLATE "C" NOT NULL,
    sid TEXT COLLATE "C",
    auth_time BIGINT,
    acr TEXT COLLATE "C",
    amr TEXT COLLATE "C",
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX access_grants_account ON access_grants (account);
CREATE INDEX access_grants_expiry ON access_grants (expires_at);

CREATE TABLE revocations (
    sequence BIGINT NOT NULL PRIMARY KEY,
    revoked TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    keep_until BIGINT NOT NULL
);
CREATE INDEX revocations_expiry ON revocations (keep_until);

-- Everything that may be used once.

CREATE TABLE used_once (
    scope TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    jti TEXT COLLATE "C" NOT NULL,
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (scope, kind, issuer, jti)
);
CREATE INDEX used_once_expiry ON used_once (keep_until);

-- Sign-ins.

CREATE TABLE sessions (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL UNIQUE,
    auth_time BIGINT NOT NULL,
    acr TEXT COLLATE "C" NOT NULL,
    amr TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by_admin BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE codes (
    hash BYTEA NOT NULL PRIMARY KEY,
    client TEXT COLLATE "C" NOT NULL,
    user_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    redirect_uri TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    nonce TEXT COLLATE "C",
    code_challenge TEXT COLLATE "C" NOT NULL,
    auth_time BIGINT NOT NULL,
    acr TEXT COLLATE "C" NOT NULL,
    amr TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    family TEXT COLLATE "C"
);
CREATE INDEX codes_expiry ON codes (expires_at);

CREATE TABLE refresh_families (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client TEXT COLLATE "C" NOT NULL,
    bound_kid TEXT COLLATE "C",
    user_id TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    offline BIGINT NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    auth_time BIGINT NOT NULL,
    acr TEXT COLLATE "C" NOT NULL,
    amr TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX refresh_families_session ON refresh_families (session_id);
CREATE INDEX refresh_families_user ON refresh_families (user_id);
CREATE INDEX refresh_families_client ON refresh_families (client, bound_kid);
CREATE INDEX refresh_families_expiry ON refresh_families (expires_at);
CREATE INDEX refresh_families_ended ON refresh_families (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE refresh_tokens (
    hash BYTEA NOT NULL PRIMARY KEY,
    family TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    rotated_at BIGINT,
    UNIQUE (family, generation)
);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Keys, administrators, jobs.

CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    ring TEXT COLLATE "C" NOT NULL,
    algorithm TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    public TEXT COLLATE "C" NOT NULL,
    private BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    activates_at BIGINT NOT NULL,
    retired_at BIGINT,
    remove_after BIGINT
);

CREATE TABLE admin_tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);

CREATE TABLE owner_claims (
    slot BIGINT NOT NULL PRIMARY KEY CHECK (slot = 1),
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE TABLE jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    task TEXT COLLATE "C" NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    leased_until BIGINT
);
CREATE INDEX jobs_due ON jobs (due_at);

CREATE TABLE leases (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);

-- The audit log: events as they are written; seals apart, so that sealing rewrites no event.

-- written_by orders events: nothing that is still uncommitted has a transaction id below the oldest running one.
CREATE TABLE audit_events (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_by BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C",
    client_id TEXT COLLATE "C",
    request_id TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_events_order ON audit_events (written_by, position);
CREATE INDEX audit_events_subject ON audit_events (subject, position) WHERE subject IS NOT NULL;
CREATE INDEX audit_events_request ON audit_events (request_id);

CREATE TABLE audit_seals (
    position BIGINT NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL UNIQUE,
    hash TEXT COLLATE "C" NOT NULL
);

CREATE TABLE audit_checkpoints (
    sequence BIGINT NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    signature TEXT COLLATE "C" NOT NULL
);
