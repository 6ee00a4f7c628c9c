// Runs scenarios of the MCP conformance suite one at a time and judges them by their checks, more
// strictly than the suite: a scenario that observed nothing, or a client that ended in error, is no pass.

import { mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { here, start } from './process.mjs';
import { fail } from './report.mjs';

export const SUITES = {
  stable: { name: '0.1.16', bin: resolve('conformance-stable') },
  alpha: { name: '0.2.0-alpha.12', bin: resolve('conformance-alpha') },
};

function resolve(alias) {
  return fileURLToPath(new URL(`../node_modules/${alias}/dist/index.js`, import.meta.url));
}

let outDir;
function scratch(label) {
  outDir ??= process.env.LANYARD_INTEROP_OUT ?? mkdtempSync(join(tmpdir(), 'lanyard-conformance-'));
  mkdirSync(outDir, { recursive: true });
  return mkdtempSync(join(outDir, `${label.replace(/[^a-z0-9.-]+/gi, '_')}-`));
}

/** Runs the suite's command line; hands back exit code, output and every `checks.json` by scenario. */
export async function suite(version, args, { label = args.join(' '), onOutput } = {}) {
  const dir = scratch(`${version}-${label}`);
  const program = start(process.execPath, [SUITES[version].bin, ...args, '-o', dir], { log: join(dir, 'suite.log') });
  const watch = onOutput && setInterval(() => onOutput(program.tail()), 50);
  const ended = await program.exit;
  if (watch) clearInterval(watch);
  const code = Number(/^exit code (\d+)$/.exec(ended)?.[1] ?? 1);
  return { code, dir, output: program.tail(), scenarios: collect(dir) };
}

/** Scenario name to its checks; the directory is the name and a time. */
function collect(dir) {
  const found = new Map();
  for (const entry of readdirSync(dir, { recursive: true })) {
    if (!entry.endsWith('checks.json')) continue;
    const folder = entry.slice(0, -'/checks.json'.length).replace(/-\d{4}-\d\d-\d\dT[\dZ.-]+$/, '');
    found.set(folder.replace(/^(authorization-server|server)-/, ''), JSON.parse(readFileSync(join(dir, entry), 'utf8')));
  }
  return found;
}

/** The names of the scenarios of a suite, by the versions the suite prints behind them. */
export async function clientScenarios(version, which) {
  const program = start(process.execPath, [SUITES[version].bin, 'list', '--client']);
  await program.exit;
  const lines = [...program.tail().matchAll(/^ {2}- (\S+) \[([^\]]*)\]$/gm)].map(([, name, tags]) => ({ name, tags: tags.split(',') }));
  const draftTag = version === 'stable' ? 'draft' : '2026-07-28';
  const belongs = {
    auth: ({ name, tags }) => name.startsWith('auth/') && tags.some((t) => t >= '2025-06-18' && t <= '2025-11-25'),
    draft: ({ tags }) => tags.length === 1 && tags[0] === draftTag,
  }[which];
  const names = lines.filter(belongs).map((l) => l.name);
  return names.length > 0 ? names : fail(`suite ${which} of ${SUITES[version].name}`, 'no scenario found');
}

/**
 * The expected failures of one suite version. Entries are `scenario` or `scenario:check`, in the suite's own
 * format; each must carry its reason as a comment, here and now: an entry without one is an error.
 */
export function expectedFailures(version) {
  const path = join(here, `expected-failures-${version}.yml`);
  const entries = { client: new Map(), server: new Map(), authorization: new Map() };
  let section;
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    if (/^\s*(#.*)?$/.test(line)) continue;
    const head = /^(client|server|authorization):\s*(\[\])?\s*(#.*)?$/.exec(line);
    const entry = /^ {2}- (\S+)\s+# (.{10,})$/.exec(line);
    if (head) section = entries[head[1]];
    else if (entry && section) section.set(entry[1], entry[2]);
    else fail('expected failures', `${path}:${index + 1}: not "  - scenario[:check] # reason"`);
  }
  return entries;
}

const BAD = new Set(['FAILURE', 'WARNING']);

/**
 * Judges one scenario. `expected` maps entries to reasons; `mustSee` names checks that have to have
 * succeeded; `mayFail` says that the client may end in error (it is refusing something).
 */
export function judge(scenario, { code, checks, output }, expected, { mustSee = [], mayFail = false } = {}) {
  const problems = [];
  const excused = [];
  const bad = (checks ?? []).filter((c) => BAD.has(c.status));
  const passed = (checks ?? []).filter((c) => c.status === 'SUCCESS');
  const reason = (c) => `${c.id}: ${c.errorMessage ?? c.description}`.replace(/\s+/g, ' ').slice(0, 240);
  const whole = expected.get(scenario);
  const single = [...expected.keys()].filter((k) => k.startsWith(`${scenario}:`)).map((k) => k.slice(scenario.length + 1));

  if (!checks) problems.push(`the suite left no checks: ${output.slice(-200)}`);
  else if (whole) {
    if (bad.length === 0) problems.push('passes now: take it out of the expected failures');
    else excused.push(whole);
  } else {
    for (const check of bad) {
      if (single.includes(check.id)) excused.push(`${check.id}: ${expected.get(`${scenario}:${check.id}`)}`);
      else problems.push(reason(check));
    }
    for (const id of single) {
      if (passed.some((c) => c.id === id) && !bad.some((c) => c.id === id)) {
        problems.push(`${id} passes now: take it out of the expected failures`);
      }
    }
    if (passed.length === 0 && problems.length === 0) problems.push('nothing was observed');
    for (const id of mustSee) if (!passed.some((c) => c.id === id)) problems.push(`${id} was not observed`);
    if (code !== 0 && !mayFail && single.length === 0 && problems.length === 0) {
      problems.push(`the program under test ended in error: ${output.slice(-200)}`);
    }
  }
  return { problems: [...new Set(problems)], excused: [...new Set(excused)], passed: passed.length };
}

/** Runs `work` over `items`, `width` at a time, in order of the list. */
export async function pool(items, width, work) {
  const queue = [...items.entries()];
  const results = [];
  const lane = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
