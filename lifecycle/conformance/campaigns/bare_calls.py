"""Compares two implementations of `socket.socket` by the same seeded sequences of bare calls, up to the first difference.

The calls are those of programs rather than of roles: settimeout() on a closed socket, a bad argument, dup(), makefile(). There
is no expected result: the other implementation should answer what the reference answers.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lifecycle.conformance.adapters.loopback import HOST, Loopback
from lifecycle.conformance.adapters.outcomes import ANY_ERROR, text_of
from lifecycle.conformance.adapters.setup_states import Factory, address_of, reset
from lifecycle.conformance.driving.run import Divergence

SEQUENCES, LENGTH = 3000, 12
MESSAGE = b"message"

KINDS = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM}


class Bench:
    """One socket of one implementation, and its surroundings."""

    def __init__(self, new: Factory, kind: str, loopback: Loopback) -> None:
        self.kind = kind
        self.loopback = loopback
        self.sock = new(socket.AF_INET, KINDS[kind])
        self.kept: list[Any] = []
        self.peer: Any = None

    def step(self, name: str) -> str:
        """Make one step; the answer, in a form that can be compared."""
        if name in PEER_STEPS:
            with suppress(OSError):  # a peer that cannot does not
                self._await(PEER_STEPS[name](self))
            return "done"
        try:
            value = CALLS[name](self)
        except ANY_ERROR as error:  # which is an answer
            if not isinstance(error, BlockingIOError | TimeoutError):
                return text_of(error)
            self._await("answered" if name in CONNECTS else None)
            return "would block"
        return _comparable(value, self.kept)

    def _await(self, fact: str | None) -> None:
        if fact is not None:
            self.loopback.settle(self.sock, frozenset({fact}))

    @property
    def peer_address(self) -> tuple[str, int] | None:
        """The address that the socket is connected to, or None."""
        try:
            host, port = self.sock.getpeername()
        except OSError:
            return None
        return host, port

    def close(self) -> None:
        """Close everything."""
        for thing in (*self.kept, self.peer):
            if thing is not None:
                thing.close()
        self.sock.close()


def _comparable(value: Any, kept: list[Any]) -> str:
    if hasattr(value, "close"):
        kept.append(value)
        return "another socket"
    if isinstance(value, tuple):
        if value and hasattr(value[0], "close"):
            kept.append(value[0])
            return "a connection"
        return f"({', '.join(_comparable(each, kept) for each in value)})"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return "a number" if isinstance(value, int) and value > 1 else "an address" if isinstance(value, str) else repr(value)


def _detach(bench: Bench) -> object:
    number = bench.sock.detach()
    if number != -1:
        socket.close(number)
    return number


def _target(bench: Bench) -> Any:
    return address_of(bench.loopback.listener if bench.kind == "stream" else bench.loopback.mailbox)


CALLS: Mapping[str, Callable[[Bench], Any]] = {
    "bind": lambda bench: bench.sock.bind((HOST, 0)),
    "listen": lambda bench: bench.sock.listen(8),
    "accept": lambda bench: bench.sock.accept(),
    "connect": lambda bench: bench.sock.connect(_target(bench)),
    "connect to nobody": lambda bench: bench.sock.connect(bench.loopback.nobody(KINDS[bench.kind])),
    "send": lambda bench: bench.sock.send(MESSAGE),
    "recv": lambda bench: bench.sock.recv(64),
    "sendto": lambda bench: bench.sock.sendto(MESSAGE, _target(bench)),
    "recvfrom": lambda bench: bench.sock.recvfrom(64),
    "shutdown sends": lambda bench: bench.sock.shutdown(socket.SHUT_WR),
    "shutdown receives": lambda bench: bench.sock.shutdown(socket.SHUT_RD),
    "shutdown both": lambda bench: bench.sock.shutdown(socket.SHUT_RDWR),
    "getsockname": lambda bench: bench.sock.getsockname(),
    "getpeername": lambda bench: bench.sock.getpeername(),
    "getsockopt": lambda bench: bench.sock.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE),
    "setsockopt": lambda bench: bench.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    "settimeout 0": lambda bench: bench.sock.settimeout(0),
    "fileno": lambda bench: bench.sock.fileno() != -1,
    "dup": lambda bench: bench.sock.dup(),
    "detach": _detach,
    "connect_ex": lambda bench: bench.sock.connect_ex(_target(bench)),
    "makefile": lambda bench: bench.sock.makefile("rb", buffering=0).close(),
    "send a text": lambda bench: bench.sock.send("text"),
    "recv a text": lambda bench: bench.sock.recv("text"),
    "bind a text": lambda bench: bench.sock.bind("text"),
    "close": lambda bench: bench.sock.close(),
}
"""a bare call, with sound arguments or a bad one -> how it is made"""


CONNECTS = frozenset({"connect", "connect to nobody", "connect_ex"})
"""calls whose result arrives later"""


def _peer_connects(bench: Bench) -> str | None:
    peer = bench.loopback.new(socket.SOCK_STREAM)
    bench.kept.append(peer)
    peer.connect_ex(address_of(bench.sock))
    return "waiting" if bench.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) else None


def _with_peer(fact: str, act: Callable[[Any], object]) -> Callable[[Bench], str | None]:
    def step(bench: Bench) -> str | None:
        connected_to = bench.peer_address
        if bench.kind == "datagram":
            bench.loopback.mailbox.sendto(MESSAGE, (HOST, bench.sock.getsockname()[1]))
            return "data" if connected_to in (None, address_of(bench.loopback.mailbox)) else None
        if bench.peer is None:
            bench.peer = bench.loopback.accept_if_arrived(bench.sock.getsockname(), is_due=connected_to is not None)
        if bench.peer is None:
            return None
        act(bench.peer)
        return fact

    return step


PEER_STEPS: Mapping[str, Callable[[Bench], str | None]] = {
    "peer connects": _peer_connects,
    "peer sends": _with_peer("data", lambda peer: peer.send(MESSAGE)),
    "peer ends": _with_peer("end", lambda peer: peer.shutdown(socket.SHUT_WR)),
    "peer resets": _with_peer("reset", reset),
}
"""peer action -> (how it is done, the fact that it causes, or None if the peer could not do it)"""


@dataclass(frozen=True, slots=True)
class KnownDifference:
    """A difference that has a name. harmless: neither side has done anything, so that the comparison can continue."""

    name: str
    calls: frozenset[str]
    expected: str
    got: str
    harmless: bool = False


@dataclass(frozen=True, slots=True)
class Implementation:
    """One side of the comparison. lacks: calls that it does not have. known: its known differences."""

    name: str
    new: Factory
    lacks: frozenset[str] = frozenset()
    known: tuple[KnownDifference, ...] = ()

    def explanation(self, call: str, expected: str, got: str) -> KnownDifference | None:
        """The known difference that this is."""
        return next((each for each in self.known if call in each.calls and (expected, got) == (each.expected, each.got)), None)


STDLIB = Implementation("socket", socket.socket)


def compare(
    other: Implementation,
    *,
    reference: Implementation = STDLIB,
    sequences: int = SEQUENCES,
    length: int = LENGTH,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Divergence]:
    """The differences in so many seeded sequences on new sockets of both, each up to the first that is not harmless."""
    chance = random.Random(seed)
    names = [name for name in (*CALLS, *PEER_STEPS) if name not in other.lacks]
    found: list[Divergence] = []
    loopback = Loopback()
    try:
        for number in range(sequences):
            kind = chance.choice(list(KINDS))
            steps = tuple(chance.choices(names, k=length))
            found.extend(differences(reference, other, kind, steps, loopback))
            if number % 64 == 63:
                progress(number + 1, sequences)
    finally:
        loopback.close()
    progress(sequences, sequences)
    return found


def differences(
    reference: Implementation, other: Implementation, kind: str, steps: tuple[str, ...], loopback: Loopback
) -> Iterator[Divergence]:
    """The differing answers of the two, up to the first after which their states may differ."""
    expected = _answers(reference, kind, steps, loopback)
    got = _answers(other, kind, steps, loopback)
    for position, (one, another) in enumerate(zip(expected, got, strict=True)):
        if one != another:
            known = other.explanation(steps[position], one, another)
            name = "" if known is None else known.name
            yield Divergence(other.name, f"{BARE}{kind}", "", steps[position], one, another, steps[: position + 1], name)
            if known is None or not known.harmless:
                return


BARE = "bare "
"""precedes the kind of socket in the role of a sequence of bare calls"""


def _answers(implementation: Implementation, kind: str, steps: tuple[str, ...], loopback: Loopback) -> list[str]:
    bench = Bench(implementation.new, kind, loopback)
    try:
        if "settimeout 0" not in implementation.lacks:
            bench.step("settimeout 0")
        return [bench.step(name) for name in steps]
    finally:
        with suppress(*ANY_ERROR):
            bench.close()
        loopback.drop_all()
