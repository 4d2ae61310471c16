"""What every role with a socket has: getting one, its options, its end."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from lifecycle.conformance.model.environment import Handle, Place, Provocation, Under, ends, failing, plainly

MESSAGE = b"message"
RECEIVE_SIZE = 65536
NO_OPTION = 9999
BUFFER = 8192

ANY_PORT, TAKEN = Place("any port"), Place("the taken port")


def creation() -> tuple[Provocation, ...]:
    """The calls by which an object gets its socket and its address."""
    return (
        plainly("create", ANY_PORT, adds="addressed"),
        failing("create", TAKEN, how="on a taken port"),
        plainly("open"),
        Provocation("open", "", (), Under.SCARCE, (ends("failed"),)),
        plainly("bind", ANY_PORT, adds="addressed"),
        failing("bind", TAKEN, how="to a taken port"),
    )


def attaching(facts: Mapping[str, str]) -> tuple[Provocation, ...]:
    """attach() of a handle in each of these states, with the facts that come with it; and of no handle."""
    found = tuple(
        Provocation("attach", state, (Handle(state),), Under.AT_ONCE, (ends(state, adds=words),))
        for state, words in facts.items()
    )
    return (*found, failing("attach", Handle("none"), how="nothing"))


def options() -> tuple[Provocation, ...]:
    """The two option calls, with an option that exists and one that does not."""
    return (
        plainly("set_option", socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER),
        failing("set_option", socket.SOL_SOCKET, NO_OPTION, 1, how="unknown"),
        plainly("get_option", socket.SO_RCVBUF),
        failing("get_option", NO_OPTION, how="unknown"),
    )


def endings() -> tuple[Provocation, ...]:
    """The two calls that end the object."""
    return plainly("detach"), plainly("close")
