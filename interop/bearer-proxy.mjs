// Stands in front of a protected MCP endpoint and adds a bearer token, for test suites that cannot send one.
//
//   LANYARD_TOKEN=… bearer-proxy URL [PORT]     prints its own URL and stays

import { startBearerProxy } from './lib/bearer.mjs';

const [target, port] = process.argv.slice(2);
if (!target || !process.env.LANYARD_TOKEN) {
  console.error('usage: LANYARD_TOKEN=… bearer-proxy URL [PORT]');
  process.exit(2);
}
const proxy = await startBearerProxy(target, process.env.LANYARD_TOKEN, Number(port ?? 0));
console.log(proxy.url);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => proxy.stop().then(() => process.exit(0)));
