"""Cancellation at every await of random sequences of calls: nothing is half-changed, nothing is lost, nothing is left open."""

from __future__ import annotations

import errno
import socket
from collections import Counter
from contextlib import ExitStack, suppress
from typing import Any
from unittest.mock import patch

import anyio
import anyio.lowlevel
from cancelled_plays import PLAYS
from event_loops import EventLoop, every_loop_and
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from long_form import part
from loopback import HOST, open_descriptors

from lifecycle import IllegalCall
from lifecycle.net.aio import driver, stream
from lifecycle.system import portable_calls
from lifecycle.system.portable_calls import connect_result

few_examples = settings(max_examples=part(40, 12), suppress_health_check=[HealthCheck.too_slow])

Step = tuple[int | str, str | None]
"""(which of the waiting calls that are legal then, or what the peer or a plain call does; what happens as it is cancelled)"""


PEER_ACTIONS = ("peer_sends", "peer_reads", "peer_ends", "peer_resets")
PLAIN = ("open", "listen", "shut_down", "close")

steps = st.one_of(
    st.tuples(st.integers(0, 20), st.none() | st.sampled_from(PEER_ACTIONS)),
    st.tuples(st.sampled_from(PEER_ACTIONS + PLAIN), st.none()),
)

EXAMPLES: tuple[list[Step], ...] = (
    [(0, None), ("listen", None), *((number, None) for number in (0, 0, 0, 1, 2, 3, 1, 1, 1))],
    [("open", None), *((number, None) for number in range(4))],
    [("open", None), *((number, None) for number in (1, 0, 0))],
)
"""Scripts that come to every waiting call of every role, so that each is cancelled in every run of the tests."""


async def slow_resolver(host: str, port: int, *, family: int, type: int) -> Any:
    """Takes its time, and finds two addresses of this machine; nobody listens at the second one."""
    await anyio.lowlevel.checkpoint()
    return [(socket.AF_INET, type, 0, "", (each, port)) for each in (HOST, "127.0.0.2")]


class SlowConnects:
    """Says twice of every connect that it has no result yet; over the loopback interface it has at once."""

    def __init__(self) -> None:
        self._asked: Counter[socket.socket] = Counter()

    def result(self, sock: socket.socket, name: Any) -> int:
        """As connect_result()."""
        self._asked[sock] += 1
        return connect_result(sock, name) if self._asked[sock] % 3 == 0 else errno.EINPROGRESS


@every_loop_and("name", PLAYS)
def test_cancelled_at_every_await(name: str, event_loop: EventLoop) -> None:
    """Wherever calls are cancelled, the object is in a state of its role and usable; nothing is lost, nothing left open."""
    kind, subject_kind = PLAYS[name]
    cancelled: Counter[str] = Counter()

    @few_examples
    @given(st.lists(steps, min_size=1, max_size=10))
    def plays(script: list[Step]) -> None:
        async def main() -> None:
            before = open_descriptors()
            play = kind(subject_kind(), cancelled)
            try:
                await play.begin()
                for step, meanwhile in script:
                    if isinstance(step, int):
                        await play.make(step, meanwhile)
                    elif step in PEER_ACTIONS:
                        getattr(play, step)()
                    else:
                        with suppress(IllegalCall, OSError):
                            getattr(play.subject, step)()
                await play.end()
            finally:
                play.close()
            assert open_descriptors() == before

        with patch.object(portable_calls, "connect_result", SlowConnects().result):
            event_loop.run(main)

    for script in EXAMPLES:
        plays = example(script)(plays)
    with ExitStack() as patches:
        for module in (driver, stream):
            patches.enter_context(patch.object(module, "TURNS", 2))  # calls give way often
        patches.enter_context(patch.object(anyio, "getaddrinfo", slow_resolver))
        plays()
    assert set(cancelled) == set(kind.waits), "a call was never cancelled at an await"
