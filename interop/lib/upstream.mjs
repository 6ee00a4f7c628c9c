// A lab whose people sign in at an upstream identity provider, whatever its protocol: sign-ins by OpenID Connect through
// a chosen connection, what a person then reaches, and what the log says of a sign-in that failed.

import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import * as oidc from 'openid-client';
import { sampleArguments } from './arguments.mjs';
import { Browser, BrowserError } from './browser.mjs';
import { GRANT, TOKEN_TYPE, basic, post, redeem, scopeText } from './legs.mjs';
import { check, equal, fail } from './report.mjs';
import { begin, redirectUri } from './signin.mjs';

/** A domain that no earlier run has people in. */
export const newDomain = () => `corp-${randomBytes(4).toString('hex')}.example`;

/** The redirect URI of a connection, as a provider must know it. */
export const callbackOf = (facts, name) => `${facts.issuer.url}/upstream/${name}/callback`;

/** Makes a connection for the time of the driver, or changes one. */
export async function connect(admin, spec, cleanup) {
  const path = `/identity-providers/${spec.name}`;
  const set = await admin.call('PUT', path, spec);
  if (set.change === 'created') cleanup(() => removeConnection(admin, spec.name));
  return set;
}

export const removeConnection = (admin, name) => admin.call('DELETE', `/identity-providers/${name}`);

/** Where a sign-in begins at that connection, for the authorization request at `url`: the link on the page of the ways. */
export function startAt(facts, name, url) {
  const start = new URL(`${facts.issuer.url}/upstream/${name}/start`);
  start.searchParams.set('request', new URL(url).searchParams.toString());
  return start;
}

/**
 * A person signs in at a connection; hands back the tokens of openid-client, which checks the ID token.
 * `stop` is an address to stop at on the way, which is handed back instead.
 */
export async function signInAt(lab, name, user, { browser = new Browser(), parameters, stop } = {}) {
  const { url, checks } = await begin(lab.config, lab.client, parameters);
  const credentials = user && { username: user.username, password: user.password };
  const end = stop ?? redirectUri(lab.client);
  const answer = await browser.walk(startAt(lab.facts, name, url), end, credentials);
  return stop ? answer : oidc.authorizationCodeGrant(lab.config, answer, checks);
}

/** The first leg as the client writes it, not judged. */
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

/** What a person's ID token buys for a connector. */
export function reach({ facts, client, connector }, tokens) {
  const subject = { subject_token: tokens.id_token, subject_token_type: TOKEN_TYPE.idToken };
  return exchange(facts, client, { ...target(facts, connector), ...subject });
}

/** Both legs and a tool call through the gateway. */
export async function callTool(lab, tokens, what) {
  const { facts, client, connector } = lab;
  const jag = await reach(lab, tokens);
  equal(jag.status, 200, `${what}: an ID-JAG for ${connector.name}`);
  const token = await redeem(facts, client, { assertion: jag.body.access_token, resource: connector.resource });
  const mcp = new Client({ name: 'lanyard-interop-upstream', version: '1.0.0' });
  const requestInit = { headers: { authorization: `Bearer ${token.access_token}` } };
  await mcp.connect(new StreamableHTTPClientTransport(new URL(connector.mcp_url), { requestInit }));
  try {
    const { tools } = await mcp.listTools();
    const known = connector.tools.map((t) => t.name);
    const tool = tools.find((t) => known.includes(t.name)) ?? fail(what, `none of ${known} is listed`);
    const result = await mcp.callTool({ name: tool.name, arguments: sampleArguments(tool.inputSchema) });
    check(!result.isError, `${what}: ${tool.name} answers through the gateway`, JSON.stringify(result));
  } finally {
    await mcp.close();
  }
}

/** The newest event of a kind. */
export async function newest(admin, kind) {
  const page = await admin.call('GET', `/audit?kind=${kind}&limit=1`);
  return page.items[0];
}

/** Does `action`; hands back what it did and the event of the kind that it left, if it left one. */
export async function watched(admin, kind, action) {
  const before = await newest(admin, kind);
  const outcome = await action();
  const event = await newest(admin, kind);
  return { outcome, event: event?.id === before?.id ? undefined : event };
}

/**
 * Expects that `walk` ends at a page of the lab and not at the client, for this reason in the log; hands back both. Of one
 * address the log takes so many refusals in a minute that had no sign-in to them; then it is asked again.
 */
export async function refusedSignIn(admin, what, expected, walk) {
  const refusal = async () => {
    try {
      await walk();
    } catch (error) {
      if (error instanceof BrowserError) return error.message;
      throw error;
    }
    return fail(what, 'a session began');
  };
  let seen = await watched(admin, 'idp.sign_in.failed', refusal);
  for (let again = 0; !seen.event && again < 35; again += 1) {
    await pause(2_000);
    seen = await watched(admin, 'idp.sign_in.failed', refusal);
  }
  const { outcome: page, event } = seen;
  equal(event?.reason, expected, `${what} lets nobody in, and the log says why`);
  check(page.includes(event.request_id), `${what}: the page has the reference of the log`, page);
  return { page, event };
}

/**
 * Tries `action` until it works: the server asks for the keys of a provider at most once in ten seconds, and a test is
 * faster than that.
 */
export async function soon(what, action) {
  const end = Date.now() + 15_000;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (Date.now() > end) return fail(what, error.message);
      await pause(500);
    }
  }
}
