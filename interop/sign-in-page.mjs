// npm playwright-core drives an installed Chromium through the issuer's pages, as a person's browser does: script and
// content policies, cookies, keyboard, narrow windows and dark mode included. axe-core judges every page.

import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import * as oidc from 'openid-client';
import { chromium } from 'playwright-core';
import { noSideways, noViolations, tabOrder } from './lib/accessibility.mjs';
import { loadFacts, pickSecretClient, pickUser } from './lib/facts.mjs';
import { check, equal, fail, main, ok } from './lib/report.mjs';
import { begin, configure, redirectUri } from './lib/signin.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];
const WINDOWS = [
  { name: 'wide', viewport: { width: 1280, height: 800 } },
  { name: 'narrow', viewport: { width: 390, height: 844 } },
  // Larger letters in a small window: what 400 % zoom makes of a desktop (WCAG 1.4.10).
  { name: 'zoomed', viewport: { width: 320, height: 256 } },
];
const SCHEMES = ['light', 'dark'];

function installedChromium() {
  const places = (process.env.PATH ?? '').split(delimiter).flatMap((dir) => NAMES.map((name) => join(dir, name)));
  for (const path of [process.env.LANYARD_CHROMIUM, ...places].filter(Boolean)) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue;
    }
  }
  return fail('missing: Chromium', `none of ${NAMES.join(', ')} in PATH; LANYARD_CHROMIUM may name one`);
}

/** Looks at the page that stands in every window and colour scheme. */
async function look(page, name) {
  check(await page.title(), `${name}: the page has a title`, 'it is empty', await page.title());
  check(await page.locator('html').getAttribute('lang'), `${name}: the page says its language`, 'no lang attribute');
  equal(await page.locator('h1').count(), 1, `${name}: one heading says what it is about`);
  for (const { name: width, viewport } of WINDOWS) {
    await page.setViewportSize(viewport);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme });
      await noSideways(page, `${name}, ${width}, ${colorScheme}`);
      await noViolations(page, `${name}, ${width}, ${colorScheme}`);
      await picture(page, `${name}-${width}-${colorScheme}`);
    }
  }
  await page.setViewportSize(WINDOWS[0].viewport);
  await page.emulateMedia({ colorScheme: 'light' });
}

async function picture(page, name) {
  const dir = process.env.LANYARD_INTEROP_OUT;
  if (!dir) return;
  mkdirSync(dir, { recursive: true });
  await page.screenshot({ path: join(dir, `${name}.png`), fullPage: true });
}

/** Browsers place the cursor when they paint, some time after the page is loaded. */
async function cursorIn(page, id, what) {
  const there = (wanted) => globalThis.document.activeElement?.id === wanted;
  const found = await page.waitForFunction(there, id, { timeout: 5_000 }).catch(() => undefined);
  check(found, what, `it is not in ${id}`);
}

/** The redirect back to the program, caught before it leaves the browser. */
function caught(page, target) {
  return new Promise((resolve) => {
    const there = (url) => url.origin === target.origin && url.pathname === target.pathname;
    page.route(there, (route) => {
      resolve(new URL(route.request().url()));
      return route.fulfill({ status: 200, contentType: 'text/plain', body: 'signed in' });
    });
  });
}

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
  const browser = await chromium.launch({ executablePath: installedChromium(), args: ['--no-sandbox'] });
  cleanup(() => browser.close());

  const page = await browser.newPage();
  const complaints = [];
  // A page with an error status is itself reported as a resource that failed.
  const expected = /^Failed to load resource: the server responded with a status of 4\d\d/;
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const origins = new Set();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));

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
