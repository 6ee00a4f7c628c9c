-- What people have besides a password, and sign-ins that wait for it.

CREATE TABLE app_secrets (
    user_id TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT
);

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL,
    hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    credential TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id, id);

CREATE TABLE sign_in_steps (
    hash BYTEA NOT NULL PRIMARY KEY,
    browser BYTEA NOT NULL,
    user_id TEXT NOT NULL,
    enrols BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_steps_expiry ON sign_in_steps (expires_at);
CREATE INDEX sign_in_steps_user ON sign_in_steps (user_id);

CREATE TABLE factor_failures (
    user_id TEXT NOT NULL,
    browser TEXT NOT NULL,
    count BIGINT NOT NULL,
    wait_until BIGINT NOT NULL,
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (user_id, browser)
);
CREATE INDEX factor_failures_expiry ON factor_failures (keep_until);

ALTER TABLE sessions ADD COLUMN confirmed_at BIGINT;
