// One line per check on stdout; the first failure ends the driver with a reason and exit code 1.

export class Failure extends Error {}

let count = 0;

export function ok(what, detail) {
  count += 1;
  console.log(`ok   ${what}${detail === undefined ? '' : ` (${detail})`}`);
}

/** Tells what was seen without judging it; `interop/run all` shows it. */
export function note(what) {
  console.log(`note ${what}`);
}

export function fail(what, reason) {
  throw new Failure(`${what}: ${reason}`);
}

/** Records `what` as passed when `holds`, else ends the driver with `reason`. */
export function check(holds, what, reason, detail) {
  if (!holds) fail(what, reason ?? 'does not hold');
  ok(what, detail);
}

export function equal(actual, expected, what) {
  check(
    JSON.stringify(actual) === JSON.stringify(expected),
    what,
    `expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`,
  );
}

/** Expects `action` to throw; hands back the error for a closer look. */
export async function refused(what, action) {
  try {
    await action();
  } catch (error) {
    if (error instanceof Failure) throw error;
    ok(what, brief(error));
    return error;
  }
  return fail(what, 'was accepted');
}

/** Does `action`; where it throws, the reason names the step. */
export async function attempt(what, action) {
  try {
    return await action();
  } catch (error) {
    return fail(what, error instanceof Failure ? error.message : brief(error));
  }
}

export function brief(error) {
  const parts = new Set();
  for (let e = error; e && typeof e === 'object' && parts.size < 4; e = e.cause) {
    if (typeof e.error === 'string') {
      parts.add(e.error_description ? `${e.error}: ${e.error_description}` : e.error);
      break;
    }
    if (e.message) parts.add(e.message);
  }
  return ([...parts].join(' <- ') || String(error)).replace(/\s+/g, ' ').slice(0, 400);
}

/** Runs a driver: prints the verdict, sets the exit code, and always runs what `cleanup` was given. */
export async function main(name, body) {
  const cleanups = [];
  let code = 0;
  try {
    await body((undo) => cleanups.push(undo));
    if (count === 0) throw new Failure(`${name}: no check ran`);
    console.log(`PASS ${name}: ${count} checks`);
  } catch (error) {
    code = 1;
    const reason = error instanceof Failure ? error.message : brief(error);
    console.log(`FAIL ${name}: ${reason}`);
    if (!(error instanceof Failure) && process.env.LANYARD_INTEROP_TRACE) console.error(error);
  } finally {
    for (const undo of cleanups.reverse()) {
      await Promise.resolve(undo()).catch((error) => console.error(`cleanup: ${brief(error)}`));
    }
  }
  process.exit(code);
}
