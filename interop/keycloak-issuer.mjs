// Keycloak as a foreign issuer that the lab's authorization server trusts by its published keys (`lanyard lab --trust`).
// The realm is asked for an ID-JAG by token exchange. A version that announces them must issue one that redeems;
// of a version that does not, the refusal is told, and what can be proved without: an ID-JAG that the realm's key
// signed redeems, before and after the realm changed its key, and no other token of the realm passes for one.

import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { SignJWT, decodeProtectedHeader } from 'jose';
import * as oidc from 'openid-client';
import { Admin } from './lib/admin.mjs';
import { Browser } from './lib/browser.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { fixedClaim } from './lib/keycloak-realm.mjs';
import { attachKeycloak } from './lib/keycloak.mjs';
import { GRANT, TOKEN_TYPE, basic, post, redeem, scopeText, tampered } from './lib/legs.mjs';
import { check, equal, fail, main, note, ok } from './lib/report.mjs';

/** The realm the lab trusts; its issuer must be the one given to `lanyard lab --trust`. */
const REALM = 'corp';
const CALLBACK = 'http://127.0.0.1:3000/callback';
const ID_JAG = 'oauth-id-jag+jwt';

/**
 * The realm with all a token needs to look like an ID-JAG but its type, and what the work on issuing them
 * (keycloak/keycloak#49998) asks for: the authorization server as a client named by its issuer identifier.
 */
function createRealm(keycloak, facts, client, connector) {
  const claims = [
    fixedClaim('client_id', client.ras.client_id),
    fixedClaim('resource', connector.resource),
    fixedClaim('scope', scopeText(connector.scopes)),
  ];
  const config = { 'included.custom.audience': facts.ras.url, 'access.token.claim': 'true' };
  const audience = { name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper', config };
  return keycloak.createRealm({
    name: REALM,
    oidc: {
      redirectUris: [CALLBACK],
      attributes: { 'standard.token.exchange.enabled': 'true' },
      mappers: [...claims, audience],
    },
    realm: { clients: [{ clientId: facts.ras.url, protocol: 'openid-connect', publicClient: false }] },
  });
}

/** Signs a person in at the realm; hands back the tokens. */
async function signIn(realm, username) {
  const config = await oidc.discovery(new URL(realm.issuer), realm.client.id, realm.client.secret, undefined, {
    execute: [oidc.allowInsecureRequests],
  });
  const verifier = oidc.randomPKCECodeVerifier();
  const state = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid',
    state,
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const answer = await new Browser().walk(url, CALLBACK, { ...realm.user(username) });
  const tokens = await oidc.authorizationCodeGrant(config, answer, { pkceCodeVerifier: verifier, expectedState: state });
  return { tokens, metadata: config.serverMetadata() };
}

/** Whether this version says of itself that it issues ID-JAGs: by an exchange provider, or in its metadata. */
async function announced(keycloak, metadata) {
  const { version, features, providers } = await keycloak.about();
  const exchanges = providers('oauth2-token-exchange');
  const by = exchanges.filter((name) => /id-?jag|id-?jwt|identity-?assertion/i.test(name));
  const inMetadata = /grant-profile:id-jag|token-type:id-jag/.test(JSON.stringify(metadata));
  const enabled = Object.keys(features).filter((name) => features[name] && /assertion|token-exchange|authorization-grant/.test(name));
  return { version, yes: by.length > 0 || inMetadata, words: `token exchange by ${exchanges.join(', ')}; features ${enabled.join(', ')}` };
}

function ask(realm, form) {
  const whole = { grant_type: GRANT.exchange, requested_token_type: TOKEN_TYPE.idJag, ...form };
  return post(realm.tokenEndpoint, whole, { authorization: basic(realm.client.id, realm.client.secret) });
}

/** Asks the realm for an ID-JAG; hands back the assertion, or nothing where this version issues none. */
async function issued(keycloak, realm, facts, connector, { tokens, metadata }) {
  const { version, yes, words } = await announced(keycloak, metadata);
  const target = { audience: facts.ras.url, resource: connector.resource, scope: scopeText(connector.scopes) };
  const answer = await ask(realm, { subject_token: tokens.id_token, subject_token_type: TOKEN_TYPE.idToken, ...target });
  if (answer.status === 200) {
    equal(answer.body.issued_token_type, TOKEN_TYPE.idJag, `Keycloak ${version} issues an ID-JAG`);
    return answer.body.access_token;
  }
  const reason = `HTTP ${answer.status} ${answer.body.error}: ${answer.body.error_description}`;
  if (yes) fail(`Keycloak ${version} announces ID-JAGs (${words}) and issued none`, reason);
  const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
  const again = await ask(realm, { subject_token: tokens.access_token, subject_token_type: accessToken });
  equal(again.status, 400, `Keycloak ${version} issues no ID-JAG for an access token either`);
  note(`NOT TESTED: Keycloak ${version} does not issue ID-JAGs (${words}; ${reason})`);
  return undefined;
}

/** Keycloak names a key by the digest of its public half. */
function kidOf(privateKey) {
  const der = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('base64url');
}

/** An ID-JAG as the realm would sign it: by the key that its JWKS publishes. */
function signed(realm, facts, client, connector, subject, pem = realm.privateKey) {
  const key = createPrivateKey(pem);
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    iss: realm.issuer,
    sub: subject,
    aud: facts.ras.url,
    client_id: client.ras.client_id,
    resource: connector.resource,
    scope: scopeText(connector.scopes),
    jti: randomUUID(),
    iat: now,
    exp: now + 120,
  })
    .setProtectedHeader({ alg: 'RS256', typ: ID_JAG, kid: kidOf(key) })
    .sign(key);
}

async function accepted(what, facts, client, connector, assertion) {
  const token = await redeem(facts, client, { assertion, resource: connector.resource });
  equal(token.scope, scopeText(connector.scopes), what);
}

/** The lab asks for keys at most once in ten seconds, so a key that is new is known a little later. */
async function acceptedSoon(what, facts, client, connector, make) {
  const end = Date.now() + 20_000;
  for (;;) {
    try {
      const assertion = await make();
      await accepted(what, facts, client, connector, assertion);
      return assertion;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await pause(500);
  }
}

/** The refusal on the wire, and the reason in the audit log. */
async function refused(what, { facts, client, admin, reason }, assertion) {
  const authorization = basic(client.ras.client_id, client.ras.client_secret);
  const answer = await post(facts.ras.token_endpoint, { grant_type: GRANT.jwtBearer, assertion }, { authorization });
  equal([answer.status, answer.body.error], [400, 'invalid_grant'], `${what} is refused`);
  const query = `client_id=${client.ras.client_id}&outcome=denied&limit=1`;
  const { items } = await admin.call('GET', `/audit?${query}`);
  equal(items[0]?.reason, reason, `${what}: the audit log says why`);
}

main('keycloak-issuer', async (cleanup) => {
  const facts = loadFacts();
  const keycloak = attachKeycloak(process.argv[3]);
  const client = pickSecretClient(facts);
  const connector = pickConnector(facts);
  const realm = await createRealm(keycloak, facts, client, connector);
  cleanup(() => realm.remove());
  const scene = { facts, client, admin: new Admin(facts) };

  const session = await signIn(realm, 'ada');
  ok('a person signed in at the realm');
  const assertion = await issued(keycloak, realm, facts, connector, session);
  if (assertion) {
    equal(decodeProtectedHeader(assertion).typ, ID_JAG, 'its type is that of ID-JAGs');
    await accepted("the lab redeems Keycloak's ID-JAG", facts, client, connector, assertion);
    await refused("the replay of Keycloak's ID-JAG", { ...scene, reason: 'replayed' }, assertion);
  }

  const subject = await realm.id('ada');
  const own = (pem) => signed(realm, facts, client, connector, subject, pem);
  const first = await acceptedSoon("an ID-JAG signed by the realm's key redeems", facts, client, connector, own);
  await refused('its replay', { ...scene, reason: 'replayed' }, first);
  await refused("the realm's ID token", { ...scene, reason: 'typ' }, session.tokens.id_token);
  await refused("the realm's access token, made like an ID-JAG", { ...scene, reason: 'typ' }, session.tokens.access_token);
  await refused('a changed signature', { ...scene, reason: 'signature' }, tampered(await own()));

  const before = realm.privateKey;
  await realm.rotateKeys({ drop: true });
  check(before !== realm.privateKey, 'the realm changed its key');
  await acceptedSoon("an ID-JAG signed by the realm's new key redeems", facts, client, connector, own);
  await refused("an ID-JAG signed by the realm's old key", { ...scene, reason: 'unknown_key' }, await own(before));
});
