"""timeout= of every call that waits, blocking: it ends that call alone, and nothing is lost."""

from __future__ import annotations

import os
import socket
import time
from contextlib import ExitStack

import pytest
from loopback import LONG, open_descriptors
from waiting_calls import SCENES

import lifecycle
from lifecycle import Client, Server

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="half of the calls wait over a Unix-domain socket")


@pytest.mark.parametrize("name", SCENES)
def test_a_call_times_out_and_can_be_made_again(name: str) -> None:
    """After a time-out the object has its descriptor, blocking mode, timeout and state, and the call goes on when it can."""
    with ExitStack() as stack:
        place = SCENES[name](lifecycle, stack)
        subject = place.subject
        number, mode, descriptors = subject.fileno(), os.get_blocking(subject.fileno()), open_descriptors()
        for wrong, kind in ((-1, ValueError), ("1", TypeError), (float("nan"), ValueError)):
            with pytest.raises(kind):
                place.call(wrong)  # type: ignore[arg-type]
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            place.call(0.02)
        assert 0.02 <= time.monotonic() - began < LONG
        with pytest.raises(BlockingIOError):
            place.call(0)
        assert (subject.state, subject.timeout, subject.fileno()) == (place.during, None, number)
        assert (os.get_blocking(number), subject.is_blocking, open_descriptors()) == (mode, False, descriptors)
        place.end()
        if place.gives is not None:
            assert place.call(LONG) == place.gives


def test_none_waits_for_ever() -> None:
    """timeout=None waits although the object's timeout is 0, and one that is given to accept() is not the connection's."""
    with Server(timeout=0) as server, Client(timeout=0) as client:
        server.create(0, "127.0.0.1")
        server.listen()
        client.create()
        client.connect(*server.local_address, timeout=None)
        with server.accept(timeout=LONG) as accepted:
            assert (client.state, accepted.timeout) == ("connected", 0)
            client.send(b"x")
            assert accepted.receive(timeout=None) == b"x"
