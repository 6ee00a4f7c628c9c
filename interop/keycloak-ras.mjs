// Keycloak as a foreign resource authorization server: a realm that trusts the lab's issuer by its published keys
// redeems the ID-JAGs the issuer made for it, and refuses every other.

import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Admin } from './lib/admin.mjs';
import { idToken, loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { attachKeycloak, realmAddresses } from './lib/keycloak.mjs';
import { GRANT, basic, exchange, post, scopeText, tampered } from './lib/legs.mjs';
import { check, equal, main, note, ok } from './lib/report.mjs';

const FEATURE = 'identity-assertion-jwt';
const REALM = 'documents';
const PERSON = 'known-here';
const PROVIDER = 'lanyard';
const SCOPES = ['documents.read', 'documents.write'];
const HERE = { id: 'lanyard-at-keycloak', secret: 'of-one-test' };
const OTHER = { id: 'other-at-keycloak', secret: 'of-one-test' };

const mapper = (name, protocolMapper, config) => ({
  name,
  protocol: 'openid-connect',
  protocolMapper,
  config: { 'access.token.claim': 'true', ...config },
});

/** A client that may present assertions of the provider. */
function grantClient({ id, secret }) {
  return {
    clientId: id,
    secret,
    protocol: 'openid-connect',
    publicClient: false,
    standardFlowEnabled: false,
    fullScopeAllowed: false,
    defaultClientScopes: [],
    optionalClientScopes: SCOPES,
    attributes: { 'oauth2.jwt.authorization.grant.enabled': 'true', 'oauth2.jwt.authorization.grant.idp': PROVIDER },
    protocolMappers: [mapper('sub', 'oidc-sub-mapper')],
  };
}

/** A scope that makes the access token one for the resource. */
function resourceScope(name, resource) {
  return {
    name,
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true' },
    protocolMappers: [mapper('resource', 'oidc-audience-mapper', { 'included.custom.audience': resource })],
  };
}

function trust(facts) {
  return {
    alias: PROVIDER,
    providerId: 'jwt-authorization-grant',
    enabled: true,
    config: {
      issuer: facts.issuer.url,
      useJwksUrl: 'true',
      jwksUrl: facts.issuer.jwks_uri,
      jwtAuthorizationGrantEnabled: 'true',
      jwtAuthorizationGrantAssertionReuseAllowed: 'false',
      jwtAuthorizationGrantMaxAllowedAssertionExpiration: '600',
    },
  };
}

function createRealm(keycloak, facts, user, resource) {
  const federatedIdentities = [{ identityProvider: PROVIDER, userId: user.sub, userName: user.username }];
  return keycloak.createRealm({
    name: REALM,
    users: [{ username: PERSON, email: user.email, federatedIdentities }],
    realm: {
      clients: [HERE, OTHER].map(grantClient),
      clientScopes: SCOPES.map((name) => resourceScope(name, resource)),
      identityProviders: [trust(facts)],
    },
  });
}

function redeem(realm, client, assertion, extra) {
  const form = { grant_type: GRANT.jwtBearer, assertion, ...extra };
  return post(realm.tokenEndpoint, form, { authorization: basic(client.id, client.secret) });
}

/** Both servers know each other: the realm trusts the issuer, the issuer may mint for the realm. */
async function setUp(facts, keycloak, cleanup) {
  const client = pickSecretClient(facts);
  const [user, stranger] = facts.users.filter((u) => u.active && u.groups.includes('employees'));
  const { issuer } = realmAddresses(keycloak.url, REALM);
  const resource = `${keycloak.url}/documents/mcp`;
  const realm = await createRealm(keycloak, facts, user, resource);
  cleanup(() => realm.remove());
  const admin = new Admin(facts);
  cleanup(() => admin.undo());
  await admin.registerForeignRas({
    name: 'keycloak-documents',
    issuer,
    resource,
    scopes: SCOPES,
    client,
    clientIdThere: HERE.id,
    groups: ['employees'],
  });
  ok('the issuer knows the realm', issuer);
  const mint = async (subject, scope = SCOPES[0]) =>
    (await exchange(facts, client, { subject, audience: issuer, resource, scope })).access_token;
  return { client, user, stranger, realm, resource, mint };
}

async function redeems({ realm, resource, mint }, facts, subject) {
  const assertion = await mint(subject);
  const answer = await redeem(realm, HERE, assertion, { scope: SCOPES[0] });
  equal(answer.status, 200, "Keycloak redeems the lab's ID-JAG");
  equal(answer.body.token_type, 'Bearer', 'the access token is a Bearer token');
  equal(answer.body.refresh_token, undefined, 'no refresh token comes with it');
  const keys = createRemoteJWKSet(new URL(realm.jwksUri));
  const { payload } = await jwtVerify(answer.body.access_token, keys, { issuer: realm.issuer, audience: resource });
  equal(payload.azp, HERE.id, 'it is for the client that the ID-JAG names by its id at Keycloak');
  equal(payload.sub, await realm.id(PERSON), "its subject is the realm's person linked to the issuer's");
  equal(payload.scope, SCOPES[0], 'its scope is the one the issuer granted');
  return assertion;
}

async function refuses({ client, stranger, realm, mint }, facts, subject, redeemed) {
  const refusal = async (what, answer, error = 'invalid_grant') => {
    const { status, body } = await answer;
    equal([status, body.error], [400, error], `${what} is refused`);
  };
  await refusal('the replay', redeem(realm, HERE, redeemed));
  await refusal('an ID-JAG of another client', redeem(realm, OTHER, await mint(subject)));
  await refusal('a scope the client has not', redeem(realm, HERE, await mint(subject), { scope: 'documents.delete' }), 'invalid_scope');
  await refusal('a changed signature', redeem(realm, HERE, tampered(await mint(subject))));
  await refusal('a person not linked', redeem(realm, HERE, await mint(await idToken(facts, stranger, client))));
  await refusal('an ID token as assertion', redeem(realm, HERE, subject));
  const connector = pickConnector(facts);
  const own = await exchange(facts, client, {
    subject,
    audience: connector.audience,
    resource: connector.resource,
    scope: scopeText(connector.scopes),
  });
  await refusal("an ID-JAG for the lab's authorization server", redeem(realm, HERE, own.access_token));

  const wide = await redeem(realm, HERE, await mint(subject), { scope: SCOPES.join(' ') });
  const granted = wide.status === 200 && wide.body.scope.split(' ').includes(SCOPES[1]);
  note(`a scope wider than the ID-JAG's is ${granted ? 'granted: this Keycloak reads the request alone' : 'not granted'}`);
}

main('keycloak-ras', async (cleanup) => {
  const facts = loadFacts();
  const keycloak = attachKeycloak(process.argv[3]);
  const { version, features } = await keycloak.about();
  check(features[FEATURE], `Keycloak ${version} redeems ID-JAGs`, `version ${version} has no enabled feature ${FEATURE}`);
  const scene = await setUp(facts, keycloak, cleanup);
  const subject = await idToken(facts, scene.user, scene.client);
  const redeemed = await redeems(scene, facts, subject);
  await refuses(scene, facts, subject, redeemed);
});
