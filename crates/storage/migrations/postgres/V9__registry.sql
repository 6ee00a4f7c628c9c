-- A number that moves with every change of what administrators register, whoever makes it: what is held in memory is
-- valid under the number that it was read under (decision 0061). The step is random, as in `leap` of version.rs.
INSERT INTO versions (name, value) VALUES ('registry', 0);

-- At the commit, so that nobody waits for anything else with the number in hand. The schema is named, because whoever
-- writes here by hand may have another search path.
CREATE FUNCTION move_registry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %I.versions SET value = value + $1 WHERE name = $2', TG_TABLE_SCHEMA)
        USING 1 + floor(random() * 1048576)::bigint, 'registry';
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER clients_move_registry AFTER INSERT OR UPDATE OR DELETE ON clients
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
CREATE CONSTRAINT TRIGGER client_secrets_move_registry AFTER INSERT OR UPDATE OR DELETE ON client_secrets
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
CREATE CONSTRAINT TRIGGER audiences_move_registry AFTER INSERT OR UPDATE OR DELETE ON audiences
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
CREATE CONSTRAINT TRIGGER client_mappings_move_registry AFTER INSERT OR UPDATE OR DELETE ON client_mappings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
CREATE CONSTRAINT TRIGGER connectors_move_registry AFTER INSERT OR UPDATE OR DELETE ON connectors
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
CREATE CONSTRAINT TRIGGER resources_move_registry AFTER INSERT OR UPDATE OR DELETE ON resources
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
CREATE CONSTRAINT TRIGGER trusts_move_registry AFTER INSERT OR UPDATE OR DELETE ON trusts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION move_registry();
