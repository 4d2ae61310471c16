"""A program does not notice the checker: same results, same error messages, same lifetimes of objects."""

from __future__ import annotations

import _socket
import _thread
import asyncio
import gc
import inspect
import select
import selectors
import socket
import sys
import threading
import traceback
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from checking.walking import Walk, transcript, walks
from hypothesis import example, given, settings
from kernel import ERROR
from long_form import part
from loopback import until, until_shows

from lifecycle import Server
from lifecycle.checking import checked_sockets, registry
from lifecycle.checking.drop_in import _watched_code


@pytest.fixture(params=["plain", "checked"])
def both(request: pytest.FixtureRequest) -> Iterator[None]:
    """The test runs without a checker and with one."""
    if request.param == "plain":
        yield
    else:
        with checked_sockets(open_is_leak=False):
            yield


@settings(max_examples=part(300, 60))
@given(walks)
@example([("bad 35", 0, 0)])  # setsockopt() without its arguments
def test_walk_is_answered_the_same(walk: Walk) -> None:
    """Any calls in any order get the same results, and the same exceptions with the same texts, as without a checker."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        plain = transcript(walk)
        with checked_sockets(open_is_leak=False):
            checked = transcript(walk)
    assert checked == plain


def test_calls_by_c_code_are_noted() -> None:
    """A method that a thread begins with, below no Python code at all, does what it does, and is noted."""
    with checked_sockets() as findings:
        left, right = socket.socketpair()
        track = registry.track_of(left)
        assert track is not None
        for name, argument in (("sendall", b"x"), ("shutdown", socket.SHUT_WR)):
            _thread.start_new_thread(getattr(left, name), (argument,))
            until(lambda name=name: track.events[-1].call == name, name)
        assert (right.recv(1), right.recv(1)) == (b"x", b"")
        left.close()
        right.close()
    assert findings == []


def test_class_is_left_as_it_was() -> None:
    """The standard library's class has the very same attributes after a check as before it."""
    before = dict(vars(socket.socket))
    with checked_sockets():
        assert vars(socket.socket).keys() >= before.keys()
        with checked_sockets():
            pass
        assert "recv" in vars(socket.socket)
    assert dict(vars(socket.socket)) == before


def test_class_stays_what_it_is(both: None) -> None:
    """Name, module, slots, bases and the constructor's signature are the standard library's."""
    assert f"{socket.socket!r}" == "<class 'socket.socket'>"
    assert socket.socket.__slots__ == ["__weakref__", "_io_refs", "_closed"]  # type: ignore[attr-defined]
    assert socket.socket.__bases__ == (_socket.socket,)
    assert str(inspect.signature(socket.socket)) == "(family=-1, type=-1, proto=-1, fileno=None)"
    assert {name for name in vars(socket.socket) if name.startswith("lifecycle")} == set()


def test_every_method_keeps_its_name_and_words(both: None) -> None:
    """A watched method has the name and the documentation of the method that it replaces."""
    for name in _watched_code():
        original = getattr(_socket.socket, name, None)
        method = getattr(socket.socket, name)
        assert method.__name__ == name
        assert original is None or name == "__init__" or method.__doc__ == original.__doc__ or name in ("detach", "dup")


def test_constructor_refuses_in_its_own_words(both: None) -> None:
    """Wrong arguments of the constructor are refused with the standard library's messages."""
    with pytest.raises(TypeError, match=r"socket\.__init__\(\) got an unexpected keyword argument 'kind'"):
        socket.socket(kind=1)  # type: ignore[call-arg]
    with pytest.raises(OSError, match="Address family not supported"):
        socket.socket(9999)
    with pytest.raises(TypeError):
        socket.socket("x")  # type: ignore[arg-type]


def test_subclass_with_slots_and_overrides(both: None) -> None:
    """A subclass keeps its slots and its overrides, and has no dictionary of attributes."""

    class Own(socket.socket):
        __slots__ = ("received",)

        def recv(self, *arguments: Any) -> bytes:
            self.received = super().recv(*arguments)
            return self.received

    left, right = socket.socketpair()
    with left, Own(fileno=right.detach()) as own:
        left.send(b"x")
        assert own.recv(10) == own.received == b"x"
        assert not hasattr(own, "__dict__")
        assert weakref.ref(own)() is own


def test_object_dies_when_its_last_reference_goes(both: None) -> None:
    """A checker keeps no socket alive: neither open, nor closed, nor when a call on it has failed."""
    sock = socket.socket()
    watch = weakref.ref(sock)
    sock.close()
    del sock
    assert watch() is None
    sock = socket.socket()
    watch = weakref.ref(sock)
    assert sys.getrefcount(sock) == 2
    try:
        sock.recv(1)
    except OSError as error:
        kept = error
    sock.close()
    del sock
    assert watch() is None, "a kept exception keeps the socket"
    assert kept.__traceback__ is not None


@pytest.mark.parametrize(
    "call",
    [
        lambda sock: sock.recv(1),
        lambda sock: sock.sendall(b"x"),
        lambda sock: sock.listen("x"),
        lambda sock: sock.accept(),
        lambda sock: sock.connect(("127.0.0.1", 0, 0)),
    ],
)
def test_kept_traceback_keeps_nothing_alive(both: None, call: Callable[[socket.socket], object]) -> None:
    """No frame of the checker in a traceback has the socket, its data or its arguments."""
    sock = socket.socket()
    with pytest.raises((OSError, TypeError)) as caught:
        call(sock)
    for frame, _ in traceback.walk_tb(caught.tb):
        if frame.f_code.co_filename.startswith("<lifecycle") or "lifecycle/checking" in frame.f_code.co_filename:
            assert not [name for name, value in frame.f_locals.items() if value is sock or isinstance(value, (bytes, tuple))]
    sock.close()


def test_unclosed_socket_warns_where_it_is_dropped(both: None) -> None:
    """Python's own ResourceWarning is emitted as without a checker, at the line that drops the last reference."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sock = socket.socket()
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        del sock
        socket.socket()
    assert [(warning.category, warning.lineno - line, warning.filename) for warning in caught] == [
        (ResourceWarning, 0, __file__),
        (ResourceWarning, 1, __file__),
    ]


def test_unclosed_socket_in_a_cycle_warns(both: None) -> None:
    """A socket in a garbage cycle is finalized once, and warns once."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cycle: list[object] = [socket.socket()]
        cycle.append(cycle)
        del cycle
        gc.collect()
    assert [warning.category for warning in caught] == [ResourceWarning]


def test_no_thread_is_made_up(both: None) -> None:
    """A socket call in a thread that `threading` does not know does not make it known."""
    import _thread

    done = threading.Event()

    def run() -> None:
        with socket.socket() as sock:
            sock.settimeout(1)
        done.set()

    before = threading.enumerate()
    _thread.start_new_thread(run, ())
    assert done.wait(5)
    assert threading.enumerate() == before


def test_nothing_is_asked_that_takes_an_answer_away() -> None:
    """An illegal call is judged without reading SO_ERROR, which would take the error from the program."""
    with socket.socket() as unused, socket.socket() as client, checked_sockets() as findings:
        unused.bind(("127.0.0.1", 0))
        client.setblocking(False)
        client.connect_ex(unused.getsockname())
        until_shows(client, ERROR)
        with pytest.raises(OSError, match="Invalid argument"):
            client.accept()
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
    assert [finding.call for finding in findings] == ["accept"]


def test_objects_of_this_package_are_not_checked_twice() -> None:
    """The sockets of a Server or a Client are checked by their roles already: nothing is reported about them."""
    with checked_sockets() as findings:
        server = Server()
        server.create(0, "127.0.0.1")
        server.listen()
    assert findings == []
    server.close()


def test_functions_of_select_are_no_methods(both: None) -> None:
    """A program's class may have select.select and select.poll as attributes: they take no instance."""

    class Waits:
        some = select.select
        poller = select.poll

    assert Waits().some([], [], [], 0) == ([], [], [])
    assert Waits().poller().poll(0) == []


def test_selector_to_which_its_data_refers_is_collected(both: None) -> None:
    """A server that its selector has as data is collected, also when its socket was closed before it was unregistered."""

    class Service:
        def __init__(self) -> None:
            self.selector = selectors.DefaultSelector()
            self.sock, self.peer = socket.socketpair()
            self.selector.register(self.sock, selectors.EVENT_READ, self)

        def end(self) -> None:
            for each in (self.sock, self.peer, self.selector):
                each.close()

    service = Service()
    service.end()
    gone = weakref.ref(service)
    del service
    gc.collect()
    assert gone() is None


def test_data_of_an_unregistered_socket_is_freed_at_once(both: None) -> None:
    """What a selector has for a closed socket lives until it is unregistered, and no longer."""

    class Data:
        pass

    data = Data()
    gone = weakref.ref(data)
    left, right = socket.socketpair()
    with selectors.DefaultSelector() as selector, right:
        selector.register(left, selectors.EVENT_READ, data)
        del data
        left.close()
        assert gone() is not None
        selector.unregister(left)
        assert gone() is None


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_loop_of_a_transport_with_unsent_data_is_collected(both: None) -> None:
    """A loop that the program drops is collected, although a transport in it was closed with data that is still unsent."""
    left, right = socket.socketpair()

    async def leave_unsent() -> None:
        _, writer = await asyncio.open_connection(sock=left)
        writer.write(bytes(10_000_000))
        writer.transport.close()

    with right:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(leave_unsent())
        gone = weakref.ref(loop)
        del loop, leave_unsent
        gc.collect()
        assert gone() is None
