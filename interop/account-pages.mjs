// A server from its first start, and its first owner in a real Chromium with a virtual authenticator: the link of the
// first start, a second factor that must be set up, passkeys, codes, recovery codes, guessing, every page of the account.
//
//   LANYARD_BIN=…/lanyard interop/run account-pages

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { tabOrder } from './lib/accessibility.mjs';
import { cursorIn, launchBrowser, look, openPage } from './lib/pages.mjs';
import { freePorts, start, until } from './lib/process.mjs';
import { check, equal, fail, main, ok } from './lib/report.mjs';
import { code } from './lib/totp.mjs';

const USERNAME = 'olivia';
const PASSWORD = 'seven green bicycles';
const NEW_PASSWORD = 'eleven quiet violins';

async function startServer(cleanup) {
  const bin = process.env.LANYARD_BIN ?? fail('LANYARD_BIN', 'is not set: the lanyard binary');
  const dir = mkdtempSync(join(tmpdir(), 'lanyard-account-'));
  cleanup(() => rmSync(dir, { recursive: true, force: true }));
  const port = await freePorts(2);
  const state = join(dir, 'state');
  // Browsers make passkeys for names only, so the issuer is localhost and no address.
  const issuer = `http://localhost:${port}`;
  const config = join(dir, 'lanyard.toml');
  writeFileSync(
    config,
    `development = true
organisation = "Northwind"
state_dir = "${state}"
[idp]
issuer = "${issuer}"
listen = "127.0.0.1:${port}"
[admin]
listen = "127.0.0.1:${port + 1}"
[people]
second_factor = "everyone"
profile_editable = true
`,
  );
  const program = start(bin, ['serve', '--config', config], { log: join(dir, 'server.log') });
  cleanup(() => program.stop());
  const link = await until('lanyard serve', program, () => readFileSync(join(state, 'owner-link'), 'utf8'));
  await until('the issuer', program, async () => (await fetch(`${issuer}/account`)).status === 200);
  return { issuer, link, database: join(state, 'lanyard.db') };
}

/** A device that holds passkeys and always recognises its owner. */
async function authenticator(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    passkeys: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    recognises: (who) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: who }),
  };
}

async function alertSays(page, what) {
  const alert = page.locator('[role=alert]:visible');
  await alert.waitFor();
  check((await alert.textContent()).trim(), what, 'nothing is said', (await alert.textContent()).trim());
}

async function heading(page, expected) {
  await page.getByRole('heading', { level: 1, name: expected }).waitFor();
  ok(`the page "${expected}" is shown`);
}

async function signInWith(page, issuer, password) {
  await page.goto(`${issuer}/account`);
  await page.locator('#username').fill(USERNAME);
  await page.locator('#password').fill(password);
  await page.keyboard.press('Enter');
}

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out', exact: true }).first().click();
  await heading(page, 'You are signed out');
}

async function firstSignIn(page, { link, issuer }) {
  await page.goto(link);
  await cursorIn(page, 'username', 'the token is taken from the link and the cursor stands in the next field');
  equal(page.url(), `${issuer}/first-sign-in`, 'the token is gone from the address');
  check(!(await page.locator('#token-row').isVisible()), 'the token need not be seen', 'it is shown');
  await look(page, 'first-sign-in');
  await page.locator('#username').fill(USERNAME);
  await page.locator('#display_name').fill('Olivia Owner');
  await page.locator('#password').fill('olivia-owner');
  await page.keyboard.press('Enter');
  await alertSays(page, 'a weak password is refused in words');
  await page.locator('#password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await heading(page, 'Security');
  check(await page.getByRole('status').textContent(), 'the first owner is welcomed', 'nothing is said');
  await look(page, 'welcome');
  await signOut(page);
}

async function enrol(page, { issuer }, device) {
  await signInWith(page, issuer, PASSWORD);
  await heading(page, 'Set up a second factor');
  await look(page, 'enrol');
  await page.locator('#code').fill('000000');
  await page.keyboard.press('Enter');
  await alertSays(page, 'a wrong first code is said in words');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await heading(page, 'Keep these recovery codes');
  equal((await device.passkeys()).length, 1, 'the device holds one passkey');
  const codes = await page.locator('.codes code').allTextContents();
  equal(codes.length, 10, 'there are ten recovery codes');
  await look(page, 'recovery-codes');
  await page.getByRole('link', { name: 'Continue' }).click();
  await heading(page, 'Profile');
  return codes;
}

async function accountPages(page, { issuer }) {
  await look(page, 'profile');
  await page.locator('#display_name').fill('Olivia Example');
  await page.locator('#email').fill('olivia@northwind.example');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('status').waitFor();
  equal(await page.locator('#display_name').inputValue(), 'Olivia Example', 'the new name is kept');

  await page.getByRole('link', { name: 'Sessions' }).click();
  await heading(page, 'Sessions');
  equal(await page.locator('.badge').count(), 1, 'this browser is marked');
  check((await page.locator('.rows').textContent()).includes('Chrome on'), 'the browser is named', 'it is not');
  await look(page, 'sessions');
  await page.getByRole('link', { name: 'Programs' }).click();
  await heading(page, 'Programs');
  await look(page, 'programs');

  await page.goto(`${issuer}/account/security`);
  await page.getByText('Change', { exact: true }).click();
  await page.getByLabel('Name', { exact: true }).fill('Work laptop');
  await page.getByRole('button', { name: 'Rename' }).click();
  await page.getByRole('status').waitFor();
  await page.getByText('Work laptop').first().waitFor();
  ok('the passkey has a new name');
  await look(page, 'security');
}

async function setUpApp(page) {
  await page.getByRole('link', { name: 'Set up an app' }).click();
  await heading(page, 'Set up an app');
  await look(page, 'app');
  const shown = await page.locator('code.secret').textContent();
  await page.locator('#code').fill('000000');
  await page.keyboard.press('Enter');
  await alertSays(page, 'a wrong code is said in words');
  await page.locator('#code').fill(code(shown));
  await page.keyboard.press('Enter');
  await heading(page, 'That is set up');
  await page.getByRole('link', { name: 'Continue' }).click();
  await heading(page, 'Security');
  return shown;
}

/** Sign-ins with everything there is by now. */
async function everyWayIn(page, { issuer }, device, shown, codes) {
  await signOut(page);
  await page.goto(`${issuer}/account`);
  await look(page, 'sign-in-with-passkey');
  await tabOrder(page, 'sign-in', ['username', 'password', 'Sign in', 'Sign in with a passkey']);
  await device.recognises(false);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await alertSays(page, 'a device that does not recognise its owner lets nobody in');
  await device.recognises(true);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await heading(page, 'Profile');
  ok('a passkey alone signs in');

  await signOut(page);
  await signInWith(page, issuer, PASSWORD);
  await heading(page, 'One more step');
  await cursorIn(page, 'code', 'the cursor stands in the field for the code');
  await look(page, 'second-factor');
  await page.locator('#code').fill('123456');
  await page.keyboard.press('Enter');
  await alertSays(page, 'a wrong code is said in words');
  await look(page, 'wrong-code');
  // The code of this step was used to set the app up; the next one is accepted early.
  await page.locator('#code').fill(code(shown, 1));
  await page.keyboard.press('Enter');
  await heading(page, 'Profile');
  ok('a code from the app is the second half');

  await signOut(page);
  await signInWith(page, issuer, PASSWORD);
  await page.getByRole('button', { name: 'Use a passkey' }).click();
  await heading(page, 'Profile');
  ok('a passkey is the second half');

  await signOut(page);
  await signInWith(page, issuer, PASSWORD);
  await page.getByText('Use a recovery code').click();
  await page.locator('#recovery').fill(codes[0].toUpperCase());
  await page.getByRole('button', { name: 'Use this code' }).click();
  await heading(page, 'Profile');
  ok('a recovery code is the second half');
  await page.getByRole('link', { name: 'Security' }).click();
  await page.getByText('You have 9 left').waitFor();
  ok('it is used up');
}

/** Some time later, the person must show again that it is them. */
async function confirm(page, { issuer, database }) {
  const store = new DatabaseSync(database);
  store.exec('UPDATE sessions SET auth_time = auth_time - 400000000, confirmed_at = NULL');
  store.close();
  await page.goto(`${issuer}/account/security`);
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
  await look(page, 'confirm');
  await page.getByRole('button', { name: 'Confirm with a passkey' }).click();
  await page.getByRole('status').waitFor();
  ok('a passkey confirms');
  await page.locator('#old').fill(PASSWORD);
  await page.locator('#new').fill(NEW_PASSWORD);
  await page.getByRole('button', { name: 'Change password' }).click();
  await page.getByRole('status').waitFor();
  ok('the password is changed');
}

/** Strangers guess; the person's own browser is not kept out. */
async function guessing(browser, page, { issuer }) {
  const { page: stranger, context } = await openPage(browser);
  for (let n = 0; n < 6; n += 1) {
    await stranger.goto(`${issuer}/account`);
    await stranger.locator('#username').fill(n % 2 ? USERNAME : ` ${USERNAME.toUpperCase()} `);
    await stranger.locator('#password').fill(`guess ${n}`);
    await stranger.keyboard.press('Enter');
    await alertSays(stranger, `guess ${n + 1} is answered in words`);
  }
  check((await stranger.locator('#problem').textContent()).includes('wait'), 'guessing makes wait', 'it does not');
  await look(stranger, 'too-many-attempts');
  await context.close();
  await signOut(page);
  await signInWith(page, issuer, NEW_PASSWORD);
  await heading(page, 'One more step');
  ok("the person's own browser is not kept out by a stranger at the same address");
}

async function withoutScripts(browser, { issuer }) {
  const { page, context } = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(`${issuer}/account`);
  check(!(await page.getByRole('button', { name: 'Sign in with a passkey' }).isVisible()), 'without JavaScript no passkey is offered', 'it is');
  await page.goto(`${issuer}/first-sign-in`);
  check(await page.locator('#token').isVisible(), 'without JavaScript the token is pasted', 'there is no field');
  await page.goto(`${issuer}/account`);
  await page.locator('#username').fill(USERNAME);
  await page.locator('#password').fill('not the password');
  await page.keyboard.press('Enter');
  await page.locator('#problem').waitFor();
  ok('without JavaScript a wrong password is said in words');
  await context.close();
}

main('account-pages', async (cleanup) => {
  const server = await startServer(cleanup);
  const browser = await launchBrowser(cleanup);
  const { page, complaints, origins } = await openPage(browser);
  const device = await authenticator(page);
  await firstSignIn(page, server);
  const codes = await enrol(page, server, device);
  await accountPages(page, server);
  const shown = await setUpApp(page);
  await everyWayIn(page, server, device, shown, codes);
  await confirm(page, server);
  await guessing(browser, page, server);
  await withoutScripts(browser, server);
  equal(complaints, [], 'the browser complained about nothing');
  equal([...origins], [server.issuer], 'the pages load nothing from elsewhere');
  ok('signed in with a real browser', browser.version());
});
