// Reads the facts file that `lanyard lab --facts` writes, and picks people, clients and connectors from it.

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { fail } from './report.mjs';

export function loadFacts(path) {
  const file = path ?? process.argv[2] ?? process.env.LANYARD_FACTS;
  if (!file) fail('facts', 'give the facts file of `lanyard lab` as first argument or in LANYARD_FACTS');
  let facts;
  try {
    facts = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    fail('facts', `${file}: ${error.message}`);
  }
  if (facts.version !== 1) fail('facts', `${file}: version ${facts.version}, these drivers read version 1`);
  for (const part of ['issuer', 'ras', 'clients', 'users', 'connectors', 'admin']) {
    if (!facts[part]) fail('facts', `${file}: no "${part}"`);
  }
  return { ...facts, file };
}

/** The first connector a person can use, or the one of that name. */
export function pickConnector(facts, name) {
  const found = facts.connectors.find((c) =>
    name ? c.name === name : c.status === 'active' && c.tools?.length > 0,
  );
  return found ?? fail('facts', `no ${name ? `connector ${name}` : 'active connector with tools'}`);
}

/** The active person who belongs to most of the connector's groups: the one with the widest scopes. */
export function pickUser(facts, connector) {
  const groups = connector?.allowed_groups ?? [];
  const weight = (user) => user.groups.filter((g) => groups.includes(g)).length;
  const found = facts.users
    .filter((user) => user.active && (groups.length === 0 || weight(user) > 0))
    .sort((a, b) => weight(b) - weight(a))[0];
  return found ?? fail('facts', `no active person in the groups of ${connector?.name}`);
}

/** A confidential client with a secret at both servers (the TypeScript and Python SDKs need that). */
export function pickSecretClient(facts) {
  const found = facts.clients.find((c) => c.idp?.client_secret && c.ras?.client_secret);
  return found ?? fail('facts', 'no client with a secret at both the issuer and the RAS');
}

/** A fresh ID token got through the real sign-in: given in the environment, or by `lanyard lab id-token`. */
export async function idToken(facts, user, client) {
  if (process.env.LANYARD_ID_TOKEN) return process.env.LANYARD_ID_TOKEN;
  const bin = process.env.LANYARD_BIN;
  if (!bin) fail('ID token', 'set LANYARD_BIN to the lanyard binary, or LANYARD_ID_TOKEN to a token');
  const { stdout } = await promisify(execFile)(
    bin,
    ['lab', 'id-token', '--facts', facts.file, '--user', user.username, '--client', client.name],
    { timeout: 60_000 },
  ).catch((error) => fail('ID token', `lanyard lab id-token: ${error.stderr?.trim() || error.message}`));
  return stdout.trim();
}
