"""Sockets that checked_sockets() finds open: whose leak each is, and when it is reported."""

from __future__ import annotations

import errno
import gc
import os
import socket
import socketserver
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from threading import Event, Thread
from typing import Any

import pytest

from lifecycle.checking import LifecycleWarning, checked_sockets, registry

LIMIT = 5.0  # seconds that a thread waits


def test_closed_socket_with_an_open_file_is_not_a_leak() -> None:
    """A socket that was closed is not a leak, although a file over it is still open when the block ends."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        file = left.makefile("rb")
        left.close()
        right.close()
    assert findings == []
    file.close()


def test_open_socket_is_a_leak_of_the_block_that_made_it() -> None:
    """A socket that the block left open is a leak, at the line that made it; `open_is_leak=False` waits for the collector."""
    with checked_sockets() as findings:
        sock = socket.socket()
    assert [(found.kind, found.state, found.place.function) for found in findings] == [
        ("leak", "open", "test_open_socket_is_a_leak_of_the_block_that_made_it")
    ]
    sock.close()
    with checked_sockets(open_is_leak=False) as findings:
        sock = socket.socket()
    assert findings == []
    sock.close()


def test_block_that_an_exception_leaves_has_no_leaks() -> None:
    """Open sockets are not reported where an exception leaves the block."""
    with pytest.raises(KeyError), checked_sockets() as findings:
        sock = socket.socket()
        raise KeyError
    assert findings == []
    sock.close()


def test_leak_is_reported_once_to_each_block() -> None:
    """A socket that an inner block has left open is the inner block's leak, and the outer one gets it once."""
    with checked_sockets() as outer, checked_sockets() as inner:
        sock = socket.socket()
    assert [found.kind for found in inner] == [found.kind for found in outer] == ["leak"]
    sock.close()


def test_leak_does_not_raise_in_the_call_that_notices_it() -> None:
    """Where warnings are errors, a leak is printed as Python prints an unclosed socket, and raised nowhere."""
    caught: list[object] = []
    hook, sys.unraisablehook = sys.unraisablehook, lambda args: caught.append(args.exc_type)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", LifecycleWarning)
            with checked_sockets("warn"):
                sock = socket.socket()
    finally:
        sys.unraisablehook = hook
    assert caught == [LifecycleWarning]
    sock.close()


def test_collected_socket_is_a_leak() -> None:
    """A socket that is collected and was never closed is a leak, also with `open_is_leak=False`."""
    with warnings.catch_warnings(), checked_sockets(open_is_leak=False) as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        socket.socket()
    assert [found.kind for found in findings] == ["leak"]


def test_detached_socket_is_not_a_leak() -> None:
    """A descriptor that was detached is its new owner's to close."""
    with checked_sockets() as findings:
        number = socket.socket().detach()
    assert findings == []
    os.close(number)


def test_accepted_connection_that_stays_open_is_a_leak(listener: socket.socket) -> None:
    """A connection that accept() returned is the program's to close."""
    with checked_sockets() as findings, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
    assert [(found.kind, found.state) for found in findings] == [("leak", "connected")]
    accepted.close()


def in_its_block(sock: socket.socket, entered: Event, left: Event) -> None:
    """A thread that serves the socket in a `with` block."""
    with sock:
        entered.set()
        left.wait(LIMIT)


def in_a_closing_block(sock: socket.socket, entered: Event, left: Event) -> None:
    """The same with contextlib.closing()."""
    with closing(sock):
        entered.set()
        left.wait(LIMIT)


def in_a_handler(sock: socket.socket, entered: Event, left: Event) -> None:
    """A thread of socketserver's, which closes the connection when its handler has ended."""

    class Server(socketserver.ThreadingTCPServer):
        def finish_request(self, request: object, client_address: object) -> None:
            entered.set()
            left.wait(LIMIT)

    with Server(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        server.process_request_thread(sock, ("", 0))


@pytest.mark.parametrize("serve", [in_its_block, in_a_closing_block, in_a_handler], ids=lambda serve: serve.__name__)
def test_socket_that_a_running_thread_will_close_is_not_a_leak(serve: Callable[[socket.socket, Event, Event], None]) -> None:
    """A thread that goes on is in a block, or a handler, which closes the socket: at the end of the check that is no leak."""
    entered, left = Event(), Event()
    with checked_sockets() as findings:
        sock = socket.socket()
        thread = Thread(target=serve, args=(sock, entered, left))
        thread.start()
        assert entered.wait(LIMIT)
    left.set()
    thread.join(LIMIT)
    assert findings == []
    assert sock.fileno() == -1


def in_a_generator(sock: socket.socket) -> Iterator[None]:
    with sock:
        yield


def on_a_stack(sock: socket.socket) -> ExitStack:
    stack = ExitStack()
    stack.enter_context(sock)
    return stack


@pytest.mark.parametrize("enter", [in_a_generator, on_a_stack], ids=lambda enter: enter.__name__)
def test_block_that_no_thread_runs_closes_nothing(enter: Callable[[socket.socket], Any]) -> None:
    """A generator that was left in its block, or a stack that nobody closes, is no thread: the socket is a leak."""
    left = Event()
    thread = Thread(target=left.wait, args=[LIMIT])
    thread.start()
    with checked_sockets() as findings:
        entered = enter(socket.socket())
        if isinstance(entered, Iterator):
            next(entered)
    left.set()
    thread.join(LIMIT)
    assert [found.kind for found in findings] == ["leak"]
    entered.close()


def test_leak_is_reported_while_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collected socket is reported when the next socket is made, once finalizers have had their time."""
    monkeypatch.setattr(registry, "_GRACE", -1.0)
    with warnings.catch_warnings(), checked_sockets() as findings:
        warnings.simplefilter("ignore", ResourceWarning)
        first, second = socket.socket(), socket.socket()
        del first, second
        assert findings == []
        socket.socket().close()  # may take the place of one of them in memory, which shows that it is gone
        assert [found.kind for found in findings] == ["leak", "leak"]


def test_forked_child_need_not_close_its_parents_sockets() -> None:
    """The sockets of the parent are not leaks of a forked child."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork()")
    with checked_sockets() as findings, socket.socket():
        child = os.fork()
        if not child:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert findings == []


def test_finalizer_of_a_cycle_may_find_its_socket_closed() -> None:
    """The collector ends a cycle's objects in any order: nobody has closed the descriptor that a finalizer then finds gone."""
    answers: list[int | None] = []

    class Connection:
        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock
            self.self = self

        def __del__(self) -> None:
            try:
                self.sock.send(b"bye")
            except OSError as error:
                answers.append(error.errno)
            self.sock.close()

    with checked_sockets() as findings, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        left, right = socket.socketpair()
        connection = Connection(left)
        right.close()
        del left, connection
        gc.collect()
        assert answers == [errno.EBADF]
    assert findings == []
