-- SQLite only: there is no such table here, the index by subject is kept when an event is written.
SELECT 1;
