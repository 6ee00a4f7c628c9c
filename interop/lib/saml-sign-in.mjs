// A lab whose people sign in at a SAML identity provider: the connection, and a sign-in through the browser without a
// screen. Used by the drivers of each provider, with lib/upstream.mjs.

import { createHash, randomBytes } from 'node:crypto';
import { Browser } from './browser.mjs';
import { basic, post } from './legs.mjs';
import { fail } from './report.mjs';

export const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Where a connection of this name lies at the lab's issuer. */
export function at(facts, name) {
  const base = `${facts.issuer.url}/upstream/${name}`;
  return { metadata: `${base}/saml/metadata`, acs: `${base}/saml/acs`, slo: `${base}/saml/slo`, start: `${base}/start` };
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
  // Carried over the sign-in as it was asked, as the sign-in page does it.
  url.searchParams.set('request', new URLSearchParams(asked).toString());
  const answer = await browser.walk(url, callback, { username: user.username, password: user.password });
  return post(
    facts.issuer.token_endpoint,
    { grant_type: 'authorization_code', code: answer.searchParams.get('code'), redirect_uri: callback, code_verifier: verifier },
    { authorization: basic(client.idp.client_id, client.idp.client_secret) },
  );
}
