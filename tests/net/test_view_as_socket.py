"""as_socket() against socket.socket: the same calls on both give the same, data, files, modes, timeouts and errors."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from loopback import client_and_raw_peer

from lifecycle import IllegalCall

MODES = ("r", "w", "rw", "wr", "b", "rb", "wb", "rwb", "brw", "", "x", "r+", "rt")
BUFFERING = (None, 0, 100)


def shape_of(file: Any) -> Any:
    """What a file is: its classes, what can be done with it, and how its text is written."""
    found = [type(file).__name__, file.readable(), file.writable(), file.seekable(), getattr(file, "mode", None)]
    if isinstance(file, io.TextIOWrapper):
        found += [file.encoding.lower(), file.errors, repr(file.newlines), shape_of(file.buffer)]
    elif not isinstance(file, socket.SocketIO) and hasattr(file, "raw"):
        found += [shape_of(file.raw)]
    return found


def makefile(mode: str, buffering: int | None, **keywords: Any) -> Callable[[Any, Any], Any]:
    def make(sock: Any, peer: socket.socket) -> Any:
        with sock.makefile(mode, buffering, **keywords) as file:
            return shape_of(file)

    return make


def lines(sock: Any, peer: socket.socket) -> Any:
    """Text both ways over one file."""
    peer.sendall("erste Zeile\r\nzweite äöü\n".encode())
    peer.shutdown(socket.SHUT_WR)
    with sock.makefile("rw", encoding="utf-8", newline="") as file:
        file.write("Antwort\n")
        file.flush()
        return file.read(), peer.recv(99)


def into(*arguments: Any) -> Callable[[Any, Any], Any]:
    def receive(sock: Any, peer: socket.socket) -> Any:
        peer.sendall(b"0123456789")
        buffer = bytearray(6)
        return sock.recv_into(buffer, *arguments), bytes(buffer), sock.recv(99)

    return receive


def calls(*names: str) -> Callable[[Any, Any], Any]:
    return lambda sock, peer: [getattr(sock, name)() for name in names]


def received(call: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def receive(sock: Any, peer: socket.socket) -> Any:
        peer.sendall(b"0123456789")
        return call(sock), sock.recv(99)

    return receive


def sent(call: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda sock, peer: (call(sock), peer.recv(99))


def sent_file(*arguments: int) -> Callable[[Any, Any], Any]:
    def send(sock: Any, peer: socket.socket) -> Any:
        file = io.BytesIO(b"0123456789")
        return sock.sendfile(file, *arguments), peer.recv(99), file.tell()

    return send


def blocking(value: Any) -> Callable[[Any, Any], Any]:
    def switch(sock: Any, peer: socket.socket) -> Any:
        sock.setblocking(value)
        return sock.gettimeout(), sock.getblocking(), sock.timeout

    return switch


def timeout(value: Any) -> Callable[[Any, Any], Any]:
    def switch(sock: Any, peer: socket.socket) -> Any:
        sock.settimeout(value)
        return sock.gettimeout(), sock.getblocking(), sock.timeout

    return switch


def options(sock: Any, peer: socket.socket) -> Any:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, b"\1\0\0\0")
    return [
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
        sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY),
        sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 4),
    ]


def ended(how: int) -> Callable[[Any, Any], Any]:
    def end(sock: Any, peer: socket.socket) -> Any:
        sock.shutdown(how)
        return peer.recv(9) if how != socket.SHUT_RD else None

    return end


def attributes(sock: Any, peer: socket.socket) -> Any:
    return (
        sock.family,
        sock.type,
        sock.getpeername() == peer.getsockname(),
        sock.getsockname() == peer.getpeername(),
    )


def closed(sock: Any, peer: socket.socket) -> Any:
    """A file keeps the connection open behind close(); the last one closes it."""
    one, other = sock.makefile("rb"), sock.makefile("wb", 0)
    sock.close()
    other.write(b"still open")
    other.close()
    before = peer.recv(99)
    one.close()
    return before, peer.recv(99)


PROGRAMS: dict[str, Callable[[Any, Any], Any]] = {
    **{f"makefile({mode!r}, {size})": makefile(mode, size) for mode in MODES for size in BUFFERING},
    "makefile() without a size": makefile("rb", -1),
    "makefile() in an encoding": makefile("rw", None, encoding="latin-1", errors="replace", newline="\n"),
    "lines": lines,
    **{f"recv_into{arguments}": into(*arguments) for arguments in ((), (0,), (3,), (6,), (2, socket.MSG_PEEK),
    (0, socket.MSG_PEEK))},
    "recv": received(lambda sock: sock.recv(4)),
    "recv with a flag": received(lambda sock: sock.recv(4, socket.MSG_PEEK)),
    "recvfrom": received(lambda sock: sock.recvfrom(4)[0]),
    "recvfrom with a flag": received(lambda sock: sock.recvfrom(4, socket.MSG_PEEK)[0]),
    "send": sent(lambda sock: sock.send(b"data")),
    "send of a view": sent(lambda sock: sock.send(memoryview(b"data"), 0)),
    "sendall": sent(lambda sock: sock.sendall(bytearray(b"data"), 0)),
    **{f"sendfile{arguments}": sent_file(*arguments) for arguments in ((), (0, 3), (4,), (4, 2))},
    **{f"setblocking({value})": blocking(value) for value in (True, False, 0, 1)},
    **{f"settimeout({value})": timeout(value) for value in (None, 0, 0.5)},
    "options": options,
    **{f"shutdown({how})": ended(how) for how in (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR)},
    "attributes": attributes,
    "closed": closed,
    "with": lambda sock, peer: (sock.__enter__() is sock, sock.__exit__(None, None, None), peer.recv(9)),
}  # fmt: skip


@contextmanager
def view_and_peer() -> Iterator[tuple[Any, socket.socket]]:
    with client_and_raw_peer() as (client, peer):
        client.timeout = None
        yield client.as_socket(), peer


@contextmanager
def plain_and_peer() -> Iterator[tuple[Any, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as plain:
        plain.settimeout(None)
        peer, _ = listener.accept()
        with peer:
            yield plain, peer


def said(begin: Callable[[], Any], program: Callable[[Any, Any], Any]) -> Any:
    """What a program gives, or the kind of its error."""
    with begin() as (sock, peer):
        peer.settimeout(5)
        try:
            return program(sock, peer)
        except (ValueError, OSError) as error:
            return OSError if isinstance(error, OSError) else type(error)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_view_does_what_a_socket_does(name: str) -> None:
    """Each program gives the same over a connection's view and over a socket."""
    assert said(view_and_peer, PROGRAMS[name]) == said(plain_and_peer, PROGRAMS[name])


def test_a_view_refuses_what_the_table_refuses() -> None:
    """After the end of sends a send is an IllegalCall; a detached view has no descriptor, and its connection is gone."""
    with view_and_peer() as (sock, _):
        sock.shutdown(socket.SHUT_WR)
        with pytest.raises(IllegalCall):
            sock.send(b"x")
        assert repr(sock).startswith("<SocketView over <lifecycle.Client")
        number = sock.detach()
        with socket.socket(fileno=number) as plain:
            assert plain.getblocking()
        assert sock.fileno() == -1
