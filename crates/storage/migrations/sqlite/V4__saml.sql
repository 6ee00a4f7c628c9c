-- The SAML service providers that clients are: whose assertions they may exchange.

CREATE TABLE saml_service_providers (
    entity_id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL REFERENCES clients (id),
    acs_urls TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX saml_service_providers_client ON saml_service_providers (client);
