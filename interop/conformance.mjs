// The MCP conformance suites, stable and alpha.
//
//   conformance client                          the client under test is $LANYARD_CONFORMANCE_CLIENT, else
//                                               `$LANYARD_BIN conformance-client`; the suite appends the URL
//   conformance authorization FACTS             issuer (metadata, code flow) and RAS (metadata)
//   conformance server FACTS CONNECTOR BARE     the server at BARE by itself and behind the gateway as CONNECTOR

import { Browser } from './lib/browser.mjs';
import { SUITES, clientScenarios, expectedFailures, judge, pool, suite } from './lib/conformance.mjs';
import { idToken, loadFacts, pickConnector, pickSecretClient, pickUser } from './lib/facts.mjs';
import { accessToken, scopeText } from './lib/legs.mjs';
import { startBearerProxy } from './lib/bearer.mjs';
import { freePort } from './lib/process.mjs';
import { check, fail, main, ok } from './lib/report.mjs';

const EMA = {
  stable: 'auth/cross-app-access-complete-flow',
  alpha: 'auth/enterprise-managed-authorization',
};
const EMA_CHECKS = [
  'prm-pathbased-requested',
  'authorization-server-metadata',
  'complete-flow-token-exchange',
  'complete-flow-jwt-bearer',
  'valid-bearer-token',
];

// What has to have been observed, where the suite is content with nothing having happened.
const MUST_SEE = {
  [EMA.stable]: EMA_CHECKS,
  [EMA.alpha]: EMA_CHECKS,
  'auth/resource-mismatch': ['prm-pathbased-requested', 'resource-mismatch-rejected'],
  'auth/metadata-issuer-mismatch': ['authorization-server-metadata', 'sep-2468-client-validate-metadata-issuer'],
};

// Scenarios in which the client has to give up: ending in error is right.
const REFUSALS = new Set([
  'auth/resource-mismatch',
  'auth/metadata-issuer-mismatch',
  'auth/iss-supported-missing',
  'auth/iss-wrong-issuer',
  'auth/iss-unexpected',
  'auth/iss-normalized',
  'auth/scope-retry-limit',
  'http-invalid-tool-headers',
]);

/** Says how a scenario ended; keeps the problems for the end, so that one run shows all of them. */
function report(label, verdict, problems) {
  for (const problem of verdict.problems) {
    console.log(`FAIL ${label}: ${problem}`);
    problems.push(`${label}: ${problem}`);
  }
  if (verdict.problems.length === 0 && verdict.passed > 0) {
    const note = verdict.excused.length ? `, ${verdict.excused.length} expected failures` : '';
    ok(label, `${verdict.passed} checks${note}`);
  } else if (verdict.problems.length === 0) {
    console.log(`xfail ${label} (${verdict.excused.join('; ')})`);
  }
}

async function client() {
  const command =
    process.env.LANYARD_CONFORMANCE_CLIENT ??
    (process.env.LANYARD_BIN
      ? `${process.env.LANYARD_BIN} conformance-client`
      : fail('client under test', 'set LANYARD_BIN or LANYARD_CONFORMANCE_CLIENT'));
  const problems = [];
  for (const version of Object.keys(SUITES)) {
    const expected = expectedFailures(version).client;
    const runs = [{ scenario: EMA[version], extra: [] }];
    if (version === 'alpha') runs.push({ scenario: EMA.alpha, extra: ['--spec-version', '2026-07-28', '--force'] });
    for (const which of ['auth', 'draft']) {
      for (const scenario of await clientScenarios(version, which)) runs.push({ scenario, extra: [] });
    }
    const known = new Set(runs.map((r) => r.scenario));
    for (const entry of expected.keys()) {
      if (!known.has(entry.split(':')[0])) problems.push(`${entry}: an expected failure of a scenario that is not run`);
    }
    await pool(runs, 2, async ({ scenario, extra }) => {
      const result = await suite(version, ['client', '--command', command, '--scenario', scenario, ...extra]);
      const outcome = { ...result, checks: result.scenarios.get(scenario) };
      const rules = { mustSee: MUST_SEE[scenario], mayFail: REFUSALS.has(scenario) };
      report(`${SUITES[version].name} ${scenario} ${extra[1] ?? ''}`.trim(), judge(scenario, outcome, expected, rules), problems);
    });
  }
  check(problems.length === 0, 'client scenarios', `${problems.length} problems, shown above`);
}

/** A client the suite can use: its authentication method follows from what the metadata lists. */
function clientForCodeFlow(facts, metadata) {
  const loopback = (c) => c.redirect_uris?.some((u) => /^http:\/\/127\.0\.0\.1(:\d+)?\/callback$/.test(u));
  const able = facts.clients.filter(loopback);
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  if (methods.includes('none')) {
    // The suite then signs in as a public client; the client of `lanyard login` is one.
    return able.find((c) => !c.idp.client_secret && !c.idp.private_jwk) ?? { idp: { client_id: 'lanyard-cli' } };
  }
  return (
    able.find((c) => c.idp.client_secret) ??
    fail('client', 'no client with a secret and the redirect URI http://127.0.0.1/callback')
  );
}

async function authorization(facts) {
  const expected = expectedFailures('alpha').authorization;
  const problems = [];
  const metadata = await (await fetch(`${facts.issuer.url}/.well-known/openid-configuration`)).json();
  const relying = clientForCodeFlow(facts, metadata);
  const user = pickUser(facts, facts.connectors.find((c) => c.status === 'active'));
  const port = Number(process.env.LANYARD_CALLBACK_PORT ?? (await freePort()));

  const args = ['authorization', '--url', facts.issuer.url, '--client-id', relying.idp.client_id, '--port', String(port)];
  if (relying.idp.client_secret) args.push('--client-secret', relying.idp.client_secret);
  let played;
  const issuer = await suite('alpha', args, {
    label: 'authorization issuer',
    onOutput: (text) => {
      const start = /^(https?:\/\/\S+\?\S*response_type=code\S*)$/m.exec(text)?.[1];
      if (start && !played) played = playBrowser(start, port, user);
    },
  });
  await played;
  for (const name of ['authorization-server-metadata-endpoint', 'authorization-code-grant']) {
    const outcome = { ...issuer, checks: issuer.scenarios.get(name) };
    report(`issuer ${name}`, judge(name, outcome, expected, { mustSee: [name.replace(/-endpoint$/, '')] }), problems);
  }

  const name = 'authorization-server-metadata-endpoint';
  const ras = await suite('alpha', ['authorization', '--url', facts.ras.url, '--scenario', name], { label: 'authorization RAS' });
  const outcome = { ...ras, checks: ras.scenarios.get(name) };
  report(`RAS ${name}`, judge(name, outcome, expected, { mustSee: ['authorization-server-metadata'] }), problems);
  check(problems.length === 0, 'authorization scenarios', `${problems.length} problems, shown above`);
}

/** Plays the person in front of the browser and hands the answer to the suite's callback server. */
async function playBrowser(start, port, user) {
  const answer = await new Browser().walk(start, `http://127.0.0.1:${port}/callback`, {
    username: user.username,
    password: user.password,
  });
  await fetch(answer);
}

const SERVER_RUNS = [
  { version: 'stable', label: 'active suite', args: ['--suite', 'active'] },
  { version: 'alpha', label: 'required by 2025-11-25', args: ['--requirements', '2025-11-25'] },
  { version: 'alpha', label: 'required by 2026-07-28', args: ['--requirements', '2026-07-28'] },
];

/** Every check of every scenario with its verdict, repeated ones numbered, so that two runs compare. */
function verdicts({ scenarios }) {
  const out = new Map();
  for (const [scenario, checks] of scenarios) {
    const times = new Map();
    for (const { id, name, status, errorMessage } of checks) {
      if (status === 'INFO') continue;
      const n = (times.get(`${id} ${name}`) ?? 0) + 1;
      times.set(`${id} ${name}`, n);
      out.set(`${scenario} ${id} ${name} #${n}`, { status, errorMessage });
    }
  }
  return out;
}

async function server(facts, name, bareUrl) {
  const connector = pickConnector(facts, name);
  const user = pickUser(facts, connector);
  const holder = pickSecretClient(facts);
  let token;
  const renew = async () => {
    const subject = await idToken(facts, user, holder);
    token = (await accessToken(facts, holder, subject, connector, scopeText(connector.scopes))).token.access_token;
  };
  await renew();
  const proxy = await startBearerProxy(connector.mcp_url, () => token);
  const problems = [];
  const failing = { stable: new Map(), alpha: new Map() };
  try {
    for (const { version, label, args } of SERVER_RUNS) {
      const title = `${SUITES[version].name} ${label}`;
      const bare = verdicts(await suite(version, ['server', '--url', bareUrl, ...args], { label: `${label} bare` }));
      await renew();
      const through = verdicts(await suite(version, ['server', '--url', proxy.url, ...args], { label: `${label} gateway` }));
      check(bare.size > 20, `${title}: the server answers`, `only ${bare.size} checks were made`, `${bare.size} checks`);
      const differing = [...new Set([...bare.keys(), ...through.keys()])].filter(
        (key) => bare.get(key)?.status !== through.get(key)?.status,
      );
      for (const key of differing) {
        const [a, b] = [bare.get(key), through.get(key)];
        const line = `${title}: ${key}: bare ${a?.status ?? 'absent'}, gateway ${b?.status ?? 'absent'} ${b?.errorMessage ?? ''}`;
        console.log(`FAIL ${line.trim().slice(0, 400)}`);
        problems.push(line);
      }
      for (const [key, { status, errorMessage }] of through) {
        if (status === 'FAILURE' || status === 'WARNING') failing[version].set(key.split(' ')[0], `${key}: ${errorMessage}`);
      }
      const count = (status) => [...through.values()].filter((v) => v.status === status).length;
      if (differing.length === 0) {
        ok(`${title}: same result bare and through the gateway`,
          ['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED'].map((s) => `${count(s)} ${s.toLowerCase()}`).join(', '));
      }
    }
  } finally {
    await proxy.stop();
  }
  for (const version of Object.keys(SUITES)) problems.push(...unexpected(version, failing[version]));
  check(problems.length === 0, 'server scenarios', `${problems.length} problems, shown above`);
}

/** Failing scenarios that are not expected to fail, and expected ones that do not. */
function unexpected(version, failing) {
  const expected = expectedFailures(version).server;
  const problems = [
    ...[...failing].filter(([scenario]) => !expected.has(scenario)).map(([, line]) => line),
    ...[...expected.keys()].filter((scenario) => !failing.has(scenario)).map((s) => `${s} passes now: take it out of the expected failures`),
  ];
  for (const problem of problems) console.log(`FAIL ${SUITES[version].name} ${problem}`.slice(0, 400));
  return problems;
}

const [what, factsFile, ...rest] = process.argv.slice(2);
main(`conformance ${what ?? ''}`.trim(), async () => {
  switch (what) {
    case 'client':
      return client();
    case 'authorization':
      return authorization(loadFacts(factsFile));
    case 'server':
      if (rest.length !== 2) fail('conformance server', 'give FACTS CONNECTOR BARE_URL');
      return server(loadFacts(factsFile), ...rest);
    default:
      return fail('conformance', 'say client, authorization or server');
  }
});
