"""A wait ends: by its time-out, a close or a cancellation, whatever the system reports to be ready."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from event_loops import on_every_loop
from loopback import HOST, LONG, Background, connected_pair, datagram_pair, until

from lifecycle import BlockingCallCancelled, ClosedDuringCall, Datagram, aio
from lifecycle.net.blocking import driver

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has error queues")

MOST = 0.5
"""The share of the processor's time that a wait may take at most"""

ENDS: dict[str, tuple[Callable[[Any], object], type[Exception]]] = {
    "close": (lambda sock: sock.close(), ClosedDuringCall),
    "cancel": (lambda sock: sock.cancel_blocking_call(), BlockingCallCancelled),
}


def error_queue(sock: Any) -> bytes:
    """Wait for the error queue, which is empty while poll(2) reports the message that waits beside it."""
    found: bytes = sock.receive(10, socket.MSG_ERRQUEUE)
    return found


def test_a_timeout_ends_a_wait_that_is_ready_in_vain() -> None:
    """Where the system reports again and again what is not there, the time-out ends the call, and little time is computed."""
    with connected_pair(timeout=0.3) as (client, accepted), datagram_pair(timeout=0.3) as (one, other):
        accepted.send(b"x")
        other.send_to(b"x", *one.get_sock_name())
        began, computed = time.monotonic(), time.thread_time()
        for sock in (client, one):
            with pytest.raises(TimeoutError):
                error_queue(sock)
        assert 0.6 <= time.monotonic() - began < LONG
        assert time.thread_time() - computed < MOST * 0.6


@pytest.mark.parametrize("end", ENDS)
def test_a_call_ends_a_wait_that_is_ready_in_vain(end: str) -> None:
    """close() and cancel_blocking_call() end such a wait."""
    with datagram_pair(timeout=LONG) as (one, other):
        other.send_to(b"x", *one.get_sock_name())
        waiting = Background(lambda: error_queue(one))
        until(lambda: one.is_blocking)
        ending, error = ENDS[end]
        ending(one)
        with pytest.raises(error):
            waiting.result()


@on_every_loop
async def test_awaited_waits_that_are_ready_in_vain_end() -> None:
    """Awaited, a cancellation, a close and cancel_blocking_call() end such a wait, and little time is computed meanwhile."""
    for ending, error in ENDS.values():
        async with aio.Datagram() as one, aio.Datagram() as other:
            for sock in (one, other):
                await sock.create(0, HOST)
            await other.send_to(b"x", *one.get_sock_name())
            computed = time.process_time()
            with anyio.move_on_after(0.2) as scope:
                await one.receive(10, socket.MSG_ERRQUEUE)
            assert scope.cancelled_caught
            assert time.process_time() - computed < MOST
            with pytest.raises(error):
                async with anyio.create_task_group() as tasks:

                    async def end(ending: Callable[[Any], object] = ending, one: Any = one) -> None:
                        await anyio.sleep(0.05)
                        ending(one)

                    tasks.start_soon(end)
                    try:
                        await one.receive(10, socket.MSG_ERRQUEUE)
                    except (ClosedDuringCall, BlockingCallCancelled) as caught:
                        found = caught
                raise found


@pytest.mark.parametrize(
    ("how", "state"), [(socket.SHUT_RD, "receive_shut"), (socket.SHUT_WR, "send_shut"), (socket.SHUT_RDWR, "shut")]
)
def test_a_datagram_socket_that_was_shut_down_is_attached_as_such(how: int, state: str) -> None:
    """attach() enters the state in which what was shut down is not legal, whose receive would never end."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, Datagram() as datagram:
        sock.bind((HOST, 0))
        sock.connect(sock.getsockname())
        sock.shutdown(how)
        datagram.attach(sock)
        assert datagram.state == state
        datagram.shut_down("both")
        assert datagram.state == "shut"


def test_a_datagram_socket_that_was_shut_down_without_a_peer_is_not_attached() -> None:
    """Linux answers ENOTCONN to shutdown() and ends receives: attach() refuses such a socket, and the caller keeps it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, Datagram() as datagram:
        sock.bind((HOST, 0))
        with pytest.raises(OSError, match="not connected"):
            sock.shutdown(socket.SHUT_RD)
        number = sock.fileno()
        with pytest.raises(ValueError, match="was shut down without a peer"):
            datagram.attach(sock)
        assert (datagram.state, datagram.fileno(), sock.fileno(), sock.getblocking()) == ("empty", -1, number, True)


@pytest.mark.parametrize("end", ENDS)
def test_a_wait_of_a_moment_can_be_ended(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The moment in which a receive first polls counts as waiting: a cancellation or a close in it ends the call."""
    how, error = ENDS[end]
    with connected_pair() as (client, _):

        def poll_and_be_ended(number: int) -> bool:
            assert client.is_blocking
            how(client)
            return False

        monkeypatch.setattr(driver, "is_readable_soon", poll_and_be_ended)
        with pytest.raises(error):
            client.receive()
        assert not client.is_blocking
