"""Awaited sockets that write down their notifications, and the arrangements in which tests watch them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from loopback import HOST, raw_listener

from lifecycle import aio

QUIET = 0.03  # seconds in which nothing may be told

Told = tuple[str, ...] | tuple[str, int]


class Diary:
    """The notifications, in their order; `reacts` may name a function that is called with the object, for a callback's name."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.reacts: dict[str, Callable[[Any], Any]] = {}
        self._news = anyio.Event()

    def note(self, what: Any) -> None:
        """Write something down."""
        self.told.append(what)
        self._news.set()

    def count(self, what: Any) -> int:
        """How many notifications there were."""
        return self.told.count(what)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds, looking whenever something is written down."""
        while not condition():
            await self._news.wait()
            self._news = anyio.Event()

    async def until_told(self, *expected: Any) -> None:
        """Wait until exactly that was reported, in that order, and then see that nothing more is."""
        await self.until(lambda: len(self.told) >= len(expected))
        await anyio.sleep(QUIET)
        assert self.told == list(expected)

    async def stays(self) -> None:
        """No further notification arrives."""
        before = list(self.told)
        await anyio.sleep(QUIET)
        assert self.told == before


class Noting:
    """The six callbacks, which note themselves in a diary and react as it says."""

    diary: Diary

    def _note(self, name: str, *arguments: int) -> Any:
        self.diary.note((name, *arguments) if arguments else name)
        react = self.diary.reacts.get(name)
        return react(self) if react is not None else None

    def on_accept(self) -> Any:
        return self._note("accept")

    def on_connect(self, error: int) -> Any:
        return self._note("connect", error)

    def on_receive(self) -> Any:
        return self._note("receive")

    def on_send(self) -> Any:
        return self._note("send")

    def on_out_of_band_data(self) -> Any:
        return self._note("out of band")

    def on_close(self, error: int) -> Any:
        return self._note("close", error)


class NotedServer(Noting, aio.Server):
    def __init__(self, diary: Diary, **options: Any) -> None:
        super().__init__(**options)
        self.diary = diary


class NotedClient(Noting, aio.Client):
    def __init__(self, diary: Diary, **options: Any) -> None:
        super().__init__(**options)
        self.diary = diary


class NotedAccepted(Noting, aio.Accepted):
    def __init__(self, diary: Diary, **options: Any) -> None:
        super().__init__(**options)
        self.diary = diary


class NotedDatagram(Noting, aio.Datagram):
    def __init__(self, diary: Diary, **options: Any) -> None:
        super().__init__(**options)
        self.diary = diary


@asynccontextmanager
async def noted_client(
    mask: int = aio.Events.ALL, diary: Diary | None = None
) -> AsyncIterator[tuple[NotedClient, socket.socket]]:
    """A connected client with that mask and a diary, and the plain socket at the other end."""
    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(diary or Diary()) as client:
                client.select_events(mask)
                await client.create(0, HOST)
                await client.connect(*listener.getsockname())
                peer, _ = listener.accept()
                with peer:
                    yield client, peer


@asynccontextmanager
async def noted_server(mask: int = aio.Events.ALL) -> AsyncIterator[NotedServer]:
    """A listening server with that mask and a diary."""
    async with aio.notifications(), NotedServer(Diary()) as server:
        server.select_events(mask)
        await server.create(0, HOST)
        server.listen()
        yield server
