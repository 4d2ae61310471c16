"""The MFC checklist, section E: shutdown and close."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from typing import Any

import pytest
from loopback import (
    HOST,
    LONG,
    Background,
    accepted_and_raw_peer,
    client_and_raw_peer,
    connected_pair,
    listening,
    open_descriptors,
    until,
)
from refusals import bad_input, refused, unchanged
from sockets_in_states import CLASSES, Arrangement, bound, bring, in_any_state

from lifecycle import Client, ClosedDuringCall, Datagram
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket

every_pair = pytest.mark.parametrize("pair", [client_and_raw_peer, accepted_and_raw_peer])


def is_open(descriptor: int) -> bool:
    return descriptor in open_descriptors()


@every_pair
def test_row_075_shut_down_ends_sends_by_default(pair: type) -> None:
    """shut_down() without an argument ends sends: the peer sees the end of the stream."""
    with pair(timeout=LONG) as (end, peer):
        end.shut_down()
        assert end.state == "send_shut"
        assert peer.recv(1) == b""


@every_pair
def test_row_076_after_sends_were_ended_only_receiving_works(pair: type) -> None:
    """In `send_shut` send() and send_to() raise IllegalCall, and receive() still works."""
    with pair(timeout=LONG) as (end, peer):
        end.shut_down("sends")
        with refused(end, "send", "WSAESHUTDOWN"):
            end.send(b"data")
        with refused(end, "send_to", "WSAESHUTDOWN"):
            end.send_to(b"data")
        peer.sendall(b"data")
        assert end.receive() == b"data"


def test_row_077_the_peer_of_ended_sends_reads_to_the_end_and_may_answer() -> None:
    """The peer receives what was queued, then b"", and can still send back."""
    with connected_pair(timeout=LONG) as (client, accepted):
        client.send(b"question")
        client.shut_down("sends")
        assert accepted.receive() == b"question"
        assert accepted.receive() == b""
        assert accepted.state == "peer_closed"
        assert accepted.send(b"answer") == 6
        assert client.receive() == b"answer"


@every_pair
@pytest.mark.parametrize("how", ["receives", 0])
def test_row_078_after_receives_were_ended_only_sending_works(pair: type, how: Any) -> None:
    """In `receive_shut` receive() raises IllegalCall, also for what was queued before, and send() still works."""
    with pair(timeout=LONG) as (end, peer):
        peer.sendall(b"data")
        until(lambda: end.io_ctl() == 4)
        end.shut_down(how)
        assert end.state == "receive_shut"
        with refused(end, "receive", "WSAESHUTDOWN"):
            end.receive()
        with refused(end, "receive_from", "WSAESHUTDOWN"):
            end.receive_from()
        assert end.send(b"answer") == 6
        assert peer.recv(6) == b"answer"


@every_pair
@pytest.mark.parametrize("how", ["both", 2])
def test_row_079_after_both_were_ended_neither_works(pair: type, how: Any) -> None:
    """In `shut` send() and receive() raise IllegalCall."""
    with pair(timeout=LONG) as (end, _):
        end.shut_down(how)
        assert end.state == "shut"
        with refused(end, "send", "WSAESHUTDOWN"):
            end.send(b"data")
        with refused(end, "receive", "WSAESHUTDOWN"):
            end.receive()


@pytest.mark.parametrize("how", [3, -1, "neither", "", None, True, b"sends"])
def test_row_080_shut_down_of_no_direction_is_bad_input(how: Any) -> None:
    """shut_down(3) and the like raise ValueError, where Winsock says WSAEINVAL; both directions stay open."""
    with connected_pair(timeout=LONG) as (client, accepted):
        with bad_input(client, ValueError):
            client.shut_down(how)
        assert client.state == "connected"
        client.send(b"still")
        assert accepted.receive() == b"still"
        accepted.send(b"open")
        assert client.receive() == b"open"


def test_row_081_shut_down_of_an_unconnected_stream_is_refused() -> None:
    """shut_down() of a client that is bound, or only open, raises IllegalCall."""
    with Client() as client:
        client.open()
        with refused(client, "shut_down", "WSAENOTCONN"):
            client.shut_down()
        client.bind(0, HOST)
        with refused(client, "shut_down", "WSAENOTCONN"):
            client.shut_down()


def test_row_082_shut_down_of_an_unconnected_datagram_socket_is_refused() -> None:
    """Winsock takes it, Linux answers ENOTCONN and is poisoned: legal means portable, so it needs a peer first."""
    with bound(Datagram) as datagram:
        assert isinstance(datagram, Datagram)
        with refused(datagram, "shut_down", "ok"):
            datagram.shut_down()
        assert datagram.role.remedy("bound", "shut_down") == ("connect",)
        datagram.connect(*datagram.get_sock_name())
        datagram.shut_down()
        assert datagram.state == "send_shut"


@every_pair
def test_row_083_a_socket_that_was_shut_down_is_still_held(pair: type) -> None:
    """In `shut` the descriptor is open and get_sock_name() works; close() gives the descriptor back."""
    with pair() as (end, _):
        local, descriptor = end.get_sock_name(), end.fileno()
        end.shut_down("both")
        assert (end.get_sock_name(), end.fileno()) == (local, descriptor)
        assert is_open(descriptor)
        end.close()
        assert end.fileno() == -1
        assert not is_open(descriptor)


@every_pair
@pytest.mark.parametrize("order", [("sends", "receives"), ("receives", "sends"), (1, 0)])
def test_row_084_ended_directions_accumulate(pair: type, order: tuple[Any, Any]) -> None:
    """Ending the one direction and then the other leads to `shut`; ending either once more changes nothing."""
    with pair(timeout=LONG) as (end, peer):
        for how in order:
            end.shut_down(how)
        assert end.state == "shut"
        assert peer.recv(1) == b""
        with unchanged(end):
            for how in (*order, "both"):
                end.shut_down(how)


@every_pair
@pytest.mark.parametrize("state", ["send_shut", "receive_shut", "shut"])
def test_row_085_a_socket_that_was_shut_down_does_not_connect_again(pair: type, state: str) -> None:
    """connect() after shut_down() raises IllegalCall: a new connection takes a new object."""
    with pair(timeout=LONG) as (end, peer):
        bring(end, peer, state)
        with refused(end, "connect", "WSAEISCONN"):
            end.connect(HOST, 9)


@in_any_state
def test_row_086_close_works_in_any_state_and_again(arranged: Arrangement) -> None:
    """close() leads to `closed` from every state and frees the descriptor; closing again does nothing."""
    with arranged() as target:
        descriptor = target.fileno()
        target.close()
        assert (target.state, target.fileno(), target.legal) == ("closed", -1, ("close",))
        assert not is_open(descriptor)
        with unchanged(target):
            target.close()


@pytest.mark.parametrize("kind", CLASSES)
def test_row_087_a_closed_object_refuses(kind: type[OsSocket]) -> None:
    """send() and every other call of a closed object raises IllegalCall: Winsock would answer WSAENOTSOCK."""
    target: Any
    with kind() as target:
        target.close()
        for call, arguments in (("send", (b"data",)), ("receive", ()), ("get_sock_name", ()), ("shut_down", ())):
            with refused(target, call, "WSAENOTSOCK"):
                getattr(target, call)(*arguments)
        assert target.role.reason("closed", "get_sock_name") == "Closed is final: make a new object"


@in_any_state
def test_row_088_a_forgotten_object_closes_itself(arranged: Arrangement) -> None:
    """An object that goes out of scope gives its descriptor back, and warns as Python's own sockets do."""
    with arranged() as target:
        descriptor = os.dup(target.fileno())
        forgotten = type(target)()
        forgotten.attach(descriptor)
        assert is_open(descriptor)
        with pytest.warns(ResourceWarning, match=f"unclosed <lifecycle.{type(target).__name__}"):
            del forgotten
            gc.collect()
        assert not is_open(descriptor)


def test_row_089_close_ends_a_call_that_is_blocked() -> None:
    """close() while receive() or accept() waits in another thread ends that call with ClosedDuringCall (MFC: WSAEINTR)."""
    with client_and_raw_peer() as (client, peer), listening() as server:
        closes_under(client, client.receive)
        closes_under(server, server.accept)
        assert peer.recv(1) == b""


def closes_under(target: OsSocket, call: Callable[[], object]) -> None:
    """Close `target` while `call` waits on it."""
    blocked = Background(call)
    until(lambda: target.is_blocking)
    target.close()
    with pytest.raises(ClosedDuringCall, match="closed or detached"):
        blocked.result()
    assert (target.state, target.fileno(), target.is_blocking) == ("closed", -1, False)
