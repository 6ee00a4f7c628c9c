-- People whom an administrator cut off: their directory does not bring them back.
CREATE TABLE kept_out (
    user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
