// A peer for `cargo xtask bench`: oidc-provider as both authorization servers.
//
// It has neither grant, so both are registered with registerGrantType; the library does HTTP, client authentication,
// parameters and (leg 2) the JWT access token. Memory as storage, no audit, no policy: this flatters the peer.
import { readFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';
import { SignJWT, exportJWK, generateKeyPair, importJWK, jwtVerify } from 'jose';

const { ISSUER: issuer, ID_TOKEN_ISSUER: idTokenIssuer } = process.env;
const port = Number(process.env.PORT);
const connectors = Number(process.env.CONNECTORS);
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag';
const SCOPE = 'mcp.read mcp.call';

const idTokenKey = await importJWK(JSON.parse(readFileSync(process.env.JWKS)).keys[0], 'ES256');
const pair = await generateKeyPair('ES256', { extractable: true });
const signingJwk = { ...(await exportJWK(pair.privateKey)), kid: 'peer', alg: 'ES256', use: 'sig' };
const audiences = Array.from({ length: connectors }, (_, n) => `${issuer}/as/${n}`);
const resourceServer = (audience) => ({
  scope: SCOPE, audience, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'ES256' } },
});

const provider = new Provider(issuer, {
  jwks: { keys: [signingJwk] },
  clients: [{
    client_id: 'bench-client',
    client_secret: 'bench-secret',
    grant_types: [EXCHANGE, BEARER],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
  }],
  enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
  scopes: SCOPE.split(' '),
  ttl: { ClientCredentials: 600, AccessToken: 600 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: { enabled: true, getResourceServerInfo: (ctx, indicator) => resourceServer(indicator) },
  },
});

const seen = new Map();

async function verified(token, key, expected) {
  try {
    return (await jwtVerify(token, key, { algorithms: ['ES256'], ...expected })).payload;
  } catch (error) {
    throw new errors.InvalidGrant(error.message);
  }
}

provider.registerGrantType(EXCHANGE, async (ctx) => {
  const { client, params } = ctx.oidc;
  const { sub } = await verified(params.subject_token, idTokenKey, { issuer: idTokenIssuer, audience: client.clientId });
  const now = Math.floor(Date.now() / 1000);
  const token = await new SignJWT({
    iss: issuer, sub, aud: params.audience, client_id: client.clientId, jti: randomUUID(),
    scope: params.scope, resource: params.resource, iat: now, exp: now + 300,
  }).setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt', kid: 'peer' }).sign(pair.privateKey);
  ctx.body = {
    issued_token_type: ID_JAG, access_token: token, token_type: 'N_A', scope: params.scope, expires_in: 300,
  };
}, ['audience', 'resource', 'scope', 'subject_token', 'subject_token_type', 'requested_token_type']);

provider.registerGrantType(BEARER, async (ctx) => {
  const { client, params } = ctx.oidc;
  const granted = await verified(params.assertion, pair.publicKey, { issuer, audience: audiences, typ: 'oauth-id-jag+jwt' });
  if (granted.client_id !== client.clientId) throw new errors.InvalidGrant('client_id');
  if (seen.has(granted.jti)) throw new errors.InvalidGrant('replayed');
  seen.set(granted.jti, granted.exp);
  const token = new provider.AccessToken({
    client, accountId: granted.sub, scope: granted.scope, grantId: granted.jti, gty: 'jwt_bearer',
  });
  token.resourceServer = new provider.ResourceServer(granted.resource, resourceServer(granted.resource));
  ctx.body = { access_token: await token.save(), token_type: 'Bearer', scope: granted.scope, expires_in: 600 };
}, ['assertion', 'scope']);

provider.on('server_error', (ctx, error) => console.error(error));
provider.listen(port, '127.0.0.1');
