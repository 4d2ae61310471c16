"""Makes the calls of datagram sockets end in each of their outcomes."""

from __future__ import annotations

import socket
from contextlib import suppress
from tempfile import TemporaryDirectory

from kernel import ERROR
from loopback import (
    LONG,
    datagram_pair,
    until_shows,
)
from provocations.attempts import MESSAGE, TICK, Provocation, fails
from provocations.descriptors_passed import fill_locally, locally, take_handles
from provocations.stream_data import expect, receive, without_data
from states import SOCKET_ROLES, World, arrange

from lifecycle import (
    Datagram,
    MessageTruncated,
)
from lifecycle.system.portable_calls import dissolve


def send_handles_to_gone_peer(w: World) -> None:
    locally(w)
    w.peer.close()
    fails(ConnectionRefusedError, w.subject.send_handles, MESSAGE, [0])


def receive_handles_after_refusal(w: World) -> None:
    locally(w, unread=MESSAGE)
    dissolve(w.peer)  # Linux reports ECONNRESET to the one whose message it leaves unread, at once
    w.subject.timeout = TICK
    fails(ConnectionResetError, take_handles, w)


def send_to_somebody(w: World) -> None:
    with datagram_pair() as (other, _):
        w.subject.send_to(MESSAGE, *other.get_sock_name())
        expect(other.receive(), MESSAGE)


def send_message_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    fill_locally(w)
    w.subject.timeout = timeout
    fails(error, w.subject.send, MESSAGE)


def send_to_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    locally(w)
    w.subject.timeout = timeout
    other = w.open(Datagram())
    other.create(path=w.open(TemporaryDirectory()) + "/s")
    with suppress(BlockingIOError):
        while True:
            w.subject._socket.sendto(MESSAGE, other.local_address.path)
    fails(error, lambda: w.subject.send_to(MESSAGE, path=other.local_address.path))


def send_to_gone_peer(w: World) -> None:
    w.peer.close()
    w.subject._socket.send(MESSAGE)
    until_shows(w.subject, ERROR)
    fails(ConnectionRefusedError, w.subject.send, MESSAGE)


def _message_for(w: World) -> None:
    """Put a message into the subject's queue."""
    if w.subject.state == "bound":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.sendto(MESSAGE, w.subject.get_sock_name())
    else:
        w.peer.send(MESSAGE)


def receiving_messages(call: str) -> dict[str, Provocation]:
    def message(w: World) -> None:
        _message_for(w)
        expect(receive(w, call), MESSAGE)

    def truncated(w: World) -> None:
        _message_for(w)
        fails(MessageTruncated, receive, w, call, 2)

    def refused(w: World) -> None:
        state = w.subject.state
        w.subject.close()
        w.subject = w.open(w.kind(timeout=LONG))
        arrange(w, SOCKET_ROLES["datagram"].state("connected").facts)
        w.peer.close()
        w.subject.send(MESSAGE)
        if state == "send_shut":
            w.subject.shut_down("sends")
        fails(ConnectionRefusedError, receive, w, call)

    return {
        "ok": message,
        "pending": lambda w: without_data(w, call, 0, BlockingIOError),
        "timed_out": lambda w: without_data(w, call, TICK, TimeoutError),
        "failed": truncated,
        "refused": refused,
    }
