// npm playwright-core drives an installed Chromium through the issuer's pages, as a person's browser does: script and
// content policies, cookies, keyboard, narrow windows and dark mode included. axe-core judges every page.

import * as oidc from 'openid-client';
import { tabOrder } from './lib/accessibility.mjs';
import { loadFacts, pickSecretClient, pickUser } from './lib/facts.mjs';
import { caught, cursorIn, launchBrowser, look, openPage } from './lib/pages.mjs';
import { check, equal, main, ok } from './lib/report.mjs';
import { begin, configure, redirectUri } from './lib/signin.mjs';

/** A person types, mistypes first, and never touches the mouse. */
async function signIn(page, { user, url, answer }) {
  await page.goto(url.href);
  await cursorIn(page, 'username', 'the cursor stands in the first field');
  await look(page, 'sign-in');
  await tabOrder(page, 'sign-in', ['username', 'password', 'Sign in']);

  await page.locator('#username').fill(user.username);
  await page.locator('#password').fill('not the password');
  await page.keyboard.press('Enter');
  const problem = page.getByRole('alert');
  await problem.waitFor();
  check(await problem.textContent(), 'a wrong password is said in words', 'nothing is said', await problem.textContent());
  equal(await page.locator('#username').inputValue(), user.username, 'the user name need not be typed again');
  equal(await page.locator('#password').inputValue(), '', 'the password that was wrong is gone');
  await cursorIn(page, 'password', 'the cursor stands where the mistake was');
  await look(page, 'wrong-password');

  await page.locator('#password').fill(user.password);
  await page.keyboard.press('Enter');
  return answer;
}

/** A link that was cut or made up: a page that says so, and no redirect. */
async function strangers(page, url) {
  const unknown = new URL(url);
  unknown.searchParams.set('client_id', 'nobody');
  const elsewhere = new URL(url);
  elsewhere.searchParams.set('redirect_uri', 'https://elsewhere.example/callback');
  for (const [name, link] of [['unknown-client', unknown], ['unknown-redirect', elsewhere]]) {
    const response = await page.goto(link.href);
    equal(response.status(), 400, `${name}: an error page, not a redirect`);
    equal(new URL(page.url()).origin, new URL(url).origin, `${name}: the browser stays at the issuer`);
    await look(page, name);
  }
}

async function signOut(page, config) {
  const logout = config.serverMetadata().end_session_endpoint;
  await page.goto(logout);
  await look(page, 'sign-out');
  await tabOrder(page, 'sign-out', ['Sign out']);
  await page.keyboard.press('Enter');
  await page.locator('form').waitFor({ state: 'detached' });
  ok('one key press signs out', await page.locator('h1').textContent());
  await look(page, 'signed-out');
  await page.goto(logout);
  await look(page, 'nobody-signed-in');
}

main('sign-in-page', async (cleanup) => {
  const facts = loadFacts();
  const user = pickUser(facts, facts.connectors.find((c) => c.status === 'active'));
  const client = pickSecretClient(facts);
  const config = await configure(facts, client, 'basic');
  const browser = await launchBrowser(cleanup);
  const { page, complaints, origins } = await openPage(browser);

  const target = new URL(redirectUri(client));
  const answer = caught(page, target);
  const { url, checks } = await begin(config, client);
  await strangers(page, url);
  const tokens = await oidc.authorizationCodeGrant(config, await signIn(page, { user, url, answer }), checks);
  equal(tokens.claims().sub, user.sub, 'the sign-in by keyboard ends with the person\'s ID token');
  await signOut(page, config);

  equal(complaints, [], 'the browser complained about nothing');
  origins.delete(target.origin);
  equal([...origins], [new URL(facts.issuer.url).origin], 'the pages load nothing from elsewhere');
  ok('signed in with a real browser', browser.version());
});
