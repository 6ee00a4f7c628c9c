// npm jose verifies every token kind by the published keys alone: ID token, ID-JAG, access token of
// the resource authorization server, access token of the issuer. Each kind must pass only as itself.

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { loadFacts, pickConnector, pickSecretClient, pickUser } from './lib/facts.mjs';
import { accessToken, scopeText } from './lib/legs.mjs';
import { check, equal, main, ok, refused } from './lib/report.mjs';
import { configure, signIn } from './lib/signin.mjs';

const ASYMMETRIC = ['ES256', 'EdDSA', 'RS256'];

/** What a verifier of each kind insists on. */
function kinds(facts, client, connector, keys) {
  return {
    'ID token': { keys: keys.issuer, typ: undefined, issuer: facts.issuer.url, audience: client.idp.client_id },
    'ID-JAG': { keys: keys.issuer, typ: 'oauth-id-jag+jwt', issuer: facts.issuer.url, audience: facts.ras.url },
    'access token': { keys: keys.ras, typ: 'at+jwt', issuer: facts.ras.url, audience: connector.resource },
    'issuer access token': { keys: keys.issuer, typ: 'at+jwt', issuer: facts.issuer.url, audience: facts.issuer.url },
  };
}

const REQUIRED = {
  'ID token': ['iss', 'sub', 'aud', 'exp', 'iat'],
  'ID-JAG': ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
  'access token': ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
  'issuer access token': ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
};

function verify(token, rule, name) {
  return jwtVerify(token, rule.keys, {
    typ: rule.typ,
    issuer: rule.issuer,
    audience: rule.audience,
    algorithms: ASYMMETRIC,
    requiredClaims: REQUIRED[name],
  });
}

async function publishedKeys(url, label) {
  const response = await fetch(url);
  check(response.status === 200, `${label} keys are published`, `HTTP ${response.status}`);
  const { keys } = await response.json();
  check(keys.length > 0, `${label} publishes at least one key`, 'none');
  check(keys.every((k) => k.kid && k.alg), `every key of ${label} has kid and alg`, JSON.stringify(keys));
  check(!keys.some((k) => k.d || k.p || k.k), `no key of ${label} is private`, 'one is');
  return keys;
}

main('verify-tokens', async () => {
  const facts = loadFacts();
  const connector = pickConnector(facts, process.env.LANYARD_CONNECTOR);
  const user = pickUser(facts, connector);
  const client = pickSecretClient(facts);

  const issuerKeys = await publishedKeys(facts.issuer.jwks_uri, 'issuer');
  const rasKeys = await publishedKeys(facts.ras.jwks_uri, 'RAS');
  const shared = issuerKeys.filter((a) => rasKeys.some((b) => a.kid === b.kid || (a.x && a.x === b.x)));
  equal(shared.length, 0, 'issuer and RAS share no key');

  const config = await configure(facts, client, 'basic');
  const offered = config.serverMetadata().scopes_supported ?? [];
  const wanted = ['openid', 'offline_access', 'connectors'].filter((s) => s === 'openid' || offered.includes(s));
  const { tokens, checks } = await signIn(config, client, user, { parameters: { scope: wanted.join(' ') } });
  const legs = await accessToken(facts, client, tokens.id_token, connector, scopeText(connector.scopes));
  equal(legs.jag.token_type, 'N_A', 'leg 1 says token_type N_A');
  equal(legs.token.token_type.toLowerCase(), 'bearer', 'leg 2 says token_type Bearer');
  check(!legs.jag.refresh_token && !legs.token.refresh_token, 'no refresh token on either leg', 'one came');

  const held = {
    'ID token': tokens.id_token,
    'ID-JAG': legs.jag.access_token,
    'access token': legs.token.access_token,
    'issuer access token': tokens.access_token,
  };
  const rules = kinds(facts, client, connector, {
    issuer: createRemoteJWKSet(new URL(facts.issuer.jwks_uri)),
    ras: createRemoteJWKSet(new URL(facts.ras.jwks_uri)),
  });

  const claims = {};
  for (const [name, rule] of Object.entries(rules)) {
    const verified = await verify(held[name], rule, name).catch((error) => ({ error }));
    check(!verified.error, `${name} verifies by the published keys`, verified.error?.message, verified.protectedHeader?.alg);
    claims[name] = verified.payload;
    const life = verified.payload.exp - verified.payload.iat;
    check(life > 0 && life <= 86_400, `${name} lives a bounded time`, `${life} s`, `${life} s`);
    check(typeof verified.payload.aud === 'string' || verified.payload.aud.length === 1, `${name} has one audience`,
      JSON.stringify(verified.payload.aud));
    const header = decodeProtectedHeader(held[name]);
    check(!header.jwk && !header.jku && !header.x5u && !header.crit, `${name} carries no key of its own`, JSON.stringify(header));
  }
  const idTyp = decodeProtectedHeader(held['ID token']).typ;
  check([undefined, 'JWT'].includes(idTyp), 'the ID token is not typed as another kind', idTyp);

  equal(claims['ID token'].nonce, checks.expectedNonce, 'ID token nonce');
  equal(claims['ID token'].sub, user.sub, 'ID token sub');
  equal(claims['ID-JAG'].client_id, client.ras.client_id, 'ID-JAG client_id is the one at the RAS');
  equal([claims['ID-JAG'].resource].flat(), [connector.resource], 'ID-JAG resource');
  equal(claims['ID-JAG'].scope, legs.jag.scope ?? scopeText(connector.scopes), 'ID-JAG scope is the one answered');
  equal(claims['access token'].client_id, client.ras.client_id, 'access token client_id');
  equal(claims['access token'].scope, legs.token.scope ?? claims['ID-JAG'].scope, 'access token scope is the one answered');
  equal(claims['issuer access token'].sub, user.sub, 'issuer access token sub');

  for (const [name, token] of Object.entries(held)) {
    for (const [other, rule] of Object.entries(rules)) {
      if (other !== name) await refused(`${name} does not pass as ${other}`, () => verify(token, rule, other));
    }
  }
  ok('each kind passes only as itself');
});
