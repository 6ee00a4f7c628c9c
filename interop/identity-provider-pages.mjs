// Chromium at the pages about identity providers: the choice of the way, the way on that a domain decides, and what a
// person is told when a provider cannot be reached or an answer belongs to nobody. axe-core judges every page.

import { tabOrder } from './lib/accessibility.mjs';
import { Admin } from './lib/admin.mjs';
import { loadFacts, pickSecretClient, pickUser } from './lib/facts.mjs';
import { cursorIn, launchBrowser, look, openPage } from './lib/pages.mjs';
import { check, equal, main, ok } from './lib/report.mjs';
import { begin, configure } from './lib/signin.mjs';

/** A provider that nobody answers for: enough to be chosen. */
const provider = (name, title, domains) => ({
  name,
  title,
  domains,
  oidc: { issuer: `http://127.0.0.1:9/${name}`, client_id: 'lanyard', client_secret: 'not a secret' },
});

main('identity-provider-pages', async (cleanup) => {
  const facts = loadFacts();
  const user = pickUser(facts, facts.connectors.find((c) => c.status === 'active'));
  const client = pickSecretClient(facts);
  const admin = new Admin(facts);
  const set = (spec) => admin.call('PUT', `/identity-providers/${spec.name}`, spec);
  cleanup(async () => {
    for (const name of ['pages-one', 'pages-two']) await admin.call('DELETE', `/identity-providers/${name}`);
  });
  await set(provider('pages-one', 'Northwind Staff', ['staff.example']));
  await set(provider('pages-two', 'Contoso Partners & Friends', []));

  const config = await configure(facts, client, 'basic');
  const browser = await launchBrowser(cleanup);
  const { page, complaints, origins } = await openPage(browser);
  const { url } = await begin(config, client);

  await page.goto(url.href);
  await cursorIn(page, 'username', 'the cursor stands in the field for a name');
  await look(page, 'ways');
  await tabOrder(page, 'ways', [
    'username',
    'Next',
    'Continue with Northwind Staff',
    'Continue with Contoso Partners & Friends',
  ]);

  // A name without a domain of a provider: the form for a password, with the way back.
  await page.locator('#username').fill(user.username);
  await page.keyboard.press('Enter');
  await page.locator('#password').waitFor();
  equal(await page.locator('#username').inputValue(), user.username, 'the name need not be typed again');
  await cursorIn(page, 'password', 'the cursor stands in the password');
  await look(page, 'ways-password');
  await page.getByRole('link', { name: 'Sign in another way' }).click();

  // An address whose domain a provider has: sent there, where nobody answers, told with another way.
  await page.locator('#username').fill('ada@staff.example');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'You were not signed in' }).waitFor();
  await look(page, 'provider-down');
  await page.getByRole('link', { name: 'Sign in another way' }).click();
  await page.locator('#username').waitFor();
  ok('from a provider that is down it is one click to the others', await page.title());

  // Without script the way on is a page with a link.
  const bare = await openPage(browser, { javaScriptEnabled: false });
  await bare.page.route('**/upstream/**', (route) => route.abort());
  await bare.page.goto(url.href);
  await bare.page.locator('#username').fill('ada@staff.example');
  await bare.page.getByRole('button', { name: 'Next' }).click();
  const on = bare.page.getByRole('link', { name: 'Continue', exact: true });
  const href = await on.getAttribute('href').catch(() => '');
  check(href.includes('/upstream/pages-one/start'), 'without script there is a link to the provider', href);

  // An answer that belongs to nothing.
  const stray = `${facts.issuer.url}/upstream/pages-one/callback?state=none&code=none`;
  equal((await page.goto(stray)).status(), 400, 'an answer to nothing is an error page');
  await look(page, 'stray-answer');

  // No provider has a domain: buttons, and the form one link away.
  await set(provider('pages-one', 'Northwind Staff', []));
  await page.goto(url.href);
  await look(page, 'ways-buttons');
  await tabOrder(page, 'ways-buttons', [
    'Continue with Northwind Staff',
    'Continue with Contoso Partners & Friends',
    'Sign in with a user name and password',
  ]);

  equal(complaints, [], 'the browser complained about nothing');
  equal([...origins], [new URL(facts.issuer.url).origin], 'the pages load nothing from elsewhere');
  ok('looked at in a real browser', browser.version());
});
