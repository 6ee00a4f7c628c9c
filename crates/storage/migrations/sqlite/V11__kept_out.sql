-- People whom an administrator cut off: their directory does not bring them back.
CREATE TABLE kept_out (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Whoever is deactivated already and has no directory was cut off by an administrator. Of the others it is not known.
INSERT INTO kept_out (user_id, since)
SELECT id, updated_at FROM users WHERE status = 'deactivated' AND id NOT IN (SELECT user_id FROM scim_users);
