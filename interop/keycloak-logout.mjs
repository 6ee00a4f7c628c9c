// Keycloak as the corporate identity provider of a lab, by OpenID Connect: whoever is logged out there is out here before
// Keycloak has its answer (OpenID Connect Back-Channel Logout). What Keycloak sends passes through this driver, which
// tries it once more, altered, and in other roles.

import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from './lib/admin.mjs';
import { Browser } from './lib/browser.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { attachKeycloak } from './lib/keycloak.mjs';
import { GRANT, TOKEN_TYPE, basic, post } from './lib/legs.mjs';
import { attempt, check, equal, main } from './lib/report.mjs';
import { exchange, target } from './lib/saml-sign-in.mjs';

const NAME = 'keycloak-logout';

/** Passes logout tokens on to the lab, and keeps them with its answers. */
async function recorder(to, cleanup) {
  const seen = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const body = Buffer.concat(chunks).toString();
      const headers = { 'content-type': request.headers['content-type'] };
      const answer = await fetch(to, { method: 'POST', headers, body });
      seen.push({ token: new URLSearchParams(body).get('logout_token'), status: answer.status });
      response.writeHead(answer.status).end(await answer.text());
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup(() => server.close());
  return { seen, url: `http://127.0.0.1:${server.address().port}/logout` };
}

/** A sign-in of the lab's client at Keycloak: the token response. */
async function signIn(facts, client, user) {
  const verifier = randomBytes(32).toString('base64url');
  const callback = client.redirect_uris?.[0] ?? 'http://127.0.0.1:3000/callback';
  const request = new URLSearchParams({
    response_type: 'code',
    client_id: client.idp.client_id,
    redirect_uri: callback,
    scope: 'openid offline_access',
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const start = new URL(`${facts.issuer.url}/upstream/${NAME}/start`);
  start.searchParams.set('request', request.toString());
  const answer = await new Browser().walk(start, callback, { username: user.username, password: user.password });
  const tokens = await post(
    facts.issuer.token_endpoint,
    { grant_type: 'authorization_code', code: answer.searchParams.get('code'), redirect_uri: callback, code_verifier: verifier },
    { authorization: basic(client.idp.client_id, client.idp.client_secret) },
  );
  equal(tokens.status, 200, `${user.username} signs in at Keycloak`);
  return tokens.body;
}

main('keycloak-logout', async (cleanup) => {
  const facts = loadFacts();
  const connector = pickConnector(facts);
  const client = pickSecretClient(facts);
  const admin = new Admin(facts);
  const keycloak = attachKeycloak(process.argv[3]);
  cleanup(() => keycloak.stop());
  const base = `${facts.issuer.url}/upstream/${NAME}`;
  const passing = await recorder(`${base}/backchannel-logout`, cleanup);
  const realm = await keycloak.createRealm({
    name: 'logout',
    oidc: { redirectUris: [`${base}/callback`], backchannelLogoutUrl: passing.url },
  });
  cleanup(() => realm.remove());
  await admin.call('PUT', `/identity-providers/${NAME}`, {
    name: NAME,
    preset: 'keycloak',
    just_in_time: true,
    link_by: 'username',
    claims: { username: 'email' },
    groups: { claim: 'groups', names: { engineering: connector.allowed_groups[0] } },
    oidc: { issuer: realm.issuer, client_id: realm.client.id, client_secret: realm.client.secret, algorithms: ['RS256'] },
  });
  cleanup(() => admin.call('DELETE', `/identity-providers/${NAME}`));
  const shown = await admin.call('GET', `/identity-providers/${NAME}`);
  equal(shown.backchannel_logout_uri, `${base}/backchannel-logout`, 'the address to register is shown');

  const form = { authorization: basic(client.idp.client_id, client.idp.client_secret) };
  const refresh = (tokens) =>
    post(facts.issuer.token_endpoint, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token }, form);
  const reach = (tokens) =>
    exchange(facts, client, {
      ...target(facts, connector),
      subject_token: tokens.id_token,
      subject_token_type: TOKEN_TYPE.idToken,
    });
  const tell = (token) => post(`${base}/backchannel-logout`, { logout_token: token });
  const newest = async () =>
    (await admin.call('GET', '/audit?kind=idp.upstream_logout.refused&limit=1')).items[0] ?? { sequence: 0 };
  /** Expects 400, and this reason in the log, which is sealed within a second. */
  const refused = async (what, token, expected) => {
    const before = await newest();
    equal((await tell(token)).status, 400, what);
    let reason = 'nothing in the log';
    for (let wait = 0; wait < 50 && reason === 'nothing in the log'; wait += 1) {
      const event = await newest();
      if (event.sequence > before.sequence) reason = event.reason;
      else await pause(100);
    }
    equal(reason, expected, `${what}: the log says why`);
  };

  let stale;
  await attempt('an administrator of Keycloak logs ada out', async () => {
    const [one, two] = [await signIn(facts, client, realm.user('ada')), await signIn(facts, client, realm.user('ada'))];
    const ben = await signIn(facts, client, realm.user('ben'));
    const jag = await reach(one);
    equal(jag.status, 200, 'ada reaches the connector');
    stale = one.id_token;
    await realm.logOut('ada');
    check(passing.seen.length >= 2, `Keycloak sent ${passing.seen.length} logout tokens`);
    check(passing.seen.every(({ status }) => status === 200), 'each was taken');
    for (const tokens of [one, two]) {
      equal((await refresh(tokens)).body.error, 'invalid_grant', 'the refresh token is over, offline_access or not');
      equal((await reach(tokens)).body.error, 'invalid_grant', 'the ID token buys nothing any more');
    }
    const redeemed = await post(
      facts.ras.token_endpoint,
      { grant_type: GRANT.jwtBearer, assertion: jag.body.access_token },
      { authorization: basic(client.ras.client_id, client.ras.client_secret) },
    );
    equal(redeemed.body.error, 'invalid_grant', 'nor does an ID-JAG that was in hand');
    equal((await refresh(ben)).status, 200, 'ben stays signed in');
  });

  await attempt('one session of two', async () => {
    const first = await signIn(facts, client, realm.user('ada'));
    const [{ id }] = await realm.sessions('ada');
    const second = await signIn(facts, client, realm.user('ada'));
    await realm.admin('DELETE', `/sessions/${id}`);
    equal((await refresh(first)).body.error, 'invalid_grant', 'the session that was ended there is over here');
    equal((await refresh(second)).status, 200, 'the other is not');
  });

  await attempt('a logout token that comes again, was changed, or is none', async () => {
    const { token } = passing.seen.at(-1);
    await refused('the same token once more', token, 'logout_token_replayed');
    const [header, , signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    const changed = Buffer.from(JSON.stringify({ ...claims, jti: 'another' })).toString('base64url');
    await refused('a token that was changed', `${header}.${changed}.${signature}`, 'signature');
    await refused("the lab's own ID token", stale, 'claims');
  });

  await attempt('a key that Keycloak changed', async () => {
    const tokens = await signIn(facts, client, realm.user('ada'));
    await realm.rotateKeys({ drop: true });
    await realm.logOut('ada');
    equal(passing.seen.at(-1).status, 200, 'the new key is fetched');
    equal((await refresh(tokens)).body.error, 'invalid_grant', 'ada is out');
  });
});
