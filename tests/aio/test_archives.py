"""Archives over awaited sockets: whole messages are gathered before they are decoded, and cancellation loses nothing."""

from __future__ import annotations

import gc
import io
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import anyio
import pytest
from cancelling import NotReached, cancelled_at
from event_loops import EventLoop, every_loop, on_every_loop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loopback import HOST, SHORT, listening, raw_listener, reset
from notified import Diary, NotedClient

from lifecycle import Archive as BlockingArchive
from lifecycle import Client as BlockingClient
from lifecycle import IllegalCall, aio
from lifecycle import SocketFile as BlockingSocketFile
from lifecycle.aio import archive as aio_archive
from lifecycle.aio import nowait
from lifecycle.archive import BYTE, DOUBLE, DWORD, WORD, CArray, CEditView, CString, Registry, serializable
from lifecycle.archive.errors import EndOfFile, FormatError, ReadOnly, UnreadBytesLost, WriteOnly

REGISTRY = Registry()


@serializable("CTrack", schema=1, registry=REGISTRY)
@dataclass
class Track:
    name: CString  # type: ignore[valid-type]
    length: DOUBLE  # type: ignore[valid-type]
    points: CArray[WORD]  # type: ignore[type-arg, valid-type]


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[aio.Client, socket.socket]]:
    """A client and the plain socket at the other end."""
    with raw_listener() as listener:
        async with aio.Client() as client:
            await client.create(0, HOST)
            await client.connect(*listener.getsockname())
            with listener.accept()[0] as peer:
                yield client, peer


@asynccontextmanager
async def loading(**options: Any) -> AsyncIterator[tuple[aio.Archive, socket.socket]]:
    """A loading archive and the plain socket that it loads from."""
    async with connected() as (client, peer), aio.SocketFile(client) as file, aio.Archive(file, "load", **options) as archive:
        yield archive, peer


@asynccontextmanager
async def storing(**options: Any) -> AsyncIterator[tuple[aio.Archive, socket.socket]]:
    """A storing archive and the plain socket that it stores to."""
    async with connected() as (client, peer), aio.SocketFile(client) as file, aio.Archive(file, "store", **options) as archive:
        yield archive, peer


def stored(*values: Any) -> bytes:
    """The bytes of the values, by the blocking archive."""
    file = io.BytesIO()
    with BlockingArchive(file, "store", registry=REGISTRY) as archive:
        for value in values:
            archive << value
    return file.getvalue()


@on_every_loop
async def test_the_sequence_of_operations() -> None:
    """The table of operations with awaited calls, from both constructions to both closes, in both directions."""
    async with aio.Server() as server, aio.Client() as client, aio.Accepted() as accepted:
        await server.create(0, HOST)
        server.listen()
        await client.create()
        await client.connect(*server.get_sock_name())
        await server.accept(accepted)
        async with aio.SocketFile(accepted) as there, aio.SocketFile(client) as here:
            async with (
                aio.Archive(here, "store") as out,
                aio.Archive(here, "load") as back,
                aio.Archive(there, "load") as incoming,
                aio.Archive(there, "store") as answers,
            ):
                for number in range(3):
                    out << DWORD(number) << CString("question")
                    assert not out.is_buffer_empty
                    await out.flush()
                    assert out.is_buffer_empty
                    assert await (incoming >> DWORD) == number
                    assert await incoming.load(CString) == "question"
                    answers << CString("answer")
                    await answers.flush()
                    assert await (back >> CString) == "answer"
            assert (here.state, there.state) == ("attached", "attached")
        assert (client.state, accepted.state) == ("connected", "connected")


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

    @settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
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
    """take() decodes a message of several values when all of it has come; a function that fails takes nothing."""
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


@on_every_loop
async def test_every_way_of_loading_and_storing() -> None:
    """Raw bytes, lines, counts, objects, classes and bodies go through as they do in a blocking archive."""
    track = Track("south", 2.5, [9])
    async with connected() as (client, peer), aio.SocketFile(client) as file:
        async with aio.Archive(file, "store", registry=REGISTRY) as archive:
            archive.write(b"raw")
            archive.write_string("a line\n")
            archive.write_count(3)
            archive.write_object(track)
            archive << track
            archive.write_class(Track)
            archive.map_object([])
            await archive.serialize_class(Track)
            await archive.serialize(track)
            archive.store(WORD, 5)
        client.shut_down()
        data = b""
        while part := peer.recv(1 << 16):
            data += part
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        async with aio.Archive(file, "load", registry=REGISTRY) as archive:
            assert await archive.read(3) == b"raw"
            assert await archive.read_string() == "a line"
            assert await archive.read_count() == 3
            loaded = await archive.read_object(Track)
            assert loaded == track
            assert await (archive >> Track) is loaded
            assert await archive.read_class(Track) == (Track, 1)
            archive.map_object([])
            await archive.serialize_class(Track)
            again = Track("", 0.0, [])
            await archive.serialize(again)
            assert again == track
            assert await archive.ensure_read(2) == b"\5\0"
            assert await archive.read(9) == b""
            assert await archive.read_string() is None
            assert archive.state == "loading"


WORDS = [f"word {number}" for number in range(5000)]


async def send_in_pieces(peer: socket.socket, message: bytes) -> None:
    """Send, and let the other side take each piece."""
    for at in range(0, len(message), 500):
        peer.sendall(message[at : at + 500])
        await anyio.sleep(0)


@on_every_loop
async def test_a_long_message_is_not_decoded_for_each_of_its_pieces() -> None:
    """Once an attempt to decode took long, the next one has twice as much to begin with."""
    sizes: list[int] = []

    def decode(archive: BlockingArchive) -> Any:
        sizes.append(archive._source.unread)
        return archive >> CArray[CString]

    with patch.object(aio_archive, "LONG_ATTEMPT", 0.0), patch.object(aio_archive, "WAIT_PER_ATTEMPT", 1e6):
        async with loading() as (archive, peer), anyio.create_task_group() as tasks:
            tasks.start_soon(send_in_pieces, peer, stored(CArray[CString](WORDS)) * 2)
            assert await archive.take(decode) == WORDS
            archive.abort()
    assert all(after >= 2 * before for before, after in pairwise(sizes)), sizes


@on_every_loop
async def test_the_end_of_a_long_message_is_not_waited_for_in_vain() -> None:
    """Where nothing comes after a message, it is decoded all the same."""
    with patch.object(aio_archive, "LONG_ATTEMPT", 0.0):
        async with loading() as (archive, peer), anyio.create_task_group() as tasks:
            for values in (["short"], WORDS):
                tasks.start_soon(send_in_pieces, peer, stored(CArray[CString](values)))
                assert await archive.load(CArray[CString]) == values
            peer.sendall(stored(CArray[CString](WORDS))[:-1])
            peer.shutdown(socket.SHUT_WR)
            with pytest.raises(EndOfFile):
                await archive.load(CArray[CString])


@on_every_loop
async def test_a_file_that_reads_exactly_is_gathered_from_too() -> None:
    """An archive takes what has come, also from a file that is not archive_compatible."""
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
            client.set_option(socket.SO_SNDBUF, 4096)
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
async def test_the_direction_is_fixed() -> None:
    """Storing into a loading archive is ReadOnly, loading from a storing one WriteOnly, as in MFC."""
    async with loading() as (archive, _):
        with pytest.raises(ReadOnly):
            archive << DWORD(1)
        with pytest.raises(ReadOnly):
            archive.write(b"")
        await archive.flush()
    async with storing() as (archive, _):
        with pytest.raises(WriteOnly):
            await archive.load(DWORD)
        with pytest.raises(WriteOnly):
            await archive.take(lambda message: message >> DWORD)


@on_every_loop
async def test_what_mfc_forbids_is_refused() -> None:
    """No file over a datagram socket, a server or an unconnected client; none that seeks; SerializeRaw in neither direction."""
    async with aio.Server() as server, aio.Client() as client, aio.Datagram() as datagram:
        await datagram.create(0, HOST)
        await server.create(0, HOST)
        await client.create(0, HOST)
        for target, error in ((client, IllegalCall), (server, (TypeError, IllegalCall)), (datagram, (TypeError, IllegalCall))):
            with pytest.raises(error):
                aio.SocketFile(target)  # type: ignore[arg-type]
        for no_socket in (None, socket.socket, 3):
            with pytest.raises(TypeError, match=r"lifecycle\.aio"):
                aio.SocketFile(no_socket)  # type: ignore[arg-type]
    async with connected() as (client, _), aio.SocketFile(client) as file:
        for name in ("seek", "tell", "truncate", "get_length", "set_length", "duplicate", "abort"):
            with pytest.raises(io.UnsupportedOperation):
                getattr(file, name)()
        for mode in ("load", "store"):
            archive = aio.Archive(file, mode)  # type: ignore[arg-type]
            with pytest.raises(io.UnsupportedOperation):
                await archive.serialize_raw(CEditView("text"))
            archive.abort()
        with pytest.raises(TypeError, match=r"lifecycle\.aio"):
            aio.Archive(io.BytesIO(), "load")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="load"):
            aio.Archive(file, "both")  # type: ignore[arg-type]
        file.close()
        with pytest.raises(IllegalCall):
            aio.Archive(file, "load")
        with pytest.raises(ValueError, match="closed"):
            await file.read(1)


@on_every_loop
async def test_files_are_not_mixed() -> None:
    """A blocking file over an awaited socket is a TypeError, and an awaited one over a blocking socket too."""
    async with connected() as (client, _):
        with pytest.raises(TypeError, match=r"lifecycle\.aio"):
            BlockingSocketFile(client)  # type: ignore[arg-type]
    with listening() as server, BlockingClient() as blocking:
        blocking.open()
        blocking.connect(*server.get_sock_name())
        with server.accept(), pytest.raises(TypeError, match=r"lifecycle\.aio"):
            aio.SocketFile(blocking)  # type: ignore[arg-type]


@on_every_loop
async def test_a_file_reads_and_writes() -> None:
    """read() gives what has come, or just as much as is asked for, or all; the socket stays open when the file is closed."""
    async with connected() as (client, peer), anyio.create_task_group() as tasks:
        async with aio.SocketFile(client) as file:
            assert file.archive_compatible
            assert file.socket is client
            peer.sendall(b"one")
            assert await file.read(10) == b"one"
            assert await file.write(b"two") == 3
            file.flush()
            assert peer.recv(10) == b"two"
        assert file.closed
        assert file.socket is None
        async with aio.SocketFile(client, archive_compatible=False) as exact:
            peer.sendall(b"abc")
            with anyio.move_on_after(SHORT / 5):
                await exact.read(5)

            async def send_rest() -> None:
                peer.sendall(b"defg")
                peer.shutdown(socket.SHUT_WR)

            tasks.start_soon(send_rest)
            assert await exact.read(5) == b"abcde"
            assert await exact.read() == b"fg"
            assert await exact.read(5) == b""
        assert client.state == "peer_closed"


@on_every_loop
async def test_bytes_that_were_not_taken_are_lost_with_a_warning() -> None:
    """Closing a loading archive that has read ahead warns that those bytes are lost."""
    async with connected() as (client, peer), aio.SocketFile(client) as file:
        archive = aio.Archive(file, "load")
        peer.sendall(stored(BYTE(1), DWORD(2)))
        assert await archive.load(BYTE) == 1
        assert not archive.is_buffer_empty
        with pytest.warns(UnreadBytesLost, match="4 bytes"):
            await archive.close()
        await archive.close()


@on_every_loop
async def test_a_forgotten_archive_is_told_of() -> None:
    """An archive that was not closed gives a ResourceWarning, which says so where what it keeps is lost."""
    async with connected() as (client, _), aio.SocketFile(client) as file:
        archive = aio.Archive(file, "store")
        archive << BYTE(1)
        with pytest.warns(ResourceWarning, match=r"unclosed .*Archive storing .* what it keeps is lost"):
            del archive
            gc.collect()
        archive = aio.Archive(file, "load")
        with pytest.warns(ResourceWarning, match="unclosed .*Archive loading"):
            del archive
            gc.collect()


@on_every_loop
async def test_leaving_the_block_flushes() -> None:
    """Leaving `async with` sends what is kept, unless the archive was told not to, or is left by a cancellation."""
    async with storing() as (archive, peer):
        archive << BYTE(1)
        await archive.close()
        assert peer.recv(10) == b"\1"
    async with connected() as (client, peer), aio.SocketFile(client) as file:
        async with aio.Archive(file, "store", no_flush_on_delete=True) as silent:
            silent << BYTE(2)
        with anyio.CancelScope() as scope:
            async with aio.Archive(file, "store") as cancelled:
                cancelled << BYTE(3)
                scope.cancel()
                await anyio.lowlevel.checkpoint()
        assert cancelled.state == "closed"
        with pytest.raises(LookupError):
            async with aio.Archive(file, "store") as failed:
                failed << BYTE(4)
                raise LookupError
        peer.settimeout(SHORT)
        assert peer.recv(10) == b"\4"


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


def test_sending_after_a_shutdown_is_refused() -> None:
    """A flush where sends were ended is refused by the socket's table, and what is kept stays."""

    async def main() -> None:
        async with connected() as (client, _), aio.SocketFile(client) as file:
            archive = aio.Archive(file, "store")
            archive << DWORD(1)
            await archive.flush()
            archive << DWORD(2)
            client.shut_down()
            with pytest.raises(IllegalCall) as refusal:
                await archive.flush()
            assert refusal.value.platform_errors["winsock"] == "WSAESHUTDOWN"
            assert not archive.is_buffer_empty
            archive.abort()

    anyio.run(main)
