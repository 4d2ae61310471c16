"""The adapter of sockets with the interface of `socket.socket`: the standard library's, gevent's, your own.

A raw socket reports no state and refuses nothing of itself. What it answers to an illegal call must be what the table of its
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

from lifecycle.conformance.adapters.loopback import CAN_BE_SCARCE, HOST, PATIENCE, Loopback, close_once
from lifecycle.conformance.adapters.outcomes import BUGS
from lifecycle.conformance.adapters.peers import KINDS, StreamPeer
from lifecycle.conformance.adapters.platform_lines import lines_for
from lifecycle.conformance.adapters.protocol import AGREES, Answer, Mismatch, Verdict, compared
from lifecycle.conformance.adapters.session import TIMEOUTS, LoopbackStage
from lifecycle.conformance.adapters.setup_states import Factory, address_of, shows
from lifecycle.conformance.model.environment import Environment, Provocation, Under
from lifecycle.conformance.model.environments import PLAIN_ENVIRONMENTS
from lifecycle.conformance.model.graph import ILLEGAL, Edge
from lifecycle.engine import Role
from lifecycle.roles import ROLES, SERVER, words
from lifecycle.system.outcomes import system_error
from lifecycle.system.portable_calls import direction_of

MAKES_ONE = frozenset({words.CREATE.name, words.OPEN_.name, words.ACCEPTED.name})
"""calls that make a socket: there is no such call on one that exists"""

CIRCUMSTANCES = frozenset({Under.AT_ONCE, Under.BRIEFLY, Under.PATIENTLY} | ({Under.SCARCE} if CAN_BE_SCARCE else set()))
"""the circumstances of calls on a raw socket: nothing cancels them"""


class RawStage(LoopbackStage):
    """A raw socket among its peers, with the roles' calls spelt in its own."""

    def __init__(self, role: str, new: Factory, loopback: Loopback) -> None:
        super().__init__(role, loopback)
        self._new = new
        try:
            self.sock: Any = new(socket.AF_INET, self.kind)
            self.sock.close()  # it stands for an object that has no socket yet: every call answers EBADF
        except (Exception, SystemExit) as error:  # any error of the implementation
            raise Mismatch("a socket can be made, and closed", f"{type(error).__name__}: {error}") from error

    def address(self) -> tuple[str, int]:
        host, port = address_of(self.sock)
        return host, port

    def descriptor(self) -> int:
        """The socket's descriptor; one that says itself whether it is ready has none, and needs no time."""
        number: int = -1 if hasattr(self.sock, "is_ready") else self.sock.fileno()
        return number

    def set_circumstances(self, under: Under) -> None:
        """Set the socket's time-out; a closed one has none to set."""
        if self.sock.fileno() != -1:
            self.sock.settimeout(TIMEOUTS[under])

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call in the words of `socket.socket`."""
        return SPELLING[call][1](self, *arguments)

    def end(self) -> None:
        """Close the socket, unless a call has."""
        close_once(self.sock)

    def open(self) -> None:
        """Get a socket."""
        sock = self._new(socket.AF_INET, self.kind)
        if self.role == SERVER.name and os.name == "posix":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock = sock
        self.sock.settimeout(0)

    def create(self, port: int, host: str) -> None:
        """Get a socket with an address."""
        self.open()
        try:
            self.sock.bind((host, port))
        except OSError:
            self.sock.close()
            raise

    def be_accepted(self) -> None:
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

    def finish_connect(self) -> None:
        """As programs do: wait until it is writable, then read SO_ERROR."""
        if self.sock.fileno() == -1:
            raise system_error(errno.EBADF)
        seconds = self.sock.gettimeout()
        if not shows(self.sock, writing=True, within=seconds or 0):
            raise TimeoutError("timed out") if seconds else system_error(errno.EINPROGRESS)
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise system_error(number)

    def send_to(self, data: bytes, *address: Any) -> int:
        """A stream ignores the address, and must be given one nevertheless."""
        where = address or address_of(self.loopback.listener)
        return self.all_of(data, lambda part: self.sock.sendto(part, where))

    def all_of(self, data: bytes, send: Callable[[Any], int]) -> int:
        """Send until everything is sent; a message goes at once, and what sends nothing would do so for ever."""
        sent = send(data)
        while self.kind == socket.SOCK_STREAM and isinstance(sent, int) and 0 < sent < len(data):
            more = send(memoryview(data)[sent:])
            if not more or more < 0:
                break
            sent += more
        return sent

    def detach(self) -> int:
        """Hand the descriptor out."""
        number: int = self.sock.detach()
        if number == -1:
            raise system_error(errno.EBADF)
        return number


SPELLING: Mapping[str, tuple[str, Callable[..., Any]]] = {
    words.CREATE.name: ("", RawStage.create),
    words.OPEN_.name: ("", RawStage.open),
    words.BIND.name: ("bind", lambda stage, port, host: stage.sock.bind((host, port))),
    words.LISTEN.name: ("listen", lambda stage: stage.sock.listen(8)),
    words.ACCEPT.name: ("accept", lambda stage: stage.sock.accept()[0]),
    words.ACCEPTED.name: ("", RawStage.be_accepted),
    words.CONNECT.name: ("connect", lambda stage, host, port: stage.sock.connect((host, port))),
    words.FINISH_CONNECT.name: ("getsockopt", RawStage.finish_connect),
    words.SEND.name: ("send", lambda stage, data: stage.all_of(data, stage.sock.send)),
    words.RECEIVE.name: ("recv", lambda stage, size, flags=0: stage.sock.recv(size, flags)),
    words.SEND_TO.name: ("sendto", RawStage.send_to),
    words.RECEIVE_FROM.name: ("recvfrom", lambda stage, size, flags=0: stage.sock.recvfrom(size, flags)),
    words.SHUT_DOWN.name: ("shutdown", lambda stage, how: stage.sock.shutdown(direction_of(how)[1])),
    words.GET_SOCK_NAME.name: ("getsockname", lambda stage: stage.sock.getsockname()),
    words.GET_PEER_NAME.name: ("getpeername", lambda stage: stage.sock.getpeername()),
    words.SET_OPTION.name: (
        "setsockopt",
        lambda stage, level, option, value: stage.sock.setsockopt(level, option, value),
    ),
    words.GET_OPTION.name: ("getsockopt", lambda stage, option: stage.sock.getsockopt(socket.SOL_SOCKET, option)),
    words.DETACH.name: ("detach", RawStage.detach),
    words.CLOSE.name: ("", lambda stage: stage.sock.close()),
}
"""call -> (the method without which a socket does not have it, how it is made on a raw socket)"""


def lacking(new: Factory) -> frozenset[str]:
    """The calls for which the sockets that `new` makes have no method."""
    sock = new(socket.AF_INET, socket.SOCK_STREAM)
    lacks = frozenset(call for call, (method, _) in SPELLING.items() if method and not hasattr(sock, method))
    with suppress(Exception):  # which the suite will find
        sock.close()
    return lacks


@dataclass(frozen=True, slots=True)
class Known:
    """A known difference of one implementation: its name, and where it shows. An empty field matches everything."""

    name: str
    call: str = ""
    state: str = ""
    got: str = ""

    def covers(self, edge: Edge, found: Verdict) -> bool:
        """Whether this is that difference."""
        call = edge.step.call if isinstance(edge.step, Provocation) else edge.step.name
        return self.call in ("", call) and self.state in ("", edge.source.state) and self.got in ("", found.got)


class SocketAdapter:
    """Sockets with the methods of `socket.socket`, tested among peers on the loopback interface, or in their own world.

    new: (family, kind) -> a new socket. peers: the same for the peers, which for a socket that is none of the system's must
    be its own kind; by default the standard library's. platform: "linux" where an illegal call is answered by that system,
    as its table says; None where every illegal call must be refused. known: differences that are known, with their names.
    circumstances: those of its calls. lacks: calls of the roles that it does not have.
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
        circumstances: frozenset[Under] = CIRCUMSTANCES,
        lacks: frozenset[str] = frozenset(),
    ) -> None:
        self.name = name
        self.platform = platform
        self.new = new
        self._known = known
        self._loopback = Loopback(peers)
        self._lacks = lacks
        self._circumstances = circumstances

    def environment(self, role: Role) -> Environment:
        """The environment of the socket roles."""
        if role.name not in KINDS:
            raise KeyError(role.name)
        return PLAIN_ENVIRONMENTS[role.name]

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """What `socket.socket` has; nothing makes a socket out of one that exists."""
        call = provocation.call
        if call not in SPELLING or call in self._lacks or provocation.under not in self._circumstances:
            return False
        only_asks = call == words.FINISH_CONNECT.name and self.platform is None  # there is no line to compare it with
        return legal or not (call in MAKES_ONE or only_asks)

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
        matching = next((line for line in lines if line.says(answer)), None)
        if edge.outcome != ILLEGAL:
            found = compared(edge, answer)
            return found if found.agrees or matching is None else replace(found, explanation=matching.name)
        got = answer.detail or answer.outcome
        if lines and matching is None:
            return Verdict(False, lines[0].name, got)
        if is_refusal(answer):
            return AGREES
        return Verdict(False, ILLEGAL, got, _may_be_another(edge) if matching is None else matching.name)


def _may_be_another(edge: Edge) -> str:
    """Which other role takes the call in this state: a raw socket cannot know that it is not of that one; or ""."""
    assert isinstance(edge.step, Provocation)
    for name, kind in KINDS.items():
        is_other = name != edge.role and kind == KINDS[edge.role]
        if is_other and edge.step.call in ROLES[name].table.get(edge.source.state, {}):
            return f"a socket does not know its role: that of a {name} takes {edge.step.call} in {edge.source.state!r}"
    return ""


def is_refusal(answer: Answer) -> bool:
    """Whether an answer says that the call cannot be made, rather than that it would take time."""
    is_bug = answer.outcome in {f"raised {each.__name__}" for each in BUGS}
    return bool(answer.detail) and answer.system not in ("ok", "blocks") and not is_bug
