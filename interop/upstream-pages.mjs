// Chromium through the pages of a sign-in at an identity provider, with npm oidc-provider behind them: the ways to sign
// in, the step by the domain of an address, there and back to the program, and every page that says why it did not work.
// Each is looked at in three widths, light and dark; once more all of it without JavaScript.

import * as oidc from 'openid-client';
import { tabOrder } from './lib/accessibility.mjs';
import { Admin } from './lib/admin.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { startProvider } from './lib/oidc-provider.mjs';
import { caught, cursorIn, launchBrowser, look, openPage } from './lib/pages.mjs';
import { check, equal, main, ok } from './lib/report.mjs';
import { begin, configure, redirectUri } from './lib/signin.mjs';
import { callbackOf, connect, newDomain, startAt } from './lib/upstream.mjs';

const NAME = 'pages';
const OTHER = 'pages-other';
const TITLE = 'Corporate sign-in';

function specOf(provider, change = {}) {
  return {
    name: NAME,
    title: TITLE,
    just_in_time: true,
    claims: { username: 'email' },
    oidc: { issuer: provider.issuer, client_id: provider.client.id, client_secret: provider.client.secret },
    ...change,
  };
}

/** What a page may do, by its header. */
function policyOf(response, name) {
  const policy = response.headers()['content-security-policy'] ?? '';
  const rules = Object.fromEntries(policy.split(';').map((rule) => rule.trim().split(/\s+/)).map(([key, ...rest]) => [key, rest.join(' ')]));
  equal(rules['default-src'], "'none'", `${name}: the policy allows nothing by itself`);
  check(!/unsafe|\*|https?:(?!\/\/)/.test(policy.replace(/form-action[^;]*/, '')), `${name}: and names no stranger`, policy);
  equal(rules['frame-ancestors'], "'none'", `${name}: nobody frames the page`);
  return rules;
}

async function atProvider(page, user) {
  await page.locator('input[name=username]').fill(user.username);
  await page.locator('input[name=password]').fill(user.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** A program's sign-in: the address to open, and its end. */
async function asked(lab, page, parameters) {
  const target = new URL(redirectUri(lab.client));
  const { url, checks } = await begin(lab.config, lab.client, parameters);
  const answer = caught(page, target);
  const end = async () => {
    const tokens = await oidc.authorizationCodeGrant(lab.config, await answer, checks);
    await page.getByText('signed in').waitFor();
    return tokens.claims();
  };
  return { url, end };
}

async function ways(lab, page, user) {
  const { url, end } = await asked(lab, page);
  const response = await page.goto(url.href);
  const rules = policyOf(response, 'ways');
  check(rules['form-action'].startsWith("'self'"), 'ways: its forms go to us', rules['form-action']);
  await cursorIn(page, 'username', 'ways: the cursor stands in the field for the address');
  await look(page, 'ways');
  const names = await page.getByRole('link', { name: 'Continue with' }).allTextContents();
  check(names.includes(`Continue with ${TITLE}`), 'ways: a button for each provider', names.join());
  await tabOrder(page, 'ways', ['username', 'Next', ...names.map((name) => name.trim())]);

  // The page between goes on by itself; held up, it is looked at.
  const onward = (address) => address.pathname.endsWith(`/upstream/${NAME}/start`);
  await page.route(onward, (route) => route.abort('aborted'));
  const heldUp = page.waitForEvent('requestfailed', (request) => onward(new URL(request.url())));
  await page.locator('#username').fill(user.email);
  await page.keyboard.press('Enter');
  // Between a navigation and its end there is a moment without a title.
  await heldUp;
  await page.getByRole('link', { name: 'Continue', exact: true }).waitFor();
  await look(page, 'domain');
  equal(await page.textContent('h1'), `Continue with ${TITLE}`, 'domain: it says where the address leads');
  await page.unroute(onward);
  await page.getByRole('link', { name: 'Continue', exact: true }).click();
  await page.locator('input[name=password]').waitFor();
  equal(new URL(page.url()).origin, lab.provider.issuer, 'domain: the link leads to the provider');
  await atProvider(page, user);
  check((await end()).sub, 'there and back: the program has its ID token');
}

/** Whoever has a session is led back to where it came from; the ways have to be asked for. */
const AGAIN = { prompt: 'login', choose: '1' };

async function byButton(lab, page, user) {
  const { url, end } = await asked(lab, page, AGAIN);
  await page.goto(url.href);
  await page.getByRole('link', { name: `Continue with ${TITLE}` }).click();
  await page.locator('input[name=password]').waitFor();
  await atProvider(page, user);
  check((await end()).sub, 'by the button: the program has its ID token');
}

async function stranger(lab, page) {
  const { url } = await asked(lab, page, AGAIN);
  await page.goto(url.href);
  await page.locator('#username').fill('somebody@elsewhere.example');
  await page.keyboard.press('Enter');
  await cursorIn(page, 'password', 'an unknown domain: the form for a password, the cursor in it');
  equal(await page.locator('#username').inputValue(), 'somebody@elsewhere.example', 'an unknown domain: what was typed stays');
  await look(page, 'unknown-domain');
  await page.getByRole('link', { name: 'Sign in another way' }).click();
  await cursorIn(page, 'username', 'an unknown domain: and the way back is one link');
}

/** A page that tells why, with a number, and leads on. */
async function problem(page, name, response, status, way) {
  equal(response.status(), status, `${name}: the status`);
  policyOf(response, name);
  await look(page, name);
  check(/req_[0-9a-f]+/.test(await page.textContent('body')), `${name}: it has a number to ask for help with`, 'none');
  equal(await page.getByRole('link', { name: way }).count(), way ? 1 : 0, `${name}: ${way ? 'it leads on' : 'it leads nowhere'}`);
}

async function problems(lab, page) {
  const { provider, facts } = lab;
  const callback = callbackOf(facts, NAME);
  const walk = async (name, user, status) => {
    const { url } = await asked(lab, page, { prompt: 'login' });
    await page.goto(startAt(facts, name, url).href);
    await page.locator('input[name=password]').waitFor();
    const response = page.waitForResponse((r) => r.url().startsWith(callbackOf(facts, name)) && r.status() === status);
    await atProvider(page, user);
    return response;
  };
  provider.faults.idToken = (claims, sign) => sign({ ...claims, nonce: 'another' });
  await problem(page, 'not-accepted', await walk(NAME, provider.user('ada'), 403), 403, 'Sign in another way');
  await page.getByRole('link', { name: 'Sign in another way' }).click();
  await page.locator('h1').waitFor();
  check((await page.textContent('body')).includes(TITLE), 'another way: the page of the ways', page.url());
  provider.well();

  Object.assign(provider.faults, { down: true, only: /token/ });
  await problem(page, 'out-of-order', await walk(NAME, provider.user('ada'), 502), 502, 'Sign in another way');
  provider.well();
  await problem(page, 'no-account', await walk(OTHER, provider.user('ada'), 403), 403, 'Sign in another way');
  const stray = await page.goto(`${callback}?code=x&state=y&iss=${encodeURIComponent(provider.issuer)}`);
  await problem(page, 'stray', stray, 400);
  const gone = await page.goto(startAt(facts, 'nowhere', (await begin(lab.config, lab.client)).url).href);
  await problem(page, 'no-such-way', gone, 404);

  const { sign_in: dry } = await lab.admin.call('POST', `/identity-providers/${NAME}/test`);
  await page.goto(dry.url);
  await page.locator('input[name=password]').waitFor();
  await atProvider(page, provider.user('ada'));
  await page.getByText('the answer was checked').waitFor();
  await look(page, 'dry-sign-in');
}

/** Without domains and with one provider the page has buttons alone. */
async function buttons(lab, page) {
  await lab.admin.call('PUT', `/identity-providers/${NAME}`, specOf(lab.provider));
  const { url } = await asked(lab, page, AGAIN);
  await page.goto(url.href);
  await look(page, 'buttons');
  equal(await page.locator('#username').count(), 0, 'buttons: no field without domains');
  const names = await page.getByRole('link', { name: 'Continue with' }).allTextContents();
  await tabOrder(page, 'buttons', [...names.map((name) => name.trim()), 'Sign in with a user name and password']);
  await page.getByRole('link', { name: 'user name and password' }).click();
  await page.locator('#password').waitFor();
  ok('buttons: the form for a password is one link away');
}

main('upstream-pages', async (cleanup) => {
  const facts = loadFacts();
  const client = pickSecretClient(facts);
  const config = await configure(facts, client, 'basic');
  const domain = newDomain();
  const provider = await startProvider({
    users: ['ada', 'ben'].map((username) => ({ username, email: `${username}@${domain}` })),
    clients: [{ redirectUris: [callbackOf(facts, NAME), callbackOf(facts, OTHER)] }],
  });
  cleanup(() => provider.stop());
  const lab = { facts, client, config, provider, connector: pickConnector(facts), admin: new Admin(facts), cleanup };
  await connect(lab.admin, specOf(provider, { domains: [domain] }), cleanup);
  const long = 'A subsidiary whose name is as long as a title can be at all';
  await connect(lab.admin, specOf(provider, { name: OTHER, title: long, just_in_time: false }), cleanup);

  const browser = await launchBrowser(cleanup);
  const { page, complaints } = await openPage(browser);
  const issuer = new URL(facts.issuer.url).origin;
  const loaded = new Set();
  page.on('request', (request) => {
    if (!request.isNavigationRequest() && page.url().startsWith(issuer)) loaded.add(new URL(request.url()).origin);
  });
  await ways(lab, page, provider.user('ada'));
  await byButton(lab, page, provider.user('ben'));
  await stranger(lab, page);
  await problems(lab, page);
  await buttons(lab, page);
  equal(complaints, [], 'the browser complained about nothing');
  equal([...loaded], [issuer], 'the pages load nothing from elsewhere');

  const plain = await openPage(browser, { javaScriptEnabled: false });
  await byButton(lab, plain.page, provider.user('ada'));
  await lab.admin.call('PUT', `/identity-providers/${NAME}`, specOf(provider, { domains: [domain] }));
  const { url } = await asked(lab, plain.page, AGAIN);
  await plain.page.goto(url.href);
  await plain.page.locator('#username').fill(`ada@${domain}`);
  await plain.page.getByRole('button', { name: 'Next' }).click();
  await plain.page.locator('input[name=password]').waitFor();
  equal(new URL(plain.page.url()).origin, provider.issuer, 'without JavaScript the domain leads to the provider');
  ok('without JavaScript too', browser.version());
});
