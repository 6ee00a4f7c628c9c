-- A number that moves with every change of what administrators register, whoever makes it: what is held in memory is
-- valid under the number that it was read under (decision 0061). The step is random, as in `leap` of version.rs.
INSERT INTO versions (name, value) VALUES ('registry', 0);

-- Before the statement: all who change something here wait for the number first, and so never for each other's rows.
CREATE FUNCTION move_registry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE versions SET value = value + 1 + floor(random() * 1048576)::bigint WHERE name = 'registry';
    RETURN NULL;
END $$;

CREATE TRIGGER clients_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON clients
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
CREATE TRIGGER client_secrets_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON client_secrets
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
CREATE TRIGGER audiences_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON audiences
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
CREATE TRIGGER client_mappings_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON client_mappings
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
CREATE TRIGGER connectors_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON connectors
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
CREATE TRIGGER resources_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON resources
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
CREATE TRIGGER trusts_move_registry BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON trusts
    FOR EACH STATEMENT EXECUTE FUNCTION move_registry();
