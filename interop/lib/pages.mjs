// A real Chromium at our pages: finds it, looks at a page in every window and colour scheme, keeps its complaints.

import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { noSideways, noViolations } from './accessibility.mjs';
import { check, equal, fail } from './report.mjs';

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

export async function launchBrowser(cleanup) {
  const browser = await chromium.launch({ executablePath: installedChromium(), args: ['--no-sandbox'] });
  cleanup(() => browser.close());
  return browser;
}

/** A page whose complaints and origins are kept. */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  // A page with an error status is itself reported as a resource that failed.
  const expected = /^Failed to load resource: the server responded with a status of (4\d\d|502)/;
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  const origins = new Set();
  page.on('request', (request) => origins.add(new URL(request.url()).origin));
  return { context, page, complaints, origins };
}

/** Looks at the page that stands in every window and colour scheme. */
export async function look(page, name) {
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
export async function cursorIn(page, id, what) {
  const there = (wanted) => globalThis.document.activeElement?.id === wanted;
  const found = await page.waitForFunction(there, id, { timeout: 5_000 }).catch(() => undefined);
  check(found, what, `it is not in ${id}`);
}

/** The redirect back to the program, caught before it leaves the browser. */
export function caught(page, target) {
  return new Promise((resolve) => {
    const there = (url) => url.origin === target.origin && url.pathname === target.pathname;
    page.route(there, (route) => {
      resolve(new URL(route.request().url()));
      return route.fulfill({ status: 200, contentType: 'text/plain', body: 'signed in' });
    });
  });
}
