// Keycloak as the corporate identity provider of a lab, by OpenID Connect: whoever is logged out there is out here before
// Keycloak has its answer (OpenID Connect Back-Channel Logout). What Keycloak sends passes through this driver, which
// tries it once more, altered, and in another role.

import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from './lib/admin.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { attachKeycloak } from './lib/keycloak.mjs';
import { GRANT, basic, post } from './lib/legs.mjs';
import { attempt, check, equal, main } from './lib/report.mjs';
import { configure } from './lib/signin.mjs';
import { callbackOf, connect, newDomain, reach, signInAt, soon, watched } from './lib/upstream.mjs';

const NAME = 'kc-logout';

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

main('keycloak-logout', async (cleanup) => {
  const facts = loadFacts();
  const connector = pickConnector(facts);
  const client = pickSecretClient(facts);
  const lab = { facts, client, connector, config: await configure(facts, client, 'basic') };
  const admin = new Admin(facts);
  const keycloak = attachKeycloak(process.argv[3]);
  cleanup(() => keycloak.stop());
  const own = `${facts.issuer.url}/upstream/${NAME}/backchannel-logout`;
  const passing = await recorder(own, cleanup);
  const domain = newDomain();
  const realm = await keycloak.createRealm({
    name: 'logout',
    users: ['ada', 'ben'].map((username) => ({ username, email: `${username}@${domain}`, groups: ['engineering'] })),
    oidc: { redirectUris: [callbackOf(facts, NAME)], backchannelLogoutUrl: passing.url },
  });
  cleanup(() => realm.remove());
  const spec = {
    name: NAME,
    preset: 'keycloak',
    just_in_time: true,
    claims: { username: 'email' },
    groups: { claim: 'groups', names: { engineering: connector.allowed_groups[0] } },
    oidc: { issuer: realm.issuer, client_id: realm.client.id, client_secret: realm.client.secret, algorithms: ['RS256'] },
  };
  await connect(admin, spec, cleanup);
  const shown = await admin.call('GET', `/identity-providers/${NAME}`);
  equal(shown.at_provider.backchannel_logout_uri, own, 'the address to register is shown');

  const ours = { authorization: basic(client.idp.client_id, client.idp.client_secret) };
  const refresh = ({ refresh_token }) =>
    post(facts.issuer.token_endpoint, { grant_type: 'refresh_token', refresh_token }, ours);
  const signIn = (username) => signInAt(lab, NAME, realm.user(username));
  /** Expects 400, and this reason in the log, which keeps so many refusals of an address in a minute. */
  const refused = async (what, token, expected) => {
    const tell = () => watched(admin, 'idp.upstream_logout.refused', () => post(own, { logout_token: token }));
    let seen = await tell();
    for (let again = 0; !seen.event && again < 35; again += 1) {
      await pause(2_000);
      seen = await tell();
    }
    equal([seen.outcome.status, seen.event?.reason], [400, expected], `${what} ends nothing, and the log says why`);
  };

  let stale;
  await attempt('an administrator of Keycloak logs ada out', async () => {
    const [one, two, ben] = [await signIn('ada'), await signIn('ada'), await signIn('ben')];
    const jag = await reach(lab, one);
    equal(jag.status, 200, 'ada reaches the connector');
    stale = one.id_token;
    await realm.logOut('ada');
    check(passing.seen.length >= 2, `Keycloak sent ${passing.seen.length} logout tokens`);
    check(passing.seen.every(({ status }) => status === 200), 'each was taken', JSON.stringify(passing.seen.map((s) => s.status)));
    for (const tokens of [one, two]) {
      equal((await refresh(tokens)).body.error, 'invalid_grant', 'the refresh token is over, offline_access or not');
      equal((await reach(lab, tokens)).body.error, 'invalid_grant', 'the ID token buys nothing any more');
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
    const first = await signIn('ada');
    const [{ id }] = await realm.sessions('ada');
    const second = await signIn('ada');
    await realm.admin('DELETE', `/sessions/${id}`);
    equal((await refresh(first)).body.error, 'invalid_grant', 'the session that was ended there is over here');
    equal((await refresh(second)).status, 200, 'the other is not');
  });

  await attempt('a logout token that comes again, was changed, or is none', async () => {
    const { token } = passing.seen.at(-1);
    await refused('the same token once more', token, 'logout_token_replayed');
    const [header, body, signature] = token.split('.');
    const claims = { ...JSON.parse(Buffer.from(body, 'base64url')), jti: 'another' };
    const changed = Buffer.from(JSON.stringify(claims)).toString('base64url');
    await refused('a token that was changed', `${header}.${changed}.${signature}`, 'signature');
    await refused("an ID token of the lab's", stale, 'claims');
  });

  await attempt('a key that Keycloak changed', async () => {
    await realm.rotateKeys({ drop: true });
    const tokens = await soon('a sign-in by the new key', () => signIn('ada'));
    await realm.logOut('ada');
    equal(passing.seen.at(-1).status, 200, 'a logout token by the new key is taken');
    equal((await refresh(tokens)).body.error, 'invalid_grant', 'ada is out');
  });
});
