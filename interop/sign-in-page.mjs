// npm playwright-core drives an installed Chromium through the issuer's sign-in page, as a person's browser
// does: script and content policies, cookies and keyboard included. Not part of `all`: it needs a browser.

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import * as oidc from 'openid-client';
import { chromium } from 'playwright-core';
import { loadFacts, pickSecretClient, pickUser } from './lib/facts.mjs';
import { check, equal, fail, main, ok } from './lib/report.mjs';
import { begin, configure, redirectUri } from './lib/signin.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge'];

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

/** What a person with a screen reader or a keyboard needs of the page. */
async function accessible(page) {
  check(await page.title(), 'the page has a title', 'it is empty', await page.title());
  check(await page.locator('html').getAttribute('lang'), 'the page says its language', 'no lang attribute');
  const unnamed = await page
    .locator('input:not([type=hidden]):not([type=submit])')
    .evaluateAll((fields) => fields.filter((f) => !f.labels?.length && !f.ariaLabel).map((f) => f.name));
  equal(unnamed, [], 'every field has a label');
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
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  const origins = new Set();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));

  const target = new URL(redirectUri(client));
  const arrived = new Promise((resolve) => {
    const there = (url) => url.origin === target.origin && url.pathname === target.pathname;
    page.route(there, (route) => {
      resolve(new URL(route.request().url()));
      return route.fulfill({ status: 200, contentType: 'text/plain', body: 'signed in' });
    });
  });

  const { url, checks } = await begin(config, client);
  await page.goto(url.href);
  await accessible(page);
  if (process.env.LANYARD_INTEROP_OUT) await page.screenshot({ path: join(process.env.LANYARD_INTEROP_OUT, 'sign-in.png'), fullPage: true });
  await page.locator('input[type=text], input[type=email]').first().fill(user.username);
  await page.locator('input[type=password]').fill(user.password);
  await page.keyboard.press('Enter');
  const tokens = await oidc.authorizationCodeGrant(config, await arrived, checks);
  equal(tokens.claims().sub, user.sub, 'the sign-in by keyboard ends with the person\'s ID token');
  equal(complaints, [], 'the browser complained about nothing');
  origins.delete(target.origin);
  equal([...origins], [new URL(facts.issuer.url).origin], 'the page loads nothing from elsewhere');
  ok('signed in with a real browser', browser.version());
});
