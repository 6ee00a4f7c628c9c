-- A number that moves with every change of what administrators register, whoever makes it: what is held in memory is
-- valid under the number that it was read under (decision 0061). The step is random, as in `leap` of version.rs.
INSERT INTO versions (name, value) VALUES ('registry', 0);

CREATE TRIGGER clients_insert_moves_registry AFTER INSERT ON clients BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER clients_update_moves_registry AFTER UPDATE ON clients BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER clients_delete_moves_registry AFTER DELETE ON clients BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER client_secrets_insert_moves_registry AFTER INSERT ON client_secrets BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER client_secrets_update_moves_registry AFTER UPDATE ON client_secrets BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER client_secrets_delete_moves_registry AFTER DELETE ON client_secrets BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER audiences_insert_moves_registry AFTER INSERT ON audiences BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER audiences_update_moves_registry AFTER UPDATE ON audiences BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER audiences_delete_moves_registry AFTER DELETE ON audiences BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER client_mappings_insert_moves_registry AFTER INSERT ON client_mappings BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER client_mappings_update_moves_registry AFTER UPDATE ON client_mappings BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER client_mappings_delete_moves_registry AFTER DELETE ON client_mappings BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER connectors_insert_moves_registry AFTER INSERT ON connectors BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER connectors_update_moves_registry AFTER UPDATE ON connectors BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER connectors_delete_moves_registry AFTER DELETE ON connectors BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER resources_insert_moves_registry AFTER INSERT ON resources BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER resources_update_moves_registry AFTER UPDATE ON resources BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER resources_delete_moves_registry AFTER DELETE ON resources BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER trusts_insert_moves_registry AFTER INSERT ON trusts BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER trusts_update_moves_registry AFTER UPDATE ON trusts BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
CREATE TRIGGER trusts_delete_moves_registry AFTER DELETE ON trusts BEGIN
    UPDATE versions SET value = value + 1 + (random() & 1048575) WHERE name = 'registry';
END;
