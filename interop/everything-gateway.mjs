// npm @modelcontextprotocol/server-everything behind the gateway: tools, resources, prompts, completion,
// progress, server-to-client requests and the standing stream work as they do without the gateway.
//
//   everything-gateway --serve [PORT]     starts the server, prints its URL, stays
//   everything-gateway FACTS UPSTREAM     checks the connector `everything` of a lab that was started
//                                         with --upstream everything=UPSTREAM

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { idToken, loadFacts, pickConnector, pickSecretClient, pickUser } from './lib/facts.mjs';
import { accessToken, scopeText } from './lib/legs.mjs';
import { startEverything } from './lib/process.mjs';
import { check, equal, fail, main, ok } from './lib/report.mjs';

const TEXT = 'demo://resource/dynamic/text/1';
const BLOB = 'demo://resource/dynamic/blob/2';

/** Connects with every client capability, so that the server registers the tools that need them. */
async function connect(url, token) {
  const client = new Client(
    { name: 'lanyard-interop-everything', version: '1.0.0' },
    { capabilities: { sampling: {}, elicitation: { form: {} }, roots: { listChanged: true } } },
  );
  let asked;
  const rootsAsked = new Promise((resolve) => (asked = resolve));
  client.setRequestHandler('sampling/createMessage', () => ({
    model: 'none',
    role: 'assistant',
    content: { type: 'text', text: 'sampled by the driver' },
  }));
  client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }));
  client.setRequestHandler('roots/list', () => {
    asked();
    return { roots: [{ uri: 'file:///interop', name: 'interop' }] };
  });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: token ? { headers: { authorization: `Bearer ${token}` } } : undefined,
  });
  await client.connect(transport);
  return { client, transport, rootsAsked };
}

const stable = (value) => JSON.stringify(value, (key, v) => (/time|date/i.test(key) ? undefined : v));
const names = (list) => list.map((item) => item.name ?? item.uriTemplate ?? item.uri).sort();
const firstText = (result) => result.content.find((c) => c.type === 'text')?.text ?? '';

/** Everything that is looked at, as data, so that two runs can be compared. */
async function exercise(url, token, label) {
  const { client, transport, rootsAsked } = await connect(url, token);
  try {
    const seen = {};
    // The server asks for the roots by itself, on the stream the client holds open by GET.
    await within(10_000, rootsAsked, `${label}: roots/list on the standing stream`);
    ok(`${label}: a request of the server came on the standing stream`);
    seen.tools = names((await client.listTools()).tools);
    check(seen.tools.includes('trigger-sampling-request'), `${label}: tools/list`, seen.tools.join(), seen.tools.length);
    const call = (name, args = {}, options) => client.callTool({ name, arguments: args }, options);
    seen.echo = firstText(await call('echo', { message: 'hello through two doors' }));
    seen.sum = firstText(await call('get-sum', { a: 40, b: 2 }));
    seen.image = (await call('get-tiny-image')).content.map((c) => `${c.type} ${c.data?.length ?? ''}`);
    seen.structured = (await call('get-structured-content', { location: 'Chicago' })).structuredContent;
    seen.links = (await call('get-resource-links', { count: 3 })).content.length;
    seen.bad = await call('get-sum', { a: 'x' }).then((r) => r.isError === true, (e) => `error ${e.code}`);
    ok(`${label}: tools/call, with text, image, structured content, links and an error`);

    seen.resources = names((await client.listResources()).resources);
    seen.templates = names((await client.listResourceTemplates()).resourceTemplates);
    const [text] = (await client.readResource({ uri: TEXT })).contents;
    const [blob] = (await client.readResource({ uri: BLOB })).contents;
    check(text.text?.startsWith('Resource 1') && blob.blob, `${label}: resources/list and read`, stable([text, blob]), seen.resources.length);
    seen.prompts = names((await client.listPrompts()).prompts);
    seen.prompt = (await client.getPrompt({ name: 'args-prompt', arguments: { city: 'Bern' } })).messages;
    check(stable(seen.prompt).includes('Bern'), `${label}: prompts/list and get`, stable(seen.prompt), seen.prompts.length);
    const completion = await client.complete({
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    });
    seen.completion = completion.completion.values;
    check(seen.completion.length > 0, `${label}: completion/complete`, stable(completion));

    await progress(call, label);
    seen.sampling = firstText(await call('trigger-sampling-request', { prompt: 'p', maxTokens: 10 })).includes('sampled by the driver');
    seen.roots = firstText(await call('get-roots-list')).includes('file:///interop');
    seen.elicitation = stable((await call('trigger-elicitation-request')).content).includes('decline');
    check(seen.sampling && seen.roots && seen.elicitation, `${label}: sampling, roots and elicitation come back`, stable(seen));

    const session = transport.sessionId;
    check(session, `${label}: the server keeps a session`, 'none');
    await transport.terminateSession();
    const late = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': session,
        'mcp-protocol-version': '2025-11-25',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    });
    // Not compared: the gateway must say 404 here (RS-W25-01), this server says 400.
    check(late.status >= 400, `${label}: an ended session is gone`, `HTTP ${late.status}`, late.status);
    return seen;
  } finally {
    await client.close();
  }
}

/** Progress must arrive while the tool works, not together with its result. */
async function progress(call, label) {
  const arrivals = [];
  const result = await call('trigger-long-running-operation', { duration: 1.5, steps: 5 }, {
    onprogress: (p) => arrivals.push({ at: Date.now(), step: p.progress }),
  });
  const end = Date.now();
  equal(arrivals.map((a) => a.step), [1, 2, 3, 4, 5], `${label}: five progress notifications, in order`);
  const lead = end - arrivals[0].at;
  check(lead > 800, `${label}: progress streams`, `the first came ${lead} ms before the result`, `first ${lead} ms ahead`);
  check(firstText(result).includes('completed'), `${label}: the long operation ends`, stable(result));
}

function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${what}: nothing in ${ms} ms`)), ms)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

async function closedDoor(connector) {
  const response = await fetch(connector.mcp_url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  equal(response.status, 401, 'without a token the gateway answers 401');
  const challenge = response.headers.get('www-authenticate') ?? '';
  check(/resource_metadata="[^"]+"/.test(challenge), 'and names the resource metadata', challenge);
}

if (process.argv[2] === '--serve') {
  const server = await startEverything(process.argv[3] && Number(process.argv[3]));
  console.log(server.url);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => server.stop().then(() => process.exit(0)));
  console.error(`server-everything: ${await server.exit}`);
  process.exit(1);
} else {
  main('everything-gateway', async () => {
    const facts = loadFacts();
    const upstream = process.argv[3] ?? fail('everything-gateway', 'give the URL of the server behind the gateway as second argument');
    const connector = pickConnector(facts, 'everything');
    const user = pickUser(facts, connector);
    const client = pickSecretClient(facts);
    await closedDoor(connector);
    const bare = await exercise(upstream, undefined, 'bare');
    const subject = await idToken(facts, user, client);
    const { token } = await accessToken(facts, client, subject, connector, scopeText(connector.scopes));
    const behind = await exercise(connector.mcp_url, token.access_token, 'gateway');
    for (const key of Object.keys(bare)) equal(stable(behind[key]), stable(bare[key]), `same with and without the gateway: ${key}`);
  });
}
