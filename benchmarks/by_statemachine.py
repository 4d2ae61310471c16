"""The turnstile and the stream by python-statemachine. Its method `send` has a meaning, so the event is `transmit`."""

from __future__ import annotations

import socket

from statemachine import State, StateMachine
from statemachine.exceptions import TransitionNotAllowed

from benchmarks.rivals import Rival


class Turnstile(StateMachine):
    """Two states, and handlers that do nothing."""

    locked = State(initial=True)
    unlocked = State()
    coin = locked.to(unlocked)
    push = unlocked.to(locked)

    def on_coin(self) -> None:
        """The handler."""

    def on_push(self) -> None:
        """The handler."""


class StreamMachine(StateMachine):
    """The states of a stream; an event returns what its handler returns."""

    empty = State(initial=True)
    opened = State()
    connected = State()
    send_shut = State()
    closed = State(final=True)

    open = empty.to(opened)
    connect = opened.to(connected)
    accepted = empty.to(connected)
    transmit = connected.to(connected, internal=True)
    receive = connected.to(connected, internal=True) | send_shut.to(send_shut, internal=True)
    shut_down = connected.to(send_shut)
    close = opened.to(closed) | connected.to(closed) | send_shut.to(closed)

    sock: socket.socket

    def on_open(self) -> None:
        self.sock = socket.socket()

    def on_connect(self, address: tuple[str, int]) -> None:
        self.sock.connect(address)

    def on_accepted(self, connection: socket.socket) -> None:
        self.sock = connection

    def on_transmit(self, data: bytes) -> None:
        self.sock.sendall(data)

    def on_receive(self, size: int) -> bytes:
        return self.sock.recv(size)

    def on_shut_down(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def on_close(self) -> None:
        self.sock.close()


class Stream:
    """Gives the events of a machine the names of the calls."""

    __slots__ = ("_machine", "accepted", "close", "connect", "open", "receive", "send", "shut_down")

    def __init__(self) -> None:
        machine = self._machine = StreamMachine()
        self.open, self.connect, self.accepted = machine.open, machine.connect, machine.accepted
        self.send, self.receive = machine.transmit, machine.receive
        self.shut_down, self.close = machine.shut_down, machine.close


RIVAL = Rival(turnstile=Turnstile, stream=Stream, refusal=TransitionNotAllowed, every=50)
