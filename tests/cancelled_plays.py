"""Objects with their peers and an account of what went between them, whose calls are cancelled at every await."""

from __future__ import annotations

import socket
from collections import Counter
from contextlib import ExitStack, suppress
from typing import Any

from cancelling import NotReached, cancelled_at
from delivery import delivering
from kernel import acknowledged, assert_tcp_agrees
from loopback import HOST, reset, until

from lifecycle import IllegalCall, aio

NAME = "several.invalid"  # means the addresses of this machine


SMALL_BUFFER = 4096


BIG = bytes(range(256)) * 400  # more than the buffers of a connection take, when they are small


MOST_AWAITS = 12


class Play:
    """One object, its peers, and the account of what went between them.

    waits: the calls that are cancelled. cancelled: those that were, each at how many of its awaits.
    """

    waits: tuple[str, ...]

    def __init__(self, subject: Any, cancelled: Counter[str]) -> None:
        self.subject = subject
        self.cancelled = cancelled
        self._stack = ExitStack()
        self.deliver = self._stack.enter_context(delivering())
        self.listener = socket.create_server((HOST, 0), backlog=64)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.peers: list[socket.socket] = []

    async def begin(self) -> None:
        """Bring the subject to where it is interesting."""

    async def end(self) -> None:
        """Settle the account."""

    async def make(self, choice: int, meanwhile: str | None) -> None:
        """Make a call again and again, cancelled at its first await, its second, and so on until it has no more."""
        legal = [name for name in self.waits if name in self.subject.legal]
        if not legal:
            return
        name = legal[choice % len(legal)]
        for number in range(1, MOST_AWAITS):
            act = getattr(self, meanwhile) if meanwhile else lambda: None
            try:
                await cancelled_at(number, self.call(name), before=lambda: self.help(name), meanwhile=act)
            except (NotReached, IllegalCall, OSError):
                return
            finally:
                self.check()
            self.cancelled[name] += 1
            if name not in self.subject.legal:
                return

    def help(self, name: str) -> None:
        """Do what the call waits for."""
        if name in ("send", "send_to"):
            self.peer_reads()
        elif name in ("receive", "receive_from", "accept"):
            self.peer_sends()

    async def call(self, name: str) -> Any:
        """Make the call, and note in the account what it did."""
        return await getattr(self.subject, name)(*self.arguments(name))

    def arguments(self, name: str) -> tuple[Any, ...]:
        return {"create": (0, NAME), "bind": (0, NAME), "connect": (NAME, self.port)}.get(name, ())

    def check(self) -> None:
        """The object is in a state of its role, the system's socket agrees, and it can be used."""
        subject = self.subject
        assert subject.state in {state.name for state in subject.role.states}
        assert not subject.is_blocking, "nobody waits any more"
        assert subject._claim is None
        assert_tcp_agrees(subject)
        if "get_option" in subject.legal:
            assert subject.get_option(socket.SO_TYPE) == subject._kind
        self.collect()

    def collect(self) -> None:
        """Take the connections that the subject has made."""
        self.deliver()
        while True:
            try:
                peer, _ = self.listener.accept()
            except BlockingIOError:
                return
            peer.setblocking(False)
            self.peers.append(peer)

    def close(self) -> None:
        self.subject.close()
        for sock in (self.listener, *self.peers):
            sock.close()
        self._stack.close()


class StreamPlay(Play):
    """A stream: every byte that the peer sent is received, and every byte that was told to be sent arrives, in order."""

    def __init__(self, subject: Any, cancelled: Counter[str]) -> None:
        super().__init__(subject, cancelled)
        self.to_come = bytearray()
        self.arrived = 0
        self.sent = 0
        self.is_broken = False
        self.peer: socket.socket | None = None

    async def call(self, name: str) -> Any:
        subject = self.subject
        if name in ("receive", "receive_from"):
            got = await getattr(subject, name)(777)
            data = got[0] if name == "receive_from" else got
            assert self.to_come.startswith(data), "what was received is not what comes next"
            del self.to_come[: len(data)]
            return data
        if name in ("send", "send_to"):
            subject.set_option(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
            piece = BIG[self.sent % 256 :]
            try:
                sent: int = await getattr(subject, name)(piece)
            except IllegalCall:
                raise
            except BaseException:
                self.sent += subject.sent
                raise
            self.sent += sent
            return sent
        return await super().call(name)

    def collect(self) -> None:
        super().collect()
        if self.peers and self.peer is not self.peers[-1]:  # the first connection, or another one after a reset
            self.peer = self.peers[-1]
            self.to_come.clear()
            self.arrived = self.sent = 0
            self.is_broken = False
            self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # what it sends arrives at once

    def peer_sends(self) -> None:
        """The peer sends something."""
        self.collect()
        if self.peer is not None and not self.is_broken:
            data = b"%d," % len(self.to_come)
            with suppress(OSError):
                self.to_come += data[: self.peer.send(data)]
            self.deliver()

    def peer_reads(self) -> None:
        """The peer reads what has arrived."""
        if self.peer is None:
            return
        self.deliver()
        with suppress(OSError):
            while data := self.peer.recv(1 << 20):
                expected = BIG[self.arrived % 256 :][: len(data)]
                expected += BIG * ((len(data) - len(expected)) // len(BIG) + 1)
                assert data == expected[: len(data)], "what arrives is not what was sent"
                self.arrived += len(data)

    def peer_ends(self) -> None:
        """The peer ends its stream."""
        if self.peer is not None:
            with suppress(OSError):
                self.peer.shutdown(socket.SHUT_WR)
            self.deliver()

    def peer_resets(self) -> None:
        """The peer resets the connection."""
        if self.peer is not None and not self.is_broken:
            self.is_broken = True
            reset(self.peer)
            self.deliver()

    async def end(self) -> None:
        subject = self.subject
        if self.is_broken or subject.state not in ("connected", "send_shut", "receive_shut", "peer_closed", "ended", "shut"):
            return
        self.peer_reads()
        if subject.state != "receive_shut" and "receive" in subject.legal:
            with suppress(BlockingIOError):
                while data := aio.nowait(subject.receive()):
                    assert self.to_come.startswith(data)
                    del self.to_come[: len(data)]
            assert not self.to_come, "a cancelled receive has taken data with it"
        until(lambda: self.peer_reads() or acknowledged(subject), "all that was sent")  # type: ignore[func-returns-value]
        self.peer_reads()
        assert self.arrived == self.sent, "a cancelled send does not know what it has sent"


class ClientPlay(StreamPlay):
    """A client, from the beginning."""

    waits = ("create", "bind", "connect", "finish_connect", "send", "receive", "send_to", "receive_from")


class AcceptedPlay(StreamPlay):
    """An accepted connection."""

    waits = ("send", "receive", "send_to", "receive_from")

    async def begin(self) -> None:
        async with aio.Server() as server:
            await server.create(0, HOST)
            server.listen()
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            peer.connect(server.get_sock_name())
            peer.setblocking(False)
            self.peers.append(peer)
            await server.accept(self.subject)
        self.collect()


class ConnectedClientPlay(ClientPlay):
    """A client that is connected already."""

    waits = AcceptedPlay.waits

    async def begin(self) -> None:
        await self.subject.create(0, HOST)
        await self.subject.connect(HOST, self.port)
        self.collect()


class ServerPlay(Play):
    """A server: no connection is lost."""

    waits = ("create", "bind", "accept")

    def __init__(self, subject: Any, cancelled: Counter[str]) -> None:
        super().__init__(subject, cancelled)
        self.accepted = 0

    async def call(self, name: str) -> Any:
        if name == "accept":
            (await self.subject.accept()).close()
            self.accepted += 1
            return None
        return await super().call(name)

    def peer_sends(self) -> None:
        """Somebody connects."""
        if self.subject.state == "listening" and len(self.peers) < 40:
            self.peers.append(socket.create_connection(self.subject.get_sock_name()))
            self.deliver()

    peer_reads = peer_ends = peer_resets = peer_sends

    async def end(self) -> None:
        if self.subject.state != "listening":
            return
        with suppress(BlockingIOError):
            while True:
                aio.nowait(self.subject.accept()).close()
                self.accepted += 1
        assert self.accepted == len(self.peers), "a cancelled accept has taken a connection with it"


class DatagramPlay(Play):
    """A datagram socket: no message is lost."""

    waits = ("create", "bind", "connect", "send", "send_to", "receive", "receive_from")

    def __init__(self, subject: Any, cancelled: Counter[str]) -> None:
        super().__init__(subject, cancelled)
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind((HOST, 0))
        self.peers.append(self.peer)
        self.port = self.peer.getsockname()[1]
        self.to_come: list[bytes] = []

    def arguments(self, name: str) -> tuple[Any, ...]:
        return {"send": (b"message",), "send_to": (b"message", NAME, self.port)}.get(name, super().arguments(name))

    async def call(self, name: str) -> Any:
        got = await super().call(name)
        if name in ("receive", "receive_from"):
            assert (got if name == "receive" else got[0]) == self.to_come.pop(0)
        return got

    def peer_sends(self) -> None:
        """The peer sends a message."""
        if self.subject.local_address is not None and len(self.to_come) < 40:
            self.to_come.append(b"%d" % len(self.to_come))
            self.peer.sendto(self.to_come[-1], self.subject.local_address)
            self.deliver()

    peer_reads = peer_ends = peer_resets = peer_sends

    async def end(self) -> None:
        if "receive" not in self.subject.legal:
            return
        with suppress(BlockingIOError):
            while True:
                assert aio.nowait(self.subject.receive()) == self.to_come.pop(0)
        assert len(self.to_come) == 0, "a cancelled receive has taken a message with it"


PLAYS: dict[str, tuple[type[Play], type[Any]]] = {
    "server": (ServerPlay, aio.Server),
    "client": (ClientPlay, aio.Client),
    "connected client": (ConnectedClientPlay, aio.Client),
    "accepted": (AcceptedPlay, aio.Accepted),
    "datagram": (DatagramPlay, aio.Datagram),
}
