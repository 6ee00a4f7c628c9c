// Starts labs with foreign servers behind their gateways and runs every driver against one of them.
//
//   LANYARD_BIN=…/lanyard LANYARD_TEST_SERVER=…/example-protected-server \
//   LANYARD_RMCP_CLIENT=…/interop-rmcp-client interop/run all [DRIVER...]
//
// LANYARD_TEST_SERVER is the MCP test server of examples/; it is started with `--port PORT --bare`
// and serves /mcp. LANYARD_RMCP_CLIENT is the program of interop/rmcp-client. A driver that cannot run is a failure
// with a name, never a pass.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchKeycloak, realmAddresses } from './lib/keycloak.mjs';
import { freePort, freePorts, here, start, startEverything, until } from './lib/process.mjs';
import { brief, check, fail, main } from './lib/report.mjs';

const LAB_PORTS = 30;

/**
 * The drivers of each lab in order: the labs work at the same time, each on its drivers one after another, so that no
 * driver sees what another does meanwhile. `args` are made once the lab stands.
 */
const DRIVERS = [
  // Clients and suites.
  [
    { name: 'verify-tokens', args: (lab) => [lab.facts] },
    { name: 'relying-party', args: (lab) => [lab.facts] },
    { name: 'ts-client', args: (lab) => [lab.facts] },
    { name: 'py_client', python: true, args: (lab) => [lab.facts] },
    { name: 'rmcp-client', binary: 'LANYARD_RMCP_CLIENT', args: (lab) => [lab.facts] },
    { name: 'authlib_ras', python: true, args: (lab) => [lab.facts] },
    { name: 'everything-gateway', args: (lab) => [lab.facts, lab.everything] },
    { name: 'conformance-client', program: 'conformance', args: () => ['client'] },
    { name: 'conformance-authorization', program: 'conformance', args: (lab) => ['authorization', lab.facts] },
    { name: 'conformance-server', program: 'conformance', args: (lab) => ['server', lab.facts, 'conformance', lab.testServer] },
    { name: 'scim_tester', python: true, args: (lab) => [lab.facts] },
  ],
  // One that mostly waits, and the pages.
  [
    { name: 'upstream-faults', args: (lab) => [lab.facts] },
    { name: 'sign-in-page', args: (lab) => [lab.facts] },
    { name: 'account-pages', args: () => [] },
    { name: 'step-up', args: (lab) => [lab.facts] },
    { name: 'upstream-pages', args: (lab) => [lab.facts] },
  ],
  // SAML and Keycloak, which starts during the first.
  [
    { name: 'saml', args: (lab) => [lab.facts] },
    { name: 'upstream-oidc', keycloak: true, args: (lab) => [lab.facts, lab.keycloak] },
    { name: 'relying-party-keycloak', program: 'relying-party', keycloak: true, args: (lab) => [lab.facts, lab.keycloak] },
    { name: 'keycloak-ras', keycloak: true, args: (lab) => [lab.facts, lab.keycloak] },
    { name: 'keycloak-saml', keycloak: true, args: (lab) => [lab.facts, lab.keycloak] },
    { name: 'keycloak-logout', keycloak: true, args: (lab) => [lab.facts, lab.keycloak] },
    { name: 'keycloak-issuer', keycloak: true, args: (lab) => [lab.facts, lab.keycloak] },
  ],
];

function needed(name, what) {
  return process.env[name] ?? fail(name, `is not set: ${what}`);
}

async function startTestServer(cleanup) {
  const port = await freePort();
  const program = start(needed('LANYARD_TEST_SERVER', 'the MCP test server of examples/'), ['--port', String(port), '--bare']);
  cleanup(() => program.stop());
  const url = `http://127.0.0.1:${port}/mcp`;
  await until('test server', program, async () => (await fetch(url)).status > 0);
  return url;
}

/** Keycloak starts while other drivers run; its address is known at once. Where it is missing, its drivers say so. */
async function launch(dir, cleanup) {
  try {
    const keycloak = await launchKeycloak({ log: join(dir, 'keycloak.log') });
    cleanup(() => keycloak.stop());
    const file = join(dir, 'keycloak.json');
    keycloak.saveTo(file);
    const ready = keycloak.ready().catch((error) => brief(error));
    return { file, ready, realm: realmAddresses(keycloak.url, 'corp') };
  } catch (error) {
    return { ready: brief(error) };
  }
}

async function startLab(dir, port, upstreams, realm, cleanup) {
  const facts = join(dir, `facts-${port}.json`);
  const args = ['lab', '--port-base', String(port), '--facts', facts];
  for (const [name, url] of Object.entries(upstreams)) args.push('--upstream', `${name}=${url}`);
  if (realm) args.push('--trust', `${realm.issuer}=${realm.jwksUri}`);
  const program = start(needed('LANYARD_BIN', 'the lanyard binary'), args, { log: join(dir, `lab-${port}.log`) });
  cleanup(() => program.stop());
  await until('lanyard lab', program, () => JSON.parse(readFileSync(facts, 'utf8')).version, 120);
  return facts;
}

/** The program and its first arguments: a binary of this workspace, or a file beside this one. */
function commandOf(driver) {
  if (driver.binary) return [needed(driver.binary, 'the program of interop/rmcp-client')];
  const file = join(here, `${driver.program ?? driver.name}.${driver.python ? 'py' : 'mjs'}`);
  return [driver.python ? needed('LANYARD_INTEROP_PYTHON', 'start this by interop/run') : process.execPath, file];
}

/** Runs it; whether it passed, and what is to be told of it. */
async function runDriver(driver, lab) {
  if (driver.keycloak) {
    const missing = await lab.keycloakReady;
    if (typeof missing === 'string') return { passed: false, told: `== ${driver.name}\nFAIL ${driver.name}: ${missing}` };
  }
  const [command, ...first] = commandOf(driver);
  const began = Date.now();
  const args = [...first, ...driver.args(lab)];
  const program = start(command, args, { cwd: here, env: { PYTHONDONTWRITEBYTECODE: '1' } });
  const ended = await program.exit;
  const lines = program.tail().split('\n');
  const passed = ended === 'exit code 0' && lines.at(-1).startsWith('PASS ');
  const title = `== ${driver.name}, ${((Date.now() - began) / 1000).toFixed(1)} s`;
  const short = passed && driver.name !== 'conformance-server';
  return { passed, told: [title, ...(short ? lines.filter((l) => !l.startsWith('ok ')) : lines)].join('\n') };
}

main('interop', async (cleanup) => {
  const wanted = process.argv.slice(2);
  const all = DRIVERS.flat();
  for (const name of wanted) if (!all.some((d) => d.name === name)) fail('interop', `no driver named ${name}`);
  const isChosen = (driver) => wanted.length === 0 || wanted.includes(driver.name);
  const chosen = all.filter(isChosen);
  const has = (name) => chosen.some((d) => d.name === name);
  chosen.forEach(commandOf);

  const dir = mkdtempSync(join(tmpdir(), 'lanyard-interop-'));
  const upstreams = {};
  if (has('everything-gateway')) {
    const everything = await startEverything();
    cleanup(() => everything.stop());
    upstreams.everything = everything.url;
  }
  if (has('conformance-server')) upstreams.conformance = await startTestServer(cleanup);
  const keycloak = chosen.some((d) => d.keycloak) ? await launch(dir, cleanup) : undefined;
  const known = {
    everything: upstreams.everything,
    testServer: upstreams.conformance,
    keycloak: keycloak?.file,
    keycloakReady: keycloak?.ready,
  };
  const groups = DRIVERS.map((drivers) => drivers.filter(isChosen));
  const port = await freePorts(LAB_PORTS * groups.length);
  const labs = await Promise.all(
    groups.map(async (drivers, at) => {
      if (drivers.every((d) => d.name === 'conformance-client')) return known;
      return { ...known, facts: await startLab(dir, port + at * LAB_PORTS, upstreams, keycloak?.realm, cleanup) };
    }),
  );

  // Told in the order above, whichever ended first.
  const ends = [];
  let told = 0;
  const work = async (drivers, lab) => {
    for (const driver of drivers) {
      ends[chosen.indexOf(driver)] = await runDriver(driver, lab);
      while (ends[told]) console.log(`\n${ends[told++].told}`);
    }
  };
  await Promise.all(groups.map((drivers, at) => work(drivers, labs[at])));
  const failed = chosen.filter((_, at) => !ends[at].passed).map((driver) => driver.name);
  console.log('');
  if (failed.length === 0) rmSync(dir, { recursive: true, force: true });
  else console.log(`The logs are kept in ${dir}.`);
  check(failed.length === 0, `${chosen.length} drivers`, `failed: ${failed.join(', ')}`);
});
