// Signs a person of the lab in at the issuer with openid-client, as a strict relying party would.

import { importJWK } from 'jose';
import * as oidc from 'openid-client';
import { Browser } from './browser.mjs';
import { fail } from './report.mjs';

/** The client authentication a client of the facts file is registered for. */
export async function authentication(client, method) {
  if (client.idp.private_jwk) {
    const { alg = 'ES256', kid } = client.idp.private_jwk;
    const key = await importJWK(client.idp.private_jwk, alg);
    return oidc.PrivateKeyJwt({ key, kid });
  }
  if (client.idp.client_secret) {
    return method === 'post'
      ? oidc.ClientSecretPost(client.idp.client_secret)
      : oidc.ClientSecretBasic(client.idp.client_secret);
  }
  return oidc.None();
}

/** Discovery of the issuer; every ID token signature is checked, plain http is loopback only. */
export async function configure(facts, client, method) {
  if (!/^http:\/\/127\.0\.0\.1[:/]/.test(facts.issuer.url) && !facts.issuer.url.startsWith('https:')) {
    fail('issuer', `${facts.issuer.url} is neither https nor 127.0.0.1`);
  }
  const alg = client.idp.private_jwk ? undefined : process.env.LANYARD_ID_TOKEN_ALG;
  const metadata = { id_token_signed_response_alg: alg ?? (await idTokenAlg(facts)) };
  const config = await oidc.discovery(
    new URL(facts.issuer.url),
    client.idp.client_id,
    metadata,
    await authentication(client, method),
    { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
  );
  return config;
}

// The lab signs with one algorithm; the relying party insists on the one of the newest published key.
async function idTokenAlg(facts) {
  const { keys } = await (await fetch(facts.issuer.jwks_uri)).json();
  return keys[0]?.alg ?? 'ES256';
}

export function redirectUri(client) {
  return client.redirect_uris?.[0] ?? fail('facts', `client ${client.name} has no redirect URI`);
}

/** Starts a sign-in: the URL to open, and what the answer must be checked against. */
export async function begin(config, client, parameters = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier: verifier,
    expectedState: oidc.randomState(),
    expectedNonce: oidc.randomNonce(),
    idTokenExpected: true,
  };
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri(client),
    scope: 'openid offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...parameters,
  });
  return { url, checks };
}

/** A whole sign-in in the given browser; hands back the token response of openid-client. */
export async function signIn(config, client, user, { browser = new Browser(), parameters, silent = false } = {}) {
  const { url, checks } = await begin(config, client, parameters);
  const credentials = silent ? undefined : { username: user.username, password: user.password };
  const answer = await browser.walk(url, redirectUri(client), credentials);
  const tokens = await oidc.authorizationCodeGrant(config, answer, checks);
  return { tokens, answer, checks };
}
