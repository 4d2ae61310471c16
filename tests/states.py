"""Puts a real object into each state of its role, by calls of its own and of its peer; and handles that are to be attached."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from loopback import HOST, LONG, raw_listener, reset, unanswering_listener, until_acknowledged

from lifecycle import ROLES, Accepted, Client, Datagram, Server, StreamTruncated
from lifecycle.conformance.adapters import setup_states
from lifecycle.conformance.adapters.certificates import context_of
from lifecycle.conformance.adapters.tls_end import TlsEnd
from lifecycle.engine import Role
from lifecycle.roles.facts import Facts, Link, Receives, Tls

HANDLERS: dict[str, type[Any]] = {"server": Server, "client": Client, "accepted": Accepted, "datagram": Datagram}

SOCKET_ROLES = {name: ROLES[name] for name in HANDLERS}
"""The roles of sockets of the system; those of files and archives have their evidence in tests/archive."""

STATES = {name: tuple(state.name for state in role.states) for name, role in SOCKET_ROLES.items()}

TLS_PHASE = ("handshaking", "secured", "secured_send_shut", "secured_peer_closed", "secured_ended", "truncated")

DATA_PHASE = ("connected", "send_shut", "receive_shut", "peer_closed", "ended", "shut", "broken")

LINKED = frozenset({Link.YES, Link.PEER, Link.RESET})


def class_for(role: Role) -> type[Any]:
    """The package's class of that role, or its handlers under another table of the same name."""
    handlers = HANDLERS[role.name]
    if handlers.role is role:
        return handlers
    return type(handlers.__name__, (handlers,), {"__slots__": ()}, role=role)


@dataclass
class World:
    """One object under test, and its peers."""

    kind: type[Any]
    stack: ExitStack
    subject: Any = None
    peer: socket.socket = field(default_factory=socket.socket)
    tls: TlsEnd | None = None

    @property
    def is_tls_server(self) -> bool:
        """Whether the subject is the server of TLS."""
        return self.kind.role.name == "accepted"

    def context(self, authority: str = "trusted") -> Any:
        """A context for the subject."""
        return context_of(self.is_tls_server, authority=authority)

    def peer_begins_tls(self, authority: str = "trusted") -> TlsEnd:
        """Let the peer begin its half of the handshake."""
        self.peer.setblocking(False)
        self.tls = TlsEnd(
            self.peer, context_of(not self.is_tls_server, authority=authority), server_side=not self.is_tls_server
        )
        self.stack.callback(self.tls.stop)
        self.tls.begin()
        return self.tls

    def secure(self) -> TlsEnd:
        """Bring the subject, which is connected, into TLS."""
        tls = self.peer_begins_tls()
        self.subject.start_tls(self.context())
        tls.finish()
        return tls

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
        arrange(arranged, role.state(state).facts)
        assert arranged.subject.state == state, f"could not arrange {role.name}.{state}"
        yield arranged


def begin_connect(made: World, address: tuple[str, int]) -> None:
    """Leave a client that is not connected in `connecting` to `address`."""
    made.subject.create(0, HOST)
    made.subject.timeout = 0
    with suppress(BlockingIOError):
        made.subject.connect(*address)
    made.subject.timeout = LONG


def arrange(made: World, at: Facts) -> None:
    """Bring the subject, which is new, to these facts by its own calls and by its peer's."""
    subject = made.subject
    if at.over:
        subject.close()
    elif at.link is Link.SEEKING:
        begin_connect(made, made.open(unanswering_listener()))
    elif at.link in LINKED:
        _link(made)
        if at.is_plain:
            bring(made, at)
        else:
            _secure(made, at)
    elif at.address:
        subject.create(0, HOST)
        if at.link is Link.LISTENING:
            subject.listen()
    elif at.handle:
        subject.open()


def _link(made: World) -> None:
    """Connect the subject, whose other end is the peer afterwards."""
    if made.kind.role.name == "accepted":
        server = made.open(Server())
        server.create(0, HOST)
        server.listen()
        made.peer.connect(server.get_sock_name())
        server.accept(made.subject)
        return
    made.peer.close()
    made.subject.create(0, HOST)
    if made.kind.role.name == "client":
        listener = made.listener()
        made.subject.connect(*listener.getsockname())
        made.peer, _ = listener.accept()
    else:
        made.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.peer.bind((HOST, 0))
        made.subject.connect(*made.peer.getsockname())
        made.peer.connect(made.subject.get_sock_name())


def bring(made: World, at: Facts) -> None:
    """Bring a connected subject to these facts, by its own calls and by its peer's."""
    if at.link is Link.RESET:
        reset(made.peer)
        with suppress(ConnectionResetError):
            made.subject.receive()
        return
    ends = {(False, True): "sends", (True, False): "receives", (False, False): "both"}
    how = ends.get((at.sends, at.receives is not Receives.OFF))
    if how is not None:
        made.subject.shut_down(how)
        if made.peer.family == socket.AF_INET:
            until_acknowledged(made.subject)
    if at.receives is Receives.EOF:
        made.peer.shutdown(socket.SHUT_WR)
        assert made.subject.receive() == b""


def _secure(made: World, at: Facts) -> None:
    subject = made.subject
    if at.tls is Tls.HANDSHAKE:
        subject.timeout = 0
        with suppress(BlockingIOError):
            subject.start_tls(made.context())
        subject.timeout = LONG
        return
    tls = made.secure()
    if at.tls is Tls.CUT:
        made.peer.shutdown(socket.SHUT_WR)
        with suppress(StreamTruncated):
            subject.receive()
        return
    if at.receives is Receives.EOF:
        tls.end()
        assert subject.receive() == b""
    if not at.sends:
        subject.shut_down("sends")


def handle_for(made: World, at: Facts) -> socket.socket:
    """A plain socket of which these facts are true, to be attached; its other end becomes the peer."""
    sockets = setup_states.Sockets()
    made.stack.callback(sockets.close)
    handle, other_end = setup_states.arrange(sockets, made.kind._kind, at)
    handle.setblocking(True)
    if other_end is not None:
        made.peer.close()
        made.peer = other_end
        if made.peer.fileno() != -1:
            made.peer.setblocking(True)
    plain: socket.socket = handle
    return plain
