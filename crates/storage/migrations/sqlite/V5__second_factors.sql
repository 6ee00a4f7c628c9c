-- What people have besides a password, and sign-ins that wait for it.

CREATE TABLE app_secrets (
    user_id TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER
) STRICT;

CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, hash)
) STRICT;

CREATE TABLE passkeys (
    id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    credential TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
) STRICT;
CREATE INDEX passkeys_user ON passkeys (user_id, id);

CREATE TABLE sign_in_steps (
    hash BLOB NOT NULL PRIMARY KEY,
    browser BLOB NOT NULL,
    user_id TEXT NOT NULL,
    enrols INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_steps_expiry ON sign_in_steps (expires_at);
CREATE INDEX sign_in_steps_user ON sign_in_steps (user_id);

CREATE TABLE factor_failures (
    user_id TEXT NOT NULL,
    browser TEXT NOT NULL,
    count INTEGER NOT NULL,
    wait_until INTEGER NOT NULL,
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (user_id, browser)
) STRICT;
CREATE INDEX factor_failures_expiry ON factor_failures (keep_until);

ALTER TABLE sessions ADD COLUMN confirmed_at INTEGER;
