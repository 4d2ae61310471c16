"""The facts of a real socket, as the system reports them, and where it reports them late or not at all."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace

import pytest
from loopback import HOST, raw_listener, until

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
