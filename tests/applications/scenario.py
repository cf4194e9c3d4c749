"""Runs the scenarios of one application, one after the other, each on an empty server.

A scenario is a function that asserts what the application's users rely on. The script fails when one of them does; its
last line counts those that passed, so that a script which ran nothing cannot be taken for one that did.
"""

import os
import sys
import time
import traceback

import redis

HOST = "127.0.0.1"
PORT = int(os.environ["SERVER_PORT"])
URL = f"redis://{HOST}:{PORT}/0"
# Seconds; longer than anything takes on a busy machine.
PATIENCE = 30

_scenarios = []


def connect(**options):
    """A client of its own."""
    return redis.Redis(host=HOST, port=PORT, **options)


def scenario(function):
    """Marks a function as a scenario; its doc string is its name."""
    _scenarios.append(function)
    return function


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def raises(kind, function, *arguments, **named):
    """What `function` raises; it fails if that is not of `kind`, or nothing."""
    try:
        got = function(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"got {got!r}, wanted {kind.__name__}")


def until(condition, patience=PATIENCE):
    """Waits for what sends no event; what `condition` gave when it was true at last."""
    deadline = time.monotonic() + patience
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < deadline, f"still {got!r} after {patience} s"
        time.sleep(0.01)


def run():
    """Runs every scenario, or those whose name contains a word of the command line."""
    words = sys.argv[1:]
    failed, passed = 0, 0
    for function in _scenarios:
        name = function.__doc__.strip().splitlines()[0]
        if words and not any(word in name for word in words):
            continue
        connect().flushall()
        began = time.monotonic()
        try:
            function()
        except Exception:
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
        else:
            passed += 1
            print(f"passed {name} ({time.monotonic() - began:.2f} s)", flush=True)
    print(f"{passed} scenarios passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def main():
    """Runs the scenarios and ends the script, whatever threads the application leaves behind."""
    os._exit(run())
