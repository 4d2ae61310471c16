"""Real sockets are brought into the states of the roles: what the system says of them are the facts of the state."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress

import pytest
from loopback import LONG

from lifecycle import ACCEPTED, CLIENT, DATAGRAM, SERVER, Role
from lifecycle.conformance.adapters.peers import KINDS
from lifecycle.conformance.adapters.setup_states import Sockets, arrange
from lifecycle.engine import State
from lifecycle.roles.words import ATTACH
from lifecycle.system.handles import facts_of

ATTACHABLE = [
    (role, state)
    for role in (SERVER, CLIENT, ACCEPTED, DATAGRAM)
    for state in role.states
    if state.name in role.table[role.initial][ATTACH.name]
]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the state of TCP's own machine")
@pytest.mark.parametrize(("role", "state"), ATTACHABLE, ids=lambda thing: thing.name)
def test_a_socket_has_the_facts_of_its_state(role: Role, state: State) -> None:
    """Whatever state attach() may find a handle in, a socket is made of which its facts are true."""
    sockets = Sockets()
    try:
        handle, peer = arrange(sockets, KINDS[role.name], state.facts)
        assert facts_of(handle) == state.facts
        assert (peer is None) == (state.facts.link in ("no", "listening", "seeking"))
        for sock in (handle, peer):
            if sock is not None:
                sock.close()
    finally:
        sockets.close()


def test_a_silent_address_answers_nobody_and_a_closed_one_refuses() -> None:
    """A connect to the one is under way for good, and to the other it is refused."""
    sockets = Sockets()
    try:
        kind = KINDS[CLIENT.name]
        with sockets.new(kind) as seeker:
            with suppress(BlockingIOError):
                seeker.connect(sockets.silence(kind))
            assert seeker.connect_ex(sockets.silence(kind)) != 0
        with sockets.new(kind) as seeker:
            seeker.setblocking(True)
            with pytest.raises(ConnectionRefusedError):
                seeker.connect(sockets.nobody(kind))
    finally:
        sockets.close()


@pytest.mark.parametrize("role", [CLIENT, DATAGRAM], ids=lambda role: role.name)
def test_an_address_that_nobody_has_is_given_to_no_other_socket(role: Role) -> None:
    """The port stays taken, and what comes there is refused: a free one could be given to the socket that connects to it."""
    sockets = Sockets()
    kind = KINDS[role.name]
    try:
        address = sockets.nobody(kind)
        with sockets.new(kind) as another, pytest.raises(OSError, match="in use"):
            another.bind(address)
        if kind == socket.SOCK_DGRAM:
            with sockets.new(kind) as sender:
                sender.connect(address)
                sender.send(b"x")
                sender.settimeout(LONG)
                with pytest.raises(ConnectionRefusedError):
                    sender.recv(1)
    finally:
        sockets.close()
