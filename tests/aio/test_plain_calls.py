"""Calls of awaited sockets that do not wait."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal

from lifecycle import aio


@pytest.mark.parametrize("kind", [aio.Client, aio.Server, aio.Accepted, aio.Datagram])
def test_they_return_none(kind: type[Any]) -> None:
    """close() of each class is a plain call, which returns None: code that awaits what can be awaited leaves it alone."""
    with start_blocking_portal() as portal:
        sock = portal.call(kind)
        assert portal.call(sock.close) is None
        assert sock.state == "closed"


def test_awaiting_one_is_a_type_error_after_the_call() -> None:
    """`await client.close()` closes the client, and raises Python's own TypeError."""

    async def main() -> None:
        client = aio.Client()
        with pytest.raises(TypeError, match="await"):
            await client.close()  # type: ignore[func-returns-value]
        assert client.state == "closed"

    anyio.run(main)


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
