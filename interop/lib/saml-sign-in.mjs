// A lab whose people sign in at a SAML identity provider: the connection, a sign-in through the browser without a screen,
// and what the log says of one that failed. Used by the drivers of each provider.

import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Browser, BrowserError } from './browser.mjs';
import { TOKEN_TYPE, GRANT, basic, post, scopeText } from './legs.mjs';
import { equal, fail } from './report.mjs';

export const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Where a connection of this name lies at the lab's issuer. */
export function at(facts, name) {
  const base = `${facts.issuer.url}/oauth2/upstream/${name}`;
  return { metadata: `${base}/metadata`, acs: `${base}/acs`, slo: `${base}/slo`, start: `${base}/saml` };
}

/** The signing certificates that a metadata document of an identity provider has. */
export function certificates(metadata) {
  const found = [...metadata.matchAll(/<(?:\w+:)?X509Certificate>([^<]*)</g)].map(([, text]) => text.replace(/\s/g, ''));
  return found.length > 0 ? [...new Set(found)] : fail('metadata', 'no certificate in it');
}

/** A sign-in that begins at the lab and ends with its answer to the client. */
export async function signIn(facts, name, client, user, browser = new Browser()) {
  const verifier = base64url(randomBytes(32));
  const callback = client.redirect_uris?.[0] ?? 'http://127.0.0.1:3000/callback';
  const url = new URL(at(facts, name).start);
  const asked = {
    response_type: 'code',
    client_id: client.idp.client_id,
    redirect_uri: callback,
    scope: 'openid offline_access',
    state: 'st',
    code_challenge: base64url(createHash('sha256').update(verifier).digest()),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  const answer = await browser.walk(url, callback, { username: user.username, password: user.password });
  return post(
    facts.issuer.token_endpoint,
    { grant_type: 'authorization_code', code: answer.searchParams.get('code'), redirect_uri: callback, code_verifier: verifier },
    { authorization: basic(client.idp.client_id, client.idp.client_secret) },
  );
}

export function exchange(facts, client, form) {
  return post(
    facts.issuer.token_endpoint,
    { grant_type: GRANT.exchange, ...form },
    { authorization: basic(client.idp.client_id, client.idp.client_secret) },
  );
}

export const target = (facts, connector) => ({
  requested_token_type: TOKEN_TYPE.idJag,
  audience: facts.ras.url,
  resource: connector.resource,
  scope: scopeText(connector.scopes),
});

/** The newest failed sign-in of the log. */
async function newest(admin) {
  const page = await admin.call('GET', '/audit?kind=idp.sign_in.failed&limit=1');
  return page.items[0] ?? { sequence: 0 };
}

/** The reason of a failed sign-in after that one; the log is sealed within a second. */
async function reasonAfter(admin, before) {
  for (let wait = 0; wait < 50; wait += 1) {
    const event = await newest(admin);
    if (event.sequence > before.sequence) return event.reason;
    await pause(100);
  }
  return 'nothing in the log';
}

/** Expects that `walk` ends at a page of the lab and not at the client, for this reason in the log. */
export async function refusedSignIn(admin, what, expected, walk) {
  const before = await newest(admin);
  try {
    await walk();
  } catch (error) {
    if (!(error instanceof BrowserError)) throw error;
    return equal(await reasonAfter(admin, before), expected, `${what} lets nobody in, and the log says why`);
  }
  return fail(what, 'a session began');
}
