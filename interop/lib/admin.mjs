// The few calls of the lab's admin API that drivers need; everything made is taken back by `undo`.

import { fail } from './report.mjs';

export class Admin {
  #base;
  #token;
  #made = [];

  constructor(facts) {
    this.#base = `${facts.admin.url.replace(/\/$/, '').replace(/\/admin\/v1$/, '')}/admin/v1`;
    this.#token = facts.admin.token;
  }

  async call(method, path, body) {
    const response = await fetch(this.#base + path, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) fail(`admin API, ${method} ${path}`, `HTTP ${response.status} ${text.slice(0, 300)}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async undo() {
    for (const path of this.#made.reverse()) await this.call('DELETE', path);
    this.#made = [];
  }

  /**
   * Makes `issuer` an audience the lab's issuer may mint ID-JAGs for: the audience with the client's id there,
   * one connector with that audience and resource, and one rule that lets the groups reach it.
   */
  async registerForeignRas({ name, issuer, resource, scopes, client, clientIdThere, groups }) {
    await this.call('PUT', '/audiences', { issuer, clients: { [client.idp.client_id]: clientIdThere } });
    this.#made.push(`/audiences?issuer=${encodeURIComponent(issuer)}`);
    await this.call('PUT', `/connectors/${name}`, {
      name,
      mcp_url: resource,
      resource,
      audience: issuer,
      scopes: scopes.map((scope) => ({ scope })),
    });
    this.#made.push(`/connectors/${name}`);
    const rule = { title: `Interop: ${name}`, groups, clients: 'all', connectors: [name], scopes: 'all' };
    const written = await this.call('PUT', '/rules', rule);
    this.#made.push(`/rules/${(written.record ?? written).id}`);
  }
}
