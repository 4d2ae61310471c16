"""Not run: mypy and pyright read it. Every public call, with the types that its user relies on."""

import socket
from typing import Any, Literal, assert_type

from lifecycle import (
    ROLES,
    Accepted,
    Address,
    Client,
    Datagram,
    IllegalCall,
    Journal,
    Lifecycle,
    MessageTruncated,
    Role,
    SendTimedOut,
    Server,
)
from lifecycle.engine import Call, State, settled


def servers(server: Server, target: Accepted) -> None:
    server.create(0, "127.0.0.1")
    server.create(0, family=socket.AF_INET6)
    server.open(socket.AF_INET)
    server.bind(80, "::1")
    server.listen()
    server.listen(5)
    assert_type(server.accept(), Accepted)
    assert_type(server.accept(target), Accepted)
    assert_type(server.accept(timeout=None), Accepted)
    for accepted in server:
        assert_type(accepted, Accepted)
    with server as same:
        assert_type(same, Server)
    server.connect("127.0.0.1", 1)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


def clients(client: Client, data: bytearray) -> None:
    client.create()
    client.connect("localhost", 80)
    client.connect("localhost", 80, timeout=5)
    client.connect("localhost", 80, timeout="5")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.finish_connect()
    assert_type(client.send(b"data"), int)
    assert_type(client.send(data), int)
    assert_type(client.send(memoryview(data), socket.MSG_OOB), int)
    assert_type(client.receive(), bytes)
    assert_type(client.receive(10, socket.MSG_PEEK), bytes)
    assert_type(client.send_to(b"data", "ignored", 0), int)
    assert_type(client.receive_from(10), tuple[bytes, None])
    client.shut_down()
    client.shut_down("both")
    client.shut_down(1)
    client.shut_down("all")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.send("text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    client.listen()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


def accepted_ones(accepted: Accepted) -> None:
    assert_type(accepted.send(b"data"), int)
    assert_type(accepted.receive(), bytes)
    accepted.create()  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


def datagrams(datagram: Datagram) -> None:
    datagram.open()
    datagram.connect("127.0.0.1", 9)
    datagram.disconnect()
    assert_type(datagram.send(b"data"), int)
    assert_type(datagram.send_to(b"data", "127.0.0.1", 9), int)
    assert_type(datagram.receive(), bytes)
    assert_type(datagram.receive_from(), tuple[bytes, Address])
    datagram.shut_down("sends")


def all_of_them(each: Server | Client | Accepted | Datagram, how: Literal["sends"]) -> None:
    assert_type(each.get_sock_name(), Address)
    assert_type(each.local_address, Address | Any)
    assert_type(each.peer_address, Address | None)
    each.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    each.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    assert_type(each.get_option(socket.SO_TYPE), int | bytes)
    each.attach(5)
    each.attach(socket.socket())
    assert_type(each.detach(), int)
    assert_type(each.fileno(), int)
    assert_type(each.state, str)
    assert_type(each.legal, tuple[str, ...])
    assert_type(each.engine, str)
    assert_type(each.timeout, float | None)
    each.timeout = 0.5
    each.timeout = "soon"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    assert_type(each.is_blocking, bool)
    each.cancel_blocking_call()
    each.close()


def errors(error: IllegalCall, late: SendTimedOut, cut: MessageTruncated) -> None:
    assert_type(error.role, str)
    assert_type(error.legal, tuple[str, ...])
    assert_type(error.remedy, tuple[str, ...] | None)
    assert_type(error.reason, str)
    assert_type(late.sent, int)
    assert_type(cut.head, bytes)


DOOR = Role(
    name="door",
    doc="A door.",
    states=(State("shut", "Shut."), State("gone", "Gone.")),
    calls=(Call("knock", "Knock."), Call("burn", "Burn it.")),
    rows=(("shut", "knock", {"ok": "shut"}), ("shut", "burn", {"ok": "gone"})),
    initial="shut",
    final=frozenset({"gone"}),
)


class Door(Lifecycle, role=DOOR):
    def knock(self, times: int = 1) -> str:
        return settled("ok", "knock" * times)

    def burn(self) -> None: ...


def roles(door: Door) -> None:
    assert_type(door.knock(2), str)
    door.knock("twice")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert_type(ROLES["client"].legal("open"), tuple[str, ...])
    with Journal(door) as journal:
        assert_type(journal.cells(), set[tuple[str, str, str, str]])
