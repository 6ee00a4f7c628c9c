// A proxy that adds a bearer token and nothing else. Bodies stream both ways. A Host or Origin that
// names the proxy is renamed to the target; any other passes untouched, so that a foreign one stays foreign.

import { createServer, request } from 'node:http';

const HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** Starts the proxy in front of `target` (an http URL) on 127.0.0.1; `token` may be a function. */
export async function startBearerProxy(target, token, port = 0) {
  const goal = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const own = new Set([`127.0.0.1:${server.address().port}`, `localhost:${server.address().port}`]);
    const headers = renamed(incoming.rawHeaders, own, goal.host);
    headers.push('authorization', `Bearer ${typeof token === 'function' ? token() : token}`);
    const onward = request({
      host: goal.hostname,
      port: goal.port || 80,
      method: incoming.method,
      path: incoming.url,
      headers,
      setHost: false,
    });
    onward.on('response', (answer) => {
      const back = [];
      for (let i = 0; i < answer.rawHeaders.length; i += 2) {
        if (!HOP.has(answer.rawHeaders[i].toLowerCase())) back.push(answer.rawHeaders[i], answer.rawHeaders[i + 1]);
      }
      outgoing.writeHead(answer.statusCode, back);
      outgoing.flushHeaders();
      answer.on('error', () => outgoing.destroy());
      answer.pipe(outgoing);
    });
    onward.on('error', (error) => {
      if (!outgoing.headersSent) outgoing.writeHead(502).end(`bearer proxy: ${error.message}`);
      else outgoing.destroy();
    });
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.requestTimeout = 0;
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}${goal.pathname}`;
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

function renamed(raw, own, host) {
  const headers = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    let value = raw[i + 1];
    if (HOP.has(name) || name === 'authorization') continue;
    if (name === 'host' && own.has(value)) value = host;
    if (name === 'origin') {
      const origin = value.match(/^(https?:\/\/)(.+)$/);
      if (origin && own.has(origin[2])) value = origin[1] + host;
    }
    headers.push(raw[i], value);
  }
  return headers;
}
