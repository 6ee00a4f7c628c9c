// npm openid-client as a strict relying party of the issuer: discovery, code + PKCE with state, nonce
// and iss on the real sign-in page, single sign-on, acr_values and max_age, refresh token rotation, userinfo, logout,
// and logout tokens by the back channel, checked with npm jose. With a Keycloak given, all of it while the person signs
// in there: the relying party must not notice.
//
//   relying-party FACTS [KEYCLOAK]

import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { Admin } from './lib/admin.mjs';
import { Browser } from './lib/browser.mjs';
import { loadFacts, pickSecretClient, pickUser } from './lib/facts.mjs';
import { attachKeycloak } from './lib/keycloak.mjs';
import { attempt, check, equal, fail, main, ok, refused } from './lib/report.mjs';
import { begin, configure, redirectUri, signIn } from './lib/signin.mjs';
import { callbackOf, connect, newDomain } from './lib/upstream.mjs';

/** The clients of the lab once per way of authenticating, with a redirect URI to sign in at. */
function clientsByMethod(facts) {
  const able = facts.clients.filter((c) => c.redirect_uris?.length > 0);
  const secret = able.find((c) => c.idp.client_secret) ?? fail('facts', 'no client with a secret');
  const key = able.find((c) => c.idp.private_jwk);
  const out = [
    { client: secret, method: 'basic' },
    { client: secret, method: 'post' },
  ];
  if (key) out.push({ client: key, method: 'private_key_jwt' });
  return out;
}

async function wholeSignIn(facts, { client, method }, user) {
  const config = await configure(facts, client, method);
  const { tokens, answer } = await signIn(config, client, user);
  const claims = tokens.claims();
  equal(answer.searchParams.getAll('iss'), [facts.issuer.url], `${method}: iss in the answer is the issuer`);
  equal(claims.iss, facts.issuer.url, `${method}: ID token iss`);
  equal([claims.aud].flat(), [client.idp.client_id], `${method}: ID token aud`);
  equal(claims.sub, user.sub, `${method}: ID token sub is the person's`);
  check(claims.exp > Date.now() / 1000, `${method}: ID token is fresh`, `exp ${claims.exp}`);
  check(tokens.refresh_token, `${method}: offline_access brought a refresh token`, 'none came');
}

async function discovery(facts) {
  const forms = [
    `${facts.issuer.url}/.well-known/openid-configuration`,
    wellKnown(facts.issuer.url, 'openid-configuration'),
    wellKnown(facts.issuer.url, 'oauth-authorization-server'),
  ];
  for (const url of new Set(forms)) {
    const response = await fetch(url);
    check(response.status === 200, `discovery at ${new URL(url).pathname}`, `HTTP ${response.status}`);
    equal((await response.json()).issuer, facts.issuer.url, `issuer is byte-equal at ${new URL(url).pathname}`);
  }
}

function wellKnown(issuer, name) {
  const { origin, pathname } = new URL(issuer);
  return `${origin}/.well-known/${name}${pathname.replace(/\/$/, '')}`;
}

async function singleSignOn(facts, config, client, user) {
  const browser = new Browser();
  await signIn(config, client, user, { browser });
  equal(browser.signIns, 1, 'the first sign-in asked for the password once');
  equal(browser.confirmations, 0, 'no page asked for consent');
  await signIn(config, client, user, { browser, silent: true });
  ok('the second sign-in asked for nothing');
  await signIn(config, client, user, { browser, silent: true, parameters: { prompt: 'none' } });
  ok('prompt=none works inside the session');
  await signIn(config, client, user, { browser, parameters: { prompt: 'login' } });
  equal(browser.signIns, 2, 'prompt=login asks for the password again');
  await signIn(config, client, user, { browser, parameters: { max_age: '0' } });
  equal(browser.signIns, 3, 'max_age=0 asks for the password again');

  const error = await refused('prompt=none without a session is refused', () =>
    signIn(config, client, user, { silent: true, parameters: { prompt: 'none' } }),
  );
  equal(error.error, 'login_required', 'and the error is login_required');
  return browser;
}

async function strength(config, client, user) {
  const browser = new Browser();
  const first = await begin(config, client, { max_age: '100', acr_values: 'urn:lanyard:acr:pwd' });
  const answer = await browser.walk(first.url, redirectUri(client), { ...user });
  const tokens = await oidc.authorizationCodeGrant(config, answer, { ...first.checks, maxAge: 100 });
  equal(tokens.claims().acr, user.upstream ? '1' : 'urn:lanyard:acr:pwd', 'the ID token says how strong the sign-in was');
  check(tokens.claims().auth_time > 0, 'max_age brings auth_time', 'there is none');
  await signIn(config, client, user, { browser, silent: true, parameters: { acr_values: 'phr urn:lanyard:acr:pwd' } });
  ok('any of several acr_values will do');
  await signIn(config, client, user, { browser, silent: true, parameters: { acr_values: 'urn:elsewhere:gold' } });
  ok('an acr value that nobody here knows is a wish');

  const silent = await refused('prompt=none is refused when the session is too weak', () =>
    signIn(config, client, user, { browser, silent: true, parameters: { acr_values: 'phr', prompt: 'none' } }),
  );
  equal(silent.error, 'login_required', 'and the error is login_required');
  const before = browser.signIns;
  const weak = await refused('who stays too weak gets no code', () =>
    signIn(config, client, user, { browser, parameters: { acr_values: 'phr' } }),
  );
  equal(weak.error, 'unmet_authentication_requirements', 'and the error is unmet_authentication_requirements');
  equal(browser.signIns, before + 1, 'after a sign-in page');
}

/** A relying party that hears of logouts: refuses the first token, takes the others. */
async function hearing() {
  const heard = [];
  let wake = () => {};
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      heard.push({ type: request.headers['content-type'], token: new URLSearchParams(body).get('logout_token') });
      response.writeHead(heard.length === 1 ? 500 : 200, { 'cache-control': 'no-store' }).end();
      wake();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const next = async (count) => {
    const deadline = Date.now() + 30_000;
    while (heard.length < count) {
      if (Date.now() > deadline) fail('back-channel logout', `${heard.length} of ${count} logout tokens came within 30 s`);
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, 1000);
      });
    }
    return heard[count - 1];
  };
  return { uri: `http://127.0.0.1:${server.address().port}/logged-out`, next, close: () => server.close() };
}

async function backchannelLogout(facts, config, client, user) {
  const metadata = config.serverMetadata();
  check(metadata.backchannel_logout_supported === true, 'back-channel logout is announced', 'it is not');
  check(metadata.backchannel_logout_session_supported === true, 'with sid in the token', 'without');
  const admin = new Admin(facts);
  const path = `/clients/idp/${encodeURIComponent(client.idp.client_id)}`;
  const { id, created_at, updated_at, ...document } = await admin.call('GET', path);
  const party = await hearing();
  try {
    const registered = { backchannel_logout_uri: party.uri, backchannel_logout_session_required: true };
    await admin.call('PUT', path, { ...document, ...registered });
    const keys = createRemoteJWKSet(new URL(facts.issuer.jwks_uri));
    const verified = async (told, tokens, what) => {
      check(told.type === 'application/x-www-form-urlencoded', `${what}: it comes as a form`, told.type);
      const { payload } = await jwtVerify(told.token, keys, {
        typ: 'logout+jwt',
        issuer: facts.issuer.url,
        audience: client.idp.client_id,
        requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid'],
      });
      equal(payload.sid, tokens.claims().sid, `${what}: the session is the one of the ID token`);
      equal(payload.sub, tokens.claims().sub, `${what}: so is the person`);
      equal(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} }, `${what}: it is a logout`);
      check(!('nonce' in payload), `${what}: it has no nonce`, 'it has one');
      return payload;
    };

    const browser = new Browser();
    const { tokens } = await signIn(config, client, user, { browser });
    await browser.settle(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }));
    const first = await verified(await party.next(1), tokens, 'after a logout');
    const again = await verified(await party.next(2), tokens, 'after a refusal');
    check(first.jti !== again.jti, 'a second try has a jti of its own', 'it is the same');

    const { tokens: others } = await signIn(config, client, user);
    await admin.call('DELETE', `/users/${encodeURIComponent(user.username)}/sessions/${others.claims().sid}`);
    await verified(await party.next(3), others, 'after an administrator ended the session');
    const error = await refused('and its refresh token is dead', () =>
      oidc.refreshTokenGrant(config, others.refresh_token),
    );
    equal(error.error, 'invalid_grant', 'with invalid_grant');
  } finally {
    await admin.call('PUT', path, document);
    party.close();
  }
}

async function refusals(facts, config, client, user) {
  await refused('a wrong password is refused', () =>
    signIn(config, client, { ...user, password: `${user.password}x` }),
  );
  const gone = !user.upstream && facts.users.find((u) => !u.active);
  if (gone) await refused(`${gone.username}, deactivated, is refused`, () => signIn(config, client, gone));

  const noPkce = await begin(config, client);
  for (const name of ['code_challenge', 'code_challenge_method']) noPkce.url.searchParams.delete(name);
  await refused('a request without PKCE is refused', async () => {
    const answer = await new Browser().walk(noPkce.url, redirectUri(client), { ...user });
    return oidc.authorizationCodeGrant(config, answer, { ...noPkce.checks, pkceCodeVerifier: undefined });
  });

  const elsewhere = await begin(config, client, { redirect_uri: `${redirectUri(client)}/elsewhere` });
  const response = await fetch(elsewhere.url, { redirect: 'manual' });
  check(response.status >= 400, 'an unregistered redirect URI gets an error page, no redirect', `HTTP ${response.status}`);

  const { url, checks } = await begin(config, client);
  const answer = await new Browser().walk(url, redirectUri(client), { ...user });
  const wrong = { ...checks, pkceCodeVerifier: oidc.randomPKCECodeVerifier() };
  const error = await refused('a wrong PKCE verifier is refused', () =>
    oidc.authorizationCodeGrant(config, answer, wrong),
  );
  equal(error.error, 'invalid_grant', 'and the error is invalid_grant');

  const once = await begin(config, client);
  const code = await new Browser().walk(once.url, redirectUri(client), { ...user });
  await oidc.authorizationCodeGrant(config, code, once.checks);
  await refused('a code is used once', () => oidc.authorizationCodeGrant(config, code, once.checks));
}

async function refreshing(config, client, user) {
  const { tokens } = await signIn(config, client, user);
  const first = tokens.refresh_token;
  const next = await attempt('the first refresh', () => oidc.refreshTokenGrant(config, first));
  check(next.refresh_token && next.refresh_token !== first, 'a refresh rotates the refresh token', 'it stayed');
  if (next.claims()) equal(next.claims().sub, user.sub, 'the refreshed ID token names the same person');
  const again = await attempt('the predecessor within 10 s', () => oidc.refreshTokenGrant(config, first));
  equal(again.refresh_token, next.refresh_token, 'the predecessor, at once, gets the same successor');
  const third = await attempt('the second refresh', () => oidc.refreshTokenGrant(config, next.refresh_token));
  const error = await refused('an older refresh token is refused', () => oidc.refreshTokenGrant(config, first));
  equal(error.error, 'invalid_grant', 'and the error is invalid_grant');
  await refused('after the reuse the whole family is dead', () => oidc.refreshTokenGrant(config, third.refresh_token));
}

async function userinfo(config, client, user) {
  if (!config.serverMetadata().userinfo_endpoint) {
    ok('no userinfo endpoint is published, so none is asked');
    return;
  }
  const { tokens } = await signIn(config, client, user);
  const info = await oidc.fetchUserInfo(config, tokens.access_token, user.sub);
  equal(info.sub, user.sub, 'userinfo names the person of the ID token');
}

async function logout(config, client, user, browser) {
  const { tokens } = await signIn(config, client, user, { browser, silent: true });
  check(config.serverMetadata().end_session_endpoint, 'end_session_endpoint is published', 'it is not');
  const page = await browser.settle(oidc.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }));
  check(page.status === 200, 'logout ends on a page', `HTTP ${page.status}: ${page.text}`, page.text.slice(0, 60));
  const error = await refused('after logout prompt=none is refused', () =>
    signIn(config, client, user, { browser, silent: true, parameters: { prompt: 'none' } }),
  );
  equal(error.error, 'login_required', 'and the error is login_required');
}

/** Every sign-in goes to a realm of that Keycloak; hands back a person of it, with the `sub` we know them by. */
async function throughKeycloak(facts, file, cleanup) {
  const keycloak = attachKeycloak(file);
  const email = `ada@${newDomain()}`;
  const realm = await keycloak.createRealm({
    name: 'relying-party',
    users: [{ username: 'ada', email }],
    oidc: { redirectUris: [callbackOf(facts, 'kc-default')] },
  });
  cleanup(() => realm.remove());
  const oidcSettings = { issuer: realm.issuer, client_id: realm.client.id, client_secret: realm.client.secret };
  const claims = { username: 'email' };
  const admin = new Admin(facts);
  const spec = { name: 'kc-default', preset: 'keycloak', default: true, just_in_time: true, claims, oidc: oidcSettings };
  await connect(admin, spec, cleanup);
  const client = pickSecretClient(facts);
  const { tokens } = await signIn(await configure(facts, client, 'basic'), client, realm.user('ada'));
  const { items } = await admin.call('GET', '/identity-providers/kc-default/links');
  equal(items.map((link) => link.subject), [await realm.id('ada')], 'the person is the one of Keycloak');
  // Here people go by their user name, there by theirs.
  return { username: email, password: realm.user('ada').password, sub: tokens.claims().sub, upstream: true };
}

main('relying-party', async (cleanup) => {
  const facts = loadFacts();
  const user = process.argv[3]
    ? await throughKeycloak(facts, process.argv[3], cleanup)
    : pickUser(facts, facts.connectors.find((c) => c.status === 'active'));
  await discovery(facts);
  const variants = clientsByMethod(facts);
  for (const variant of variants) await wholeSignIn(facts, variant, user);

  const { client } = variants[0];
  const config = await configure(facts, client, 'basic');
  const browser = await singleSignOn(facts, config, client, user);
  await strength(config, client, user);
  await refusals(facts, config, client, user);
  await refreshing(config, client, user);
  await userinfo(config, client, user);
  await logout(config, client, user, browser);
  await backchannelLogout(facts, config, client, user);
});
