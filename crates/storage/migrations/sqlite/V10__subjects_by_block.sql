-- Events by subject in blocks of 4096 positions: sealing a batch writes the pages of the newest block only, however many
-- people there are. A list by subject looks into each block (decision 0062).
DROP TRIGGER audit_seals_subjects;
DROP TABLE audit_subjects;
CREATE TABLE audit_subjects (
    block INTEGER NOT NULL,
    subject TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (block, subject, position)
) STRICT, WITHOUT ROWID;
-- In the order of positions, so that nothing has to be sorted.
INSERT INTO audit_subjects (block, subject, position)
SELECT e.position / 4096, e.subject, e.position FROM audit_seals s JOIN audit_events e ON e.position = s.position
WHERE e.subject IS NOT NULL ORDER BY s.position;
CREATE TRIGGER audit_seals_subjects AFTER INSERT ON audit_seals BEGIN
    INSERT INTO audit_subjects (block, subject, position)
    SELECT e.position / 4096, e.subject, e.position FROM audit_events e
    WHERE e.position = new.position AND e.subject IS NOT NULL;
END;
