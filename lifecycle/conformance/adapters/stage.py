"""A stage on the loopback interface: one object under test and its peer. Adapters say how a call is made."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from contextlib import nullcontext, suppress
from typing import Any

from lifecycle.conformance.adapters.loopback import PATIENCE, Loopback, no_descriptors_left
from lifecycle.conformance.adapters.outcomes import detail_of, outcome_of_error, outcome_of_value, system_answer
from lifecycle.conformance.adapters.peers import KINDS, PEERS, DatagramPeer, Peer, StreamPeer
from lifecycle.conformance.adapters.places import fill_in, handle_in
from lifecycle.conformance.adapters.protocol import Answer, Mismatch
from lifecycle.conformance.model.environment import ALL, Facts, Handle, Place, Provocation, Under
from lifecycle.conformance.vocabulary.streams import LISTENER

BRIEF = 0.001  # seconds of time-out, where the time-out has to pass

TIMEOUTS = {
    Under.AT_ONCE: 0,
    Under.BRIEFLY: BRIEF,
    Under.PATIENTLY: PATIENCE,
    Under.CANCELLED: PATIENCE,
    Under.SCARCE: PATIENCE,
}


def _odd(expected: str, error: BaseException) -> Mismatch:
    """What the implementation raises that no socket should, where `expected` was to be."""
    return Mismatch(expected, f"{type(error).__name__}: {error}")


class LoopbackStage(ABC):
    """One object of a socket role among its peers; everything is closed at the end, whatever became of it."""

    def __init__(self, role: str, loopback: Loopback) -> None:
        self.role = role
        self.kind = KINDS[role]
        self.loopback = loopback
        self.peer = PEERS[role](loopback, self.address)
        self.kept: list[Any] = []
        """what calls have brought, and handles: closed at the end"""
        self._newcomer: Peer | None = None

    @property
    def state(self) -> str | None:
        """None: it tells no state."""
        return None

    @property
    def legal(self) -> tuple[str, ...] | None:
        """None: it does not tell what is legal."""
        return None

    @abstractmethod
    def address(self) -> tuple[str, int]:
        """The local address of the object under test."""

    @abstractmethod
    def descriptor(self) -> int:
        """The descriptor of the object under test, or -1 where it is none of the system's."""

    @abstractmethod
    def be_patient(self, under: Under) -> None:
        """Let the next call wait as these circumstances say."""

    @abstractmethod
    def make(self, call: str, arguments: tuple[Any, ...]) -> Any:
        """Make the call on the object under test."""

    @abstractmethod
    def end(self) -> None:
        """Close the object under test; closing again must do no harm."""

    def call(self, provocation: Provocation) -> Answer:
        """Make the call under its circumstances, and classify what came of it."""
        try:
            arguments = self._filled_in(provocation.arguments)
            self.be_patient(provocation.under)
        except (Mismatch, OSError):
            raise
        except (Exception, SystemExit) as error:
            raise _odd("it can be tried", error) from error
        with no_descriptors_left() if provocation.under is Under.SCARCE else nullcontext():
            answer = self._answer(provocation.call, arguments)
        if LISTENER in provocation.arguments and isinstance(self.peer, StreamPeer):
            self.peer.expect_connection()
        if self._newcomer is not None:
            self._take_over(was_taken=answer.detail == "")
        return answer

    def _take_over(self, was_taken: bool) -> None:
        """The peer of a handle becomes the object's peer where the object has taken the handle."""
        newcomer, self._newcomer = self._newcomer, None
        if was_taken and newcomer is not None:
            self.peer, newcomer = newcomer, self.peer
        if newcomer is not None:
            newcomer.close()

    def _answer(self, call: str, arguments: tuple[Any, ...]) -> Answer:
        try:
            value = self.make(call, arguments)
        except (Exception, SystemExit) as error:  # whatever comes is an answer
            return Answer(outcome_of_error(self.role, call, error), None, detail_of(error), system_answer(error))
        if call in ("accept", "detach", "accepted"):
            self.kept.append(value)
        elif call == "receive_from":
            if not isinstance(value, tuple) or len(value) != 2:
                return Answer(f"gives {value!r} instead of what was received, and the address")
            value, address = value
            if not self._is_the_peers(address):
                return Answer(f"gives the address {address!r}, which is not the peer's")
        elif call in ("send", "send_to") and isinstance(self.peer, StreamPeer | DatagramPeer):
            data = arguments[0]
            is_part = isinstance(value, int) and value < len(data)
            self.peer.expect(data[:value] if is_part else data)
            value = ALL if value == len(data) else value
        return Answer(outcome_of_value(self.role, call, arguments, value), value)

    def act(self, action: str) -> None:
        """Let the peer do something."""
        try:
            getattr(self.peer, action)()
        except (Mismatch, OSError):
            raise
        except (Exception, SystemExit) as error:
            raise _odd("the peer can do so", error) from error

    def _is_the_peers(self, address: Any) -> bool:
        """Whether a message has come from the peer, as far as the peer has an address of its own."""
        if not isinstance(self.peer, DatagramPeer):
            return True
        return isinstance(address, tuple) and address[:2] == self.peer.address

    def settle(self, facts: Facts) -> None:
        """Wait until these facts have come to the object; where they never do, the next call shows it."""
        self.loopback.settle(self.descriptor(), facts)

    def close(self) -> None:
        """End everything; the peer first, by a reset, so that no port is left waiting.

        An error here is no finding: close() has cells of its own.
        """
        anything = (Exception, SystemExit)
        with suppress(*anything):
            self.peer.close()
        for thing in self.kept:
            with suppress(*anything):
                if isinstance(thing, int):
                    socket.close(thing)
                elif thing is not None:
                    thing.close()
        with suppress(*anything):
            self.end()

    def _filled_in(self, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        filled: list[Any] | None = None
        for position, argument in enumerate(arguments):
            if argument.__class__ is Place:
                filled = [*arguments[:position]] if filled is None else filled
                filled.extend(fill_in(argument.name, self.loopback, self.peer, self.kind))
            elif argument.__class__ is Handle:
                return (self._handle(argument.state),)
            elif filled is not None:
                filled.append(argument)
        return arguments if filled is None else tuple(filled)

    def _handle(self, state: str) -> Any:
        self._newcomer = PEERS[self.role](self.loopback, self.address)
        handle = handle_in(state, self.loopback, self._newcomer, self.kind)
        self.kept.append(handle if state != "none" else None)
        return handle
