"""The order of notifications, step by step, beside that measured of the real CAsyncSocket (MFC 14 and 9)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import pytest
from loopback import HOST
from notified import QUIET, Diary, NotedAccepted, NotedClient, NotedServer

from lifecycle import aio
from lifecycle.aio import nowait

LETTERS = {"accept": "A", "connect": "C", "receive": "R", "send": "W", "close": "X", "out of band": "O"}


class Numbered(Diary):
    """Writes the letter of an event and the number of its object, as the measured table does."""

    def __init__(self, number: int, told: list[str]) -> None:
        super().__init__()
        self.number, self.all = number, told

    def note(self, what: Any) -> None:
        self.all.append(f"{LETTERS[what if isinstance(what, str) else what[0]]}{self.number}")


MEASURED = (
    ("listen, connect", "A9 C1 W1"),
    ("accept", "W2"),
    ("send abc", "R2"),
    ("send def", ""),
    ("2 receive 2", "R2"),
    ("2 receive 10", ""),
    ("send g", "R2"),
    ("1 shutdown", ""),
    ("2 receive 10", "X2"),
    ("2 receive 10", ""),
    ("2 close", "X1"),
    ("1 receive 10", ""),
)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_order_is_that_of_the_real_mfc() -> None:
    """After each step of both ends just those are told that the real MFC tells, in its order."""
    told: list[str] = []
    found = []
    async with aio.notifications(), NotedServer(Numbered(9, told)) as server, NotedClient(Numbered(1, told)) as one:
        await server.create(0, HOST)
        two = NotedAccepted(Numbered(2, told))

        async def connect() -> None:
            server.listen()
            await one.create(0, HOST)
            with suppress(BlockingIOError):
                nowait(one.connect(*server.local_address or ("", 0)))

        async def send(data: bytes) -> None:
            await one.send(data)

        steps: dict[str, Any] = {
            "listen, connect": connect,
            "accept": lambda: server.accept(two),
            "send abc": lambda: send(b"abc"),
            "send def": lambda: send(b"def"),
            "send g": lambda: send(b"g"),
            "2 receive 2": lambda: two.receive(2),
            "2 receive 10": lambda: two.receive(10),
            "1 receive 10": lambda: one.receive(10),
        }
        for step, _ in MEASURED:
            if step in steps:
                await steps[step]()
            elif step == "1 shutdown":
                one.shut_down()
            else:
                two.close()
            await anyio.sleep(QUIET)
            found.append((step, " ".join(told)))
            told.clear()
    assert tuple(found) == MEASURED
