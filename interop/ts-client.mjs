// npm @modelcontextprotocol/client as a foreign Enterprise-Managed Authorization client: its
// CrossAppAccessProvider discovers, exchanges and redeems by itself and calls a tool on both wires.

import {
  Client,
  CrossAppAccessProvider,
  StreamableHTTPClientTransport,
  discoverAndRequestJwtAuthGrant,
} from '@modelcontextprotocol/client';
import { sampleArguments } from './lib/arguments.mjs';
import { idToken, loadFacts, pickConnector, pickSecretClient, pickUser } from './lib/facts.mjs';
import { scopeText, tampered } from './lib/legs.mjs';
import { check, equal, fail, main, ok, refused } from './lib/report.mjs';

const WIRES = [
  { name: '2025-11-25', mode: 'legacy' },
  { name: '2026-07-28', mode: { pin: '2026-07-28' } },
];

function provider(facts, client, subject, seen, change = {}) {
  return new CrossAppAccessProvider({
    assertion: async (context) => {
      seen.contexts.push(context);
      const grant = await discoverAndRequestJwtAuthGrant({
        idpUrl: facts.issuer.url,
        audience: context.authorizationServerUrl,
        resource: context.resourceUrl,
        idToken: subject,
        clientId: client.idp.client_id,
        clientSecret: client.idp.client_secret,
        scope: context.scope,
        fetchFn: context.fetchFn,
        ...change,
      });
      return grant.jwtAuthGrant;
    },
    clientId: client.ras.client_id,
    clientSecret: client.ras.client_secret,
    clientName: 'Lanyard interop, TypeScript SDK',
    expectedIssuer: facts.ras.url,
  });
}

async function withClient(url, authProvider, mode, use) {
  const client = new Client(
    { name: 'lanyard-interop-ts', version: '1.0.0' },
    { versionNegotiation: { mode } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function callOn(wire, facts, client, subject, connector) {
  const seen = { contexts: [] };
  const auth = provider(facts, client, subject, seen);
  await withClient(connector.mcp_url, auth, wire.mode, async (mcp) => {
    equal(mcp.getNegotiatedProtocolVersion(), wire.name, `${wire.name}: the wire asked for is spoken`);
    const { tools } = await mcp.listTools();
    check(tools.length > 0, `${wire.name}: tools/list shows tools`, 'the list is empty', tools.length);
    const known = connector.tools.map((t) => t.name);
    const tool =
      tools.find((t) => known.includes(t.name)) ?? fail(`${wire.name}: tools/list`, `none of ${known} is listed`);
    const result = await mcp.callTool({ name: tool.name, arguments: sampleArguments(tool.inputSchema) });
    check(!result.isError && result.content.length > 0, `${wire.name}: ${tool.name} answers`, JSON.stringify(result));
  });
  equal(seen.contexts[0]?.resourceUrl, connector.resource, `${wire.name}: the SDK took the published resource`);
  equal(String(seen.contexts[0]?.authorizationServerUrl).replace(/\/$/, ''), facts.ras.url.replace(/\/$/, ''),
    `${wire.name}: the SDK took the RAS from the resource metadata`);
  equal(seen.contexts.length, 1, `${wire.name}: one ID-JAG was enough`);
  const tokens = auth.tokens();
  check(!tokens.refresh_token, `${wire.name}: no refresh token came back`, 'one did');
  check(tokens.scope !== '', `${wire.name}: no empty scope came back`, 'scope was ""', tokens.scope);
}

main('ts-client', async () => {
  const facts = loadFacts();
  const connector = pickConnector(facts, process.env.LANYARD_CONNECTOR);
  const user = pickUser(facts, connector);
  const client = pickSecretClient(facts);
  const subject = await idToken(facts, user, client);
  ok('ID token of the lab', `${user.username} by ${client.name}`);
  for (const wire of WIRES) await callOn(wire, facts, client, subject, connector);

  const stranger = facts.connectors.find(
    (c) => c.allowed_groups?.length && !c.allowed_groups.some((g) => user.groups.includes(g)),
  );
  if (stranger) {
    await refused(`a connector outside ${user.username}'s groups is refused (${stranger.name})`, () =>
      withClient(stranger.mcp_url, provider(facts, client, subject, { contexts: [] }), 'legacy', (mcp) => mcp.listTools()),
    );
  }
  const contractor = facts.users.find(
    (u) => u.active && !u.groups.some((g) => connector.allowed_groups?.includes(g)),
  );
  if (contractor && connector.allowed_groups?.length && !process.env.LANYARD_ID_TOKEN) {
    const theirs = await idToken(facts, contractor, client);
    await refused(`${contractor.username} is refused on ${connector.name}`, () =>
      withClient(connector.mcp_url, provider(facts, client, theirs, { contexts: [] }), 'legacy', (mcp) => mcp.listTools()),
    );
  }
  await refused('an ID token with a changed signature is refused', () =>
    withClient(
      connector.mcp_url,
      provider(facts, client, subject, { contexts: [] }, { idToken: tampered(subject) }),
      'legacy',
      (mcp) => mcp.listTools(),
    ),
  );
  await refused('a wrong secret at the issuer is refused', () =>
    withClient(
      connector.mcp_url,
      provider(facts, client, subject, { contexts: [] }, { clientSecret: 'wrong', scope: scopeText(connector.scopes) }),
      'legacy',
      (mcp) => mcp.listTools(),
    ),
  );
});
