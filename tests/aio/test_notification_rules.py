"""The rules of when an event is reported again, as a model, against random sequences of calls and of what the peer does."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
from delivery import delivering
from event_loops import EventLoop, every_loop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from long_form import part
from loopback import HOST, raw_listener, reset
from notified import Diary, NotedClient

from lifecycle import aio
from lifecycle.aio import Events, nowait

MOMENT = 0.004  # seconds in which what is due is told

MASKS = (0, Events.READ, Events.WRITE, Events.CLOSE, Events.READ | Events.CLOSE, Events.READ | Events.WRITE, Events.ALL)

steps = st.one_of(
    st.tuples(st.just("peer_sends"), st.integers(1, 9)),
    st.tuples(st.just("reads"), st.integers(1, 12)),
    st.tuples(st.just("looks"), st.integers(1, 3)),
    st.tuples(st.just("selects"), st.sampled_from(MASKS)),
    st.tuples(st.sampled_from(["peer_ends", "peer_resets"]), st.just(0)),
)


class Model:
    """What Winsock would tell, when nothing fills the connection.

    CONNECT of a connect that did not wait, WRITE once then, READ when it is enabled and there is data, CLOSE once when there
    is none and never will be.
    """

    def __init__(self, *, asks: bool) -> None:
        self.told: list[Any] = [("connect", 0)] if asks else []
        self.mask = Events.ALL
        self.data = 0
        self.is_broken = False
        self.read_is_enabled = self.write_is_enabled = True
        self.close_is_due: int | None = None
        self.close_was_told = False

    def tell(self) -> None:
        """Tell what is due now."""
        if self.write_is_enabled and Events.WRITE in self.mask and not self.is_broken:
            self.told.append("send")
            self.write_is_enabled = False
        if not self.data and self.close_is_due == errno.ECONNRESET and self.mask & (Events.READ | Events.CLOSE):
            self.is_broken = True  # it was looked at
        if self.data:
            if self.read_is_enabled and Events.READ in self.mask:
                self.told.append("receive")
                self.read_is_enabled = False
        elif self.close_is_due is not None and not self.close_was_told and Events.CLOSE in self.mask:
            self.told.append(("close", self.close_is_due))
            self.close_was_told = True


class Play:
    """The same steps, made on real sockets and in the model."""

    def __init__(self, client: NotedClient, peer: socket.socket, model: Model, deliver: Callable[[], None]) -> None:
        self.client, self.peer, self.model, self.deliver = client, peer, model, deliver
        self.peer_is_there = True

    def peer_sends(self, size: int) -> None:
        if self.peer_is_there:
            self.peer.sendall(bytes(size))
            self.model.data += size
            self.deliver()

    def peer_ends(self, _: int) -> None:
        if self.peer_is_there:
            self.peer.shutdown(socket.SHUT_WR)
            self.peer_is_there = False
            self.model.close_is_due = 0
            self.deliver()

    def peer_resets(self, _: int) -> None:
        if self.peer_is_there:
            reset(self.peer)
            self.peer_is_there = False
            self.model.close_is_due = errno.ECONNRESET
            self.deliver()

    def reads(self, size: int) -> None:
        self._receive(size, 0)
        self.model.data -= min(size, self.model.data)

    def looks(self, size: int) -> None:
        """A receive that takes nothing enables READ as well."""
        self._receive(size, socket.MSG_PEEK)

    def _receive(self, size: int, flags: int) -> None:
        try:
            nowait(self.client.receive(size, flags))
        except ConnectionResetError:
            self.model.is_broken = True
        except BlockingIOError:
            pass
        self.model.read_is_enabled = True

    def selects(self, mask: int) -> None:
        self.client.select_events(mask)
        self.model.mask = Events(mask)
        self.model.read_is_enabled = self.model.write_is_enabled = True


@asynccontextmanager
async def arranged(*, asks: bool, sent: int) -> AsyncIterator[Play]:
    """A client that was connected, by a connect with a notification or by one that waits; the peer has sent something."""
    async with aio.notifications(), NotedClient(Diary()) as client:
        with raw_listener() as listener, delivering() as deliver:
            await client.create(0, HOST)
            if asks:
                with suppress(BlockingIOError):
                    nowait(client.connect(*listener.getsockname()))
            else:
                await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                play = Play(client, peer, Model(asks=asks), deliver)
                if sent:
                    play.peer_sends(sent)
                yield play


@every_loop
def test_events_are_told_as_the_model_says(event_loop: EventLoop) -> None:
    """After every step exactly the events that the rules demand were reported, in that order."""

    @settings(max_examples=part(25, 8), suppress_health_check=[HealthCheck.too_slow])
    @given(st.booleans(), st.integers(0, 3), st.lists(steps, max_size=12))
    def plays(asks: bool, sent: int, script: list[tuple[str, int]]) -> None:
        async def main() -> None:
            async with arranged(asks=asks, sent=sent) as play:
                await told(play, "the connect")
                for name, argument in script:
                    getattr(play, name)(argument)
                    await told(play, f"{name}({argument})")

        event_loop.run(main)

    plays()


async def told(play: Play, step: str) -> None:
    """See that exactly the model's events are reported."""
    diary, model = play.client.diary, play.model
    model.tell()
    with anyio.move_on_after(1):
        await diary.until(lambda: len(diary.told) >= len(model.told))
    await anyio.sleep(MOMENT)
    assert diary.told == model.told, f"after {step}"
