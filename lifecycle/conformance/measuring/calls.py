"""Makes each call of the shipped tables on a socket, and writes down the answer as they do."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from lifecycle.conformance.measuring import libc
from lifecycle.conformance.measuring.rig import Rig

NOT_MEASURED = "n/a"
BAD_DIRECTION = 99

Call = Callable[[Rig, socket.socket], str]
"""Makes the call; what follows "ok" in the table."""


def _plain(call: Callable[[Rig, socket.socket], object]) -> Call:
    def make(rig: Rig, sock: socket.socket) -> str:
        call(rig, sock)
        return ""

    return make


def _counted(call: Callable[[Rig, socket.socket], int]) -> Call:
    return lambda rig, sock: f":{call(rig, sock)}"


def _connect(address: Callable[[Rig], object]) -> Call:
    def make(rig: Rig, sock: socket.socket) -> str:
        number = sock.connect_ex(address(rig))  # type: ignore[arg-type]
        if number:
            raise OSError(number, os.strerror(number))
        return ""

    return make


def _receive_from(rig: Rig, sock: socket.socket) -> str:
    received, length = libc.receive_from(sock, 16)
    return f":{received}(addrlen={length})"


def _name(rig: Rig, sock: socket.socket) -> str:
    name = sock.getsockname()
    if rig.is_local:
        return "(named)" if name else "(unnamed)"
    return "(port=n)" if name[1] else "(port=0)"


def _error(rig: Rig, sock: socket.socket) -> str:
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return f":{errno.errorcode[number] if number else 0}"


def _close(rig: Rig, sock: socket.socket) -> str:
    libc.close(sock.fileno())
    sock.detach()
    return ""


CALLS: Mapping[str, Call] = {
    "bind": _plain(lambda rig, sock: sock.bind(rig.fresh_address())),
    "listen": _plain(lambda rig, sock: sock.listen(8)),
    "accept": _plain(lambda rig, sock: sock.accept()[0].close()),
    "connect": _connect(lambda rig: rig.alive),
    "connect_dead": _connect(lambda rig: rig.dead),
    "disconnect_unspec": _plain(lambda rig, sock: libc.forget_peer(sock)),
    "send": _counted(lambda rig, sock: sock.send(b"data")),
    "send_0": _counted(lambda rig, sock: sock.send(b"")),
    "send_oob": _counted(lambda rig, sock: sock.send(b"!", socket.MSG_OOB)),
    "write": _counted(lambda rig, sock: os.write(sock.fileno(), b"data")),
    "recv": _counted(lambda rig, sock: len(sock.recv(16))),
    "recv_0": _counted(lambda rig, sock: libc.receive_nothing(sock)),
    "recv_peek": _counted(lambda rig, sock: len(sock.recv(16, socket.MSG_PEEK))),
    "sendto": _counted(lambda rig, sock: sock.sendto(b"data", rig.alive)),
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
"""what the tables call it -> how it is made"""


def answer(call: str, rig: Rig, sock: socket.socket) -> str:
    """Make the call; the answer as the tables write it: "ok...", "would-block", or the error's name, and "+SIGPIPE"."""
    with broken_pipes() as was_signalled:
        try:
            result = f"ok{CALLS[call](rig, sock)}"
        except libc.NoLibrary:
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
    """Gives what tells whether a SIGPIPE came; it does no harm while the block runs."""
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
