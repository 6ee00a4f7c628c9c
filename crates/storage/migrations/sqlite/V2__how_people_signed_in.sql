-- How a session came to be: its strength, its identity provider, its browser.

ALTER TABLE sessions ADD COLUMN strength TEXT NOT NULL DEFAULT 'password';
ALTER TABLE codes ADD COLUMN strength TEXT NOT NULL DEFAULT 'password';
ALTER TABLE refresh_families ADD COLUMN strength TEXT NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN connection TEXT;
ALTER TABLE sessions ADD COLUMN upstream_session TEXT;
ALTER TABLE sessions ADD COLUMN agent TEXT;
ALTER TABLE sessions ADD COLUMN peer TEXT;
CREATE INDEX sessions_upstream ON sessions (connection, upstream_session) WHERE connection IS NOT NULL;
