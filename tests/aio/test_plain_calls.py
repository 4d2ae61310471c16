"""Calls of awaited sockets that do not wait."""

from __future__ import annotations

import inspect
from typing import Any

import anyio
import pytest
from loopback import HOST

from lifecycle import IllegalCall, aio


@pytest.mark.parametrize("kind", [aio.Client, aio.Server, aio.Accepted, aio.Datagram])
def test_awaiting_a_call_that_does_not_wait_says_so(kind: type[Any]) -> None:
    """`await client.close()` raises a TypeError that names the call, which has been made."""

    async def main() -> None:
        sock = kind()
        with pytest.raises(TypeError, match=rf"{kind.__name__}\.close\(\) does not wait: call it without `await`"):
            await sock.close()
        assert sock.state == "closed"

    anyio.run(main)


def test_what_they_return_is_false() -> None:
    """Such a call returns something false, whose text says what it is; it is refused, and seen by a debugger, as before."""

    async def main() -> None:
        async with aio.Server() as server:
            with pytest.raises(IllegalCall):
                server.listen()
            await server.create(0, HOST)
            answer: object = server.listen()  # type: ignore[func-returns-value]
            assert not answer
            assert repr(answer) == "<Server.listen() does not wait>"
            assert not inspect.isawaitable(answer), "code that awaits what can be awaited leaves it alone"
        assert server.state == "closed"

    anyio.run(main)
    assert list(inspect.signature(aio.Server.listen).parameters) == ["self", "backlog"]


def test_block_of_a_subclass_with_an_awaited_close() -> None:
    """`async with` awaits the close() of a subclass that made it a coroutine."""
    closed: list[str] = []

    class Slow(aio.Client):
        async def close(self) -> None:  # type: ignore[override]
            await anyio.sleep(0)
            super().close()
            closed.append(self.state)

    async def main() -> None:
        async with Slow() as client:
            client.open()

    anyio.run(main)
    assert closed == ["closed"]
