"""The trials of TLS in their short form; `python -m tests.tls_trials` is the long one."""

from __future__ import annotations

import ssl
import sys
from collections import Counter
from functools import partial

import pytest
from event_loops import EventLoop, every_loop
from loopback import LONG
from secured import VERSIONS
from tls_trials import slow
from tls_trials.delivery import ASKS, TRIALS, Trial, closed_at_once
from tls_trials.relay import WAYS, converse, faults

PATIENCE = {"stop": 0.03}
"""seconds that a call waits where nothing more passes"""


@VERSIONS
@pytest.mark.parametrize("way", WAYS)
def test_a_fault_in_every_record(version: ssl.TLSVersion, way: str) -> None:
    """Wherever a connection is cut, stops or is damaged: one error that says so, the table's state, nothing in plain text."""
    whole = converse(version, timeout=LONG)
    assert not whole.wrong
    assert min(map(len, whole.records)) >= 5
    for fault in faults(whole, way, lambda length: (length // 2,)):
        came = converse(version, fault, timeout=PATIENCE.get(way, 0.5))
        assert not came.wrong, f"{fault}: {came.wrong}"


@VERSIONS
@pytest.mark.parametrize("server", ["lifecycle", "ssl"])
@pytest.mark.parametrize("asks", ASKS)
@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.name)
def test_nothing_is_lost(trial: Trial, asks: str, server: str, version: ssl.TLSVersion) -> None:
    """A side that ends its sends and receives to the end loses nothing, whichever side serves."""
    pytest.importorskip(asks) if asks == "uvloop" else None
    assert trial.lost(asks, server, version) == ""


@VERSIONS
def test_sent_and_closed_at_once(version: ssl.TLSVersion) -> None:
    """A server of this package gets all from a client that only sends and closes: it keeps its tickets until its first send."""
    assert closed_at_once(version, bytes(1_000_000))


@every_loop
@pytest.mark.skipif(sys.platform != "linux", reason="it counts descriptors in /proc")
def test_slow_handshakes(event_loop: EventLoop) -> None:
    """Behind 100 silent and 100 dripping clients a good one is served; they end by the time-out, and leave nothing."""
    report = event_loop.run(partial(slow.run, 200, handshake_timeout=2))  # on a busy machine the good one needs a second, too
    assert report.ends == Counter({"TimeoutError": 200})
    assert report.left == 0
