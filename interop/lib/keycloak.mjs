// A real Keycloak on loopback for tests: started from what interop/install made, spoken to by its admin API.
//
//   const keycloak = await startKeycloak();                // free ports, its own copy of the database
//   const keycloak = attachKeycloak('keycloak.json');      // the one that `interop/run all` started for every driver
//   cleanup(() => keycloak.stop());                        // nothing where it was attached
//
//   const realm = await keycloak.createRealm({             // see lib/keycloak-realm.mjs for every option
//     oidc: { redirectUris: [callback], backchannelLogoutUrl: logout },
//     saml: { entityId, acsUrl, signingCertificate, encryptionCertificate },
//   });
//   realm.issuer, realm.discovery, realm.jwksUri           // as upstream by OpenID Connect
//   realm.client.id, realm.client.secret
//   realm.samlMetadata                                     // as upstream by SAML: the URL of its metadata
//   realm.user('ada')                                      // { username, password, email, emailVerified, groups }
//   await realm.id('ada')                                  // Keycloak's id: `sub` of the ID token
//
// Every driver makes a realm of its own, with a name of its own, so that drivers share one Keycloak. What happens
// to people and keys of a real directory is one call each:
//
//   await realm.createUser({ username: 'eva', groups: ['engineering'] });
//   await realm.setEnabled('ada', false);       await realm.deleteUser('ada');
//   await realm.join('ada', 'contractors');     await realm.leave('ada', 'contractors');
//   await realm.logOut('ada');                  // ends the sessions; sends back-channel logout
//   await realm.rotateKeys();                   // a new signing key; { drop: true } also forgets the old ones;
//                                               // realm.privateKey is the one that signs now
//   await realm.setClient('lanyard', { attributes: { … } });
//   await realm.importSamlClient(metadataXml);  // a service provider from its own metadata
//   await realm.admin('GET', '/users');         // anything else of /admin/realms/NAME
//   await realm.remove();

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realmOf, signingKey, userRepresentation } from './keycloak-realm.mjs';
import { person } from './people.mjs';
import { freePort, start, until } from './process.mjs';
import { fail } from './report.mjs';

// A test server that is started often and asked little: the first compiler and the smallest collector.
const JAVA = [
  '-Xms64m',
  '-Xmx512m',
  '-XX:MaxMetaspaceSize=256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:+ExitOnOutOfMemoryError',
  '-Dfile.encoding=UTF-8',
].join(' ');

/** The environment without what it says about other Keycloaks. */
function environment() {
  const others = Object.keys(process.env).filter((name) => name.startsWith('KC_'));
  return { ...Object.fromEntries(others.map((name) => [name, undefined])), JAVA_OPTS: JAVA, JAVA_OPTS_APPEND: undefined };
}

/**
 * Starts Keycloak and waits until it is ready. `launchKeycloak` does not wait: its `url` holds at once, `ready()`
 * hands back when it answers.
 */
export async function startKeycloak(options) {
  const keycloak = await launchKeycloak(options);
  await keycloak.ready();
  return keycloak;
}

export async function launchKeycloak({ log } = {}) {
  const home = process.env.LANYARD_KEYCLOAK_DIR;
  if (!home) fail('Keycloak', 'is not installed (run interop/install, and this by interop/run)');
  const [port, management] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const dir = mkdtempSync(join(tmpdir(), 'lanyard-keycloak-'));
  const database = join(dir, 'database');
  mkdirSync(database);
  cpSync(join(home, 'database', 'keycloakdb.mv.db'), join(database, 'keycloakdb.mv.db'));
  const program = start(
    join(home, 'server', 'bin', 'kc.sh'),
    [
      'start',
      '--optimized',
      '--cache=local',
      '--http-enabled=true',
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
      `--http-management-port=${management}`,
      `--hostname=${url}`,
      `--db-url=jdbc:h2:file:${join(database, 'keycloakdb')};NON_KEYWORDS=VALUE`,
      `-Dquarkus.transaction-manager.object-store.directory=${join(dir, 'transactions')}`,
    ],
    { env: environment(), log, grace: 60 },
  );
  const secret = readFileSync(join(home, 'password'), 'utf8').trim();
  return new Keycloak({ url, username: 'admin', password: secret }, {
    ready: () =>
      until('Keycloak', program, async () => (await fetch(`http://127.0.0.1:${management}/health/ready`)).ok, 180),
    async stop() {
      await program.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  });
}

/** The Keycloak whose facts `saveTo` wrote: the file is the argument given, or `LANYARD_KEYCLOAK`. */
export function attachKeycloak(path) {
  const file = path ?? process.env.LANYARD_KEYCLOAK;
  if (!file) fail('Keycloak', 'give the file that `interop/run keycloak-server FILE` wrote, as argument or in LANYARD_KEYCLOAK');
  return new Keycloak(JSON.parse(readFileSync(file, 'utf8')), {});
}

/** The addresses of a realm, known before the realm is. */
export function realmAddresses(url, name) {
  const issuer = `${url}/realms/${name}`;
  const protocol = `${issuer}/protocol`;
  return {
    name,
    issuer,
    discovery: `${issuer}/.well-known/openid-configuration`,
    jwksUri: `${protocol}/openid-connect/certs`,
    tokenEndpoint: `${protocol}/openid-connect/token`,
    samlMetadata: `${protocol}/saml/descriptor`,
    samlEndpoint: `${protocol}/saml`,
  };
}

class Keycloak {
  #facts;
  #program;
  #token;

  constructor(facts, program) {
    this.#facts = facts;
    this.#program = program;
    this.url = facts.url;
  }

  ready() {
    return this.#program.ready?.();
  }

  async stop() {
    await this.#program.stop?.();
  }

  /** Writes what `attachKeycloak` reads; it holds the administrator's password. */
  saveTo(file) {
    writeFileSync(file, JSON.stringify(this.#facts), { mode: 0o600 });
  }

  async #bearer() {
    if (this.#token && Date.now() < this.#token.until) return this.#token.text;
    const { username, password } = this.#facts;
    const response = await fetch(realmAddresses(this.url, 'master').tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username, password }),
    });
    if (!response.ok) fail('Keycloak admin API', `no token: HTTP ${response.status} ${await response.text()}`);
    const body = await response.json();
    this.#token = { text: body.access_token, until: Date.now() + (body.expires_in - 20) * 1_000 };
    return this.#token.text;
  }

  /** One call below `/admin`; hands back the JSON body, or the last part of `Location` where something was made. */
  async admin(method, path, body) {
    const xml = typeof body === 'string';
    const response = await fetch(`${this.url}/admin${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.#bearer()}`,
        ...(body !== undefined && { 'content-type': xml ? 'application/xml' : 'application/json' }),
      },
      body: body === undefined || xml ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) fail(`Keycloak admin API, ${method} ${path}`, `HTTP ${response.status} ${text.slice(0, 300)}`);
    const location = response.headers.get('location');
    if (text === '') return location?.split('/').at(-1);
    return JSON.parse(text);
  }

  /** Version, features (name → enabled) and the names of the providers of an extension point. */
  async about() {
    const info = await this.admin('GET', '/serverinfo');
    return {
      version: info.systemInfo.version,
      features: Object.fromEntries(info.features.map((f) => [f.name.toLowerCase().replaceAll('_', '-'), f.enabled])),
      providers: (spi) => Object.keys(info.providers[spi]?.providers ?? {}),
    };
  }

  async createRealm(options = {}) {
    const { representation, ...known } = realmOf(options);
    await this.admin('POST', '/realms', representation);
    return new Realm(this, representation.realm, known);
  }
}

class Realm {
  #keycloak;
  #users;

  constructor(keycloak, name, { users, client, privateKey }) {
    this.#keycloak = keycloak;
    this.#users = users;
    this.client = client;
    /** PEM of the RSA key that signs tokens. */
    this.privateKey = privateKey;
    Object.assign(this, realmAddresses(keycloak.url, name));
  }

  admin(method, path, body) {
    return this.#keycloak.admin(method, `/realms/${this.name}${path}`, body);
  }

  user(username) {
    return this.#users.find((u) => u.username === username) ?? fail('Keycloak', `no person ${username} in ${this.name}`);
  }

  async id(username) {
    const found = await this.admin('GET', `/users?exact=true&username=${encodeURIComponent(username)}`);
    return found[0]?.id ?? fail('Keycloak', `no person ${username} in ${this.name}`);
  }

  async createUser(given) {
    const user = person(given);
    await this.admin('POST', '/users', userRepresentation(user));
    this.#users.push(user);
    return user;
  }

  async deleteUser(username) {
    await this.admin('DELETE', `/users/${await this.id(username)}`);
  }

  async #change(username, change) {
    const path = `/users/${await this.id(username)}`;
    await this.admin('PUT', path, { ...(await this.admin('GET', path)), ...change });
  }

  setEnabled(username, enabled) {
    return this.#change(username, { enabled });
  }

  setEmail(username, email, emailVerified = true) {
    return this.#change(username, { email, emailVerified });
  }

  async #groupPath(username, group) {
    const found = await this.admin('GET', `/groups?exact=true&search=${encodeURIComponent(group)}`);
    const id = found[0]?.id ?? (await this.admin('POST', '/groups', { name: group }));
    return `/users/${await this.id(username)}/groups/${id}`;
  }

  /** The group is made where it is missing. */
  async join(username, group) {
    await this.admin('PUT', await this.#groupPath(username, group));
  }

  async leave(username, group) {
    await this.admin('DELETE', await this.#groupPath(username, group));
  }

  /** Ends every session of the person; Keycloak tells the clients by back-channel logout. */
  async logOut(username) {
    await this.admin('POST', `/users/${await this.id(username)}/logout`);
  }

  async sessions(username) {
    return this.admin('GET', `/users/${await this.id(username)}/sessions`);
  }

  /** A new key signs from now on; old keys still verify, unless they are dropped. */
  async rotateKeys({ algorithm = 'RS256', drop = false } = {}) {
    const type = 'org.keycloak.keys.KeyProvider';
    const old = await this.admin('GET', `/components?type=${type}`);
    const highest = Math.max(100, ...old.map((c) => Number(c.config?.priority?.[0] ?? 0)));
    const key = signingKey(algorithm, highest + 1);
    await this.admin('POST', '/components', { ...key, providerType: type });
    this.privateKey = key.config.privateKey?.[0] ?? this.privateKey;
    if (!drop) return;
    const signing = old.filter((c) => ['rsa', 'ecdsa-generated'].includes(c.providerId));
    for (const component of signing) await this.admin('DELETE', `/components/${component.id}`);
  }

  async findClient(clientId) {
    const found = await this.admin('GET', `/clients?clientId=${encodeURIComponent(clientId)}`);
    return found[0] ?? fail('Keycloak', `no client ${clientId} in ${this.name}`);
  }

  async setClient(clientId, change) {
    const client = await this.findClient(clientId);
    const attributes = { ...client.attributes, ...change.attributes };
    await this.admin('PUT', `/clients/${client.id}`, { ...client, ...change, attributes });
  }

  /** Registers a service provider from its metadata, as an administrator imports the file. */
  async importSamlClient(metadataXml, change = {}) {
    const client = await this.admin('POST', '/client-description-converter', metadataXml);
    const attributes = { ...client.attributes, ...change.attributes };
    await this.admin('POST', '/clients', { ...client, ...change, attributes });
    return client.clientId;
  }

  async remove() {
    await this.#keycloak.admin('DELETE', `/realms/${this.name}`);
  }
}
