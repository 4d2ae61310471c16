"""A session on the loopback interface: one socket under test and its peer. Adapters say how a call is made."""

from __future__ import annotations

import os
import socket
import ssl
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple
from weakref import proxy

from lifecycle.conformance.adapters.certificates import context_of
from lifecycle.conformance.adapters.effects import keep_full
from lifecycle.conformance.adapters.loopback import PATIENCE, Loopback, no_descriptors_left
from lifecycle.conformance.adapters.outcomes import (
    ANY_ERROR,
    PLAIN_ERRORS,
    detail_of,
    error_text,
    outcome_of_error,
    outcome_of_value,
    system_answer,
)
from lifecycle.conformance.adapters.peers import KINDS, PEERS, DatagramPeer, LocalAddress, Peer, ServerPeer, StreamPeer
from lifecycle.conformance.adapters.protocol import Answer, Mismatch
from lifecycle.conformance.adapters.setup_states import arrange
from lifecycle.conformance.model import environments as words
from lifecycle.conformance.model import tls_environment as tls_words
from lifecycle.conformance.model.environment import ALL, Facts, Handle, Place, Provocation, Under
from lifecycle.conformance.model.graph import ILLEGAL
from lifecycle.conformance.model.tls_environment import TLS_PEER
from lifecycle.engine import IllegalCall
from lifecycle.roles import ACCEPTED, ROLES
from lifecycle.roles.words import RECEIVE, RECEIVE_FROM, RECEIVE_HANDLES, SEND, SEND_HANDLES, SEND_TO, SHUT_DOWN
from lifecycle.system.handles import borrowed, is_bound

BRIEF = 0.001  # seconds of time-out, where the time-out has to pass

TIMEOUTS = {
    Under.AT_ONCE: 0,
    Under.BRIEFLY: BRIEF,
    Under.PATIENTLY: PATIENCE,
    Under.CANCELLED: PATIENCE,
    Under.SCARCE: PATIENCE,
}

TLS_ACTIONS = frozenset(each.name for each in TLS_PEER)

GIVES_A_THING = frozenset({"accept", "detach", "accepted"})
"""calls whose value is closed at the end"""


LOOKED_AT = GIVES_A_THING | {
    each.name for each in (RECEIVE, RECEIVE_FROM, RECEIVE_HANDLES, SEND, SEND_TO, SEND_HANDLES, SHUT_DOWN)
}
"""calls whose value says more than that they have succeeded"""

DONE = Answer("ok")
REFUSED = Answer(ILLEGAL, None, IllegalCall.__name__, IllegalCall.__name__)


class Flood(bytes):
    """Many bytes, whose repr is short."""

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"


@cache
def flood() -> Flood:
    """More data than two connected sockets buffer; made when it is first sent, since it is large."""
    return Flood(16 << 20)


NO_HANDLE = 2**20 - 1  # beyond what a process may open by default


class Handed:
    """A descriptor that an object has handed out; it is closed only while it is the one that was handed out."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._file = _file_of(number)

    @property
    def is_open(self) -> bool:
        """Whether the number belongs to an open file."""
        return self._file is not None and _file_of(self._number) == self._file

    def close(self) -> None:
        """Close it, unless that was done."""
        if self.is_open:
            socket.close(self._number)


def _file_of(number: int) -> tuple[object, object] | None:
    try:
        if sys.platform == "win32":  # where a socket is not a file
            with borrowed(number) as sock:
                return sock.type, is_bound(sock) and sock.getsockname()
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@lru_cache(1024)
def _answer_of(role: str, call: str, kind: type[OSError], number: int | None) -> Answer:
    """The answer for an error of the system, made once: most steps that fail do so in one of a few ways."""
    error = kind()
    error.errno = number
    return Answer(outcome_of_error(role, call, error), None, detail_of(error), system_answer(error))


def _odd_answer(result: object, error: BaseException) -> Answer:
    """The answer for a result that raises an error when it is read."""
    return Answer(f"returns a {type(result).__name__} which raises {type(error).__name__} when it is read")


def _odd(expected: str, error: BaseException) -> Mismatch:
    """The answer for an exception that no socket should raise."""
    return Mismatch(expected, error_text(error))


class LoopbackStage(ABC):
    """One object of a socket role among its peers; everything is closed at the end."""

    drives_peer = False
    """whether the peer's TLS handshake runs whenever the object is about to wait, instead of in a thread"""

    @property
    def state(self) -> str | None:
        """None: it does not report a state."""
        return None

    @property
    def legal(self) -> tuple[str, ...] | None:
        """None: it does not report what is legal."""
        return None

    def __init__(self, role: str, loopback: Loopback) -> None:
        self.role = role
        self.kind = KINDS[role]
        self.loopback = loopback
        self.peer = PEERS[role](loopback, self._asking())
        self.tls_version: ssl.TLSVersion | None = None
        self.kept: list[Any] = []
        """values of calls, and handles: closed at the end"""
        self._newcomer: Peer | None = None

    @abstractmethod
    def address(self) -> tuple[str, int]:
        """The local address of the object under test."""

    def _asking(self) -> LocalAddress:
        """Asks for the address, without a reference to this stage: the collector would have to find the cycle."""
        stage = proxy(self)

        def address() -> Any:
            return stage.address()

        return address

    @abstractmethod
    def descriptor(self) -> int:
        """The descriptor of the object under test, or -1 if it is not the system's."""

    def waiting_on(self) -> Any:
        """The socket, or descriptor of the system, that shows whether something has arrived."""
        return self.descriptor()

    @abstractmethod
    def set_circumstances(self, under: Under) -> None:
        """Set how the next call waits."""

    @abstractmethod
    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call on the object under test."""

    @abstractmethod
    def end(self) -> None:
        """Close the object under test; closing again must do no harm."""

    def call(self, provocation: Provocation) -> Answer:
        """Make the call under its circumstances, and classify its result."""
        arguments = self._prepared(provocation)
        if provocation.under is Under.SCARCE:
            with no_descriptors_left():
                answer = self._answer(provocation.call, arguments)
        else:
            answer = self._answer(provocation.call, arguments)
        if provocation.has_places:
            self._go_on_after(provocation, answer)
        return answer

    def _prepared(self, provocation: Provocation) -> tuple[Any, ...]:
        """The arguments of a call that can be made now."""
        try:
            arguments = self._filled_in(provocation.arguments) if provocation.has_places else provocation.arguments
            self.set_circumstances(provocation.under)
            if words.FLOOD in provocation.places:
                self.buffer_little()
        except (Mismatch, OSError):
            raise
        except ANY_ERROR as error:
            raise _odd("it can be tried", error) from error
        return arguments

    def _go_on_after(self, provocation: Provocation, answer: Answer) -> None:
        """Have the surroundings as a call has left them that was given some of them."""
        if words.LISTENER in provocation.places and answer is not REFUSED and isinstance(self.peer, StreamPeer):
            self.peer.expect_connection()
        if self._newcomer is not None:
            self._take_over(was_taken=answer.detail == "")

    def _take_over(self, was_taken: bool) -> None:
        """The peer of a handle becomes the object's peer where the object has taken the handle."""
        newcomer, self._newcomer = self._newcomer, None
        if was_taken and newcomer is not None:
            self.peer, newcomer = newcomer, self.peer
        if newcomer is not None:
            newcomer.close()

    def _answer(self, call: str, arguments: tuple[Any, ...]) -> Answer:
        own = self.descriptor() if call == "detach" else -1
        try:
            value = self.make(call, arguments)
        except ANY_ERROR as error:  # any error is an answer
            return self._failed(call, error)
        return self._returned(call, arguments, own, value)

    def _failed(self, call: str, error: BaseException) -> Answer:
        try:
            return self._of_error(call, error)
        except ANY_ERROR as another:
            return _odd_answer(error, another)

    def _returned(self, call: str, arguments: tuple[Any, ...], own: int, value: Any) -> Answer:
        if call not in LOOKED_AT:
            return DONE if value is None else Answer("ok", value)
        try:
            return self._of_value(call, arguments, own, value)
        except ANY_ERROR as error:
            return _odd_answer(value, error)

    def _of_error(self, call: str, error: BaseException) -> Answer:
        kind: Any = type(error)
        if kind is IllegalCall:
            return REFUSED
        if kind in PLAIN_ERRORS:
            number = error.errno  # type: ignore[attr-defined]  # they are all OSErrors
            if number is None or type(number) is int:
                return _answer_of(self.role, call, kind, number)
        return Answer(outcome_of_error(self.role, call, error), None, detail_of(error), system_answer(error))

    def _of_value(self, call: str, arguments: tuple[Any, ...], own: int, value: Any) -> Answer:
        if call in GIVES_A_THING:
            if value == own != -1:
                self.kept.append(Handed(value))
            elif hasattr(value, "close"):
                self.kept.append(value)
        elif call == "receive_from":
            if not isinstance(value, tuple) or len(value) != 2:
                return Answer(f"gives {value!r} instead of what was received, and the address")
            value, address = value
            if (
                isinstance(self.peer, DatagramPeer)
                and (getattr(address, "path", None) or tuple(address[:2])) != self.peer.address
            ):
                return Answer(f"gives the address {address!r}, which is not the peer's")
        elif call == "receive_handles":
            value, handles = value
            for handle in handles:
                os.close(handle)
        elif call in ("send", "send_to", "send_handles") and not isinstance(self.peer, ServerPeer):
            data = arguments[0]
            is_part = isinstance(value, int) and value < len(data)
            self.peer.expect(data[:value] if is_part else data)
            value = ALL if value == len(data) else value
        return Answer(outcome_of_value(self.role, call, arguments, value), value)

    def act(self, action: str) -> None:
        """Make the peer act."""
        if action in TLS_ACTIONS and isinstance(self.peer, StreamPeer):
            self.peer.tls_side = (not self.is_tls_server, self.tls_version, self.drives_peer)
        try:
            getattr(self.peer, action)()
        except (Mismatch, OSError):
            raise
        except ANY_ERROR as error:
            raise _odd("the peer can do so", error) from error

    def settle(self, facts: Facts) -> None:
        """Wait until the effects of these facts have arrived at the object; where they do not, the next call shows it."""
        self.loopback.settle(self.waiting_on(), facts)

    def close(self) -> None:
        """End everything; the peer first, by a reset, so that no port stays in TIME_WAIT.

        An error here is not a finding: close() has cells of its own.
        """
        for thing in (self.peer, *self.kept, self):
            try:  # a suppress() of each would cost as much
                if thing is self:
                    self.end()
                elif thing is not None:
                    thing.close()
            except ANY_ERROR:
                continue

    def buffer_little(self) -> None:
        """Make small buffers, so that a small flood fills them, if the object has a descriptor of the system."""
        number = self.descriptor()
        if number != -1:
            keep_full(number)

    @property
    def is_tls_server(self) -> bool:
        """Whether the object under test is the server of TLS."""
        return self.role == ACCEPTED.name

    def read_ahead(self) -> None:
        """Have a file over the object buffer the data that has arrived, unread."""
        raise NotImplementedError

    def _filled_in(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        filled: list[Any] = []
        for argument in arguments:
            if argument.__class__ is Place:
                local = LOCAL_PLACES.get(argument) if self.loopback.is_local else None
                filled.extend(PLACES[argument](self) if local is None else (AtPath(local(self)),))
            else:
                filled.append(self._handle(argument.state) if argument.__class__ is Handle else argument)
        return tuple(filled)

    def _handle(self, state: str) -> Any:
        if not state:
            return NO_HANDLE
        self._newcomer = PEERS[self.role](self.loopback, self._asking())
        handle, other_end = arrange(self.loopback, self.kind, ROLES[self.role].state(state).facts)
        if other_end is not None and not isinstance(self._newcomer, ServerPeer):
            self._newcomer.replace(other_end)
        self.kept.append(handle)
        return handle


class AtPath(NamedTuple):
    """The argument `path` of a call."""

    path: str


LOCAL_PLACES: Mapping[Place, Callable[[LoopbackStage], Any]] = {
    words.ANY_PORT: lambda stage: stage.loopback.fresh_address(),
    words.TAKEN: lambda stage: stage.loopback.taken(stage.kind),
    words.LISTENER: lambda stage: stage.loopback.listener_address,
    words.NOBODY: lambda stage: stage.loopback.nobody(stage.kind),
    words.SILENCE: lambda stage: stage.loopback.silence(stage.kind),
    words.PEER: lambda stage: stage.peer.address,  # type: ignore[union-attr]  # only messages have this place
}
"""a place -> the path that stands for it over a Unix-domain socket"""


def _context_under_file(stage: LoopbackStage) -> tuple[Any, ...]:
    stage.read_ahead()
    return (context_of(stage.is_tls_server),)


PLACES: Mapping[Place, Callable[[LoopbackStage], tuple[Any, ...]]] = {
    words.ANY_PORT: lambda stage: (0, stage.loopback.host),
    words.TAKEN: lambda stage: (stage.loopback.taken(stage.kind)[1], stage.loopback.host),
    words.LISTENER: lambda stage: stage.loopback.listener_address,
    words.NOBODY: lambda stage: stage.loopback.nobody(stage.kind),
    words.SILENCE: lambda stage: stage.loopback.silence(stage.kind),
    words.ELSEWHERE: lambda stage: ("::", 9),  # of a family that many have not, and nobody's
    words.EVERYBODY: lambda stage: ("255.255.255.255", 9),  # a broadcast, which is not allowed
    words.PEER: lambda stage: stage.peer.address,  # type: ignore[union-attr]  # only messages have this place
    tls_words.CONTEXT: lambda stage: (context_of(stage.is_tls_server),),
    tls_words.OTHER_CONTEXT: lambda stage: (context_of(not stage.is_tls_server),),
    tls_words.CONTEXT_UNDER_FILE: _context_under_file,
    words.FLOOD: lambda stage: (flood(),),
}
"""a place -> the arguments for it"""
