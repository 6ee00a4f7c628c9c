// npm oidc-provider as an upstream OpenID provider on loopback, inside the driver's process: people with claims, a
// plain sign-in form, and switches for everything that goes wrong with a provider.
//
//   const upstream = await startProvider({ clients: [{ redirectUris: [callback] }] });
//   cleanup(() => upstream.stop());
//   upstream.issuer, upstream.client.id, upstream.client.secret    // the first client; `upstream.clients` has all
//   upstream.user('ada')                                           // { username, password, sub, email, groups, … }
//
// Options:
//   users      people, those of lib/people.mjs if not given; `claims` of a person are further claims (`oid`, `tid`, `hd` …)
//   clients    of each: clientId, redirectUris, postLogoutRedirectUris, backchannelLogoutUri, metadata (in the names of
//              OpenID registration, such as `id_token_signed_response_alg` or `token_endpoint_auth_method`)
//   claimsIn   `id_token` if not given: e-mail and groups in the ID token; `userinfo`: only there, as the standard has it
//   authentication(user, params)   hands back { acr, amr } of a sign-in; `pwd` if not given
//   acrValues  what the metadata offers
//
// A person may change while the provider runs: what stands in `upstream.user('ada')` is asserted at the next sign-in
// (`groups`, `email`, `claims`, `enabled`; a person who is not enabled is refused at the form).
//
// Switches, all of them off; they can be set at any time and are taken back by `upstream.well()`:
//   upstream.faults.down = true               every answer is a 503; 'drop' closes the connection
//   upstream.faults.slow = 3_000              every answer waits this long
//   upstream.faults.only = /token|jwks/       `down` and `slow` for these paths only
//   upstream.faults.metadata = (d) => ({ ...d, issuer: `${d.issuer}/` })       what discovery says
//   upstream.faults.jwks = (set) => set                                        which keys are published
//   upstream.faults.response = (url) => url.searchParams.set('iss', 'https://evil.example')   the answer at the callback
//   upstream.faults.idToken = async (claims, sign) => sign({ ...claims, iss: 'https://evil.example' })
//       `sign(claims, { alg, key, header })` signs by the provider's key if no other is given; any text may be handed back
//   upstream.faults.userinfo = (claims) => claims
//
// Keys and sessions:
//   await upstream.rotateKeys();              // a new key signs, the old ones are still published
//   await upstream.rotateKeys({ drop: true });
//   await upstream.logOut('ada', sid);        // sends back-channel logout to every client that has a URI for it
//   upstream.signIns                          // how often the form was answered rightly
//   upstream.requests                         // paths asked for so far, to see what was fetched and how often

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { SignJWT, decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import Provider from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';
import { PEOPLE, person, secret } from './people.mjs';
import { freePort } from './process.mjs';
import { fail } from './report.mjs';

/** Starts a provider on a free port. */
export async function startProvider(options = {}) {
  const port = options.port ?? (await freePort());
  const upstream = new Upstream(`http://127.0.0.1:${port}`, options);
  await upstream.listen(port);
  return upstream;
}

function newKeys() {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return [
    { ...rsa, kid: randomUUID(), use: 'sig', alg: 'RS256' },
    { ...ec, kid: randomUUID(), use: 'sig', alg: 'ES256' },
  ];
}

function clientMetadata({ id, secret: password, redirectUris = [], postLogoutRedirectUris, backchannelLogoutUri, metadata }) {
  return {
    client_id: id,
    client_secret: password,
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    ...(postLogoutRedirectUris && { post_logout_redirect_uris: postLogoutRedirectUris }),
    ...(backchannelLogoutUri && {
      backchannel_logout_uri: backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
    ...metadata,
  };
}

class Upstream {
  #adapter = createMemoryAdapter();
  #cookieKey = secret();
  #options;
  #users;
  #keys = newKeys();
  #provider;
  #server;

  constructor(issuer, options) {
    this.issuer = issuer;
    this.#options = options;
    this.#users = (options.users ?? PEOPLE).map((given) => ({ sub: randomUUID(), claims: {}, ...person(given) }));
    const clients = options.clients ?? [{}];
    this.clients = clients.map((given, i) => ({
      ...given,
      id: given.clientId ?? (i === 0 ? 'lanyard' : `lanyard-${i + 1}`),
      secret: secret(),
    }));
    this.client = this.clients[0];
    this.signIns = 0;
    this.requests = [];
    this.well();
    this.#make();
  }

  /** Takes every switch back. */
  well() {
    this.faults = {};
  }

  user(username) {
    return this.#users.find((u) => u.username === username) ?? fail('oidc-provider', `no person ${username}`);
  }

  async listen(port) {
    this.#server = createServer((req, res) => this.#answer(req, res));
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  async stop() {
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
  }

  async rotateKeys({ drop = false } = {}) {
    this.#keys = [...newKeys(), ...(drop ? [] : this.#keys)];
    this.#make();
  }

  async logOut(username, sid) {
    for (const { id, backchannelLogoutUri } of this.clients) {
      if (!backchannelLogoutUri) continue;
      const client = await this.#provider.Client.find(id);
      await client.backchannelLogout(this.user(username).sub, sid);
    }
  }

  /** A token by the provider's key of that algorithm, or by another. */
  async sign(claims, { alg = 'RS256', key, header } = {}) {
    const own = this.#keys.find((k) => k.alg === alg);
    return new SignJWT(claims)
      .setProtectedHeader({ alg, kid: own?.kid, ...header })
      .sign(key ?? (await importJWK(own, alg)));
  }

  #claims(user) {
    return {
      sub: user.sub,
      email: user.email,
      email_verified: user.emailVerified,
      name: `${user.firstName} ${user.lastName}`,
      given_name: user.firstName,
      family_name: user.lastName,
      preferred_username: user.username,
      groups: user.groups,
      ...user.claims,
    };
  }

  #make() {
    const further = new Set(this.#users.flatMap((user) => Object.keys(user.claims)));
    const { claimsIn = 'id_token', acrValues = [] } = this.#options;
    const provider = new Provider(this.issuer, {
      adapter: this.#adapter,
      clients: this.clients.map(clientMetadata),
      jwks: { keys: this.#keys },
      cookies: { keys: [this.#cookieKey] },
      acrValues,
      claims: {
        openid: ['sub', 'groups', 'acr', 'amr', 'auth_time', ...further],
        email: ['email', 'email_verified'],
        profile: ['name', 'given_name', 'family_name', 'preferred_username'],
        iss: null,
        sid: null,
      },
      conformIdTokenClaims: claimsIn === 'userinfo',
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
      // It would not send logout tokens to loopback, where all of a test is.
      fetch: (url, { dispatcher, ...request }) => fetch(url, request),
      features: {
        devInteractions: { enabled: false },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { logoutSource: (ctx, form) => (ctx.body = signOut(form)) },
      },
      findAccount: (_ctx, sub) => this.#account(sub),
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
      loadExistingGrant: (ctx) => this.#grant(ctx),
      ttl: { AccessToken: 600, Grant: 86_400, IdToken: 600, Interaction: 600, RefreshToken: 86_400, Session: 86_400 },
      issueRefreshToken: (_ctx, client, code) =>
        client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    });
    provider.on('server_error', (_ctx, error) => console.error(`oidc-provider: ${error.stack}`));
    provider.use((ctx, next) => this.#distort(ctx, next));
    this.#provider = provider;
  }

  #account(sub) {
    const user = this.#users.find((u) => u.sub === sub && u.enabled);
    return user && { accountId: sub, claims: () => this.#claims(user) };
  }

  /** Signing in is consent enough: every client has every scope it asks for. */
  async #grant(ctx) {
    const { client, session, params } = ctx.oidc;
    const grant = new this.#provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(params.scope);
    await grant.save();
    return grant;
  }

  async #answer(req, res) {
    const { pathname } = new URL(req.url, this.issuer);
    this.requests.push(pathname);
    const { down, slow, only } = this.faults;
    if (!only || only.test(pathname)) {
      if (slow) await pause(slow);
      if (down === 'drop') return req.socket.destroy();
      if (down) return res.writeHead(503, { 'content-type': 'text/plain' }).end('out of order');
    }
    if (pathname.startsWith('/interaction/')) return this.#interaction(req, res);
    return this.#provider.callback()(req, res);
  }

  /** What the switches make of an answer. */
  async #distort(ctx, next) {
    await next();
    const { metadata, jwks, idToken, userinfo, response } = this.faults;
    const route = ctx.oidc?.route;
    if (route === 'discovery' && metadata) ctx.body = metadata(ctx.body);
    if (route === 'jwks' && jwks) ctx.body = jwks(ctx.body);
    if (route === 'userinfo' && userinfo) ctx.body = userinfo(ctx.body);
    if (route === 'token' && idToken && ctx.body?.id_token) {
      const { alg } = decodeProtectedHeader(ctx.body.id_token);
      const sign = (claims, options) => this.sign(claims, { alg, ...options });
      ctx.body = { ...ctx.body, id_token: await idToken(decodeJwt(ctx.body.id_token), sign) };
    }
    if (response && ['authorization', 'resume'].includes(route)) {
      const location = ctx.response.get('location');
      if (!/[?&](code|error)=/.test(location)) return;
      const url = new URL(location);
      ctx.set('location', (response(url) ?? url).toString());
    }
  }

  async #interaction(req, res) {
    const details = await this.#provider.interactionDetails(req, res).catch(() => undefined);
    if (!details) return res.writeHead(400).end('no such sign-in');
    if (req.method !== 'POST') return page(res, 200, '');
    let body = '';
    for await (const chunk of req) body += chunk;
    const form = new URLSearchParams(body);
    if (form.has('cancel')) {
      return this.#provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'not today' });
    }
    const user = this.#users.find((u) => u.username === form.get('username') || u.email === form.get('username'));
    if (!user?.enabled || user.password !== form.get('password')) return page(res, 403, 'Wrong user name or password.');
    this.signIns += 1;
    const { authentication = () => ({ amr: ['pwd'] }) } = this.#options;
    const login = { accountId: user.sub, ...authentication(user, details.params) };
    return this.#provider.interactionFinished(req, res, { login });
  }
}

const signOut = (form) => `<!doctype html><html lang="en"><title>Sign out</title>${form}
<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`;

function page(res, status, message) {
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<html lang="en"><title>Sign in</title><p>${message}</p>
<form method="post">
<label>User name <input name="username" autofocus></label>
<label>Password <input name="password" type="password"></label>
<button>Sign in</button>
</form>
<form method="post"><button name="cancel" value="1">Cancel</button></form>`);
}
