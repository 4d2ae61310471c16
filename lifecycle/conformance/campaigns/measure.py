"""Measures the matrix of this machine: every call in every state, one fresh socket per cell."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifecycle.conformance.adapters.setup_states import Factory, begin_connect
from lifecycle.conformance.adapters.table_states import Rig, states_of
from lifecycle.system.handles import c_library
from lifecycle.system.matrices import CellKey
from lifecycle.system.outcomes import system_error
from lifecycle.system.portable_calls import dissolve

NOT_MEASURED = "n/a"
BAD_DIRECTION = 99
LONGEST_NAME = 128  # bytes, of a sockaddr_storage


class NoLibrary(OSError):
    """This system has no C library to call."""


def _library() -> Any:
    """The C library: for a receive of 0 bytes, the socket module makes no system call."""
    if os.name != "posix":
        raise NoLibrary("the calls that Python does not make are measured on POSIX systems only")
    return c_library()


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise system_error(number)
    return result


Call = Callable[[Rig, socket.socket], str]
"""Makes the call; returns the text after "ok" in the table."""


def _plain(call: Callable[[Rig, socket.socket], object]) -> Call:
    def make(rig: Rig, sock: socket.socket) -> str:
        call(rig, sock)
        return ""

    return make


def _counted(call: Callable[[Rig, socket.socket], int]) -> Call:
    return lambda rig, sock: f":{call(rig, sock)}"


def _connect(address: Callable[[Rig], object]) -> Call:
    def make(rig: Rig, sock: socket.socket) -> str:
        number = begin_connect(sock, address(rig))
        if number:
            raise system_error(number)
        return ""

    return make


def _receive_nothing(rig: Rig, sock: socket.socket) -> int:
    return _checked(_library().recv(sock.fileno(), ctypes.create_string_buffer(1), 0, 0))


def _receive_from(rig: Rig, sock: socket.socket) -> str:
    length, size = ctypes.c_uint32(LONGEST_NAME), 16
    buffer, name = ctypes.create_string_buffer(size), ctypes.create_string_buffer(LONGEST_NAME)
    received = _checked(_library().recvfrom(sock.fileno(), buffer, size, 0, name, ctypes.byref(length)))
    return f":{received}(addrlen={length.value})"


def _name(rig: Rig, sock: socket.socket) -> str:
    name = sock.getsockname()
    if rig.is_local:
        return "(named)" if name else "(unnamed)"
    return "(port=n)" if name[1] else "(port=0)"


def _error(rig: Rig, sock: socket.socket) -> str:
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return f":{errno.errorcode[number] if number else 0}"


def _close(rig: Rig, sock: socket.socket) -> str:
    _checked(_library().close(sock.fileno()))
    sock.detach()
    return ""


CALLS: Mapping[str, Call] = {
    "bind": _plain(lambda rig, sock: sock.bind(rig.fresh_address())),
    "listen": _plain(lambda rig, sock: sock.listen(8)),
    "accept": _plain(lambda rig, sock: sock.accept()[0].close()),
    "connect": _connect(lambda rig: rig.alive()),
    "connect_dead": _connect(lambda rig: rig.nobody(rig.kind)),
    "disconnect_unspec": _plain(lambda rig, sock: dissolve(sock)),
    "send": _counted(lambda rig, sock: sock.send(b"data")),
    "send_0": _counted(lambda rig, sock: sock.send(b"")),
    "send_oob": _counted(lambda rig, sock: sock.send(b"!", socket.MSG_OOB)),
    "write": _counted(lambda rig, sock: os.write(sock.fileno(), b"data")),
    "recv": _counted(lambda rig, sock: len(sock.recv(16))),
    "recv_0": _counted(_receive_nothing),
    "recv_peek": _counted(lambda rig, sock: len(sock.recv(16, socket.MSG_PEEK))),
    "sendto": _counted(lambda rig, sock: sock.sendto(b"data", rig.alive())),
    "recvfrom": _receive_from,
    "shutdown_rd": _plain(lambda rig, sock: sock.shutdown(socket.SHUT_RD)),
    "shutdown_wr": _plain(lambda rig, sock: sock.shutdown(socket.SHUT_WR)),
    "shutdown_rdwr": _plain(lambda rig, sock: sock.shutdown(socket.SHUT_RDWR)),
    "shutdown_bad": _plain(lambda rig, sock: sock.shutdown(BAD_DIRECTION)),
    "getpeername": _plain(lambda rig, sock: sock.getpeername()),
    "getsockname": _name,
    "so_error": _error,
    "so_acceptconn": _counted(lambda rig, sock: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)),
    "setsockopt_reuseaddr": _plain(lambda rig, sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)),
    "close": _close,
}
"""the name of a call in the tables -> how it is made"""


def _receive_nothing_otherwise(rig: Rig, sock: socket.socket) -> int:
    if hasattr(sock, "fileno"):
        raise NoLibrary("Python makes no system call where nothing is to be received")
    return len(sock.recv(0))


NEEDS_DESCRIPTOR = {"close", "disconnect_unspec", "send_oob", "write", "shutdown_bad", "so_acceptconn", "recvfrom"}
OF_OTHERS: Mapping[str, Call] = {call: CALLS[call] for call in CALLS if call not in NEEDS_DESCRIPTOR} | {
    "recv_0": _counted(_receive_nothing_otherwise)
}
"""the calls that need no descriptor of the system"""


def answer(call: str, rig: Rig, sock: socket.socket, calls: Mapping[str, Call] = CALLS) -> str:
    """Make the call; the answer as the tables write it: "ok...", "would-block", or the error's name, and "+SIGPIPE"."""
    with broken_pipes() as was_signalled:
        try:
            result = f"ok{calls[call](rig, sock)}"
        except NoLibrary:
            return NOT_MEASURED
        except OSError as error:
            result = _error_name(error)
        return f"{result}+SIGPIPE" if was_signalled() else result


def _error_name(error: OSError) -> str:
    if error.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
        return "would-block"
    if error.errno == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"
    return errno.errorcode.get(error.errno or 0, type(error).__name__)


@contextmanager
def broken_pipes() -> Iterator[Callable[[], bool]]:
    """Block SIGPIPE, and yield a function that says whether one is pending."""
    if sys.platform == "win32" or not hasattr(signal, "pthread_sigmask"):
        yield lambda: False
        return
    pipe = {signal.SIGPIPE}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, pipe)

    def was_signalled() -> bool:
        if signal.SIGPIPE not in signal.sigpending():
            return False
        signal.sigwait(pipe)
        return True

    try:
        yield was_signalled
    finally:
        was_signalled()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


FAMILIES: Mapping[str, int] = {
    name: int(getattr(socket, constant))
    for name, constant in (("inet", "AF_INET"), ("inet6", "AF_INET6"), ("unix", "AF_UNIX"))
    if hasattr(socket, constant)
}

KINDS: Mapping[str, int] = {
    name: int(getattr(socket, constant))
    for name, constant in (("stream", "SOCK_STREAM"), ("seqpacket", "SOCK_SEQPACKET"), ("dgram", "SOCK_DGRAM"))
    if hasattr(socket, constant)
}

PAIRS = tuple((family, kind) for kind in KINDS for family in FAMILIES if kind != "seqpacket" or family == "unix")
"""(family, kind) that this system is expected to have"""

Measured = Mapping[CellKey, str]
"""(family, kind, state, call) -> the answer"""


def measure(
    pairs: tuple[tuple[str, str], ...] = PAIRS,
    *,
    calls: tuple[str, ...] = tuple(CALLS),
    collects: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    new: Factory | None = None,
) -> Measured:
    """The answers of this machine's system, or of other sockets that `new` makes; missing (family, kind) are left out.

    collects: whether the result of each connection's connect() is collected first; the shipped tables did not.
    progress: called with (how many cells are done, of how many).
    """
    found: dict[CellKey, str] = {}
    present = [(family, kind) for family, kind in pairs if _has(FAMILIES[family], KINDS[kind])]
    total = sum(len(states_of(KINDS[kind])) * len(calls) for _, kind in present)
    with tempfile.TemporaryDirectory(prefix="m", ignore_cleanup_errors=True) as folder:  # paths of local sockets must be short
        for family, kind in present:
            rig = Rig(FAMILIES[family], KINDS[kind], Path(folder), collects=collects, new=new or socket.socket)
            made = {call: (CALLS if new is None else OF_OTHERS)[call] for call in calls}
            try:
                for state, call, result in _cells(rig, made):
                    found[family, kind, state, call] = result
                    if len(found) % 64 == 0:
                        progress(len(found), total)
            finally:
                rig.close()
    progress(total, total)
    return found


def _cells(rig: Rig, calls: Mapping[str, Call]) -> Iterator[tuple[str, str, str]]:
    for state, arrange in states_of(rig.kind).items():
        for call in calls:
            try:
                sock = arrange(rig)
            except (OSError, AttributeError):  # this family has no such state, or these sockets no such call
                yield state, call, NOT_MEASURED
            else:
                yield state, call, answer(call, rig, sock, calls)
            rig.new_cell()


def _has(family: int, kind: int) -> bool:
    try:
        with socket.socket(family, kind) as sock:
            if family == socket.AF_INET6:
                sock.bind(("::1", 0))
    except OSError as error:
        return error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT)
    return True
