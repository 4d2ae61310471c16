"""Not run: mypy and pyright read it. Every public call of lifecycle.aio, with the types that its user relies on."""

import socket
from typing import Any, assert_type

from lifecycle import Address
from lifecycle.aio import Accepted, Archive, Client, Datagram, Events, Server, SocketFile, notifications, nowait
from lifecycle.archive import DWORD, CString


async def servers(server: Server, target: Accepted) -> None:
    await server.create(0, "127.0.0.1")
    await server.create(0, family=socket.AF_INET6)
    server.open(socket.AF_INET)
    await server.bind(80, "::1")
    server.listen(5)
    assert_type(await server.accept(), Accepted)
    assert_type(await server.accept(target), Accepted)
    assert_type(await server.accept(timeout=0.5), Accepted)
    assert_type(nowait(server.accept()), Accepted)
    async for accepted in server:
        assert_type(accepted, Accepted)
    async with server as same:
        assert_type(same, Server)
    await server.connect("127.0.0.1", 1)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


class Talker(Accepted):
    async def talk(self) -> None: ...


async def serving(server: Server) -> None:
    async def handler(accepted: Accepted) -> None: ...

    def note(accepted: Accepted, error: Exception) -> None: ...

    async def tell(accepted: Accepted, error: Exception) -> None: ...

    def note_talker(talker: Talker, error: Exception) -> None: ...

    await server.serve(handler)
    await server.serve(handler, limit=10, on_error=note)
    await server.serve(handler, on_error=tell)
    await server.serve(Talker.talk, kind=Talker, on_error=note_talker)
    await server.serve(Talker.talk)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType, reportCallIssue]


async def clients(client: Client, data: bytearray) -> None:
    await client.create()
    client.open()
    client.open(socket.AF_INET6)
    await client.connect("localhost", 80)
    await client.connect("localhost", 80, timeout=5)
    assert_type(await client.receive(timeout=5), bytes)
    await client.receive(timeout=...)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await client.finish_connect()
    assert_type(await client.send(data), int)
    assert_type(await client.receive(10, socket.MSG_PEEK), bytes)
    assert_type(await client.send_to(b"", "127.0.0.1", 9), int)
    assert_type(await client.receive_from(), tuple[bytes, None])
    assert_type(client.sent, int)
    assert_type(client.local_address, Address | Any)
    assert_type(client.is_blocking, bool)
    client.shut_down("both")
    client.cancel_blocking_call()
    client.select_events(Events.READ | Events.CLOSE)
    assert_type(client.detach(), int)
    async for chunk in client:
        assert_type(chunk, bytes)


async def datagrams(datagram: Datagram) -> None:
    await datagram.connect("127.0.0.1", 9)
    datagram.disconnect()
    assert_type(await datagram.send_to(b"", "127.0.0.1", 9), int)
    assert_type(await datagram.receive_from(), tuple[bytes, Address])
    async for message, sender in datagram:
        assert_type(message, bytes)
        assert_type(sender, Address)


class Noting(Client):
    def on_receive(self) -> None: ...

    async def on_send(self) -> None: ...

    def on_close(self, error: int) -> bool:
        return error == 0


async def notified() -> None:
    async with notifications(), Noting() as noting:
        assert_type(noting, Noting)


async def archives(client: Client) -> None:
    async with SocketFile(client) as file, Archive(file, "load") as incoming, Archive(file, "store") as outgoing:
        assert_type(await file.read(3), bytes)
        assert_type(await file.write(b""), int)
        assert_type(outgoing << DWORD(1) << CString("x"), Archive)
        outgoing.store(DWORD, 1)
        await outgoing.flush()
        assert_type(await incoming.take(lambda archive: (archive.read(1), archive.read_count())), tuple[bytes, int])
        assert_type(await (incoming >> DWORD), int)
        assert_type(await incoming.load(CString), str)
        assert_type(await incoming.read(3), bytes)
        assert_type(await incoming.read_string(), str | None)
        assert_type(await incoming.read_object(), Any)
        assert_type(incoming.state, str)
