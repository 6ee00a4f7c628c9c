-- How a session came to be: its strength, its identity provider, its browser.

ALTER TABLE sessions ADD COLUMN strength TEXT COLLATE "C" NOT NULL DEFAULT 'password';
ALTER TABLE codes ADD COLUMN strength TEXT COLLATE "C" NOT NULL DEFAULT 'password';
ALTER TABLE refresh_families ADD COLUMN strength TEXT COLLATE "C" NOT NULL DEFAULT 'password';
ALTER TABLE sessions ADD COLUMN connection TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN upstream_session TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN agent TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN peer TEXT COLLATE "C";
CREATE INDEX sessions_upstream ON sessions (connection, upstream_session) WHERE connection IS NOT NULL;
