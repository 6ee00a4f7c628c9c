"""One line per check on stdout; the first failure ends the driver with a reason and exit code 1."""

import os
import sys
import traceback


class Failure(Exception):
    """A check that does not hold; its text is the reason shown."""


_count = 0


def ok(what, detail=None):
    global _count
    _count += 1
    print(f"ok   {what}" + (f" ({detail})" if detail is not None else ""), flush=True)


def fail(what, reason):
    raise Failure(f"{what}: {reason}")


def check(holds, what, reason="does not hold", detail=None):
    if not holds:
        fail(what, reason)
    ok(what, detail)


def equal(actual, expected, what):
    check(actual == expected, what, f"expected {expected!r}, got {actual!r}")


def leaves(error):
    """The errors inside task-group wrappers, which say what really went wrong."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in leaves(inner)]
    return [error]


def brief(error):
    texts = dict.fromkeys(" ".join(str(leaf).split()) or type(leaf).__name__ for leaf in leaves(error))
    return "; ".join(texts)[:400]


async def refused(what, attempt):
    """Expects the awaitable to raise."""
    try:
        await attempt
    except Exception as error:
        if any(isinstance(leaf, Failure) for leaf in leaves(error)):
            raise
        ok(what, brief(error))
        return
    fail(what, "was accepted")


def main(name, body):
    """Runs a driver, prints the verdict and exits with it."""
    try:
        body()
        if _count == 0:
            fail(name, "no check ran")
    except Exception as error:
        if os.environ.get("LANYARD_INTEROP_TRACE"):
            traceback.print_exc()
        print(f"FAIL {name}: {brief(error)}", flush=True)
        sys.exit(1)
    print(f"PASS {name}: {_count} checks", flush=True)
