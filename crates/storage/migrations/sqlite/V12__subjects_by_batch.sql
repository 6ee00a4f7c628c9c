-- Whoever seals a batch lists its subjects in one statement, where a trigger looked each event up again (decision 0062).
DROP TRIGGER audit_seals_subjects;
-- The position up to which subjects are listed, one row: what an earlier release seals on this schema lies above it.
CREATE TABLE audit_listed (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
) STRICT;
INSERT INTO audit_listed (id, position) SELECT 1, coalesce(max(position), 0) FROM audit_seals;
