"""The adapter of sockets that follow the interface of `socket.socket`: the standard library's, gevent's, one's own.

A raw socket tells no state and refuses nothing of itself. What it answers to an illegal call must be what the table of its
platform says, or, where it has none, any error: accepting what the contract forbids is a difference, and has to be explained.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from lifecycle.conformance.adapters.loopback import (
    CAN_BE_SCARCE,
    HOST,
    PATIENCE,
    Factory,
    Loopback,
    address_of,
    becomes_ready,
    close_once,
)
from lifecycle.conformance.adapters.outcomes import BUGS
from lifecycle.conformance.adapters.peers import KINDS, StreamPeer
from lifecycle.conformance.adapters.platform_lines import lines_for
from lifecycle.conformance.adapters.protocol import AGREES, Answer, Mismatch, Verdict, compared
from lifecycle.conformance.adapters.stage import TIMEOUTS, LoopbackStage
from lifecycle.conformance.model.environment import Environment, Provocation, Under
from lifecycle.conformance.model.graph import ILLEGAL, Edge
from lifecycle.conformance.vocabulary import ENVIRONMENTS
from lifecycle.engine import Role
from lifecycle.roles import ROLES

DIRECTIONS = {"receives": socket.SHUT_RD, "sends": socket.SHUT_WR, "both": socket.SHUT_RDWR}

NOT_OFFERED = frozenset({"attach", "disconnect", "io_ctl", "socket_file"})
"""calls of the roles that `socket.socket` does not have"""

MAKES_ONE = frozenset({"create", "open", "accepted"})
"""calls that make a socket: there is no such call on one that exists"""


class RawStage(LoopbackStage):
    """A raw socket among its peers, with the roles' calls spelt in its own."""

    def __init__(self, role: str, new: Factory, loopback: Loopback) -> None:
        super().__init__(role, loopback)
        self._new = new
        try:
            self.sock: Any = self._without_descriptor()
        except (Exception, SystemExit) as error:  # whatever the implementation raises
            raise Mismatch("a socket can be made, and closed", f"{type(error).__name__}: {error}") from error

    def address(self) -> tuple[str, int]:
        """The socket's own address."""
        return address_of(self.sock)

    def descriptor(self) -> int:
        """The socket's descriptor; one that tells itself whether it is ready has none, and needs no time."""
        number: int = -1 if hasattr(self.sock, "is_ready") else self.sock.fileno()
        return number

    def be_patient(self, under: Under) -> None:
        """Set the socket's time-out; a closed one has none to set."""
        if self.sock.fileno() != -1:
            self.sock.settimeout(TIMEOUTS[under])

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call in the words of `socket.socket`."""
        return SPELLING[call](self, *arguments)

    def end(self) -> None:
        """Close the socket, unless a call has."""
        close_once(self.sock)

    def _without_descriptor(self) -> Any:
        """What stands for an object that has no socket yet: every call answers EBADF."""
        sock = self._new(socket.AF_INET, self.kind)
        sock.close()
        return sock

    def _open(self) -> None:
        sock = self._new(socket.AF_INET, self.kind)
        if self.role == "server" and os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock = sock
        self.sock.settimeout(0)

    def _create(self, port: int, host: str) -> None:
        self._open()
        try:
            self.sock.bind((host, port))
        except OSError:
            self.sock.close()
            raise

    def _accept(self) -> Any:
        connection, _ = self.sock.accept()
        return connection

    def _be_accepted(self) -> None:
        """Be the end of a connection that a listener of the same implementation has accepted."""
        listener = self._new(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.settimeout(PATIENCE)
            listener.bind((HOST, 0))
            listener.listen(1)
            client = self.loopback.new(socket.SOCK_STREAM)
            client.connect_ex(address_of(listener))
            self.sock, _ = listener.accept()
        finally:
            listener.close()
        assert isinstance(self.peer, StreamPeer)
        self.peer.replace(client)

    def _finish_connect(self) -> None:
        """As programs do: wait until it is writable, then read SO_ERROR."""
        seconds = self.sock.gettimeout()
        if not self._is_writable(seconds or 0):
            raise TimeoutError("timed out") if seconds else BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, os.strerror(number))

    def _is_writable(self, seconds: float) -> bool:
        if self.sock.fileno() == -1:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return becomes_ready(self.sock, writing=True, within=seconds)

    def _send(self, data: bytes) -> int:
        return self._all_of(data, self.sock.send)

    def _send_to(self, data: bytes, address: tuple[str, int] | tuple[()]) -> int:
        """A stream ignores the address, and must be given one all the same."""
        where = address or address_of(self.loopback.listener)
        return self._all_of(data, lambda part: self.sock.sendto(part, where))

    def _all_of(self, data: bytes, send: Callable[[Any], int]) -> int:
        """Send until everything is sent; a message goes at once, and what sends nothing would do so for ever."""
        sent = send(data)
        while self.kind == socket.SOCK_STREAM and isinstance(sent, int) and 0 < sent < len(data):
            more = send(memoryview(data)[sent:])
            if not more or more < 0:
                break
            sent += more
        return sent

    def _detach(self) -> int:
        number: int = self.sock.detach()
        if number == -1:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return number


SPELLING: Mapping[str, Callable[..., Any]] = {
    "create": RawStage._create,
    "open": lambda stage: stage._open(),
    "bind": lambda stage, port, host: stage.sock.bind((host, port)),
    "listen": lambda stage: stage.sock.listen(8),
    "accept": RawStage._accept,
    "accepted": RawStage._be_accepted,
    "connect": lambda stage, host, port: stage.sock.connect((host, port)),
    "finish_connect": RawStage._finish_connect,
    "send": RawStage._send,
    "receive": lambda stage, size, flags=0: stage.sock.recv(size, flags),
    "send_to": lambda stage, data, *address: stage._send_to(data, address),
    "receive_from": lambda stage, size, flags=0: stage.sock.recvfrom(size, flags),
    "shut_down": lambda stage, how: stage.sock.shutdown(DIRECTIONS[how]),
    "get_sock_name": lambda stage: stage.sock.getsockname(),
    "get_peer_name": lambda stage: stage.sock.getpeername(),
    "set_option": lambda stage, level, option, value: stage.sock.setsockopt(level, option, value),
    "get_option": lambda stage, option: stage.sock.getsockopt(socket.SOL_SOCKET, option),
    "detach": RawStage._detach,
    "close": lambda stage: stage.sock.close(),
}
"""call -> how it is made on a raw socket"""


METHODS: Mapping[str, str] = {
    "bind": "bind",
    "listen": "listen",
    "accept": "accept",
    "connect": "connect",
    "finish_connect": "getsockopt",
    "send": "send",
    "receive": "recv",
    "send_to": "sendto",
    "receive_from": "recvfrom",
    "shut_down": "shutdown",
    "get_sock_name": "getsockname",
    "get_peer_name": "getpeername",
    "set_option": "setsockopt",
    "get_option": "getsockopt",
    "detach": "detach",
}
"""call -> the method that it needs; none can do without close()"""


def lacking(new: Factory) -> frozenset[str]:
    """The calls for which the sockets that `new` makes have no method."""
    sock = new(socket.AF_INET, socket.SOCK_STREAM)
    lacks = frozenset(call for call, method in METHODS.items() if not hasattr(sock, method))
    with suppress(Exception):  # which the suite will find
        sock.close()
    return lacks


class SocketAdapter:
    """Sockets with the methods of `socket.socket`, tested among peers on the loopback interface, or in their own world.

    new: (family, kind) -> a new socket. peers: the same for the peers, which for a socket that is none of the system's must
    be its own kind; by default the standard library's. platform: "linux" where an illegal call is answered by that system,
    as its table says; None where every illegal call must be refused. known: differences that are known, with their names.
    circumstances: what its calls can be put under. lacks: calls of the roles that it does not have.
    """

    governed = False

    def __init__(
        self,
        new: Factory,
        *,
        name: str,
        peers: Factory = socket.socket,
        platform: str | None = None,
        known: tuple[Known, ...] = (),
        circumstances: frozenset[Under] | None = None,
        lacks: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.platform = platform
        self.new = new
        self._known = known
        self._loopback = Loopback(peers)
        self._lacks = NOT_OFFERED | lacks
        self._circumstances = circumstances if circumstances is not None else CIRCUMSTANCES

    def environment(self, role: Role) -> Environment:
        """The environment of the socket roles."""
        if role.name not in KINDS:
            raise KeyError(role.name)
        return ENVIRONMENTS[role.name]

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """What `socket.socket` has; nothing makes a socket out of one that exists."""
        if provocation.call in self._lacks or provocation.under not in self._circumstances:
            return False
        asks_only = provocation.call == "finish_connect" and self.platform is None  # which has no line to hold it against
        return legal or not (provocation.call in MAKES_ONE or asks_only)

    def stage(self, role: Role) -> RawStage:
        """A new object that has no socket yet."""
        return RawStage(role.name, self.new, self._loopback)

    def verdict(self, edge: Edge, answer: Answer) -> Verdict:
        """As the platform's table says of an illegal call, and of a legal one that ends otherwise than it should."""
        found = self._against_table(edge, answer)
        if not found.agrees and not found.explanation:
            for known in self._known:
                if known.covers(edge, found):
                    return replace(found, explanation=known.name)
        return found

    def close(self) -> None:
        """Close what the stages shared."""
        self._loopback.close()

    def _against_table(self, edge: Edge, answer: Answer) -> Verdict:
        lines = lines_for(self.platform, edge)
        told = next((line for line in lines if line.says(answer)), None)
        if edge.outcome != ILLEGAL:
            found = compared(edge, answer)
            return found if found.agrees or told is None else replace(found, explanation=told.name)
        got = answer.detail or answer.outcome
        if lines and told is None:
            return Verdict(False, lines[0].name, got)
        if is_refusal(answer):
            return AGREES
        return Verdict(False, ILLEGAL, got, _may_be_another(edge) if told is None else told.name)


def _may_be_another(edge: Edge) -> str:
    """Which other role takes the call in this state, of which a raw socket cannot know that it is not that one; or ""."""
    assert isinstance(edge.step, Provocation)
    for name in KINDS:
        same_kind = KINDS[name] == KINDS[edge.role]
        if name != edge.role and same_kind and edge.step.call in ROLES[name].table.get(edge.source.state, {}):
            return f"a socket does not know its role: that of a {name} takes {edge.step.call} in {edge.source.state!r}"
    return ""


CIRCUMSTANCES = frozenset({Under.AT_ONCE, Under.BRIEFLY, Under.PATIENTLY} | ({Under.SCARCE} if CAN_BE_SCARCE else set()))
"""what a raw socket can be put under: nothing cancels a call on it"""


def is_refusal(answer: Answer) -> bool:
    """Whether an answer says that the call cannot be made, rather than that it would take time."""
    is_bug = answer.outcome in {f"raised {each.__name__}" for each in BUGS}
    return bool(answer.detail) and answer.system not in ("ok", "blocks") and not is_bug


@dataclass(frozen=True, slots=True)
class Known:
    """A difference of one implementation that is known: where it shows, and its name. An empty field covers everything."""

    name: str
    call: str = ""
    state: str = ""
    got: str = ""

    def covers(self, edge: Edge, found: Verdict) -> bool:
        """Whether this is that difference."""
        call = edge.step.call if isinstance(edge.step, Provocation) else edge.step.name
        return self.call in ("", call) and self.state in ("", edge.source.state) and self.got in ("", found.got)
