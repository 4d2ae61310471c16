"""The rules of when an event is told again, as a model, against random sequences of calls and of what the peer does."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from typing import Any

import anyio
from event_loops import EventLoop, every_loop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import reset
from notified import NotedClient, noted_client

from lifecycle.aio import Events, nowait

MOMENT = 0.004  # seconds in which what is due is told

steps = st.one_of(
    st.tuples(st.just("peer_sends"), st.integers(1, 9)),
    st.tuples(st.just("reads"), st.integers(1, 12)),
    st.tuples(st.just("looks"), st.integers(1, 3)),
    st.tuples(st.just("selects"), st.sampled_from([0, Events.READ, Events.CLOSE, Events.READ | Events.CLOSE])),
    st.tuples(st.sampled_from(["peer_ends", "peer_resets"]), st.just(0)),
)


class Model:
    """What Winsock would tell: READ when it is enabled and there is data, CLOSE once when there is none and never will be."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.mask = Events.READ | Events.CLOSE
        self.data = 0
        self.read_is_enabled = True
        self.close_is_due: int | None = None
        self.close_was_told = False

    def tell(self) -> None:
        """Tell what is due now."""
        if self.data:
            if self.read_is_enabled and Events.READ in self.mask:
                self.told.append("receive")
                self.read_is_enabled = False
        elif self.close_is_due is not None and not self.close_was_told and Events.CLOSE in self.mask:
            self.told.append(("close", self.close_is_due))
            self.close_was_told = True


class Play:
    """The same steps, made on real sockets and in the model."""

    def __init__(self, client: NotedClient, peer: socket.socket) -> None:
        self.client, self.peer, self.model = client, peer, Model()
        self.peer_is_there = True

    def peer_sends(self, size: int) -> None:
        if self.peer_is_there:
            self.peer.sendall(bytes(size))
            self.model.data += size

    def peer_ends(self, _: int) -> None:
        if self.peer_is_there:
            self.peer.shutdown(socket.SHUT_WR)
            self.peer_is_there = False
            self.model.close_is_due = 0

    def peer_resets(self, _: int) -> None:
        if self.peer_is_there:
            reset(self.peer)
            self.peer_is_there = False
            self.model.close_is_due = errno.ECONNRESET

    def reads(self, size: int) -> None:
        with suppress(BlockingIOError, ConnectionResetError):
            nowait(self.client.receive(size))
        self.model.data -= min(size, self.model.data)
        self.model.read_is_enabled = True

    def looks(self, size: int) -> None:
        """A receive that takes nothing enables READ as well."""
        with suppress(BlockingIOError, ConnectionResetError):
            nowait(self.client.receive(size, socket.MSG_PEEK))
        self.model.read_is_enabled = True

    def selects(self, mask: int) -> None:
        self.client.select_events(mask)
        self.model.mask = Events(mask)
        self.model.read_is_enabled = True


@every_loop
def test_events_are_told_as_the_model_says(event_loop: EventLoop) -> None:
    """After every step just that was told which the rules demand, in that order."""

    @settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(steps, min_size=1, max_size=12))
    def plays(script: list[tuple[str, int]]) -> None:
        async def main() -> None:
            async with noted_client(Events.READ | Events.CLOSE) as (client, peer):
                play = Play(client, peer)
                for name, argument in script:
                    getattr(play, name)(argument)
                    play.model.tell()
                    with anyio.move_on_after(1):
                        await client.diary.until(lambda: len(client.diary.told) >= len(play.model.told))
                    await anyio.sleep(MOMENT)
                    assert client.diary.told == play.model.told, f"after {name}({argument})"

        event_loop.run(main)

    plays()
