"""Makes the calls of TLS end in each of their outcomes."""

from __future__ import annotations

import socket

from kernel import DATA, ERROR
from loopback import (
    LONG,
    fill,
    reset,
    until_shows,
)
from provocations.attempts import MESSAGE, fails
from provocations.connections import cancelled
from provocations.stream_data import expect
from states import World, arrange

from lifecycle import (
    HandshakeRefused,
    PlainTextUnread,
    SocketFile,
)
from lifecycle.conformance.adapters.certificates import context_of


def _shake_hands(w: World) -> None:
    """Begin the handshake, or go on with it."""
    if w.subject.state == "connected":
        w.subject.start_tls(w.context())
    else:
        w.subject.finish_tls()


def handshake_without_peer(w: World, timeout: float, error: type[OSError]) -> None:
    w.subject.timeout = timeout
    fails(error, _shake_hands, w)


def finish_tls(w: World) -> None:
    tls = w.peer_begins_tls()
    w.subject.finish_tls()
    tls.finish()
    expect(tls.failure, None)


def refuse_the_handshake(w: World) -> None:
    w.peer_begins_tls("stranger")
    fails(HandshakeRefused, _shake_hands, w)


def reset_the_handshake(w: World) -> None:
    reset(w.peer)
    until_shows(w.subject, ERROR)
    fails(ConnectionError, _shake_hands, w)


def start_tls_under_a_file(w: World) -> None:
    w.peer.send(MESSAGE)
    until_shows(w.subject, DATA)
    file = w.open(SocketFile(w.subject, archive_compatible=False))
    w.subject.timeout = 0
    expect(file.read(len(MESSAGE) + 1), None)
    fails(PlainTextUnread, w.subject.start_tls, w.context())


def start_tls_as_the_other_side(w: World) -> None:
    fails(OSError, w.subject.start_tls, context_of(not w.is_tls_server))


def _end_with_full_buffers(w: World) -> None:
    """Replace a subject that has ended TLS by one whose close_notify has not gone out."""
    w.subject.close()
    w.peer.close()
    w.peer = socket.socket()
    w.subject = w.open(w.kind(timeout=LONG))
    arrange(w, w.kind.role.state("secured_peer_closed").facts)
    fill(w.subject)
    w.subject.shut_down("sends")


def stop_in_vain(w: World, timeout: float, error: type[OSError]) -> None:
    _end_with_full_buffers(w)
    w.subject.timeout = timeout
    fails(error, w.subject.stop_tls)


def cancel_the_stop(w: World) -> None:
    _end_with_full_buffers(w)
    cancelled(w, w.subject.stop_tls)


def stop_after_reset(w: World) -> None:
    _end_with_full_buffers(w)
    reset(w.peer)
    until_shows(w.subject, ERROR)
    fails(ConnectionError, w.subject.stop_tls)
