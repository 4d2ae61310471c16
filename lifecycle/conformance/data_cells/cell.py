"""A data cell: one small scene between an object and its peer, in which values and times are compared.

A cell is data: for which roles, where its object must be, what it needs, and a function that raises Mismatch. Adding one to a
tuple of this folder is all that it takes to have it run, reported and replayed.
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
LATE = 0.5  # seconds more than it should take
MUCH, SHOWN = 40, 20  # bytes that are not shown whole, and so many of them that are


class Scene:
    """An object under test in the state that a cell needs, and its peer.

    sock: the raw socket, None of an object whose calls are the roles'. real_time: whether what takes time takes it here.
    """

    def __init__(self, stage: LoopbackStage, *, real_time: bool) -> None:
        self.stage = stage
        self.sock: Any = getattr(stage, "sock", None)
        self.real_time = real_time

    def do(self, call: str, *arguments: Any, under: Under = Under.PATIENTLY) -> Any:
        """Make a call of the role; what it gives or raises."""
        self.stage.set_circumstances(under)
        return self.stage.make(call, arguments)

    def receive(self, size: int, *, call: str = RECEIVE.name) -> bytes:
        """What the object receives once something has arrived; Mismatch where that is more than it asked for."""
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
        """The other one of two sockets that exchange messages."""
        assert isinstance(self.stage.peer, DatagramPeer)
        return self.stage.peer

    @contextmanager
    def at_once(self, what: str) -> Iterator[None]:
        """What is done inside takes no time."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        if took > AT_MOST:
            raise Mismatch(f"{what}, which is not to wait, comes back at once", f"it took {took:.1f} s")


Check = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class DataCell:
    """One cell. roles: by name. call: the one that it is about.

    where, unless: facts of the object's surroundings when it begins; it begins where it has them after the fewest steps.
    methods: those without which a raw socket does not have it; a cell that names some is about raw sockets only. also: other
    calls of the role that it makes. actions: peer actions that it needs. tries: how often it may fail, where it measures time.
    needs_silence, needs_full: a listener that is silent, a connection that takes no more. needs_no_wait: that calls can be told
    not to wait. needs_descriptor, needs_flags: a descriptor of the system, flags of recv().
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
        """Whether it begins where these facts hold."""
        return self.where <= facts and not self.unless & facts


def must_be(wanted: object, got: object) -> None:
    """Raises Mismatch where they differ."""
    if got != wanted:
        at = _first_difference(wanted, got)
        raise Mismatch(_short(wanted, at), _short(got, at))


def must_time_out(scene: Scene, call: Callable[[], object]) -> None:
    """A call that may wait for TIMEOUT seconds, and for which nothing comes, raises TimeoutError neither early nor late."""
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
