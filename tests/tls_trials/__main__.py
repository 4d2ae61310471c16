"""`python -m tests.tls_trials [faults] [delivery] [slow] [cells]`: the long form of the trials of TLS; 1 when one fails.

faults: a cut, a reset, a stop and a flipped bit at every byte of every record. delivery: what is sent arrives, 100 and 40 times
over. slow: 10,000 handshakes that never end. cells: conformance in both versions, on every loop, under both engines. The suite
has a short form of the first three in tests/net/test_tls_trials.py.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from functools import partial

import anyio

from . import delivery, slow
from .relay import WAYS, converse, faults

HANDSHAKES = 10_000
RUNS = {delivery.TRIALS[0]: 100, delivery.TRIALS[1]: 40}


def try_faults() -> bool:
    """Every byte of every record, in both versions; of stops and flips every seventh, since they wait."""
    failed = False
    for version in delivery.VERSIONS:
        whole = converse(version, timeout=20)
        for way in WAYS:
            seen, begin = Counter[str](), time.monotonic()
            step = 7 if way in ("stop", "flip") else 1
            for fault in faults(whole, way, lambda length, step=step: range(0, length, step)):
                came = converse(version, fault, timeout=0.05 if way == "stop" else 0.5)
                seen.update(f"{type(end.error).__name__} in {end.state}" for end in (came.client, came.accepted))
                if came.wrong:
                    failed = True
                    print(f"FAILED: {fault}: {came.wrong}")
            print(
                f"{version.name} {way}: {seen.total() // 2} conversations in {time.monotonic() - begin:.0f} s: {dict(seen)}",
                flush=True,
            )
    return failed


def try_delivery() -> bool:
    """Every trial, way of asking, server and version."""
    failed = False
    for trial, runs in RUNS.items():
        for asks in delivery.ASKS:
            for way in ("lifecycle", "ssl"):
                for version in delivery.VERSIONS:
                    lost = [found for _ in range(runs) if (found := trial.lost(asks, way, version))]
                    failed = failed or bool(lost)
                    print(
                        f"{trial.name}, {asks}, {way}'s server, {version.name}: {runs - len(lost)} of {runs} whole",
                        *lost[:1],
                        flush=True,
                    )
    for version in delivery.VERSIONS:
        whole = sum(delivery.closed_at_once(version, bytes(1_000_000)) for _ in range(100))
        failed = failed or whole < 100
        print(f"1 MB, and closed at once, lifecycle's server, {version.name}: {whole} of 100 whole", flush=True)
    return failed


def try_slow() -> bool:
    """10,000 slow handshakes at once."""
    report = anyio.run(partial(slow.run, HANDSHAKES, handshake_timeout=60))
    print(report)
    return report.ends != Counter({"TimeoutError": HANDSHAKES}) or report.left > 0 or report.answered_after > 5


def try_cells() -> bool:
    """Every cell of the client and of an accepted connection."""
    from .cells import cells  # which needs the tests' own modules

    failed = False
    for name, reached, offered, unexplained in cells():
        failed = failed or reached < offered or bool(unexplained)
        print(f"{name}: {reached} of {offered} cells", *unexplained[:1], flush=True)
    return failed


TRIALS = {"faults": try_faults, "delivery": try_delivery, "slow": try_slow, "cells": try_cells}

if __name__ == "__main__":
    wanted = sys.argv[1:] or list(TRIALS)
    raise SystemExit(max(TRIALS[name]() for name in wanted))
