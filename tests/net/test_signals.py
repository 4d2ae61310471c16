"""Signals while blocking calls wait: a storm of them loses nothing, and Ctrl-C in a wait leaves a state that is true."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from loopback import (
    HOST,
    LONG,
    SHORT,
    Background,
    client_and_raw_peer,
    connected_pair,
    crowd,
    datagram_pair,
    fill,
    listening,
    raw_listener,
    unanswering_listener,
    until,
)

from lifecycle import Accepted, Client, Datagram
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")


class Storm:
    """A signal every millisecond while its `with` block runs; `seen` counts how often its handler ran."""

    def __init__(self, period: float = 0.001) -> None:
        self.period = period
        self.seen = 0

    def handle(self, *_: object) -> None:
        self.seen += 1

    def __enter__(self) -> Storm:
        self._before = signal.signal(signal.SIGALRM, self.handle)
        signal.setitimer(signal.ITIMER_REAL, self.period, self.period)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)


class CtrlC(Storm):
    """Raises KeyboardInterrupt, once, in a call on `sock` that has waited for a while."""

    def __init__(self, sock: OsSocket) -> None:
        super().__init__(0.005)
        self._sock = sock

    def handle(self, *_: object) -> None:
        self.seen += self._sock.is_blocking
        if self.seen == 3:
            self.seen += 1
            raise KeyboardInterrupt


@contextmanager
def crowded_listener() -> Iterator[tuple[tuple[str, int], Callable[[], None]]]:
    """An address at which a connect waits until the function is called that makes room."""
    with raw_listener(backlog=0) as listener, ExitStack() as stack:
        crowd(listener, stack)
        yield listener.getsockname(), lambda: listener.listen(8)


# -- a storm of signals ------------------------------------------------------------------------------------------------------


def test_megabytes_sent_in_a_storm() -> None:
    """A long send that hundreds of signals interrupt sends everything once, and shows no EINTR."""
    payload = os.urandom(1 << 16) * 256
    with client_and_raw_peer(timeout=LONG) as (client, peer):

        def digest() -> str:
            taken = hashlib.sha256()
            while data := peer.recv(1 << 12):
                taken.update(data)
            return taken.hexdigest()

        reading = Background(digest)
        with Storm() as storm:
            assert client.send(payload) == len(payload)
            client.shut_down()
        assert reading.result() == hashlib.sha256(payload).hexdigest()
        assert storm.seen
        assert client.state == "send_shut"


def test_megabytes_received_in_a_storm() -> None:
    """Everything that is sent while signals interrupt the receives is received once, and shows no EINTR."""
    payload = os.urandom(1 << 16) * 64
    with connected_pair(timeout=LONG) as (client, accepted):

        def send() -> None:
            for start in range(0, len(payload), 1 << 14):
                assert client.send(payload[start : start + (1 << 14)])
            client.close()

        with Storm() as storm:
            sending = Background(send)
            taken = []
            while data := accepted.receive(1 << 11):
                taken.append(data)
        sending.result()
        assert b"".join(taken) == payload
        assert storm.seen
        assert accepted.state == "peer_closed"


def interrupted(storm: Storm, sock: OsSocket, event: Callable[[], Any], call: Callable[[], Any]) -> Any:
    """Make the call, and let the event that it waits for happen only after 20 signals have interrupted its wait."""

    def later() -> Any:
        until(lambda: sock.is_blocking)
        enough = storm.seen + 20
        until(lambda: storm.seen >= enough, "20 signals")
        return event()

    happening = Background(later)
    result = call()
    happening.result()
    return result


def test_waits_outlast_a_storm() -> None:
    """accept, receive, and a datagram's receive_from wait through signals until what they wait for comes."""
    with listening(timeout=LONG) as server, client_and_raw_peer(timeout=LONG) as (client, peer), Storm() as storm:
        connecting = interrupted(storm, client, lambda: peer.sendall(b"at last"), client.receive)
        assert connecting == b"at last"
        caller = socket.socket()
        with caller, interrupted(storm, server, lambda: caller.connect(server.get_sock_name()), server.accept) as accepted:
            assert accepted.state == "connected"
        with datagram_pair(timeout=LONG) as (one, other):
            there, back = one.get_sock_name(), other.get_sock_name()
            assert interrupted(storm, one, lambda: other.send_to(b"x", *there), one.receive_from) == (b"x", back)


def test_full_buffer_outlasts_a_storm() -> None:
    """A send into a full buffer waits through signals until the peer reads."""
    with connected_pair(timeout=LONG) as (client, accepted), Storm() as storm:
        filled = fill(client)

        def drain() -> int:
            taken = 0
            while taken < filled + 5:
                taken += len(accepted.receive(1 << 20))
            return taken

        assert interrupted(storm, client, drain, lambda: client.send(b"extra")) == 5


def test_connect_outlasts_a_storm() -> None:
    """A connect that has to wait makes its connection through a storm of signals."""
    with crowded_listener() as (address, make_room), Client(timeout=LONG) as client, Storm() as storm:
        client.create(0, HOST)
        interrupted(storm, client, make_room, lambda: client.connect(*address))
        assert client.state == "connected"


def test_timeout_in_a_storm() -> None:
    """A storm of signals neither shortens a time-out nor puts it off."""
    with Datagram(timeout=0.1) as datagram, Storm() as storm:
        datagram.create(0, HOST)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            datagram.receive()
        assert 0.1 <= time.monotonic() - began < LONG
        assert storm.seen > 1


# -- an interrupt that raises ------------------------------------------------------------------------------------------------


def test_ctrl_c_in_receive() -> None:
    """Ctrl-C in a receive leaves the connection as it was: what comes next is received."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        with pytest.raises(KeyboardInterrupt), CtrlC(client):
            client.receive()
        assert (client.state, client.is_blocking) == ("connected", False)
        peer.sendall(b"next")
        assert client.receive() == b"next"


def test_ctrl_c_in_send() -> None:
    """Ctrl-C in a send that waits leaves the connection as it was."""
    with connected_pair(timeout=LONG) as (client, accepted):
        filled = fill(client)
        with pytest.raises(KeyboardInterrupt), CtrlC(client):
            client.send(bytes(1 << 20))
        assert (client.state, client.is_blocking) == ("connected", False)
        client.shut_down()
        taken = 0
        while data := accepted.receive(1 << 20):
            taken += len(data)
        assert taken >= filled


def test_ctrl_c_in_accept() -> None:
    """Ctrl-C in an accept leaves the server listening and its target empty; the next accept fills it."""
    with listening(timeout=LONG) as server, Accepted() as target:
        with pytest.raises(KeyboardInterrupt), CtrlC(server):
            server.accept(target)
        assert (server.state, target.state, server.is_blocking) == ("listening", "empty", False)
        with socket.create_connection(server.get_sock_name(), LONG):
            assert server.accept(target).state == "connected"


def test_ctrl_c_in_datagram_receive() -> None:
    """Ctrl-C in a datagram's receive loses no message."""
    with datagram_pair(timeout=LONG) as (one, other):
        with pytest.raises(KeyboardInterrupt), CtrlC(one):
            one.receive()
        other.send_to(b"next", *one.get_sock_name())
        assert one.receive() == b"next"


def test_ctrl_c_in_connect() -> None:
    """Ctrl-C in a connect does not stop the system: the object is connecting, may wait on, and may be closed."""
    with unanswering_listener() as address, Client(timeout=LONG) as client:
        client.create(0, HOST)
        with pytest.raises(KeyboardInterrupt), CtrlC(client):
            client.connect(*address)
        assert (client.state, client.is_blocking) == ("connecting", False)
        client.timeout = SHORT
        with pytest.raises(TimeoutError):
            client.finish_connect()
        client.timeout = LONG
        with pytest.raises(KeyboardInterrupt), CtrlC(client):
            client.finish_connect()
        assert client.state == "connecting"
        client.close()
        assert client.state == "closed"


def test_ctrl_c_in_connect_then_finished() -> None:
    """After Ctrl-C in a connect, finish_connect() learns that the connection was made after all."""
    with crowded_listener() as (address, make_room), Client(timeout=LONG) as client:
        client.open()
        with pytest.raises(KeyboardInterrupt), CtrlC(client):
            client.connect(*address)
        assert client.state == "connecting"
        make_room()
        client.finish_connect()
        assert client.state == "connected"
        assert client.get_peer_name() == address
