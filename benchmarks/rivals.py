"""The other state-machine libraries, each doing the same two things: a turnstile, and a governed stream socket."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, Protocol


class Turnstile(Protocol):
    """Two states and no I/O: coin() leads from locked to unlocked, push() back. Each runs a handler that does nothing."""

    def coin(self) -> object: ...

    def push(self) -> object: ...


class Stream(Protocol):
    """A blocking stream socket of the standard library, whose every call is an event of a state machine."""

    def open(self) -> object: ...

    def connect(self, address: tuple[str, int]) -> object: ...

    def accepted(self, connection: socket.socket) -> object: ...

    def send(self, data: bytes) -> object: ...

    def receive(self, size: int) -> object: ...

    def shut_down(self) -> object: ...

    def close(self) -> object: ...


class Rival(NamedTuple):
    """One library: how it makes its objects, and what it raises for an illegal event.

    every: in which rounds it takes part (5: every fifth). Most rounds are left to raw and lifecycle: a library that runs much
    code leaves the caches cold for the next one, and the slow ones would take most of the time.
    """

    turnstile: Callable[[], Turnstile]
    stream: Callable[[], Stream]
    refusal: type[Exception]
    every: int


MODULES = {
    "transitions": ("transitions", "benchmarks.by_transitions"),
    "automat": ("automat", "benchmarks.by_automat"),
    "python-statemachine": ("statemachine", "benchmarks.by_statemachine"),
}
"""distribution -> (what it installs, what measures it here)"""


def rivals() -> dict[str, Rival | None]:
    """Every library by its distribution's name; None for one that is not installed."""
    return {
        name: import_module(module).RIVAL if find_spec(package) is not None else None
        for name, (package, module) in MODULES.items()
    }


def present(all_rivals: dict[str, Rival | None]) -> dict[str, Rival]:
    """Those that are installed."""
    return {name: rival for name, rival in all_rivals.items() if rival is not None}
