"""Puts a real object into each state of its role, by calls of its own and by what its peer does."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from loopback import HOST, LONG, raw_listener, reset, unanswering_listener, until_acknowledged

from lifecycle import ROLES, Accepted, Client, Datagram, Server
from lifecycle.engine import Role

HANDLERS: dict[str, type[Any]] = {"server": Server, "client": Client, "accepted": Accepted, "datagram": Datagram}

SOCKET_ROLES = {name: ROLES[name] for name in HANDLERS}
"""The roles of sockets of the system; those of files and archives have their evidence in tests/archive."""

DATA_PHASE = ("connected", "send_shut", "receive_shut", "peer_closed", "ended", "shut", "broken")


def class_for(role: Role) -> type[Any]:
    """The package's class of that role, or its handlers under another table of the same name."""
    handlers = HANDLERS[role.name]
    if handlers.role is role:
        return handlers
    return type(handlers.__name__, (handlers,), {"__slots__": ()}, role=role)


@dataclass
class World:
    """One object under test, and whoever it has to do with."""

    kind: type[Any]
    stack: ExitStack
    subject: Any = None
    peer: socket.socket = field(default_factory=socket.socket)

    def open(self, thing: Any) -> Any:
        """Enter a context that lasts as long as the world."""
        return self.stack.enter_context(thing)

    def listener(self) -> socket.socket:
        """A plain listening socket."""
        sock: socket.socket = self.open(raw_listener())
        return sock


@contextmanager
def world(role: Role, state: str, engine: str | None = None) -> Iterator[World]:
    """A world whose subject is in `state` of `role`; everything in it is closed at the end."""
    with ExitStack() as stack:
        arranged = World(class_for(role), stack)
        stack.callback(lambda: arranged.peer.close())  # noqa: PLW0108 - the peer may be another one by then
        arranged.subject = stack.enter_context(arranged.kind(timeout=LONG, engine=engine))
        ARRANGE[role.name][state](arranged)
        assert arranged.subject.state == state, f"could not arrange {role.name}.{state}"
        yield arranged


def begin_connect(made: World, address: tuple[str, int]) -> None:
    """Leave a client that is not connected in `connecting` to `address`."""
    made.subject.create(0, HOST)
    made.subject.timeout = 0
    with suppress(BlockingIOError):
        made.subject.connect(*address)
    made.subject.timeout = LONG


def _created(made: World) -> None:
    made.subject.create(0, HOST)


def _listening(made: World) -> None:
    made.subject.create(0, HOST)
    made.subject.listen()


def _connecting(made: World) -> None:
    begin_connect(made, made.open(unanswering_listener()))


def _client_connected(made: World) -> None:
    listener = made.listener()
    made.subject.create(0, HOST)
    made.subject.connect(*listener.getsockname())
    made.peer.close()
    made.peer, _ = listener.accept()


def _accepted_connected(made: World) -> None:
    server = made.open(Server())
    server.create(0, HOST)
    server.listen()
    made.peer.connect(server.get_sock_name())
    server.accept(made.subject)


def _datagram_connected(made: World) -> None:
    made.peer.close()
    made.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.peer.bind((HOST, 0))
    made.subject.create(0, HOST)
    made.subject.connect(*made.peer.getsockname())
    made.peer.connect(made.subject.get_sock_name())


def _then(*steps: Callable[[World], None]) -> Callable[[World], None]:
    def arrange(made: World) -> None:
        for step in steps:
            step(made)

    return arrange


def _ends(how: str) -> Callable[[World], None]:
    def end(made: World) -> None:
        made.subject.shut_down(how)
        until_acknowledged(made.subject)

    return end


def _peer_ends(made: World) -> None:
    made.peer.shutdown(socket.SHUT_WR)
    assert made.subject.receive() == b""


def _peer_resets(made: World) -> None:
    reset(made.peer)
    with suppress(ConnectionResetError):
        made.subject.receive()


def _data_phase(connect: Callable[[World], None]) -> dict[str, Callable[[World], None]]:
    return {
        "connected": connect,
        "send_shut": _then(connect, _ends("sends")),
        "receive_shut": _then(connect, _ends("receives")),
        "peer_closed": _then(connect, _peer_ends),
        "ended": _then(connect, _ends("sends"), _peer_ends),
        "shut": _then(connect, _ends("both")),
        "broken": _then(connect, _peer_resets),
    }


_BEGINNING: dict[str, Callable[[World], None]] = {
    "empty": lambda made: None,
    "open": lambda made: made.subject.open(),
    "bound": _created,
    "closed": lambda made: made.subject.close(),
}

ARRANGE: dict[str, dict[str, Callable[[World], None]]] = {
    "server": {**_BEGINNING, "listening": _listening},
    "client": {**_BEGINNING, "connecting": _connecting, **_data_phase(_client_connected)},
    "accepted": {"empty": _BEGINNING["empty"], "closed": _BEGINNING["closed"], **_data_phase(_accepted_connected)},
    "datagram": {
        **_BEGINNING,
        "connected": _datagram_connected,
        "send_shut": _then(_datagram_connected, _ends("sends")),
        "receive_shut": _then(_datagram_connected, _ends("receives")),
        "shut": _then(_datagram_connected, _ends("both")),
    },
}
