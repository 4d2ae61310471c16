"""A connect to a name of several addresses: which one is used, with which options, and that the others are closed."""

from __future__ import annotations

import gc
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from unittest.mock import patch

import pytest
from descriptors import same_descriptors
from hosts import SECOND, THIRD, needs_more_hosts
from loopback import (
    HOST,
    LONG,
    SHORT,
    Background,
    open_descriptors,
    peer_of,
    raw_listener,
    unanswering_listener,
    until,
    unused_port,
)
from sockets_in_states import full_queue

from lifecycle import Client
from lifecycle.net.operations.connecting import CONNECTION_ATTEMPT_DELAY


@contextmanager
def name_of(*hosts: str) -> Iterator[None]:
    """Every name means these hosts."""

    def look_up(host: str, port: int, family: int = 0, type: int = 0, *more: Any) -> Any:
        return [(socket.AF_INET, type, 0, "", (each, port)) for each in hosts]

    with patch.object(socket, "getaddrinfo", look_up):
        yield


@needs_more_hosts
@pytest.mark.parametrize("begin", ["create", "open"])
def test_the_next_address_is_tried_with_the_same_options(begin: str) -> None:
    """A name's second address is connected to where the first refuses, with the options that were set, by one descriptor."""
    with same_descriptors(), raw_listener() as listener, name_of(SECOND, HOST), Client(timeout=LONG) as client:
        getattr(client, begin)()
        client.set_option(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        client.set_option(level=socket.IPPROTO_TCP, option=socket.TCP_NODELAY, value=1)
        before = open_descriptors()
        client.connect("two.invalid", listener.getsockname()[1])
        assert client.peer_address == listener.getsockname()
        assert client.get_option(socket.SO_KEEPALIVE)
        assert client.get_option(socket.TCP_NODELAY, level=socket.IPPROTO_TCP)
        assert len(open_descriptors()) == len(before)
        assert not os.get_blocking(client.fileno())


@needs_more_hosts
@pytest.mark.parametrize(
    "bind", [lambda client: client.create(0, SECOND), lambda client: (client.open(), client.bind(0, SECOND))]
)
def test_a_bound_client_keeps_its_address_for_every_attempt(bind: Callable[[Any], object]) -> None:
    """A client that was given a local address connects from it, whichever address of the name answers."""
    with raw_listener() as listener, name_of(THIRD, HOST), Client(timeout=LONG) as client:
        bind(client)
        mine = client.get_sock_name()
        client.connect("two.invalid", listener.getsockname()[1])
        assert client.get_sock_name() == mine
        assert peer_of(listener) == mine


@needs_more_hosts
def test_an_attempt_that_does_not_answer_is_overtaken() -> None:
    """Where the first address does not answer, the second one is connected to beside it, and one descriptor is left."""
    with ExitStack() as stack:
        address = stack.enter_context(unanswering_listener())
        stack.enter_context(socket.create_server((SECOND, address[1])))
        stack.enter_context(name_of(HOST, SECOND))
        client = stack.enter_context(Client(timeout=LONG))
        client.create()
        before = open_descriptors()
        client.connect("slow.invalid", address[1])
        assert client.peer_address == (SECOND, address[1])
        assert len(open_descriptors()) == len(before)


@needs_more_hosts
def test_a_refusal_begins_the_next_attempt_while_another_goes_on() -> None:
    """Where the second address refuses, the third is tried at once; of the attempts that did not win, nothing is left."""
    with ExitStack() as stack:
        address = stack.enter_context(unanswering_listener())
        stack.enter_context(socket.create_server((THIRD, address[1])))
        stack.enter_context(name_of(HOST, SECOND, THIRD))
        client = stack.enter_context(Client(timeout=LONG))
        client.create()
        before = open_descriptors()
        begin = time.monotonic()
        client.connect("slow.invalid", address[1])
        assert time.monotonic() - begin < 2 * CONNECTION_ATTEMPT_DELAY
        assert client.peer_address == (THIRD, address[1])
        assert len(open_descriptors()) == len(before)


@needs_more_hosts
def test_every_attempt_that_did_not_win_is_closed() -> None:
    """Two attempts that nobody answers are closed when the third is connected, and one descriptor is left."""
    with ExitStack() as stack:
        address = stack.enter_context(unanswering_listener())
        stack.enter_context(socket.create_server((THIRD, address[1])))
        stack.enter_context(name_of("192.0.2.1", HOST, THIRD))
        client = stack.enter_context(Client(timeout=LONG))
        client.open()
        before = open_descriptors()
        client.connect("slow.invalid", address[1])
        gc.collect()
        assert client.peer_address == (THIRD, address[1])
        assert len(open_descriptors()) == len(before)


@needs_more_hosts
def test_the_attempt_that_goes_on_becomes_the_objects_own() -> None:
    """Where the object's own attempt was refused, a connect that times out goes on over the socket of another one."""
    with ExitStack() as stack:
        address = stack.enter_context(unanswering_listener())
        stack.enter_context(name_of(SECOND, HOST))
        client = stack.enter_context(Client(timeout=SHORT))
        client.create()
        before = open_descriptors()
        with pytest.raises(TimeoutError):
            client.connect("slow.invalid", address[1])
        assert client.state == "connecting"
        assert len(open_descriptors()) == len(before)
        client.timeout = 0
        with pytest.raises(BlockingIOError):
            client.finish_connect()
        assert client.state == "connecting"


@needs_more_hosts
def test_when_every_address_refuses_nothing_is_left() -> None:
    """The first error is raised, its cause has all of them, and the client has the one descriptor that it had."""
    with Client(timeout=LONG) as client, name_of(HOST, SECOND):
        client.create()
        before = open_descriptors(), client.fileno(), client.get_sock_name()
        with pytest.raises(ConnectionRefusedError) as failure:
            client.connect("two.invalid", unused_port())
        assert isinstance(failure.value.__cause__, ExceptionGroup)
        assert len(failure.value.__cause__.exceptions) == 2
        assert (open_descriptors(), client.fileno(), client.get_sock_name()) == before
        assert client.state == "bound"


@needs_more_hosts
def test_a_full_queue_is_waited_for_while_another_address_refuses() -> None:
    """The connect ends when there is room for it, although nothing is received."""
    with full_queue() as (server, _), Client() as client, name_of(SECOND, HOST), ExitStack() as accepted:
        client.open()
        connecting = Background(lambda: client.connect("two.invalid", server.get_sock_name()[1]))
        until(lambda: client.is_blocking)
        server.timeout = SHORT

        def is_done_after_making_room() -> bool:
            with suppress(TimeoutError):
                accepted.enter_context(server.accept())
            return not connecting.is_running()

        until(is_done_after_making_room, "the end of the connect")
        connecting.result()
        assert client.get_peer_name() == server.get_sock_name()


def test_a_timed_out_connect_goes_on() -> None:
    """A connect to several addresses that times out leaves one of them under way, over the one descriptor that is left."""
    with unanswering_listener() as address, name_of(HOST, HOST), Client(timeout=SHORT) as client:
        client.open()
        before = open_descriptors()
        with pytest.raises(TimeoutError):
            client.connect("slow.invalid", address[1])
        assert client.state == "connecting"
        assert len(open_descriptors()) == len(before)
