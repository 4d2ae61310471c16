"""The turnstile and the stream by transitions: one machine shared by all objects, its cheapest form.

`Machine(model=object)`, the form of its manual, is measured for memory only: every object then costs a machine, or a place in
a list that is searched.
"""

from __future__ import annotations

import socket
from typing import Any

from transitions import Machine, MachineError

from benchmarks.rivals import Rival

STREAM_STATES = ["empty", "open", "connected", "send_shut", "closed"]

STREAM_ROWS: list[dict[str, Any]] = [
    {"trigger": "open", "source": "empty", "dest": "open", "before": "do_open"},
    {"trigger": "connect", "source": "open", "dest": "connected", "before": "do_connect"},
    {"trigger": "accepted", "source": "empty", "dest": "connected", "before": "do_accepted"},
    {"trigger": "send", "source": "connected", "dest": None, "before": "do_send"},
    {"trigger": "receive", "source": ["connected", "send_shut"], "dest": None, "before": "do_receive"},
    {"trigger": "shut_down", "source": "connected", "dest": "send_shut", "before": "do_shut_down"},
    {"trigger": "close", "source": "*", "dest": "closed", "before": "do_close"},
]


def stream_machine(model: object = None) -> Machine:
    """A machine with the rows of a stream."""
    return Machine(model=model, states=STREAM_STATES, transitions=STREAM_ROWS, initial="empty", auto_transitions=False)


class Turnstile:
    """Holds its state; transitions changes it."""

    __slots__ = ("state",)

    machine = Machine(
        model=None,
        states=["locked", "unlocked"],
        transitions=[
            {"trigger": "coin", "source": "locked", "dest": "unlocked", "before": "nothing"},
            {"trigger": "push", "source": "unlocked", "dest": "locked", "before": "nothing"},
        ],
        initial="locked",
        auto_transitions=False,
    )
    events = machine.events

    def __init__(self) -> None:
        self.state = "locked"

    def coin(self) -> object:
        return self.events["coin"].trigger(self)

    def push(self) -> object:
        return self.events["push"].trigger(self)

    def nothing(self) -> None:
        """The handler."""


class Handlers:
    """What the machine calls. A trigger returns only a bool, so a handler leaves its result in `value`."""

    __slots__ = ("__dict__", "sock", "value")

    sock: socket.socket
    value: Any

    def do_open(self) -> None:
        self.sock = socket.socket()

    def do_connect(self, address: tuple[str, int]) -> None:
        self.sock.connect(address)

    def do_accepted(self, connection: socket.socket) -> None:
        self.sock = connection

    def do_send(self, data: bytes) -> None:
        self.sock.sendall(data)
        self.value = None

    def do_receive(self, size: int) -> None:
        self.value = self.sock.recv(size)

    def do_shut_down(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def do_close(self) -> None:
        self.sock.close()


class Stream(Handlers):
    """Fires the events of one shared machine, and returns what the handler left."""

    __slots__ = ("state",)

    events = stream_machine().events

    def __init__(self) -> None:
        self.state = "empty"

    def open(self) -> object:
        return self.events["open"].trigger(self)

    def connect(self, address: tuple[str, int]) -> object:
        return self.events["connect"].trigger(self, address)

    def accepted(self, connection: socket.socket) -> object:
        return self.events["accepted"].trigger(self, connection)

    def send(self, data: bytes) -> object:
        self.events["send"].trigger(self, data)
        return self.value

    def receive(self, size: int) -> Any:
        self.events["receive"].trigger(self, size)
        return self.value

    def shut_down(self) -> object:
        return self.events["shut_down"].trigger(self)

    def close(self) -> object:
        return self.events["close"].trigger(self)


def with_machine_of_its_own() -> Any:
    """A stream as the manual makes it: a machine per object, which gives the object its triggers."""
    handlers = Handlers()
    stream_machine(handlers)
    return handlers


def registered_with(shared: Machine) -> Any:
    """A stream that was added to a machine, which gives it its triggers."""
    handlers = Handlers()
    shared.add_model(handlers)
    return handlers


RIVAL = Rival(turnstile=Turnstile, stream=Stream, refusal=MachineError, every=5)
