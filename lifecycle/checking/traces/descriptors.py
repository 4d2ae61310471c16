"""Descriptors as the kernel has them: names, in the table of a process, of open file descriptions, which have the state."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from lifecycle.checking.observed import DATAGRAM, OTHER, STREAM, ObservedState

INTERNET = ("AF_INET", "AF_INET6")
LOCAL = ("AF_UNIX", "AF_LOCAL")
_STREAM_PROTOCOLS = ("0", "IPPROTO_IP", "IPPROTO_TCP", "IPPROTO_MPTCP")
_DATAGRAM_PROTOCOLS = ("0", "IPPROTO_IP", "IPPROTO_UDP")
KEPT = 8  # calls of a history


class Step(NamedTuple):
    """One call in the history of a socket."""

    call: str
    state: str
    outcome: str
    line: int


@dataclass(slots=True)
class Description:
    """An open file description, which several descriptors of several processes may refer to.

    family: the socket's. made: the line of the trace that made it. names: how many descriptors there are.
    """

    family: str
    state: ObservedState
    made: int
    names: int = 0
    history: deque[Step] = field(default_factory=lambda: deque(maxlen=KEPT))
    reported: set[tuple[str, str]] = field(default_factory=set)

    @property
    def is_internet(self) -> bool:
        """Whether rules of Winsock apply to it."""
        return self.family in INTERNET

    def note(self, call: str, outcome: str, line: int) -> None:
        """Add to the history."""
        self.history.append(Step(call, self.state.name, outcome, line))


def new_socket(family: str, kind: str, protocol: str, line: int) -> Description:
    """A socket that was just made, of the role that its family, kind and protocol give it."""
    states = OTHER
    if family in (*INTERNET, *LOCAL):
        if "SOCK_STREAM" in kind and protocol in _STREAM_PROTOCOLS:
            states = STREAM
        elif "SOCK_DGRAM" in kind and protocol in _DATAGRAM_PROTOCOLS:
            states = DATAGRAM
    return Description(family, states.initial, line)


@dataclass(eq=False, slots=True)
class Descriptors:
    """The table of descriptors of a process; threads share it.

    closed: descriptor -> the socket that it named, until the number is given again. is_blind: the process uses io_uring, or
    was not seen from its begin: its sockets may change unseen.
    """

    named: dict[int, Description] = field(default_factory=dict)
    closing_at_exec: set[int] = field(default_factory=set)
    closed: dict[int, Description] = field(default_factory=dict)
    is_blind: bool = False

    def copy(self) -> Descriptors:
        """The table of a forked process."""
        for each in self.named.values():
            each.names += 1
        return Descriptors(dict(self.named), set(self.closing_at_exec), {}, self.is_blind)

    def give(self, number: int, description: Description, *, closes_at_exec: bool, line: int) -> None:
        """Let the number refer to this socket."""
        if number in self.named:
            self.drop(number, line)
        self.named[number] = description
        description.names += 1
        self.closed.pop(number, None)
        (self.closing_at_exec.add if closes_at_exec else self.closing_at_exec.discard)(number)

    def drop(self, number: int, line: int) -> None:
        """Let the number refer to nothing; the socket is closed when no number refers to it."""
        description = self.named.pop(number, None)
        self.closing_at_exec.discard(number)
        if description is None:
            return
        description.names -= 1
        if description.names <= 0:
            description.note("close", "ok", line)
            description.state = description.state.after("close", "ok")
        self.closed[number] = description

    def reuse(self, number: int, line: int) -> None:
        """The number was given to something that is not a socket."""
        self.drop(number, line)
        self.closed.pop(number, None)

    def exec(self, line: int) -> None:
        """The process runs another program."""
        for number in tuple(self.closing_at_exec):
            self.drop(number, line)
        self.closed.clear()

    def between(self, first: int, last: int) -> Iterator[int]:
        """The numbers of sockets in this range."""
        return (number for number in tuple(self.named) if first <= number <= last)
