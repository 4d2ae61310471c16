"""The adapter of sockets with the interface of `socket.socket`: the standard library's, gevent's, your own.

A raw socket reports no state and refuses nothing by itself. Its answer to an illegal call must be that of its platform's table,
or, if there is none, any error: accepting a call that the contract forbids is a difference, and has to be explained.
"""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any

from lifecycle.conformance.adapters.abilities import Abilities, LeftOut, examined, named
from lifecycle.conformance.adapters.known import Knowing, Known
from lifecycle.conformance.adapters.loopback import CAN_BE_SCARCE, DELIVERED_WITHIN, HOST, PATIENCE, Loopback, close_once
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, BUGS, UNDER_WAY, error_text
from lifecycle.conformance.adapters.peers import KINDS, StreamPeer
from lifecycle.conformance.adapters.platform_lines import lines_for
from lifecycle.conformance.adapters.protocol import AGREES, Answer, Mismatch, Verdict, compared
from lifecycle.conformance.adapters.session import TIMEOUTS, LoopbackStage
from lifecycle.conformance.adapters.setup_states import Factory, address_of, begin_connect, descriptor_of, set_timeout, shows
from lifecycle.conformance.model.environment import Environment, Provocation, Under
from lifecycle.conformance.model.environments import PLAIN_ENVIRONMENTS
from lifecycle.conformance.model.graph import ILLEGAL, Edge
from lifecycle.engine import Role
from lifecycle.roles import ROLES, SERVER, words
from lifecycle.system.matrices import PLATFORMS
from lifecycle.system.outcomes import system_error
from lifecycle.system.platform_answers import platform_answers
from lifecycle.system.portable_calls import direction_of

MAKES_ONE = frozenset({words.CREATE.name, words.OPEN_.name, words.ACCEPTED.name})
"""calls that make a socket: an existing one does not have them"""

MFC = "mfc"
"""a platform whose calls only fail: any error is a refusal, as Winsock's table says which calls are refused"""

DONE_AT_ONCE = "POSIX: a connect() that is not to wait may be done at once"

AT_MOST = 0.15
"""seconds that a call which must not wait may take"""

CIRCUMSTANCES = frozenset({Under.AT_ONCE, Under.BRIEFLY, Under.PATIENTLY} | ({Under.SCARCE} if CAN_BE_SCARCE else set()))
"""the circumstances of calls on a raw socket: nothing cancels them"""


class RawStage(LoopbackStage):
    """A raw socket among its peers; the roles' calls are translated to its own."""

    def __init__(self, role: str, new: Factory, loopback: Loopback) -> None:
        super().__init__(role, loopback)
        self._new = new
        self._seconds: float = 0
        self._is_open = self._has_number = False
        try:
            self.sock: Any = new(socket.AF_INET, self.kind)
            self.sock.close()  # it represents an object without a socket: every call answers EBADF
        except ANY_ERROR as error:  # any error of the implementation
            raise Mismatch("a socket can be made, and closed", error_text(error)) from error

    def address(self) -> tuple[str, int]:
        host, port = address_of(self.sock)
        return host, port

    def descriptor(self) -> int:
        """The socket's descriptor, or -1 if it has none of the system."""
        return descriptor_of(self.sock)

    def waiting_on(self) -> Any:
        return self.sock

    def set_circumstances(self, under: Under) -> None:
        """Set the socket's time-out; a closed one has none to set."""
        self._seconds = TIMEOUTS[under]
        if self.is_open:
            set_timeout(self.sock, self._seconds)

    @property
    def is_open(self) -> bool:
        """Whether there is a socket that was neither closed nor detached."""
        return self._is_open and not (self._has_number and self.sock.fileno() == -1)

    def _begin(self, sock: Any) -> None:
        """Use this socket, which is open."""
        self.sock = sock
        self._has_number = hasattr(sock, "fileno") and sock.fileno() != -1
        self._is_open = True

    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call by the methods of `socket.socket`."""
        return SPELLING[call][1](self, *arguments)

    def end(self) -> None:
        """Close the socket, unless a call has."""
        if self._is_open:
            close_once(self.sock)

    def open(self) -> None:
        """Get a socket."""
        sock = self._new(socket.AF_INET, self.kind)
        if self.role == SERVER.name and os.name == "posix":
            with suppress(OSError, AttributeError):  # it has no such option
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._begin(sock)
        set_timeout(sock, 0)

    def create(self, port: int, host: str) -> None:
        """Get a socket with an address."""
        self.open()
        try:
            self.sock.bind((host, port))
        except OSError:
            self.close_it()
            raise

    def close_it(self) -> None:
        """Close the socket."""
        self._is_open = False
        self.sock.close()

    def be_accepted(self) -> None:
        """Use the end of a connection that a listener of the same implementation has accepted."""
        listener = self._new(socket.AF_INET, socket.SOCK_STREAM)
        try:
            set_timeout(listener, PATIENCE)
            listener.bind((self.loopback.host, 0))
            listener.listen(1)
            client = self.loopback.new(socket.SOCK_STREAM)
            begin_connect(client, address_of(listener))
            self._begin(listener.accept()[0])
        finally:
            listener.close()
        assert isinstance(self.peer, StreamPeer)
        self.peer.replace(client)

    def finish_connect(self) -> None:
        """As programs do: wait until it is writable, then read SO_ERROR."""
        if not self.is_open:
            raise system_error(errno.EBADF)
        seconds = self._seconds
        if not shows(self.sock, writing=True, within=seconds):
            raise TimeoutError("timed out") if seconds else system_error(errno.EINPROGRESS)
        number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise system_error(number)

    def send_to(self, data: bytes, *address: Any) -> int:
        """A stream ignores the address, but the call needs one."""
        where = address or address_of(self.loopback.listener)
        return self.all_of(data, lambda part: self.sock.sendto(part, where))

    def all_of(self, data: bytes, send: Callable[[Any], int]) -> int:
        """Send until everything is sent; a message is sent at once, and a send that sends nothing ends the loop."""
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
        self._is_open = False
        return number


SPELLING: Mapping[str, tuple[str, Callable[..., Any]]] = {
    words.CREATE.name: ("", RawStage.create),
    words.OPEN_.name: ("", RawStage.open),
    words.BIND.name: ("bind", lambda stage, port, host: stage.sock.bind((host, port))),
    words.LISTEN.name: ("listen", lambda stage: stage.sock.listen(8)),
    words.ACCEPT.name: ("accept", lambda stage: stage.sock.accept()[0]),
    words.ACCEPTED.name: ("", lambda stage: stage.be_accepted()),
    words.CONNECT.name: ("connect", lambda stage, host, port: stage.sock.connect((host, port))),
    words.FINISH_CONNECT.name: ("getsockopt", lambda stage: stage.finish_connect()),
    words.SEND.name: ("send", lambda stage, data: stage.all_of(data, stage.sock.send)),
    words.RECEIVE.name: ("recv", lambda stage, size, *flags: stage.sock.recv(size, *flags)),
    words.SEND_TO.name: ("sendto", RawStage.send_to),
    words.RECEIVE_FROM.name: ("recvfrom", lambda stage, size, *flags: stage.sock.recvfrom(size, *flags)),
    words.SHUT_DOWN.name: ("shutdown", lambda stage, how: stage.sock.shutdown(direction_of(how)[1])),
    words.GET_SOCK_NAME.name: ("getsockname", lambda stage: stage.sock.getsockname()),
    words.GET_PEER_NAME.name: ("getpeername", lambda stage: stage.sock.getpeername()),
    words.SET_OPTION.name: (
        "setsockopt",
        lambda stage, level, option, value: stage.sock.setsockopt(level, option, value),
    ),
    words.GET_OPTION.name: ("getsockopt", lambda stage, option: stage.sock.getsockopt(socket.SOL_SOCKET, option)),
    words.DETACH.name: ("detach", RawStage.detach),
    words.CLOSE.name: ("", RawStage.close_it),
}
"""call -> (the method that a socket needs for it, how it is made on a raw socket)"""


def lacking(new: Factory) -> frozenset[str]:
    """The calls for which the sockets that `new` makes have no method."""
    sock = new(socket.AF_INET, socket.SOCK_STREAM)
    lacks = frozenset(call for call, (method, _) in SPELLING.items() if method and not hasattr(sock, method))
    with suppress(*ANY_ERROR):  # which the suite will find
        sock.close()
    return lacks


class SocketAdapter(Knowing):
    """Sockets with the methods of `socket.socket`, tested among peers on the loopback interface, or in a network of their own.

    new: (family, kind) -> a new socket. peers: the same for the peers, which must be of the same kind if the socket is not the
    system's; by default the standard library's. platform: "linux", "winsock" or "mfc" where an illegal call is answered as by
    that system; None if every illegal call must be refused. known: differences that are known, with names.
    circumstances: those of its calls. lacks: calls of the roles that it does not have. patience: seconds in which the effect of
    a peer's action must arrive. host: where sockets are bound, an address of IPv4 of this machine.

    Sockets that are their own peers are examined for the actions of peers before anything is judged; `left_out` lists actions
    that they cannot do, and calls without a method.
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
        patience: float = DELIVERED_WITHIN,
        host: str = HOST,
    ) -> None:
        super().__init__(known)
        self.name = name
        self.platform = platform
        self.new = new
        self._peers = peers
        self._loopback = Loopback(peers, patience=patience, host=host)
        self._lacks = lacks
        self._circumstances = circumstances

    @property
    def needs_network(self) -> bool:
        """Whether its peers are sockets of the system."""
        return self._peers is socket.socket

    @cached_property
    def abilities(self) -> Abilities:
        """The abilities of its sockets and their peers."""
        return examined(self.new, self._loopback, peers_too=self._peers is not socket.socket)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The parts that are not tried, each with its reason."""
        return (*named(self._lacks, SPELLING), *self.abilities.left_out)

    def judge_like(self, platform: str | None) -> None:
        """Compare illegal calls with another system, or with the contract alone."""
        self.platform = platform

    def be_at(self, host: str) -> None:
        """Bind sockets at another address of this machine; before anything else is done."""
        self._loopback.host = host

    def environment(self, role: Role) -> Environment:
        """The environment of the socket roles."""
        if role.name not in KINDS or KINDS[role.name] not in self.abilities.kinds:
            raise KeyError(role.name)
        return self.abilities.limited(PLAIN_ENVIRONMENTS[role.name])

    def offers(self, role: Role, provocation: Provocation, *, legal: bool) -> bool:
        """The calls of `socket.socket`, except those that make a socket."""
        call = provocation.call
        if call not in SPELLING or call in self._lacks or provocation.under not in self._circumstances:
            return False
        if not self.abilities.offers(provocation):
            return False
        if call == words.ACCEPTED.name and self.abilities.connects:
            return False
        only_asks = call == words.FINISH_CONNECT.name and self.platform not in PLATFORMS  # there is no line to compare it with
        return legal or not (call in MAKES_ONE or only_asks)

    def stage(self, role: Role) -> RawStage:
        """A new object that has no socket yet."""
        return RawStage(role.name, self.new, self._loopback)

    def verdict(self, edge: Edge, answer: Answer) -> Verdict:
        """The platform's table judges an illegal call, and a legal one whose outcome differs from the expected one."""
        found = AGREES
        if edge.outcome != ILLEGAL:
            found = compared(edge, answer)
            if found.agrees:  # like nearly every answer: no need to look it up
                return found
        lines = lines_for(self.platform, edge) if self.platform != MFC else ()
        matching = next((line for line in lines if line.says(answer)), None)
        if edge.outcome != ILLEGAL:
            if self._may_be_done(edge, answer):
                return replace(found, explanation=DONE_AT_ONCE)
            is_otherwise = answer.outcome != edge.outcome  # no table has wrong values
            return replace(found, explanation=matching.name) if matching is not None and is_otherwise else found
        got = answer.detail or answer.outcome
        if answer.outcome in RAISES:
            got = f"{answer.outcome} ({answer.detail})"
        if self.platform == MFC:
            return self._against_documents(edge, answer, got)
        if lines and matching is None:
            return Verdict(False, lines[0].name, got)
        if is_refusal(answer):
            return AGREES
        return Verdict(False, ILLEGAL, got, _may_be_another(edge) if matching is None else matching.name)

    def would_wait(self, edge: Edge) -> bool:
        """Whether an illegal call waits there on this system, and these sockets cannot avoid that."""
        if self.abilities.waits_not or self.platform == MFC:
            return False
        return any(line.waits for line in lines_for(self.platform, edge))

    def close(self) -> None:
        """Close what the stages shared."""
        self._loopback.close()

    def _against_documents(self, edge: Edge, answer: Answer, got: str) -> Verdict:
        """Compare an illegal call with the documented answers of Winsock, on which MFC is built."""
        assert isinstance(edge.step, Provocation)
        if is_refusal(answer):
            return AGREES
        answers = platform_answers(edge.role, edge.source.state, edge.step.call, systems=("winsock",))
        wanted = answers.get("winsock", "").removeprefix("WSA")
        name = f"{self.platform}: {edge.role}[{edge.source.state}] {edge.step.call} = {wanted or 'an error'}"
        return Verdict(False, ILLEGAL, got, name if wanted in ("ok", "blocks") else _may_be_another(edge))

    def _may_be_done(self, edge: Edge, answer: Answer) -> bool:
        """Whether a connect() that must not wait has ended at once, in an implementation whose connects never wait."""
        step = edge.step
        is_connect = isinstance(step, Provocation) and step.call == words.CONNECT.name and step.under is Under.AT_ONCE
        return is_connect and edge.outcome == "pending" and answer.outcome in ("ok", "refused") and self._does_not_wait

    @cached_property
    def _does_not_wait(self) -> bool:
        """Whether a connect() that must not wait returns at once if the listener is silent."""
        try:
            silence = self._loopback.silence(socket.SOCK_STREAM)
        except OSError:
            return True  # there is nothing to wait for
        sock = self.new(socket.AF_INET, socket.SOCK_STREAM)
        set_timeout(sock, 0)
        began = time.monotonic()
        with suppress(OSError):
            sock.connect(silence)
        took = time.monotonic() - began
        sock.close()
        return took < AT_MOST


def _may_be_another(edge: Edge) -> str:
    """Another role in which the call is legal in this state, since a raw socket does not know its role; or ""."""
    assert isinstance(edge.step, Provocation)
    for name, kind in KINDS.items():
        is_other = name != edge.role and kind == KINDS[edge.role]
        if is_other and edge.step.call in ROLES[name].table.get(edge.source.state, {}):
            return f"a socket does not know its role: that of a {name} takes {edge.step.call} in {edge.source.state!r}"
    return ""


def is_refusal(answer: Answer) -> bool:
    """Whether an answer means that the call cannot be made, and not that it would have to wait."""
    return bool(answer.detail) and answer.system not in ("ok", "blocks", UNDER_WAY) and answer.outcome not in RAISES


RAISES = frozenset(f"raised {each.__name__}" for each in BUGS)
"""outcomes that show faulty code"""
