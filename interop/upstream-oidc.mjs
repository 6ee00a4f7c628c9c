// Keycloak as the corporate identity provider of a lab, by OpenID Connect: its groups decide which connector a person
// reaches and how its sign-in counts here; changed keys, a wrong secret, an issuer that differs by a slash, a person who
// was switched off, made again under the same address or linked by hand; and a Keycloak that is stopped.

import * as oidc from 'openid-client';
import { Admin } from './lib/admin.mjs';
import { Browser, forms } from './lib/browser.mjs';
import { loadFacts, pickConnector, pickSecretClient, pickUser } from './lib/facts.mjs';
import { attachKeycloak, launchKeycloak } from './lib/keycloak.mjs';
import { attempt, check, equal, main, ok, refused } from './lib/report.mjs';
import { begin, configure, redirectUri, signIn } from './lib/signin.mjs';
import { callTool, callbackOf, connect, newDomain, reach, refusedSignIn, signInAt, soon, watched } from './lib/upstream.mjs';

const NAME = 'kc';
const LINKED = 'kc-linked';
const SECRET = 'kc-secret';
const SLASH = 'kc-slash';
const DOWN = 'kc-down';
const COLD = 'kc-cold';
const NAMES = [NAME, LINKED, SECRET, SLASH, DOWN, COLD];
const MFA = 'urn:lanyard:acr:mfa';

/** People whose names no earlier run has used. */
function people(domain) {
  const person = (username, rest) => ({ username, email: `${username}@${domain}`, ...rest });
  return [
    person('ada', { groups: ['engineering'] }),
    person('ben', { groups: ['engineering', 'contractors'] }),
    person('cleo', { groups: ['finance'] }),
  ];
}

function realmOptions(facts, name, users) {
  return {
    name,
    users,
    oidc: { redirectUris: NAMES.map((each) => callbackOf(facts, each)) },
    // What Keycloak calls a sign-in that asked for the password.
    realm: { attributes: { 'acr.loa.map': JSON.stringify({ gold: 1 }) } },
  };
}

function specOf(realm, connector, change = {}) {
  return {
    name: NAME,
    title: 'Corporate Keycloak',
    preset: 'keycloak',
    just_in_time: true,
    claims: { username: 'email' },
    groups: { claim: 'groups', names: { engineering: connector.allowed_groups[0] } },
    strengths: [{ claim: 'acr', value: 'gold', strength: 'multi_factor' }],
    oidc: { issuer: realm.issuer, client_id: realm.client.id, client_secret: realm.client.secret },
    ...change,
  };
}

/** Keycloak says by `amr` that a password was typed; its built-in flow only does so when it is told to. */
async function sayHow(realm) {
  const executions = await realm.admin('GET', '/authentication/flows/browser/executions');
  const form = executions.find((e) => e.providerId === 'auth-username-password-form');
  await realm.admin('POST', `/authentication/executions/${form.id}/config`, {
    alias: 'how',
    config: { 'default.reference.value': 'pwd', 'default.reference.maxAge': '3600' },
  });
  const client = await realm.findClient(realm.client.id);
  await realm.admin('POST', `/clients/${client.id}/protocol-mappers/models`, {
    name: 'amr',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-amr-mapper',
    config: { 'id.token.claim': 'true', 'access.token.claim': 'true' },
  });
}

async function groupsDecide(lab, realm) {
  const browser = new Browser();
  const tokens = await signInAt(lab, NAME, realm.user('ada'), { browser });
  const claims = tokens.claims();
  ok('a person signs in at Keycloak and comes back with a code', claims.sub);
  equal(claims.acr, MFA, 'what Keycloak calls the sign-in counts as the operator said');
  equal(claims.amr, ['pwd'], 'how it was done is carried into our ID token');
  check(Math.abs(claims.auth_time - Date.now() / 1000) < 120, 'and when', String(claims.auth_time));
  await callTool(lab, tokens, 'ada, in the group at Keycloak');

  const again = await signInAt(lab, NAME, undefined, { browser });
  equal(again.claims().sub, claims.sub, 'by the session at Keycloak the same person comes, without a password');
  equal(again.claims().auth_time, claims.auth_time, 'whose sign-in is as old as before');
  equal(again.claims().acr, '0', 'and is not called what it was not');
  await signInAt(lab, NAME, realm.user('ada'), { browser, parameters: { max_age: '0' } });
  equal(browser.signIns, 2, 'max_age=0 makes Keycloak ask for the password again');

  const links = await lab.admin.call('GET', `/identity-providers/${NAME}/links`);
  equal(links.items.map((link) => link.subject), [await realm.id('ada')], 'the link is to the subject at Keycloak');

  const cleo = await signInAt(lab, NAME, realm.user('cleo'));
  const jag = await reach(lab, cleo);
  check(jag.status >= 400, 'cleo signs in, and without the group policy refuses', `HTTP ${jag.status}`);

  const ben = await signInAt(lab, NAME, realm.user('ben'));
  equal((await reach(lab, ben)).status, 200, 'ben is in the group');
  await realm.leave('ben', 'engineering');
  const { outcome: later, event } = await watched(lab.admin, 'directory.membership.synchronised', () =>
    signInAt(lab, NAME, realm.user('ben')),
  );
  equal(event?.detail.removed, [lab.connector.allowed_groups[0]], 'who leaves the group leaves it here at the next sign-in');
  check((await reach(lab, later)).status >= 400, 'and reaches nothing any more', 'an ID-JAG was issued');
  check((await reach(lab, ben)).status >= 400, 'nor by the ID token of before', 'an ID-JAG was issued');
  await realm.join('ben', 'engineering');
  equal((await reach(lab, await signInAt(lab, NAME, realm.user('ben')))).status, 200, 'who comes back has it again');
}

async function keysChange(lab, realm) {
  const browser = new Browser();
  await signInAt(lab, NAME, realm.user('ada'), { browser });
  await realm.rotateKeys();
  await soon('a new key at Keycloak', () => signInAt(lab, NAME, realm.user('ada')));
  ok('a new key at Keycloak: the next sign-in works');
  await signIn(lab.config, lab.client, undefined, { browser, silent: true, parameters: { prompt: 'none' } });
  ok('and nobody who was signed in is asked again');
}

async function homeRealm(lab, realm, domain) {
  const ada = realm.user('ada');
  const { url, checks } = await begin(lab.config, lab.client, { login_hint: ada.email });
  const page = await new Browser().open(url);
  equal(page.url.origin, new URL(realm.issuer).origin, 'an address of the domain as login_hint leads straight to Keycloak');
  check(page.html.includes(`value="${ada.email}"`), 'which knows the address already', page.text);
  const answer = await new Browser().walk(url, redirectUri(lab.client), { ...ada });
  equal((await oidc.authorizationCodeGrant(lab.config, answer, checks)).claims().acr, MFA, 'and ends with tokens');

  const plain = await begin(lab.config, lab.client);
  const browser = new Browser();
  const ways = await browser.open(plain.url);
  check(ways.text.includes('Corporate Keycloak'), 'without a hint there is a page with the ways', ways.text);
  const form = forms(ways.html).find((each) => each.fields.some((field) => field.name === 'username'));
  const type = (username) => ({
    ...Object.fromEntries(form.fields.filter((field) => field.name).map((field) => [field.name, field.value])),
    username,
  });
  const action = new URL(form.action, ways.url);
  const onward = await browser.open(action, type(`somebody@${domain.toUpperCase()}`));
  const link = onward.html.match(/href="([^"]*\/upstream\/kc\/start\?[^"]*)"/);
  check(link, 'the domain of an address leads on by a link', onward.text);
  const there = await browser.open(new URL(link[1].replaceAll('&amp;', '&'), onward.url));
  equal(there.url.origin, new URL(realm.issuer).origin, 'to Keycloak');
  const other = await browser.open(action, type('somebody@elsewhere.example'));
  check(forms(other.html).some((f) => f.fields.some((x) => x.type === 'password')), 'any other gets the form for a password', other.text);
}

async function wrongSettings(lab, realm) {
  const { admin, connector } = lab;
  const oidcOf = (change) => ({ issuer: realm.issuer, client_id: realm.client.id, client_secret: realm.client.secret, ...change });
  await connect(admin, specOf(realm, connector, { name: SECRET, oidc: oidcOf({ client_secret: 'not the secret' }) }), lab.cleanup);
  const secret = await refusedSignIn(admin, 'a wrong client secret', 'provider_refused_code', () =>
    signInAt(lab, SECRET, realm.user('ada')),
  );
  check(/unauthorized_client|invalid_client/.test(secret.event.detail.why), 'with what Keycloak said', secret.event.detail.why);
  const found = await admin.call('POST', `/identity-providers/${SECRET}/test`);
  const client = found.findings.find((finding) => finding.check === 'client');
  equal(client.result, 'failed', 'the test of the connection finds it too');

  await connect(admin, specOf(realm, connector, { name: SLASH, oidc: oidcOf({ issuer: `${realm.issuer}/` }) }), lab.cleanup);
  const slash = await refusedSignIn(admin, 'an issuer with a slash too many', 'provider_metadata', () =>
    signInAt(lab, SLASH, realm.user('ada')),
  );
  check(slash.page.includes(' 502 '), 'before anybody types a password', slash.page);
  const test = await admin.call('POST', `/identity-providers/${SLASH}/test`);
  const words = test.findings.find((finding) => finding.result === 'failed');
  check(/slash/.test(`${words.text} ${words.remedy}`), 'the test says that only the slash differs', words.text, words.text);

  const good = await admin.call('POST', `/identity-providers/${NAME}/test`);
  equal(good.findings.filter((finding) => finding.result === 'failed'), [], 'the test finds no fault with the right one');
}

async function dryRun(lab, realm) {
  const { sign_in: dry } = await lab.admin.call('POST', `/identity-providers/${NAME}/test`);
  const browser = new Browser();
  const ada = realm.user('ada');
  const callback = await browser.walk(dry.url, callbackOf(lab.facts, NAME), { username: ada.username, password: ada.password });
  const page = await browser.open(callback);
  equal(page.status, 200, 'a dry sign-in ends on a page of ours');
  const report = await lab.admin.call('GET', `/identity-providers/${NAME}/test/${dry.id}`);
  equal([report.accepted, report.subject, report.username], [true, await realm.id('ada'), ada.email], 'it tells who would come');
  equal(report.groups.map((g) => g.group), [lab.connector.allowed_groups[0]], 'and into which group');
}

async function switchedOff(lab, realm) {
  const ben = realm.user('ben');
  const browser = new Browser();
  const held = await signInAt(lab, NAME, ben);
  const answer = await signInAt(lab, NAME, ben, { browser, stop: callbackOf(lab.facts, NAME) });
  await realm.setEnabled('ben', false);
  const { event } = await refusedSignIn(lab.admin, 'who was switched off between sign-in and code', 'provider_refused_code', () =>
    browser.walk(answer, redirectUri(lab.client)),
  );
  check(event.detail.why.includes('invalid_grant'), 'with what Keycloak said', event.detail.why);
  await refused('who is switched off does not get past Keycloak', () => signInAt(lab, NAME, ben));
  equal((await reach(lab, held)).status, 200, 'a session that had begun goes on: ending it is for the directory or an administrator');
  await realm.setEnabled('ben', true);
  const { event: cut } = await watched(lab.admin, 'idp.sign_in.failed', async () => {
    await lab.admin.call('POST', `/users/${encodeURIComponent(ben.email)}/deactivate`);
    await refused('who is deactivated here comes back from Keycloak', () => signInAt(lab, NAME, ben));
  });
  equal(cut?.reason, 'user_deactivated', 'and is not let in');
  check((await reach(lab, held)).status >= 400, 'nor by what they held', 'an ID-JAG was issued');
}

async function sameAddressAgain(lab, realm) {
  const cleo = realm.user('cleo');
  await realm.deleteUser('cleo');
  await realm.createUser({ ...cleo, groups: ['engineering'] });
  const { event } = await refusedSignIn(lab.admin, 'somebody new under an old address', 'username_taken', () =>
    signInAt(lab, NAME, cleo),
  );
  equal(event.detail.upstream_subject, await realm.id('cleo'), 'the log has the new subject');
}

async function linking(lab, realm) {
  const { admin, connector } = lab;
  const other = newDomain();
  await connect(admin, specOf(realm, connector, { name: LINKED, just_in_time: false, link_by: 'username' }), lab.cleanup);
  const make = async (username, rest) => {
    const user = await realm.createUser({ username, email: `${username}@${other}`, groups: ['engineering'] });
    if (rest) await admin.call('PUT', `/users/${encodeURIComponent(user.email)}`, { username: user.email, ...rest });
    return user;
  };
  const [eva, fred, gil] = [await make('eva', {}), await make('fred'), await make('gil', { password: 'a long way to Tipperary' })];
  const tokens = await signInAt(lab, LINKED, eva);
  const record = await admin.call('GET', `/users/${encodeURIComponent(eva.email)}`);
  ok('who exists here is linked by the user name, as the operator allowed', record.id);
  equal((await reach(lab, tokens)).status, 200, 'and the groups at Keycloak count');
  await refusedSignIn(admin, 'who does not exist here', 'not_linked', () => signInAt(lab, LINKED, fred));
  await refusedSignIn(admin, 'who has a password here', 'local_account', () => signInAt(lab, LINKED, gil));
  await refusedSignIn(admin, 'a name in the domain of another connection', 'username_of_other_domain', () =>
    signInAt(lab, LINKED, realm.user('ada')),
  );
  await admin.call('POST', `/identity-providers/${LINKED}/links`, { subject: await realm.id('gil'), user: gil.email });
  await signInAt(lab, LINKED, gil);
  ok('who was linked by an administrator gets in');
}

/** A Keycloak of its own is stopped while people are signed in by it. */
async function outage(lab, own) {
  await own.ready();
  const domain = newDomain();
  const users = people(domain);
  const realm = await own.createRealm(realmOptions(lab.facts, 'down', users));
  const cold = await own.createRealm(realmOptions(lab.facts, 'cold', users));
  const { admin, connector } = lab;
  await connect(admin, specOf(realm, connector, { name: DOWN, domains: [domain], default: true }), lab.cleanup);
  await connect(admin, specOf(cold, connector, { name: COLD }), lab.cleanup);
  const ada = realm.user('ada');
  const browser = new Browser();
  const tokens = await signInAt(lab, DOWN, ada, { browser });
  const late = new Browser();
  const answer = await signInAt(lab, DOWN, realm.user('ben'), { browser: late, stop: callbackOf(lab.facts, DOWN) });
  await own.stop();
  ok('Keycloak is stopped');

  const { page } = await refusedSignIn(admin, 'an answer that cannot be redeemed any more', 'provider_token_endpoint', () =>
    late.walk(answer, redirectUri(lab.client)),
  );
  check(/502 .*does not answer as it should.*Sign in another way/.test(page), 'the page says what happened and offers another way', page);
  const begun = await refusedSignIn(admin, 'a sign-in that begins now', 'provider_metadata', () => signInAt(lab, COLD, ada));
  check(/502 .*Sign in another way/.test(begun.page), 'likewise', begun.page);

  await signIn(lab.config, lab.client, undefined, { browser, silent: true, parameters: { prompt: 'none' } });
  ok('who was signed in stays signed in');
  const renewed = await oidc.refreshTokenGrant(lab.config, tokens.refresh_token);
  await callTool(lab, { id_token: renewed.id_token ?? tokens.id_token }, 'and reaches what they reached');

  const { url, checks } = await begin(lab.config, lab.client, { choose: '1' });
  const ways = await new Browser().open(url);
  check(ways.status === 200 && ways.text.includes('Corporate Keycloak'), 'the other ways are shown although one is the default', ways.text);
  const local = pickUser(lab.facts, connector);
  url.searchParams.set('choose', 'password');
  const back = await new Browser().walk(url, redirectUri(lab.client), { ...local });
  const claims = (await oidc.authorizationCodeGrant(lab.config, back, checks)).claims();
  equal(claims.sub, local.sub, 'somebody with a password here gets in');
}

main('upstream-oidc', async (cleanup) => {
  const facts = loadFacts();
  const client = pickSecretClient(facts);
  const lab = {
    facts,
    client,
    connector: pickConnector(facts),
    admin: new Admin(facts),
    config: await configure(facts, client, 'basic'),
    cleanup,
  };
  const keycloak = attachKeycloak(process.argv[3]);
  const own = await launchKeycloak();
  cleanup(() => own.stop());
  const domain = newDomain();
  const realm = await keycloak.createRealm(realmOptions(facts, 'upstream', people(domain)));
  cleanup(() => realm.remove());
  await sayHow(realm);
  await connect(lab.admin, specOf(realm, lab.connector, { domains: [domain] }), cleanup);

  await attempt('groups', () => groupsDecide(lab, realm));
  await attempt('home realm', () => homeRealm(lab, realm, domain));
  await attempt('settings', () => wrongSettings(lab, realm));
  await attempt('a dry sign-in', () => dryRun(lab, realm));
  await attempt('keys', () => keysChange(lab, realm));
  await attempt('the same address', () => sameAddressAgain(lab, realm));
  await attempt('linking', () => linking(lab, realm));
  await attempt('switched off', () => switchedOff(lab, realm));
  await attempt('outage', () => outage(lab, own));
});
