"""Makes calls that get and give handles end in each of their outcomes."""

from __future__ import annotations

import os
import socket
import sys

import pytest
from descriptors import no_descriptors_left
from loopback import (
    HOST,
)
from provocations.attempts import Provocation, fails
from states import World, handle_for

from lifecycle import (
    Server,
)
from lifecycle.engine import Role
from lifecycle.roles.facts import PEER, Facts, Link


def create_on_used_port(w: World) -> None:
    kind = w.kind._kind
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        fails(OSError, w.subject.create, other.getsockname()[1], HOST)


def open_without_descriptors(w: World) -> None:
    with no_descriptors_left():
        fails(OSError, w.subject.open)


def bind_used_port(w: World) -> None:
    kind = w.kind._kind
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((HOST, 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        fails(OSError, w.subject.bind, other.getsockname()[1], HOST)


def listen_beside_a_listener(w: World) -> None:
    with Server() as rival:
        rival.create(w.subject.get_sock_name().port, HOST)
        rival.listen()
        fails(OSError, w.subject.listen)


def _attach_nothing(w: World) -> None:
    sock = socket.socket()
    number = sock.fileno()
    sock.close()
    fails(OSError, w.subject.attach, number)


def _attach(at: Facts) -> Provocation:
    def provoke(w: World) -> None:
        if sys.platform != "linux" and at.link is Link.PEER and at != PEER:
            pytest.skip("only Linux shows which directions of a datagram socket were shut down")
        handle = handle_for(w, at)
        w.stack.callback(handle.close)
        w.subject.attach(handle)

    return provoke


def attaching(role: Role, *names: str) -> dict[str, Provocation]:
    """attach() of a handle in each state of the role that has a socket, or in those of these names."""
    states = [state for state in role.states if state.facts.handle and (not names or state.name in names)]
    return {"failed": _attach_nothing, **{state.name: _attach(state.facts) for state in states}}


def detach(w: World) -> None:
    os.close(w.subject.detach())
