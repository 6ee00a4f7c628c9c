// A rule that asks for two factors, from the first refusal to the tool's token, in a real Chromium: the exchange says what
// sign-in is missing, the person sets a second factor up because the program asks for it, the exchange succeeds. Then a
// rule that asks for more, and sessions as their person and as an administrator ends them.

import * as oidc from 'openid-client';
import { Admin } from './lib/admin.mjs';
import { loadFacts, pickConnector, pickSecretClient, pickUser } from './lib/facts.mjs';
import { redeem } from './lib/legs.mjs';
import { caught, launchBrowser, look, openPage } from './lib/pages.mjs';
import { check, equal, fail, main, ok } from './lib/report.mjs';
import { begin, configure, redirectUri, signIn } from './lib/signin.mjs';
import { code } from './lib/totp.mjs';
import { reach } from './lib/upstream.mjs';

const MFA = 'urn:lanyard:acr:mfa';
const RULE = 'Interop: a stronger sign-in';

/** Nobody without such a sign-in, whatever else allows. */
async function ask(admin, connector, requires) {
  const rule = { title: RULE, effect: 'deny', everyone: true, clients: 'all', connectors: [connector.name], scopes: 'all', requires };
  const written = await admin.call('PUT', '/rules', rule);
  return (written.record ?? written).id;
}

/** A sign-in in Chromium that the program asked for with these parameters; the page of the second factor is `finish`ed. */
async function inBrowser(page, config, client, user, parameters, finish) {
  const { url, checks } = await begin(config, client, parameters);
  const answer = caught(page, new URL(redirectUri(client)));
  await page.goto(url.href);
  await page.locator('#username').fill(user.username);
  await page.locator('#password').fill(user.password);
  await page.keyboard.press('Enter');
  await finish(page);
  const tokens = await oidc.authorizationCodeGrant(config, await answer, checks);
  return tokens;
}

main('step-up', async (cleanup) => {
  const facts = loadFacts();
  const connector = pickConnector(facts);
  const user = pickUser(facts, connector);
  const client = pickSecretClient(facts);
  const admin = new Admin(facts);
  const config = await configure(facts, client, 'basic');
  const person = `/users/${encodeURIComponent(user.username)}`;
  const lab = { facts, client, connector };

  const { tokens: weak } = await signIn(config, client, user);
  equal((await reach(lab, weak)).status, 200, 'without the rule a password is enough');
  const rule = await ask(admin, connector, { strength: 'multi_factor' });
  cleanup(async () => {
    await admin.call('DELETE', `/rules/${rule}`);
    await admin.call('POST', `${person}/factors/reset`);
  });
  const short = await reach(lab, weak);
  equal([short.status, short.body.error], [400, 'insufficient_user_authentication'], 'the exchange asks for a better sign-in');
  equal(short.body.acr_values, MFA, 'and says which');

  const browser = await launchBrowser(cleanup);
  const { page, complaints } = await openPage(browser);
  let shown;
  const strong = await inBrowser(page, config, client, user, { acr_values: short.body.acr_values }, async () => {
    await page.getByRole('heading', { level: 1, name: 'Set up a second factor' }).waitFor();
    ok('who has no second factor sets one up, after the password');
    await look(page, 'enrol-for-a-program');
    shown = await page.locator('code.secret').textContent();
    await page.locator('#code').fill(code(shown));
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Continue' }).click();
  });
  equal(strong.claims().acr, MFA, 'the new ID token says two factors');
  const jag = await reach(lab, strong);
  equal(jag.status, 200, 'the exchange succeeds with it');
  await redeem(facts, client, { assertion: jag.body.access_token, resource: connector.resource });
  ok('and so does the redemption');
  const refreshed = await oidc.refreshTokenGrant(config, weak.refresh_token);
  equal((await reach(lab, refreshed)).body.error, 'insufficient_user_authentication', 'refreshing the old sign-in makes it no better');

  await ask(admin, connector, { strength: 'phishing_resistant', max_age: '15m' });
  const more = await reach(lab, strong);
  equal([more.body.acr_values, more.body.max_age], ['phr', undefined], 'a rule that asks for more is told, and no age that is met');
  await ask(admin, connector, { strength: 'multi_factor', max_age: '15m' });
  equal((await reach(lab, strong)).status, 200, 'a sign-in of this quarter of an hour is recent');

  // The person's own list of sessions, and an administrator's.
  await page.goto(`${facts.issuer.url}/account/sessions`);
  await page.getByRole('heading', { level: 1, name: 'Sessions' }).waitFor();
  equal(await page.locator('.badge').count(), 1, 'the person sees this browser among their sessions');
  const listed = await admin.call('GET', `${person}/sessions`);
  const own = listed.items.find((session) => session.id === strong.claims().sid) ?? fail('sessions', 'the session is not listed');
  equal([own.live, own.strength], [true, 'multi_factor'], 'an administrator sees it too, with its strength');
  await page.getByRole('button', { name: 'End all other sessions' }).click();
  await page.getByRole('status').waitFor();
  const after = await admin.call('GET', `${person}/sessions`);
  equal(after.items.filter((session) => session.live).map((session) => session.id), [own.id], 'the person ends all others');
  await admin.call('DELETE', `${person}/sessions/${own.id}`);
  await page.goto(`${facts.issuer.url}/account/sessions`);
  await page.locator('#password').waitFor();
  ok('the administrator ends this one: the browser is asked to sign in');
  equal((await reach(lab, strong)).body.error, 'invalid_grant', 'and its ID token buys nothing');
  const dead = await oidc.refreshTokenGrant(config, strong.refresh_token).then(() => undefined, (error) => error.error);
  equal(dead, 'invalid_grant', 'nor does its refresh token');
  equal(complaints, [], 'the browser complained about nothing');
});
