"""Random programs over a few sockets, and transcripts of the results: the same with a checker as without."""

from __future__ import annotations

import copy
import pickle
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from hypothesis import strategies as st

Walk = Sequence[tuple[str, int, int]]
"""(operation, which socket, which other socket or argument), one after the other"""

HOST = "127.0.0.1"
DIRECTIONS = (socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR, 99)


class Walker:
    """Non-blocking sockets, and the results of their calls."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.sockets: list[socket.socket] = []
        self.transcript: list[object] = []

    def add(self, sock: socket.socket) -> str:
        """Add a socket that was made."""
        sock.setblocking(False)
        self._stack.callback(sock.close)
        self.sockets.append(sock)
        return "made"

    def step(self, operation: str, which: int, other: int) -> None:
        """Make a call, and record its result."""
        chosen = self.sockets[which % len(self.sockets)]
        try:
            answer: object = OPERATIONS[operation](self, chosen, other)
        except Exception as error:
            number = getattr(error, "errno", None)
            answer = (type(error).__name__, number, _neutral(str(error)), error.__cause__, error.__context__)
        self.transcript.append((operation, answer))

    def address(self, other: int) -> Any:
        """The address of some socket, from the system."""
        sock = self.sockets[other % len(self.sockets)]
        try:
            return sock.getsockname()
        except OSError:
            return (HOST, 9)

    def accept(self, sock: socket.socket) -> str:
        """Accept, and add the connection."""
        connection, (host, _) = sock.accept()
        return f"{host} {self.add(connection)}"


def _neutral(text: str) -> str:
    """Without the numbers that differ from run to run."""
    return re.sub(r"0x[0-9a-f]+|fd=-?\d+|\b\d{4,5}\b", "N", text)


def _is_bad(call: str, *arguments: object) -> Callable[[Walker, socket.socket, int], object]:
    return lambda walker, sock, other: getattr(sock, call)(*arguments)


OPERATIONS: dict[str, Callable[[Walker, socket.socket, int], object]] = {
    "stream": lambda walker, sock, other: walker.add(socket.socket()),
    "datagram": lambda walker, sock, other: walker.add(socket.socket(type=socket.SOCK_DGRAM)),
    "bind": lambda walker, sock, other: sock.bind((HOST, 0)),
    "listen": lambda walker, sock, other: sock.listen(4),
    "accept": lambda walker, sock, other: walker.accept(sock),
    "connect": lambda walker, sock, other: sock.connect(walker.address(other)),
    "connect_ex": lambda walker, sock, other: sock.connect_ex(walker.address(other)),
    "send": lambda walker, sock, other: sock.send(b"data"),
    "sendall": lambda walker, sock, other: sock.sendall(b"more data", 0),
    "sendmsg": lambda walker, sock, other: sock.sendmsg([b"da", b"ta"]),
    "sendmsg_to": lambda walker, sock, other: sock.sendmsg([b"data"], [], 0, walker.address(other)),
    "sendto": lambda walker, sock, other: sock.sendto(b"data", walker.address(other)),
    "sendto_flags": lambda walker, sock, other: sock.sendto(b"data", 0, walker.address(other)),
    "recv": lambda walker, sock, other: sock.recv(other),
    "recvfrom": lambda walker, sock, other: _neutral(str(sock.recvfrom(100))),
    "recvmsg": lambda walker, sock, other: sock.recvmsg(100)[0],
    "recv_into": lambda walker, sock, other: sock.recv_into(bytearray(other)),
    "recv_into_names": lambda walker, sock, other: sock.recv_into(buffer=bytearray(9), nbytes=3),
    "recv_into_half_by_name": lambda walker, sock, other: sock.recv_into(bytearray(9), nbytes=3, flags=0),
    "recv_into_twice_told": lambda walker, sock, other: sock.recv_into(bytearray(9), 0, nbytes=3),  # type: ignore[misc]
    "recv_into_wrong_name": lambda walker, sock, other: sock.recv_into(bytearray(9), size=3),  # type: ignore[call-arg]
    "recvfrom_into": lambda walker, sock, other: sock.recvfrom_into(bytearray(9), 4)[0],
    "peek": lambda walker, sock, other: sock.recv(2, socket.MSG_PEEK),
    "shutdown": lambda walker, sock, other: sock.shutdown(DIRECTIONS[other % 4]),
    "close": lambda walker, sock, other: sock.close(),
    "detach": lambda walker, sock, other: walker.add(socket.socket(fileno=sock.detach())),
    "dup": lambda walker, sock, other: walker.add(sock.dup()),
    "getsockname": lambda walker, sock, other: _neutral(str(sock.getsockname())),
    "getpeername": lambda walker, sock, other: _neutral(str(sock.getpeername())),
    "so_error": lambda walker, sock, other: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR),
    "setsockopt": lambda walker, sock, other: sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    "settimeout": lambda walker, sock, other: sock.settimeout(0),
    "timeout": lambda walker, sock, other: (sock.gettimeout(), sock.getblocking()),
    "is_open": lambda walker, sock, other: sock.fileno() >= 0,
    "read_line": lambda walker, sock, other: sock.makefile("rb", buffering=0).readline(),
    "write": lambda walker, sock, other: sock.makefile("wb", buffering=0).write(b"line\n"),
    "shown": lambda walker, sock, other: _neutral(repr(sock)),
    "counts_as": lambda walker, sock, other: (bool(sock), type(sock), sock == sock, isinstance(sock, socket.socket)),
    "pickled": lambda walker, sock, other: pickle.dumps(sock),
    "copied": lambda walker, sock, other: copy.copy(sock),
    **{
        f"bad {number}": _is_bad(*call)
        for number, call in enumerate((
            ("recv",), ("recv", "x"), ("recv", -1), ("recv", 1, 2, 3), ("send",), ("send", "text"), ("send", b"x", "y"),
            ("sendall",), ("sendall", 1), ("sendto",), ("sendto", b"x"), ("sendto", b"x", 0, (HOST, 9), 4), ("sendto", b"x", 1),
            ("sendmsg",), ("sendmsg", b"x"), ("recv_into",), ("recv_into", b""), ("recv_into", bytearray(1), 9),
            ("recvfrom",), ("recvfrom_into",), ("recvmsg",), ("recvmsg", -1), ("bind",), ("bind", 1), ("bind", (HOST, 70000)),
            ("listen", "x"), ("listen", 1, 2), ("accept", 1), ("_accept", 1), ("connect",), ("connect", (HOST,)),
            ("connect_ex", 1), ("shutdown",), ("shutdown", "x"), ("getsockopt",), ("setsockopt", 1), ("settimeout", -1),
            ("settimeout", "x"), ("setblocking",), ("fileno", 1), ("close", 1), ("detach", 1), ("dup", 1), ("getsockname", 1),
            ("getpeername", 1),
        ))
    },
}  # fmt: skip

walks: st.SearchStrategy[Walk] = st.lists(
    st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 5), st.integers(0, 5)), max_size=40
)


def transcript(walk: Walk) -> list[object]:
    """The results of a walk over a listener, a client of it and a datagram socket."""
    with ExitStack() as stack:
        walker = Walker(stack)
        for sock in (socket.socket(), socket.socket(), socket.socket(type=socket.SOCK_DGRAM)):
            walker.add(sock)
        walker.sockets[0].bind((HOST, 0))
        walker.sockets[0].listen(4)
        for step in walk:
            walker.step(*step)
        return walker.transcript
