"""Bad input: ValueError or TypeError before the system is asked; the state and the descriptor stay as they were."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from loopback import HOST, LONG, connected_pair, datagram_pair, listening, until
from refusals import bad_input, refused, unchanged
from sockets_in_states import BINDABLE, CLASSES, Arrangement, in_any_state

from lifecycle import Client, Datagram
from lifecycle.net.blocking.created import Created as Bindable
from lifecycle.net.blocking.driver import BlockingSocket as OsSocket

every_class = pytest.mark.parametrize("kind", CLASSES)
every_bindable = pytest.mark.parametrize("kind", BINDABLE)
with_a_peer = pytest.mark.parametrize("kind", [Client, Datagram])

fewer = settings(max_examples=30)  # an example takes sockets in several states

no_ports = st.integers(max_value=-1) | st.integers(min_value=65536)
no_ints = st.none() | st.booleans() | st.floats() | st.text() | st.binary() | st.lists(st.integers(), max_size=2)
no_bytes = st.none() | st.integers() | st.floats() | st.text() | st.lists(st.integers(0, 255), max_size=3)
no_texts = st.integers() | st.floats() | st.binary() | st.tuples(st.text()) | st.lists(st.text(), max_size=2)
negative_sizes = st.integers(min_value=-(2**63), max_value=-1)  # of the system's own size type
no_sizes = no_ints.filter(lambda size: not isinstance(size, bool))
no_timeouts = st.floats(max_value=0, exclude_max=True) | st.integers(max_value=-1) | st.just(math.nan)
names = st.from_regex(r"[a-z][a-z0-9-]{0,20}\.invalid", fullmatch=True)


def is_numeric(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


no_addresses = (
    st.from_regex(r"[0-9.]{1,20}", fullmatch=True)
    | st.builds(
        lambda head, sign, tail: head + sign + tail, st.text(max_size=5), st.sampled_from(" \t\n/:[]\0"), st.text(max_size=5)
    )
    | st.integers(254, 300).map(lambda length: "a" * length)
    | st.just("")
).filter(lambda text: not is_numeric(text.partition("%")[0]))


@contextmanager
def resolver() -> Iterator[list[str]]:
    """The system's resolver replaced by one that knows nothing; what it was asked for."""
    asked: list[str] = []

    def look_up(host: str, *_: object) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with patch.object(socket, "getaddrinfo", look_up):
        yield asked


def calls_with_an_address(target: Any) -> Iterator[tuple[Callable[[], object], Callable[[Any, Any], object]]]:
    """(what brings `target` to a state, the call with (address, port) that is legal there), one state after the other."""
    yield (lambda: None), (lambda address, port: target.create(port, address))
    yield target.open, (lambda address, port: target.bind(port, address))
    if "connect" in target.legal:
        yield (lambda: None), target.connect
        yield (lambda: target.bind(0, HOST)), target.connect
        if isinstance(target, Datagram):
            yield (lambda: None), (lambda address, port: target.send_to(b"data", address, port))


@every_bindable
@given(port=no_ports)
@fewer
def test_a_port_outside_0_to_65535_is_refused(kind: type[Bindable], port: int) -> None:
    """create, bind, connect and send_to raise ValueError for a port that MFC would truncate in silence."""
    with kind() as target:
        for prepare, call in calls_with_an_address(target):
            prepare()
            with bad_input(target, ValueError):
                call(HOST, port)


@every_bindable
@given(port=no_ints)
@fewer
def test_a_port_that_is_no_int_is_refused(kind: type[Bindable], port: object) -> None:
    """create, bind, connect and send_to raise TypeError for a port that is not an int."""
    with kind() as target:
        for prepare, call in calls_with_an_address(target):
            prepare()
            with bad_input(target, TypeError):
                call(HOST, port)


@every_bindable
@given(address=no_texts)
@fewer
def test_an_address_that_is_no_text_is_refused(kind: type[Bindable], address: object) -> None:
    """create, bind, connect and send_to raise TypeError for an address that is not a str."""
    with kind() as target, resolver() as asked:
        for prepare, call in calls_with_an_address(target):
            prepare()
            with bad_input(target, TypeError):
                call(address, 80)
        assert not asked


@every_bindable
@given(address=no_addresses)
@fewer
def test_a_text_that_is_no_address_is_refused(kind: type[Bindable], address: str) -> None:
    """create, bind, connect and send_to raise ValueError for numbers and texts that are not addresses, and look nothing up."""
    with kind() as target, resolver() as asked:
        for prepare, call in calls_with_an_address(target):
            prepare()
            with bad_input(target, ValueError):
                call(address, 80)
        assert not asked


@every_bindable
@given(name=names)
@fewer
def test_a_name_that_does_not_resolve_raises_the_resolvers_error(kind: type[Bindable], name: str) -> None:
    """create, bind, connect and send_to raise socket.gaierror for a name that is not found, and the state stays."""
    with kind() as target, resolver() as asked:
        expected = 0
        for prepare, call in calls_with_an_address(target):
            prepare()
            expected += 1
            with unchanged(target), pytest.raises(socket.gaierror):
                call(name, 80)
        assert asked == [name] * expected


@pytest.mark.parametrize("label", ["a..b", ".a", "a" * 64, "é" * 100])
def test_a_name_that_no_resolver_would_take_is_refused(label: str) -> None:
    """A name with an empty or too long label is a ValueError of Python's own encoding: nothing is asked."""
    with Client() as client:
        client.create(0, HOST)
        with bad_input(client, ValueError):
            client.connect(label, 80)


@given(data=no_bytes)
@fewer
def test_data_that_is_no_bytes_is_refused_by_streams(data: Any) -> None:
    """send() and send_to() of a client and an accepted connection raise TypeError, and nothing is sent."""
    with connected_pair(timeout=LONG) as (client, accepted):
        for end, other in ((client, accepted), (accepted, client)):
            with bad_input(end, TypeError):
                end.send(data)
            with bad_input(end, TypeError):
                end.send_to(data, HOST, 9)
            end.send(b"after")
            assert other.receive() == b"after"


@given(data=no_bytes)
@fewer
def test_data_that_is_no_bytes_is_refused_by_datagram_sockets(data: Any) -> None:
    """send() and send_to() of a datagram socket raise TypeError, and nothing is sent."""
    with datagram_pair(timeout=LONG) as (one, other):
        with bad_input(one, TypeError):
            one.send_to(data, *other.get_sock_name())
        one.connect(*other.get_sock_name())
        with bad_input(one, TypeError):
            one.send(data)
        one.send(b"after")
        assert other.receive() == b"after"


@given(data=st.binary(min_size=1, max_size=64), wrap=st.sampled_from([bytearray, memoryview, bytes]))
@fewer
def test_anything_like_bytes_is_sent(data: bytes, wrap: Callable[[bytes], Any]) -> None:
    """bytes, bytearray and memoryview are sent alike, by streams and by datagram sockets."""
    with connected_pair(timeout=LONG) as (client, accepted), datagram_pair(timeout=LONG) as (one, other):
        assert client.send(wrap(data)) == client.send_to(wrap(data)) == len(data)
        assert one.send_to(wrap(data), *other.get_sock_name()) == len(data)
        until(lambda: accepted.io_ctl() == 2 * len(data))
        assert accepted.receive() == data * 2
        assert other.receive() == data


@given(size=negative_sizes)
@fewer
def test_a_size_below_0_is_refused(size: int) -> None:
    """receive() and receive_from() of every class that has them raise ValueError, and what has arrived stays."""
    with connected_pair(timeout=LONG) as (client, accepted), datagram_pair(timeout=LONG) as (one, other):
        _refuses_the_size(size, ValueError, client, accepted, one, other)


@given(size=no_sizes)
@fewer
def test_a_size_that_is_no_int_is_refused(size: Any) -> None:
    """receive() and receive_from() of every class that has them raise TypeError, and what has arrived stays."""
    with connected_pair(timeout=LONG) as (client, accepted), datagram_pair(timeout=LONG) as (one, other):
        _refuses_the_size(size, TypeError, client, accepted, one, other)


def _refuses_the_size(size: Any, error: type[Exception], client: Any, accepted: Any, one: Any, other: Any) -> None:
    client.send(b"data")
    accepted.send(b"data")
    other.send_to(b"data", *one.get_sock_name())
    for target in (client, accepted, one):
        for call in (target.receive, target.receive_from):
            with bad_input(target, error):
                call(size)
        assert target.receive() == b"data"


def test_a_size_of_0_is_no_end() -> None:
    """receive(0) of a stream gives b"" without an end, and the state stays."""
    with connected_pair(timeout=LONG) as (client, accepted):
        accepted.send(b"data")
        until(client.io_ctl)
        with unchanged(client):
            assert client.receive(0) == b""
            assert client.receive_from(0) == (b"", None)
        assert client.receive() == b"data"


@every_class
@given(timeout=no_timeouts)
@fewer
def test_a_negative_time_out_is_refused(kind: type[OsSocket], timeout: float) -> None:
    """A timeout below 0 and one that is not a number raise ValueError, at construction and later; the old one stays."""
    with pytest.raises(ValueError, match="timeout"):
        kind(timeout=timeout)
    with kind(timeout=1.5) as target:
        with bad_input(target, ValueError):
            target.timeout = timeout
        assert target.timeout == 1.5


@every_class
@given(timeout=st.booleans() | st.text() | st.binary() | st.lists(st.integers(), max_size=1))
@fewer
def test_a_time_out_that_is_no_number_is_refused(kind: type[OsSocket], timeout: Any) -> None:
    """A timeout that is neither a number nor None raises TypeError, at construction and later; the old one stays."""
    with pytest.raises(TypeError, match="timeout"):
        kind(timeout=timeout)
    with kind(timeout=1.5) as target:
        with bad_input(target, TypeError):
            target.timeout = timeout
        assert target.timeout == 1.5


@given(backlog=st.floats(1, 2**31 - 1) | st.text() | st.binary() | st.lists(st.integers(), max_size=1))
@fewer
def test_a_backlog_that_is_no_int_is_refused(backlog: Any) -> None:
    """listen() raises TypeError for a length that is not an int, while bound and while listening."""
    with listening() as server, type(server)() as bound:
        bound.create(0, HOST)
        for target in (server, bound):
            with bad_input(target, TypeError):
                target.listen(backlog)


@given(target=no_ints.filter(lambda target: target is not None))
@fewer
def test_an_accept_target_of_another_class_is_refused(target: Any) -> None:
    """accept() into something that is no Accepted raises TypeError, and the waiting client stays in the queue."""
    with listening(timeout=LONG) as server, socket.create_connection(server.get_sock_name(), LONG) as peer:
        with bad_input(server, TypeError):
            server.accept(target)
        with server.accept() as accepted:
            assert accepted.get_peer_name() == peer.getsockname()


@every_class
@given(handle=no_ints | st.integers(min_value=-(2**31), max_value=-1))
@fewer
def test_what_is_no_handle_is_refused(kind: type[OsSocket], handle: Any) -> None:
    """attach() raises TypeError for what is neither an int nor a socket, and ValueError for a negative number."""
    with kind() as target, bad_input(target):
        target.attach(handle)


@given(how=no_ints | st.integers().filter(lambda number: number not in (0, 1, 2)) | st.text())
@fewer
def test_what_is_no_direction_is_refused(how: Any) -> None:
    """shut_down() ends only "sends", "receives" and "both", or 1, 0 and 2, of streams and of datagram sockets."""
    assume(how not in ("sends", "receives", "both", 0.0, 1.0, 2.0) or isinstance(how, bool))
    with connected_pair() as (client, accepted), datagram_pair() as (one, other):
        one.connect(*other.get_sock_name())
        for target in (client, accepted, one):
            with bad_input(target):
                target.shut_down(how)


@in_any_state
def test_an_option_of_a_wrong_type_is_refused(arranged: Arrangement) -> None:
    """set_option() and get_option() raise TypeError for what is neither a number nor bytes, in every state."""
    with arranged() as target:
        for value in ("1", None, 1.5, [1]):
            with bad_input(target, TypeError):
                target.set_option(socket.SOL_SOCKET, socket.SO_RCVBUF, value)  # type: ignore[arg-type]
        for option in ("SO_RCVBUF", None, 1.5):
            with bad_input(target, TypeError):
                target.set_option(socket.SOL_SOCKET, option, 1)  # type: ignore[arg-type]
            with bad_input(target, TypeError):
                target.get_option(option)  # type: ignore[arg-type]


@pytest.mark.parametrize("command", [0, -1, None, "FIONREAD", []])
def test_an_unknown_command_is_refused(command: Any) -> None:
    """io_ctl() knows FIONREAD only, and raises ValueError for anything else, of streams and of datagram sockets."""
    with connected_pair() as (client, accepted), datagram_pair() as (one, _):
        for target in (client, accepted, one):
            with bad_input(target, ValueError):
                target.io_ctl(command)


@every_bindable
@given(family=no_ints.filter(lambda family: family is not None) | st.integers())
@fewer
def test_another_family_is_refused(kind: type[Bindable], family: Any) -> None:
    """open() and create() raise ValueError for a family that is neither AF_INET nor AF_INET6."""
    assume(family not in (socket.AF_INET, socket.AF_INET6))
    with kind() as target:
        with bad_input(target, ValueError):
            target.open(family)
        with bad_input(target, ValueError):
            target.create(0, family=family)


@in_any_state
def test_the_order_is_judged_before_the_input(arranged: Arrangement) -> None:
    """A call that is illegal in the state is refused as such, however bad its arguments are."""
    nonsense: dict[str, tuple[object, ...]] = {
        "create": (-1, b""), "bind": ("port", 5), "connect": (None, 99999), "listen": ("x",), "accept": (object(),),
        "send": (None,), "receive": (-1,), "send_to": (None, None, -1), "receive_from": (-1,), "shut_down": ("x",),
        "attach": (None,), "io_ctl": (None,),
    }  # fmt: skip
    with arranged() as target:
        for call, arguments in nonsense.items():
            if call not in target.legal:
                with refused(target, call):
                    getattr(target, call)(*arguments)
