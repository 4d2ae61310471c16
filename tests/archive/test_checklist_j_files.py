"""The MFC checklist, section J: CSocketFile."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from loopback import LONG, Background, client_and_raw_peer, connected_pair, reset, until
from states import SOCKET_ROLES, world

from lifecycle import Accepted, Client, Datagram, IllegalCall, Server, SocketFile
from lifecycle.roles import SOCKET_FILE

UNSUPPORTED = [call.name for call in SOCKET_FILE.calls if SOCKET_FILE.never_legal(call.name)]

CELLS = [(name, state.name) for name, role in SOCKET_ROLES.items() for state in role.states]


def test_row_133_a_file_lies_over_a_connected_stream() -> None:
    """Either end of a connection takes a file, which is archive-compatible unless it is told otherwise."""
    with connected_pair() as pair:
        for end in pair:
            with SocketFile(end) as file:
                assert (file.state, file.archive_compatible, file.socket) == ("attached", True, end)
                assert (file.readable(), file.writable(), file.seekable(), file.isatty()) == (True, True, False, False)
                assert file.fileno() == end.fileno()
            with SocketFile(end, archive_compatible=False) as exact:
                assert not exact.archive_compatible


@pytest.mark.parametrize(("role", "state"), CELLS)
def test_row_134_a_file_lies_over_nothing_else(role: str, state: str) -> None:
    """Over a socket whose table does not list it, a SocketFile is refused with a reason, and the socket is as it was."""
    with world(SOCKET_ROLES[role], state) as w:
        if "socket_file" in SOCKET_ROLES[role].table[state]:
            SocketFile(w.subject).close()
        else:
            with pytest.raises(IllegalCall, match=r"^SocketFile\.attach\(\) with this ") as caught:
                SocketFile(w.subject)
            assert caught.value.reason
        assert w.subject.state == state


@pytest.mark.parametrize("kind", [Server, Client, Accepted, Datagram])
def test_row_134_no_file_lies_over_an_empty_socket(kind: Callable[[], Any]) -> None:
    """An empty socket is refused, and whatever is not a socket of the package is a TypeError."""
    with kind() as socket, pytest.raises(IllegalCall):
        SocketFile(socket)
    with pytest.raises(TypeError, match="needs a Client or an Accepted"):
        SocketFile(None)  # type: ignore[arg-type]


def test_row_135_a_compatible_read_gives_what_has_come() -> None:
    """Three bytes are there and ten are asked for: three are given at once."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        peer.sendall(b"abc")
        assert file.read(10) == b"abc"


def test_row_136_an_exact_read_waits_for_the_rest_or_the_end() -> None:
    """An exact file waits until all has arrived; when the peer closes before, it gives what there is, and then the end."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client, archive_compatible=False) as file:
        peer.sendall(b"abc")
        reading = Background(lambda: file.read(10))
        until(lambda: not client.io_ctl(), "the three bytes are taken")
        assert reading.is_running()
        peer.close()
        assert reading.result() == b"abc"
        assert file.read(10) == b""


@pytest.mark.parametrize("arguments", [("seek", 0), ("seek", 0, io.SEEK_END), ("seek_to_begin",), ("seek_to_end",), ("tell",)])
def test_row_137_seeking_is_refused(arguments: tuple[Any, ...]) -> None:
    """seek() and tell() raise io.UnsupportedOperation, which says why, and nothing moves (MFC moves nothing and returns 0)."""
    name, *rest = arguments
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        peer.sendall(b"abc")
        with pytest.raises(io.UnsupportedOperation, match="A connection has no position") as caught:
            getattr(file, name)(*rest)
        assert isinstance(caught.value, IllegalCall)
        assert file.read(3) == b"abc"


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_row_138_what_needs_a_position_or_a_length_is_refused(name: str) -> None:
    """Every call that the table never allows raises io.UnsupportedOperation with the table's reason, open or closed."""
    with client_and_raw_peer() as (client, _):
        with SocketFile(client) as file:
            with pytest.raises(io.UnsupportedOperation) as caught:
                getattr(file, name)()
            assert SOCKET_FILE.call(name).reason in str(caught.value)
            assert (caught.value.errno, caught.value.strerror) == (None, None)  # type: ignore[comparison-overlap]
        with pytest.raises(io.UnsupportedOperation):
            getattr(file, name)()


def test_row_139_flush_has_no_effect() -> None:
    """flush() sends nothing, since nothing is held back, and leaves the file as it was."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        file.flush()
        assert file.state == "attached"
        assert file.write(b"abc") == 3
        assert peer.recv(3) == b"abc"


def test_row_140_closing_a_file_leaves_the_socket() -> None:
    """After close(), and after the collector has run, the socket is connected and can have another file."""
    with client_and_raw_peer(timeout=LONG) as (client, peer):
        with SocketFile(client) as file:
            pass
        file.close()
        assert (file.state, file.closed, file.socket) == ("closed", True, None)
        SocketFile(client)  # forgotten at once
        assert client.state == "connected"
        with SocketFile(client) as another:
            another.write(b"abc")
        assert peer.recv(3) == b"abc"


@pytest.mark.parametrize("call", [lambda file: file.read(1), lambda file: file.write(b"x"), lambda file: file.flush()])
def test_row_141_a_closed_file_refuses(call: Callable[[SocketFile], object]) -> None:
    """After close(), every call raises an IllegalCall that is a ValueError, as every closed file of Python's does."""
    with client_and_raw_peer() as (client, _):
        with SocketFile(client) as file:
            pass
        with pytest.raises(ValueError, match="not legal in state 'closed'") as caught:
            call(file)
        assert isinstance(caught.value, IllegalCall)
        with pytest.raises(ValueError, match="closed"):
            file.fileno()


def test_row_142_a_reset_is_told() -> None:
    """When the peer has reset the connection, read() raises ConnectionResetError (MFC: CFileException, 10054), every time."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), SocketFile(client) as file:
        reset(peer)
        for _ in range(2):
            with pytest.raises(ConnectionResetError):
                file.read(1)
        assert (file.state, client.state) == ("attached", "broken")


def test_row_143_two_files_on_one_socket() -> None:
    """Two files over one socket both work, and each closes for itself."""
    with client_and_raw_peer(timeout=LONG) as (client, peer), ExitStack() as stack:
        one, other = (stack.enter_context(SocketFile(client)) for _ in range(2))
        one.write(b"ab")
        other.write(b"cd")
        assert peer.recv(4) in (b"abcd", b"ab")
        one.close()
        peer.sendall(b"ef")
        assert other.read(2) == b"ef"
