// npm oidc-provider as an upstream OpenID provider, with every way of proving ourselves at it, and with everything that
// can be wrong with its answers and its ID tokens, with its metadata, its keys and with the browser that brings the
// answer: each lets nobody in, with the exact reason in the log and the same words for the person.

import { SignJWT, UnsecuredJWT, generateKeyPair } from 'jose';
import { Admin } from './lib/admin.mjs';
import { Browser } from './lib/browser.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { startProvider } from './lib/oidc-provider.mjs';
import { attempt, check, equal, main, ok } from './lib/report.mjs';
import { begin, configure, redirectUri } from './lib/signin.mjs';
import { callTool, callbackOf, connect, newDomain, reach, refusedSignIn, signInAt, soon, startAt } from './lib/upstream.mjs';

const NAME = 'op';
const seconds = () => Math.floor(Date.now() / 1000);

const people = (domain) =>
  [
    { username: 'ada', groups: ['engineering'] },
    { username: 'cleo', groups: ['finance'] },
  ].map((person) => ({ ...person, email: `${person.username}@${domain}` }));

function specOf(provider, connector, change = {}) {
  const { id, secret } = provider.clients.find((each) => each.name === change.name) ?? provider.client;
  return {
    name: NAME,
    title: 'Corporate provider',
    just_in_time: true,
    claims: { username: 'email' },
    groups: { claim: 'groups', names: { engineering: connector.allowed_groups[0] } },
    ...change,
    oidc: { issuer: provider.issuer, client_id: id, client_secret: secret, ...change.oidc },
  };
}

/** The ways of proving ourselves, and claims that only userinfo has. */
async function goodSignIns(lab, provider, domain) {
  let answer;
  provider.faults.response = (url) => void (answer = new URL(url));
  const tokens = await signInAt(lab, NAME, provider.user('ada'));
  equal(answer.searchParams.get('iss'), provider.issuer, 'the provider names itself in its answer (RFC 9207)');
  provider.well();
  equal(tokens.claims().amr, ['pwd'], 'client_secret_basic: signed in, with how');
  await callTool(lab, tokens, 'client_secret_basic');
  for (const [name, client_auth] of [['op-post', 'client_secret_post'], ['op-key', 'private_key_jwt']]) {
    // The person exists by then: made by the first connection.
    const spec = specOf(provider, lab.connector, { name, link_by: 'username', oidc: { client_auth } });
    if (client_auth === 'private_key_jwt') delete spec.oidc.client_secret;
    await connect(lab.admin, spec, lab.cleanup);
    equal((await signInAt(lab, name, provider.user('ada'))).claims().sub, tokens.claims().sub, `${client_auth}: the same person`);
  }
  const quiet = await startProvider({
    users: people(domain),
    clients: [{ redirectUris: [callbackOf(lab.facts, 'op-userinfo')] }],
    claimsIn: 'userinfo',
  });
  try {
    const spec = specOf(quiet, lab.connector, { name: 'op-userinfo', link_by: 'username', oidc: { userinfo: true } });
    await lab.admin.call('PUT', '/identity-providers/op-userinfo', spec);
    const same = await signInAt(lab, 'op-userinfo', quiet.user('ada'));
    equal(same.claims().sub, tokens.claims().sub, 'a name that only userinfo has');
  } finally {
    await lab.admin.call('DELETE', '/identity-providers/op-userinfo');
    await quiet.stop();
  }
}

/** What is wrong with an ID token, and how the log calls it. */
function wrongTokens(provider, stranger) {
  const claimed = (change) => (claims, sign) => sign({ ...claims, ...change(claims) });
  const without = (name) => (claims, sign) => sign(Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name)));
  return [
    ['another nonce', claimed(() => ({ nonce: 'another' })), 'nonce_mismatch'],
    ['no nonce', without('nonce'), 'nonce_mismatch'],
    ['another audience', claimed(() => ({ aud: 'another' })), 'audience'],
    ['several audiences and no authorized party', claimed((c) => ({ aud: [c.aud, 'another'] })), 'authorized_party_mismatch'],
    ['another authorized party', claimed(() => ({ azp: 'another' })), 'authorized_party_mismatch'],
    ['a token past its end', claimed(() => ({ iat: seconds() - 600, exp: seconds() - 300 })), 'expired'],
    ['a token from the future', claimed(() => ({ iat: seconds() + 300, exp: seconds() + 600 })), 'issued_in_future'],
    ['a token not valid yet', claimed(() => ({ nbf: seconds() + 300 })), 'not_yet_valid'],
    ['no end', without('exp'), 'claims'],
    ['no subject', without('sub'), 'claims'],
    ['another issuer', claimed(() => ({ iss: 'https://other.example' })), 'issuer'],
    ['the issuer with a slash too many', claimed((c) => ({ iss: `${c.iss}/` })), 'issuer'],
    ['another access token', claimed(() => ({ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' })), 'access_token_hash_mismatch'],
    ['the signature of another key', (claims, sign) => sign(claims, { key: stranger }), 'signature'],
    ['a key that is not published', (claims, sign) => sign(claims, { key: stranger, header: { kid: 'stranger' } }), 'unknown_key'],
    ['a key of its own in the header', (claims, sign) => sign(claims, { header: { jku: 'https://other.example/keys' } }), 'forbidden_header'],
    ['alg none', (claims) => new UnsecuredJWT(claims).encode(), 'algorithm'],
    ['HMAC with the client secret', (claims) => hmac(claims, provider.client.secret), 'algorithm'],
    ['no token at all', () => undefined, 'id_token_missing'],
    ['text', () => 'not a token', 'malformed'],
  ];
}

const hmac = (claims, secret) => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret));

async function idTokens(lab, provider) {
  const { privateKey } = await generateKeyPair('RS256');
  for (const [what, idToken, reason] of wrongTokens(provider, privateKey)) {
    provider.faults.idToken = idToken;
    const { page } = await refusedSignIn(lab.admin, what, reason, () => signInAt(lab, NAME, provider.user('ada')));
    check(/403 .*was not accepted/.test(page), `${what}: and the person is told no more than that`, page);
    provider.well();
  }
}

async function answers(lab, provider) {
  const changed = async (what, response, reason, user = provider.user('ada')) => {
    provider.faults.response = (url) => void response(url.searchParams);
    await refusedSignIn(lab.admin, what, reason, () => signInAt(lab, NAME, user));
    provider.well();
  };
  await changed('an answer without iss, which is announced', (q) => q.delete('iss'), 'answer_without_issuer');
  await changed('an answer of another issuer', (q) => q.set('iss', 'https://other.example'), 'answer_of_other_issuer');
  await changed('an answer with two issuers', (q) => q.append('iss', provider.issuer), 'answer_malformed');
  await changed('an answer without a code', (q) => q.delete('code'), 'answer_malformed');
  await changed('an answer without state', (q) => q.delete('state'), 'answer_malformed');
  await changed('an answer with the state of nobody', (q) => q.set('state', 'nobody'), 'attempt_unknown');
  await changed('a code of nobody', (q) => q.set('code', 'nobody'), 'provider_refused_code');
  await changed('an error of the provider', (q) => (q.delete('code'), q.set('error', 'access_denied')), 'provider_refused');
  const hostile = '<script>alert(1)</script>';
  provider.faults.response = (url) => (url.searchParams.delete('code'), url.searchParams.set('error', hostile), undefined);
  const { page } = await refusedSignIn(lab.admin, 'an error that is markup', 'provider_refused', () =>
    signInAt(lab, NAME, provider.user('ada')),
  );
  check(!page.includes('alert'), 'and its text is not shown', page);
  provider.well();
}

async function browsers(lab, provider) {
  const ada = provider.user('ada');
  const callback = callbackOf(lab.facts, NAME);
  const end = redirectUri(lab.client);
  const first = new Browser();
  const answer = await signInAt(lab, NAME, ada, { browser: first, stop: callback });
  await refusedSignIn(lab.admin, 'an answer in another browser', 'attempt_of_other_browser', () => new Browser().walk(answer, end));
  const elsewhere = new URL(answer);
  elsewhere.pathname = elsewhere.pathname.replace(`/${NAME}/`, '/op-post/');
  await refusedSignIn(lab.admin, 'an answer at the address of another connection', 'attempt_of_other_connection', () =>
    first.walk(elsewhere, end),
  );
  const code = await first.walk(answer, end);
  check(code.searchParams.get('code'), 'neither has used it up for the browser it is for', code.href);
  await refusedSignIn(lab.admin, 'the same answer again', 'attempt_used', () => first.walk(answer, end));

  const planted = new Browser();
  const theirs = await signInAt(lab, NAME, provider.user('cleo'), { browser: planted, stop: callback });
  const mine = new Browser();
  await mine.open(startAt(lab.facts, NAME, (await begin(lab.config, lab.client)).url));
  await refusedSignIn(lab.admin, 'an answer that somebody planted', 'attempt_of_other_browser', () => mine.walk(theirs, end));
}

/** The provider as a whole: each with caches of its own, since each is another issuer. */
async function providers(lab, domain) {
  const wrong = async (what, reason, faults, walk = {}) => {
    const provider = await startProvider({ users: people(domain), clients: [{ redirectUris: [callbackOf(lab.facts, 'op-ill')] }] });
    try {
      await lab.admin.call('PUT', '/identity-providers/op-ill', specOf(provider, lab.connector, { name: 'op-ill', ...walk.spec }));
      Object.assign(provider.faults, faults);
      await refusedSignIn(lab.admin, what, reason, () => signInAt(lab, 'op-ill', provider.user('ada')));
    } finally {
      await lab.admin.call('DELETE', '/identity-providers/op-ill');
      await provider.stop();
    }
  };
  const said = (change) => ({ metadata: (document) => ({ ...document, ...change(document) }) });
  await wrong('metadata of another issuer', 'provider_metadata', said(() => ({ issuer: 'https://other.example' })));
  await wrong('metadata with a slash too many', 'provider_metadata', said((d) => ({ issuer: `${d.issuer}/` })));
  await wrong('a provider without PKCE', 'provider_without_pkce', said(() => ({ code_challenge_methods_supported: undefined })));
  await wrong('a provider with plain PKCE only', 'provider_without_pkce', said(() => ({ code_challenge_methods_supported: ['plain'] })));
  await wrong('a token endpoint in the clear', 'provider_endpoint', said(() => ({ token_endpoint: 'http://other.example/token' })));
  await wrong('no keys in the metadata', 'provider_endpoint', said(() => ({ jwks_uri: undefined })));
  await wrong('a provider that is down', 'provider_metadata', { down: true });
  await wrong('a provider that hangs up', 'provider_metadata', { down: 'drop' });
  await wrong('a token endpoint that is down', 'provider_token_endpoint', { down: true, only: /token/ });
  await wrong('a token endpoint that hangs up', 'provider_token_endpoint', { down: 'drop', only: /token/ });
  await wrong('keys that cannot be had', 'provider_keys', { down: true, only: /jwks/ });
  await wrong('keys that are others', 'unknown_key', { jwks: () => ({ keys: [] }) });
  await wrong('a provider that is slow', 'provider_token_endpoint', { slow: 60_000, only: /token/ });
  await wrong('userinfo about another person', 'userinfo_of_other_person', { userinfo: (c) => ({ ...c, sub: 'another' }) }, { spec: { oidc: { userinfo: true } } });
  await wrong('userinfo that is down', 'provider_userinfo', { down: true, only: /\/me$/ }, { spec: { oidc: { userinfo: true } } });
}

/** A provider that was down is asked again; new keys are fetched when a token names one. */
async function recovery(lab, provider) {
  const ada = provider.user('ada');
  provider.faults.down = true;
  provider.faults.only = /token/;
  await refusedSignIn(lab.admin, 'while it is down', 'provider_token_endpoint', () => signInAt(lab, NAME, ada));
  provider.well();
  await signInAt(lab, NAME, ada);
  ok('as soon as it is up again people get in');
  await provider.rotateKeys({ drop: true });
  await soon('all its keys changed', () => signInAt(lab, NAME, ada));
  ok('all its keys changed: people get in');
  ada.enabled = false;
  await refusedSignInThere(lab, ada);
  ada.enabled = true;
}

async function refusedSignInThere(lab, user) {
  const walked = await signInAt(lab, NAME, user).catch((error) => error);
  check(walked instanceof Error, 'who is switched off there does not come back', 'they did');
}

/** Two connections and one name. */
async function names(lab, provider, domain) {
  const [ada, cleo] = [provider.user('ada'), provider.user('cleo')];
  await connect(lab.admin, specOf(provider, lab.connector, { name: 'op-other', domains: [domain] }), lab.cleanup);
  await refusedSignIn(lab.admin, 'a name that another connection gave out', 'username_taken', () => signInAt(lab, 'op-other', ada));
  await refusedSignIn(lab.admin, 'a new name in the domain of another connection', 'username_of_other_domain', () => signInAt(lab, NAME, cleo));
  const unnamed = specOf(provider, lab.connector, { name: 'op-other', claims: { username: 'upn' } });
  await lab.admin.call('PUT', '/identity-providers/op-other', unnamed);
  await refusedSignIn(lab.admin, 'a person without a user name', 'username_missing', () => signInAt(lab, 'op-other', cleo));
}

main('upstream-faults', async (cleanup) => {
  const facts = loadFacts();
  const client = pickSecretClient(facts);
  const config = await configure(facts, client, 'basic');
  const lab = { facts, client, config, connector: pickConnector(facts), admin: new Admin(facts), cleanup };
  const domain = newDomain();
  const keyed = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256' };
  const provider = await startProvider({
    users: people(domain),
    clients: [
      { name: NAME, redirectUris: [callbackOf(facts, NAME), callbackOf(facts, 'op-other')] },
      { name: 'op-post', clientId: 'by-post', redirectUris: [callbackOf(facts, 'op-post')], metadata: { token_endpoint_auth_method: 'client_secret_post' } },
      { name: 'op-key', clientId: 'by-key', redirectUris: [callbackOf(facts, 'op-key')], metadata: { ...keyed, jwks_uri: `${facts.issuer.url}/upstream/op-key/jwks` } },
    ],
  });
  cleanup(() => provider.stop());
  await connect(lab.admin, specOf(provider, lab.connector), cleanup);

  await attempt('sign-ins', () => goodSignIns(lab, provider, domain));
  await attempt('ID tokens', () => idTokens(lab, provider));
  await attempt('answers', () => answers(lab, provider));
  await attempt('browsers', () => browsers(lab, provider));
  await attempt('recovery', () => recovery(lab, provider));
  await attempt('names', () => names(lab, provider, domain));
  await attempt('providers', () => providers(lab, domain));
});
