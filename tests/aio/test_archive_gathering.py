"""Messages that awaited archives gather: in whatever pieces, long ones, cancelled, and cut off."""

from __future__ import annotations

import socket
import threading
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from awaited import connected
from awaited_archives import REGISTRY, Track, loading, stored, storing
from cancelling import NotReached, cancelled_at
from event_loops import EventLoop, every_loop, on_every_loop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from long_form import part
from loopback import HOST, SHORT, raw_listener, reset
from notified import Diary, NotedClient

from lifecycle import Archive as BlockingArchive
from lifecycle import IllegalCall, aio
from lifecycle.aio import archive as aio_archive
from lifecycle.aio import nowait
from lifecycle.archive import BYTE, DOUBLE, DWORD, WORD, CArray, CString
from lifecycle.archive.errors import EndOfFile, FormatError
from lifecycle.archive.format.decoder import Decoder
from lifecycle.archive.format.strings import StringWire

VALUES = st.one_of(
    st.integers(0, 255).map(BYTE),
    st.integers(0, 2**32 - 1).map(DWORD),
    st.floats(allow_nan=False).map(DOUBLE),
    st.text(st.characters(codec="utf-16"), max_size=300).map(CString),
    st.lists(st.integers(0, 65535), max_size=40).map(CArray[WORD]),
)


@every_loop
def test_values_arrive_in_whatever_pieces(event_loop: EventLoop) -> None:
    """Values that come byte by byte or all at once load as they were stored, and nothing is taken of the next one."""

    @settings(max_examples=part(15, 6), suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(VALUES, min_size=1, max_size=6), st.lists(st.integers(1, 40), min_size=1))
    def pieces(values: list[Any], sizes: list[int]) -> None:
        async def main() -> None:
            data = stored(*values)
            async with loading() as (archive, peer), anyio.create_task_group() as tasks:

                async def send() -> None:
                    at = 0
                    while at < len(data):
                        size = sizes[at % len(sizes)]
                        peer.sendall(data[at : at + size])
                        at += size
                        await anyio.lowlevel.checkpoint()

                tasks.start_soon(send)
                for value in values:
                    assert await archive.load(type(value)) == value
                assert archive.is_buffer_empty
                assert archive.offset == len(data)

        event_loop.run(main)

    pieces()


@on_every_loop
async def test_a_message_is_taken_whole() -> None:
    """take() decodes a message of several values when all of it has arrived; a function that fails takes nothing."""
    data = stored(WORD(7), CString("seven"), BYTE(1), Track("north", 1.5, [1, 2, 3]))
    async with loading(registry=REGISTRY) as (archive, peer), anyio.create_task_group() as tasks:
        calls = 0

        def decode(message: BlockingArchive) -> tuple[Any, ...]:
            nonlocal calls
            calls += 1
            return message >> WORD, message >> CString, message >> BYTE, message >> Track

        async def send_slowly() -> None:
            for byte in data:
                peer.sendall(bytes([byte]))
                await anyio.sleep(0)

        tasks.start_soon(send_slowly)
        assert await archive.take(decode) == (7, "seven", 1, Track("north", 1.5, [1, 2, 3]))
        assert 1 < calls <= len(data) + 1
        peer.sendall(stored(WORD(8)))

        def fail(message: BlockingArchive) -> None:
            message >> WORD
            raise LookupError("not mine")

        with pytest.raises(LookupError):
            await archive.take(fail)
        assert await archive.load(WORD) == 8


WORDS = [f"word {number}" for number in range(5000)]


async def send_in_pieces(peer: socket.socket, message: bytes) -> None:
    """Send, and let the other side take each piece."""
    for at in range(0, len(message), 500):
        peer.sendall(message[at : at + 500])
        await anyio.sleep(0)


@on_every_loop
async def test_a_long_value_is_decoded_once() -> None:
    """A value of declared types goes on where bytes were missing: none of it is decoded again, in whatever pieces."""
    decoded = 0
    load = StringWire.load

    def counted(self: StringWire, decoder: Decoder) -> str:
        nonlocal decoded
        text = load(self, decoder)
        decoded += 1
        return text

    with patch.object(StringWire, "load", counted):
        async with loading() as (archive, peer), anyio.create_task_group() as tasks:
            tasks.start_soon(send_in_pieces, peer, stored(CArray[CString](WORDS)))
            assert await archive.load(CArray[CString]) == WORDS
    assert decoded == len(WORDS)


@on_every_loop
async def test_a_long_message_is_not_decoded_for_each_of_its_pieces() -> None:
    """A function that decodes a message is called again a few times, and then waits within itself for what is missing."""
    calls = 0
    threads = threading.active_count()

    def decode(archive: BlockingArchive) -> Any:
        nonlocal calls
        calls += 1
        return [archive >> CString for _ in range(archive.read_count())], archive >> CArray[CString]

    with patch.object(aio_archive, "DECODED_TWICE", 1 << 10):
        async with loading() as (archive, peer), anyio.create_task_group() as tasks:
            message = stored(CArray[CString](WORDS), CArray[CString](WORDS[:10]))
            tasks.start_soon(send_in_pieces, peer, message * 2)
            for _ in range(2):
                assert await archive.take(decode) == (WORDS, WORDS[:10])
            assert archive.offset == 2 * len(message)
    assert calls < 20
    assert threading.active_count() == threads


@on_every_loop
@pytest.mark.parametrize("ending", ["end", "malformed", "cancelled", "user's error"])
async def test_a_message_that_waits_within_its_function_ends_as_any_other(ending: str) -> None:
    """The end, wrong bytes, a cancellation, an error of its own: the outcome is as always, and no thread is left."""
    threads = threading.active_count()

    def decode(archive: BlockingArchive) -> Any:
        words = [archive >> CString for _ in range(archive.read_count())]
        if ending == "user's error":
            raise LookupError("not mine")
        return words, archive >> Track

    errors = {"end": EndOfFile, "malformed": FormatError, "user's error": LookupError}
    with patch.object(aio_archive, "DECODED_TWICE", 1 << 10):
        async with loading(registry=REGISTRY) as (archive, peer), anyio.create_task_group() as tasks:

            async def send() -> None:
                await send_in_pieces(peer, stored(CArray[CString](WORDS)))
                if ending == "end":
                    peer.shutdown(socket.SHUT_WR)
                elif ending == "malformed":
                    peer.sendall(b"\x05\0\0\0")
                elif ending == "cancelled":
                    tasks.cancel_scope.cancel()

            tasks.start_soon(send)
            if ending == "cancelled":
                try:
                    await archive.take(decode)
                finally:
                    assert archive.offset == 0
                    archive.abort()
            else:
                with pytest.raises(errors[ending]):
                    await archive.take(decode)
            assert archive.state == ("broken" if ending in ("end", "malformed") else "loading")
            archive.abort()
    assert threading.active_count() == threads


@on_every_loop
async def test_a_file_that_reads_exactly_is_gathered_from_too() -> None:
    """An archive takes what has arrived, also from a file that is not archive_compatible."""
    async with connected() as (client, peer), aio.SocketFile(client, archive_compatible=False) as file:
        archive = aio.Archive(file, "load")
        peer.sendall(stored(DWORD(5)))
        assert await archive.load(DWORD) == 5
        await archive.close()
        peer.sendall(b"rest")
        assert await file.read(2, exact=False) == b"re"
        assert await file.read(10, exact=False) == b"st"


@on_every_loop
async def test_a_cancelled_load_has_taken_nothing() -> None:
    """Wherever a load is cancelled, the value is there afterwards; nowait() says that it is not whole yet."""
    data = stored(CString("a longer text"), DWORD(3))
    async with loading() as (archive, peer):
        rest = iter(data)
        sent = 0
        with pytest.raises(BlockingIOError):
            nowait(archive.load(CString))
        for number in (1, 2, 3, 1, 1):

            def send_one() -> None:
                nonlocal sent
                peer.sendall(bytes([next(rest)]))
                sent += 1

            await cancelled_at(number, archive.load(CString), before=send_one, meanwhile=send_one)
            assert archive.state == "loading"
            assert archive.offset == 0
        peer.sendall(data[sent:])
        assert await archive.load(CString) == "a longer text"
        assert await archive.load(DWORD) == 3


@on_every_loop
async def test_a_cancelled_flush_sends_nothing_twice() -> None:
    """Wherever a flush is cancelled, the next one goes on with what was not sent."""
    data = bytes(range(256)) * 2000
    with socket.create_server((HOST, 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with aio.Client() as client:
            client.open()
            client.set_option(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                peer.setblocking(False)
                come = bytearray()

                def receive() -> None:
                    try:
                        while part := peer.recv(1 << 16):
                            come.extend(part)
                    except BlockingIOError:
                        pass

                async with aio.SocketFile(client) as file, aio.Archive(file, "store") as archive:
                    archive.write(data)
                    number = 1
                    while not archive.is_buffer_empty:
                        try:
                            await cancelled_at(number, archive.flush(), before=receive, meanwhile=receive)
                        except NotReached:
                            break
                        number = number % 3 + 1
                    assert archive.state == "storing"
                while len(come) < len(data):
                    receive()
                    await anyio.sleep(0)
                assert come == data


@on_every_loop
async def test_an_end_within_a_value_breaks_the_archive() -> None:
    """The end of the stream inside a value is EndOfFile, and a wrong byte a FormatError: the archive is broken then."""
    async with loading() as (archive, peer):
        peer.sendall(b"\1\0")
        peer.shutdown(socket.SHUT_WR)
        with pytest.raises(EndOfFile):
            await archive.load(DWORD)
        assert archive.state == "broken"
        with pytest.raises(IllegalCall):
            await archive.load(BYTE)
    async with loading(registry=REGISTRY) as (archive, peer):
        peer.sendall(b"\xff\xff\1\0\4\0CNot")
        with pytest.raises(FormatError):
            await archive.load(Track)
        assert archive.state == "broken"


@on_every_loop
async def test_a_reset_breaks_the_archive() -> None:
    """A reset is ConnectionResetError to a load and a ConnectionError to a flush, and either breaks its archive."""
    async with loading() as (archive, peer):
        peer.sendall(b"\1")
        await anyio.sleep(SHORT / 5)
        reset(peer)
        with pytest.raises(ConnectionResetError):
            await archive.load(DWORD)
        assert archive.state == "broken"
    async with storing() as (archive, peer):
        reset(peer)
        await anyio.sleep(SHORT / 5)
        archive << DWORD(1)
        with pytest.raises(ConnectionError):
            await archive.flush()
        assert archive.state == "broken"


@on_every_loop
async def test_no_recursive_on_receive_while_a_message_is_gathered() -> None:
    """Row 113 with an archive: OnReceive that awaits a message is not called again before that is whole."""
    diary = Diary()

    async def load(client: NotedClient) -> None:
        diary.note(await archives[client].load(CString))

    diary.reacts["receive"] = load
    async with aio.notifications():
        with raw_listener() as listener:
            async with NotedClient(diary) as client:
                client.select_events(aio.Events.READ)
                await client.create(0, HOST)
                await client.connect(*listener.getsockname())
                with listener.accept()[0] as peer:
                    async with aio.SocketFile(client) as file, aio.Archive(file, "load") as archive:
                        archives = {client: archive}
                        for byte in stored(CString("one"), CString("two")):
                            peer.sendall(bytes([byte]))
                            await anyio.sleep(0.001)
                        await diary.until_told("receive", "one", "receive", "two")
