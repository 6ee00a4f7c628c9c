// The two legs as plain form posts, for drivers whose foreign part starts after them.

import { fail } from './report.mjs';

export const TOKEN_TYPE = {
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  idJag: 'urn:ietf:params:oauth:token-type:id-jag',
};
export const GRANT = {
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
};

// RFC 6749 section 2.3.1: both halves form-encoded before they are joined.
const formEncode = (text) => new URLSearchParams({ v: text }).toString().slice(2);

export function basic(id, secret) {
  return `Basic ${Buffer.from(`${formEncode(id)}:${formEncode(secret)}`).toString('base64')}`;
}

/** Posts a form; hands back status, headers and JSON body without judging them. */
export async function post(url, form, headers = {}) {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json', ...headers },
    body: new URLSearchParams(Object.entries(form).filter(([, value]) => value !== undefined)),
  });
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = { error: `not JSON: ${text.slice(0, 120)}` };
  }
  return { status: response.status, headers: response.headers, body };
}

function expectOk(what, { status, body }) {
  if (status === 200) return body;
  return fail(what, `HTTP ${status} ${body.error ?? ''} ${body.error_description ?? ''}`.trim());
}

/** Leg 1: ID token for ID-JAG, credentials of the issuer's client in the body. */
export async function exchange(facts, client, { subject, audience, resource, scope }) {
  const answer = await post(facts.issuer.token_endpoint, {
    grant_type: GRANT.exchange,
    requested_token_type: TOKEN_TYPE.idJag,
    subject_token: subject,
    subject_token_type: TOKEN_TYPE.idToken,
    audience,
    resource,
    scope,
    client_id: client.idp.client_id,
    client_secret: client.idp.client_secret,
  });
  return expectOk('leg 1, token exchange', answer);
}

/** Leg 2: ID-JAG for access token, by client_secret_basic. */
export async function redeem(facts, client, { assertion, resource, scope }) {
  const answer = await post(
    facts.ras.token_endpoint,
    { grant_type: GRANT.jwtBearer, assertion, resource, scope, client_id: client.ras.client_id },
    { authorization: basic(client.ras.client_id, client.ras.client_secret) },
  );
  return expectOk('leg 2, redemption', answer);
}

/** Both legs for one connector. */
export async function accessToken(facts, client, subject, connector, scope) {
  const jag = await exchange(facts, client, {
    subject,
    audience: connector.audience,
    resource: connector.resource,
    scope,
  });
  const token = await redeem(facts, client, { assertion: jag.access_token, resource: connector.resource });
  return { jag, token };
}

/** `scopes` of a connector as one string; undefined when it has none. */
export function scopeText(scopes) {
  const list = Array.isArray(scopes) ? scopes : String(scopes ?? '').split(' ');
  const text = list.map((s) => (typeof s === 'string' ? s : s.name)).filter(Boolean).join(' ');
  return text === '' ? undefined : text;
}

/** The token with another signature. */
export function tampered(jwt) {
  const [head, body, signature] = jwt.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[0] ^= 1;
  return [head, body, bytes.toString('base64url')].join('.');
}
