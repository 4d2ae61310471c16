"""Archives over awaited sockets: what they store and load, refuse, and lose when they are forgotten."""

from __future__ import annotations

import gc
import io
import socket

import anyio
import pytest
from awaited import connected
from awaited_archives import REGISTRY, Track, loading, stored, storing
from event_loops import on_every_loop
from loopback import HOST, SHORT, listening

from lifecycle import Client as BlockingClient
from lifecycle import IllegalCall, aio
from lifecycle import SocketFile as BlockingSocketFile
from lifecycle.archive import BYTE, DWORD, WORD, CEditView, CString
from lifecycle.archive.errors import ReadOnly, WriteOnly


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
    """read() gives what has arrived, or just as much as is asked for, or all; the socket stays open when the file is closed."""
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
async def test_bytes_that_were_not_taken_are_for_the_next_archive() -> None:
    """Closing a loading archive, and its flush(), give back to the file what was received, for the next reader."""
    async with connected() as (client, peer), aio.SocketFile(client) as file:
        archive = aio.Archive(file, "load")
        peer.sendall(stored(BYTE(1), DWORD(2)))
        assert await archive.load(BYTE) == 1
        assert not archive.is_buffer_empty
        await archive.close()
        await archive.close()
        async with aio.Archive(file, "load") as following:
            assert await following.load(WORD) == 2
            await following.flush()
            assert await file.read(2, exact=True) == bytes(2)


@on_every_loop
async def test_a_forgotten_archive_is_told_of() -> None:
    """An archive that was not closed gives a ResourceWarning, which says that unsent values are lost."""
    async with connected() as (client, _), aio.SocketFile(client) as file:
        archive = aio.Archive(file, "store")
        archive << BYTE(1)
        with pytest.warns(ResourceWarning, match=r"unclosed .*Archive storing .* its unsent values are lost"):
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


@on_every_loop
async def test_schemas_base_exchange_and_rest() -> None:
    """As a blocking archive has them: one function for both directions, the schemas that were met, offsets from a base."""

    async def exchange(archive: aio.Archive, number: int = 0) -> tuple[int, Track | None]:
        return await archive.exchange(WORD, number), await archive.exchange(Track, Track("north", 1.0, []))

    async with connected() as (client, peer), aio.SocketFile(client) as file:
        async with aio.Archive(file, "store", registry=REGISTRY, schemas={Track: 0}, base=100) as archive:
            await exchange(archive, 7)
            archive.write(b"end")
            assert archive.offset > 100
        client.shut_down()
        data = b""
        while part := peer.recv(1 << 16):
            data += part
        peer.sendall(data)
        peer.shutdown(socket.SHUT_WR)
        async with aio.Archive(file, "load", registry=REGISTRY, schemas={Track: 0}) as archive:
            number, track = await exchange(archive)
            assert (number, track and track.name) == (7, "north")
            assert archive.schemas == {Track: 0}
            assert await archive.rest() == b"end"
