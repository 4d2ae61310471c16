"""A data cell: a short test of values and times between an object and its peer.

A cell is data: its roles, the state in which it begins, its needs, and a function that raises Mismatch. A cell that is added to
a tuple of this folder is run, reported and replayed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from lifecycle.conformance.adapters.peers import DatagramPeer, StreamPeer
from lifecycle.conformance.adapters.protocol import Mismatch
from lifecycle.conformance.adapters.session import LoopbackStage
from lifecycle.conformance.adapters.sockets import AT_MOST
from lifecycle.conformance.driving.run import DATA
from lifecycle.conformance.model.environment import Facts, Under
from lifecycle.roles.words import RECEIVE

TIMEOUT = 0.1
EARLY = 0.8 * TIMEOUT
LATE = 0.5  # seconds that it may take longer than it should
MUCH, SHOWN = 40, 20  # the number of bytes from which on data is shown in part, and the length of that part


class Scene:
    """An object under test in the state that a cell needs, and its peer.

    sock: the raw socket; None if the object has the calls of the roles. real_time: whether time passes here, unlike in memory.
    """

    def __init__(self, stage: LoopbackStage, *, real_time: bool) -> None:
        self.stage = stage
        self.sock: Any = getattr(stage, "sock", None)
        self.real_time = real_time

    def do(self, call: str, *arguments: Any, under: Under = Under.PATIENTLY) -> Any:
        """Make a call of the role; return its value or raise its error."""
        self.stage.set_circumstances(under)
        return self.stage.make(call, arguments)

    def receive(self, size: int, *, call: str = RECEIVE.name) -> bytes:
        """The data that the object receives once some has arrived; Mismatch if it is more than requested."""
        self.stage.settle(frozenset({"data"}))
        got = self.do(call, size)
        if not isinstance(got, bytes):
            raise Mismatch(f"at most {size} bytes", got)
        if len(got) > size:
            raise Mismatch(f"at most {size} bytes", f"{len(got)} bytes")
        return got

    def receive_all(self, wanted: bytes, *, size: int) -> None:
        """The object receives exactly these bytes, in parts of at most `size`."""
        got = b""
        while len(got) < len(wanted):
            try:
                part = self.receive(min(size, len(wanted) - len(got)) if size < len(wanted) else size)
            except OSError as error:
                raise Mismatch(_short(wanted), f"{_short(got)}, and then {type(error).__name__}") from error
            if not part:
                break
            got += part
        must_be(wanted, got)

    @property
    def peer(self) -> StreamPeer:
        """The other end of a connection."""
        assert isinstance(self.stage.peer, StreamPeer)
        return self.stage.peer

    @property
    def correspondent(self) -> DatagramPeer:
        """The peer of a socket that exchanges messages."""
        assert isinstance(self.stage.peer, DatagramPeer)
        return self.stage.peer

    @contextmanager
    def at_once(self, what: str) -> Iterator[None]:
        """Raise Mismatch if the block takes time."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        if took > AT_MOST:
            raise Mismatch(f"{what}, which is not to wait, comes back at once", f"it took {took:.1f} s")


Check = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class DataCell:
    """One cell.

    roles: by name. call: the call that it tests. where, unless: facts that hold, or do not, when it begins; it begins at the
    nearest node of the graph with them. methods: methods that it needs of a raw socket; a cell that names some tests raw
    sockets only. also: other calls of the role that it makes. actions: peer actions that it needs. tries: how often it may
    fail, if it measures time. needs_silence, needs_full: a listener that does not answer, a connection whose buffers are full.
    needs_no_wait: calls that can be made without waiting. needs_descriptor, needs_flags: a descriptor of the system, flags of
    recv().
    """

    name: str
    call: str
    roles: tuple[str, ...]
    check: Check
    where: Facts = frozenset()
    unless: Facts = frozenset()
    methods: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    tries: int = 1
    needs_silence: bool = False
    needs_full: bool = False
    needs_no_wait: bool = False
    needs_descriptor: bool = False
    needs_flags: bool = False

    @property
    def label(self) -> str:
        """Its name in reports and programs."""
        return f"{DATA}{self.call}: {self.name}"

    def can_begin(self, facts: Facts) -> bool:
        """Whether it can begin with these facts."""
        return self.where <= facts and not self.unless & facts


def must_be(wanted: object, got: object) -> None:
    """Raise Mismatch if they differ."""
    if got != wanted:
        at = _first_difference(wanted, got)
        raise Mismatch(_short(wanted, at), _short(got, at))


def must_time_out(scene: Scene, call: Callable[[], object]) -> None:
    """Raise Mismatch unless a call without data raises TimeoutError after TIMEOUT seconds, neither early nor late."""
    scene.sock.settimeout(TIMEOUT)
    began = time.monotonic()
    try:
        got = call()
    except TimeoutError:
        took = time.monotonic() - began
        if took > TIMEOUT + LATE or (took < EARLY and scene.real_time):
            when = "early" if took < EARLY else "late"
            raise Mismatch(f"a time-out after {TIMEOUT} s", f"{when}, after {took:.3f} s") from None
        return
    raise Mismatch("a time-out", _short(got))


def _first_difference(wanted: object, got: object) -> int:
    if not isinstance(wanted, bytes) or not isinstance(got, bytes):
        return 0
    return next(
        (at for at, pair in enumerate(zip(wanted, got, strict=False)) if pair[0] != pair[1]), min(len(wanted), len(got))
    )


def _short(value: object, at: int = 0) -> object:
    if isinstance(value, bytes) and len(value) > MUCH:
        return f"{len(value)} bytes, with {value[at : at + SHOWN]!r} at {at}"
    return value
