"""What asyncio's transports still have when their loop ends, and which line asked for a socket that a task makes."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import pytest
from checking.test_tls import client_side, server_side
from loopback import Background

from lifecycle.checking import Finding, checked_sockets
from lifecycle.checking.loops import _unsent, site_of_task

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' loop has other transports")

LARGE = bytes(5_000_000)


async def opened(*, secured: bool) -> tuple[asyncio.StreamWriter, Any]:
    """A writer whose peer reads nothing, and the peer."""
    left, right = socket.socketpair()
    shaking = Background(lambda: server_side().wrap_socket(right, server_side=True)) if secured else None
    names: dict[str, Any] = {"ssl": client_side(), "server_hostname": "localhost"} if secured else {}
    _, writer = await asyncio.open_connection(sock=left, **names)
    return writer, right if shaking is None else shaking.result()


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "TLS"])
def test_what_a_transport_still_has(secured: bool) -> None:
    """What was written and not sent is counted, below TLS too; nothing is left of a connection that is gone."""

    async def main() -> None:
        writer, peer = await opened(secured=secured)
        assert _unsent(writer.transport) == 0
        writer.write(LARGE)
        below: Any = getattr(getattr(writer.transport, "_ssl_protocol", None), "_transport", None)
        sizes = [each.get_write_buffer_size() for each in (writer.transport, below) if each is not None]
        assert _unsent(writer.transport) == sum(sizes) > 1_000_000
        assert (below is not None) is secured
        writer.transport.abort()
        peer.close()
        await asyncio.sleep(0.01)
        assert _unsent(writer.transport) == 0

    asyncio.run(main())


def judged(write: bytes, *, waits: bool, ends: str = "close") -> list[Finding]:
    """What is found in a loop that ends after a writer was closed, or aborted, with or without a wait for its end."""

    async def main() -> None:
        writer, peer = await opened(secured=False)
        writer.write(write)
        getattr(writer if ends == "close" else writer.transport, ends)()
        if waits:
            reading = Background(lambda: [None for _ in iter(lambda: peer.recv(1 << 20), b"")])
            await writer.wait_closed()
            reading.result()
        left.append(peer)

    left: list[socket.socket] = []
    with checked_sockets(open_is_leak=False) as findings:
        asyncio.run(main())
        left.pop().close()
    return findings


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("write", "waits", "ends", "codes"),
    [
        (LARGE, False, "close", ["LC510"]), (LARGE, True, "close", []), (b"x", False, "close", []), (b"", False, "close", []),
        (LARGE, False, "abort", []),
    ],
)  # fmt: skip
def test_data_that_a_loop_leaves_behind(write: bytes, waits: bool, ends: str, codes: list[str]) -> None:
    """A writer that is closed with data still to be sent, and not awaited, is reported once at its close()."""
    findings = judged(write, waits=waits, ends=ends)
    assert [each.code for each in findings] == codes
    assert [(each.call, each.place.function) for each in findings] == [("close", "main")] * len(codes)


def test_task_of_a_library_is_told_by_the_line_that_began_it() -> None:
    """Outside of a loop there is no such line; in a task of the program's own code none is needed."""
    assert site_of_task() is None

    async def main() -> object:
        return site_of_task()

    with checked_sockets():
        assert asyncio.run(main()) is None


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("sizes", "is_told", "codes"),
    [((-1,), False, ["LC507"]), ((4,), False, []), ((4, 4), False, ["LC507"]), ((-1,), True, []), ((4, 4), True, [])],
)
def test_cut_that_a_reader_takes_for_the_end(sizes: tuple[int, ...], is_told: bool, codes: list[str]) -> None:
    """A reader that gets no more, though TLS was not ended, has taken a cut for the end; one that got data has not yet."""

    async def main() -> None:
        left, right = socket.socketpair()
        shaking = Background(lambda: server_side().wrap_socket(right, server_side=True))
        reader, writer = await asyncio.open_connection(sock=left, ssl=client_side(), server_hostname="localhost")
        peer = shaking.result()
        peer.sendall(b"half")
        ending = Background(peer.unwrap if is_told else peer.close)
        for size, data in zip(sizes, (b"half", b""), strict=False):
            assert await reader.read(size) == data
        writer.close()
        await asyncio.wait([asyncio.create_task(writer.wait_closed())], timeout=1)
        ending.result()
        peer.close()

    with checked_sockets(open_is_leak=False) as findings:
        asyncio.run(main())
    assert [(each.code, each.place.function) for each in findings] == [(code, "main") for code in codes]
