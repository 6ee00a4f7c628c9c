// Starts and stops the programs a driver needs beside itself.

import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { fail } from './report.mjs';

export const here = fileURLToPath(new URL('..', import.meta.url));

/** A port nobody listens on at this moment. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The first of `count` ports in a row that are free. */
export async function freePorts(count) {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    // Below those that the system gives to whoever asks for any, which another driver may be about to use.
    const base = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(base + i)));
    if (free.every(Boolean)) return base;
  }
  return fail('ports', `no ${count} free ports in a row`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Starts a program; `stop` ends it and waits. Its output goes to `log` or is kept for the reason of a failure. */
export function start(command, args, { env, log, cwd, grace = 10, stdin = 'ignore' } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: [stdin, 'pipe', 'pipe'] });
  let tail = '';
  const sink = log ? createWriteStream(log) : undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      tail = (tail + chunk).slice(-20_000);
      sink?.write(chunk);
    });
  }
  let ended;
  const exit = new Promise((resolve) => {
    child.once('error', (error) => resolve((ended = error.message)));
    child.once('exit', (code, signal) => resolve((ended = signal ?? `exit code ${code}`)));
  });
  return {
    exit,
    ended: () => ended,
    tail: () => tail.trimEnd(),
    async stop() {
      if (ended !== undefined) return;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), grace * 1_000);
      await exit;
      clearTimeout(late);
    },
  };
}

/** Waits until `probe` hands back something true, the program ended, or the time is up. */
export async function until(what, program, probe, seconds = 60) {
  const end = Date.now() + seconds * 1_000;
  while (Date.now() < end) {
    if (program.ended() !== undefined) fail(what, `${program.ended()}: ${program.tail().slice(-600)}`);
    const value = await (async () => probe())().catch(() => undefined);
    if (value) return value;
    await pause(50);
  }
  return fail(what, `not ready after ${seconds} s: ${program.tail().slice(-600)}`);
}

/** Starts npm's server-everything on loopback and hands back its URL. */
export async function startEverything(port) {
  const chosen = port ?? (await freePort());
  const program = start(
    process.execPath,
    [
      '--import',
      new URL('./loopback.mjs', import.meta.url).href,
      fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js')),
      'streamableHttp',
    ],
    { env: { PORT: String(chosen) } },
  );
  const url = `http://127.0.0.1:${chosen}/mcp`;
  await until('server-everything', program, async () => (await fetch(url)).status === 400);
  return { ...program, url };
}
