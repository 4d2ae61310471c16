"""The turnstile and the stream by Automat's typed builder. An input's method returns what its handler returns."""

from __future__ import annotations

import socket
from typing import Any, Protocol, cast

from automat import NoTransition, TypeMachineBuilder

from benchmarks.rivals import Rival


class TurnstileInputs(Protocol):
    def coin(self) -> None: ...

    def push(self) -> None: ...


class StreamInputs(Protocol):
    def open(self) -> None: ...

    def connect(self, address: tuple[str, int]) -> None: ...

    def accepted(self, connection: socket.socket) -> None: ...

    def send(self, data: bytes) -> None: ...

    def receive(self, size: int) -> bytes: ...

    def shut_down(self) -> None: ...

    def close(self) -> None: ...


class Core:
    """What the handlers of a stream share."""

    __slots__ = ("sock",)

    sock: socket.socket


def _nothing(*arguments: object) -> None:
    """The handler of a turnstile, and of a second close."""


def _open(inputs: StreamInputs, core: Core) -> None:
    core.sock = socket.socket()


def _connect(inputs: StreamInputs, core: Core, address: tuple[str, int]) -> None:
    core.sock.connect(address)


def _accepted(inputs: StreamInputs, core: Core, connection: socket.socket) -> None:
    core.sock = connection


def _send(inputs: StreamInputs, core: Core, data: bytes) -> None:
    core.sock.sendall(data)


def _receive(inputs: StreamInputs, core: Core, size: int) -> bytes:
    return core.sock.recv(size)


def _shut_down(inputs: StreamInputs, core: Core) -> None:
    core.sock.shutdown(socket.SHUT_WR)


def _close(inputs: StreamInputs, core: Core) -> None:
    core.sock.close()


def _turnstile_factory() -> Any:
    builder = TypeMachineBuilder(TurnstileInputs, object)
    locked, unlocked = builder.state("locked"), builder.state("unlocked")
    locked.upon(TurnstileInputs.coin).to(unlocked)(_nothing)
    unlocked.upon(TurnstileInputs.push).to(locked)(_nothing)
    return builder.build()


def _stream_factory() -> Any:
    builder = TypeMachineBuilder(StreamInputs, Core)
    empty, opened, connected, send_shut, closed = (
        builder.state(name) for name in ("empty", "open", "connected", "send_shut", "closed")
    )
    empty.upon(StreamInputs.open).to(opened)(_open)
    opened.upon(StreamInputs.connect).to(connected)(_connect)
    empty.upon(StreamInputs.accepted).to(connected)(_accepted)
    connected.upon(StreamInputs.send).loop()(_send)
    connected.upon(StreamInputs.receive).loop()(_receive)
    send_shut.upon(StreamInputs.receive).loop()(_receive)
    connected.upon(StreamInputs.shut_down).to(send_shut)(_shut_down)
    for state in (opened, connected, send_shut):
        state.upon(StreamInputs.close).to(closed)(_close)
    closed.upon(StreamInputs.close).loop()(_nothing)
    return builder.build()


_new_turnstile = _turnstile_factory()
_new_stream = _stream_factory()


def turnstile() -> TurnstileInputs:
    """A turnstile that is locked."""
    return cast(TurnstileInputs, _new_turnstile(object()))


def stream() -> StreamInputs:
    """A stream that is empty."""
    return cast(StreamInputs, _new_stream(Core()))


RIVAL = Rival(turnstile=turnstile, stream=stream, refusal=NoTransition, every=5)
