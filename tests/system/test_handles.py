"""The facts of a real socket, as the system reports them, and where it reports them late or not at all."""

from __future__ import annotations

import ctypes
import errno
import select
import signal
import socket
import sys
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from loopback import HOST, raw_listener, until, unused_port

from lifecycle.roles.facts import BOUND, BROKEN, LINKED, LISTENING, OPEN, OVER, PEER, SEEKING, Receives
from lifecycle.system import handles
from lifecycle.system.handles import facts_of


def test_facts_of_sockets_without_a_connection() -> None:
    """A new socket is open, then bound, then listening; a closed one is over; a datagram socket has a peer or not."""
    with socket.socket() as plain, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        for sock in (plain, datagram):
            sock.setblocking(False)
            assert facts_of(sock) == OPEN
            sock.bind((HOST, 0))
            assert facts_of(sock) == BOUND
        plain.listen()
        assert facts_of(plain) == LISTENING
        datagram.connect(datagram.getsockname())
        assert facts_of(datagram) == PEER
    assert facts_of(plain) == OVER


def test_a_refused_datagram_ends_no_receives() -> None:
    """The error that waits for the next call is not an end: the socket has a peer, and may send and receive."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect((HOST, unused_port(socket.SOCK_DGRAM)))
        sock.send(b"to nobody")
        until(lambda: bool(select.select([sock], [], [], 0)[0]))
        assert facts_of(sock) == PEER


def test_without_a_peek_a_connection_counts_as_open() -> None:
    """peek=False takes no pending error and looks at no data: a connection whose end has arrived still counts as open."""
    with raw_listener() as listener, socket.create_connection(listener.getsockname()) as sock:
        listener.accept()[0].close()
        sock.setblocking(False)
        until(lambda: facts_of(sock) != LINKED)
        assert facts_of(sock, peek=False) == LINKED
        assert facts_of(sock).receives is Receives.EOF


@pytest.mark.parametrize("state", [handles.SYN_SENT, handles.SYN_RECEIVED])
def test_a_connection_that_is_not_made_yet_is_sought(state: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """TCP's states before the connection, on either side of a simultaneous open, are a connect that is under way."""
    monkeypatch.setattr(handles, "_tcp_state", lambda sock: state)
    with socket.socket() as sock:
        sock.setblocking(False)
        assert facts_of(sock) == SEEKING


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        (b"rest", BROKEN),  # what arrived before the reset may still be read
        (b"", replace(LINKED, sends=False, receives=Receives.EOF)),
        (errno.ECONNRESET, BROKEN),
        (errno.ENOTCONN, OPEN),
    ],
)
def test_a_connection_without_a_peer_has_ended(head: object, facts: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no peer any more, what is left to receive says whether it was a reset or the end."""
    monkeypatch.setattr(handles, "_peek", lambda sock: head)
    with socket.socket() as sock:
        sock.setblocking(False)
        assert facts_of(sock) == facts


@pytest.mark.skipif(sys.platform == "win32", reason="its signal handlers run in another thread")
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="a fact of CPython")
def test_what_an_operator_gives_is_stored_before_a_signal_handler_runs() -> None:
    """What an operator gives, or the unpacked map() of a call in C, is not lost to a signal handler; what a call gives is."""
    signal_itself: Any = ctypes.CDLL(None)["raise"]

    class Interrupt(BaseException):
        pass

    class Operand:
        __lshift__ = signal_itself
        __invert__ = staticmethod(partial(signal_itself, int(signal.SIGUSR1)))

    def handle(*_: object) -> None:
        raise Interrupt

    operand, number = Operand(), int(signal.SIGUSR1)
    by_operator = by_inversion = by_unpacking = by_call = None
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with pytest.raises(Interrupt):
            by_operator = operand << number  # type: ignore[operator]
            assert not handle
        with pytest.raises(Interrupt):
            by_inversion = ~operand
            assert not handle
        with pytest.raises(Interrupt):
            (by_unpacking,) = map(signal_itself, (number,))
            assert not handle
        with pytest.raises(Interrupt):
            by_call = signal_itself(number)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert (by_operator, by_inversion, by_unpacking, by_call) == (0, 0, 0, None)
