"""Handles of the operating system: the facts of the socket behind one, and changes of its owner.

Linux reports the state of TCP. Elsewhere a half-closed connection looks like an open one, until the next call
finds out.
"""

from __future__ import annotations

import _socket
import errno
import os
import select
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from lifecycle.roles.facts import BOUND, BROKEN, LINKED, LISTENING, OPEN, OVER, PEER, SEEKING, Facts, Receives
from lifecycle.system.local_sockets import LOCAL_FAMILY

INTERNET_FAMILIES = (socket.AF_INET, socket.AF_INET6)
FAMILIES = (*INTERNET_FAMILIES, LOCAL_FAMILY)
MAX_HANDLE = 2**31 - 1 if os.name == "posix" else 2**64 - 1

# The states of TCP as Linux numbers them (include/net/tcp_states.h).
SYN_SENT, SYN_RECEIVED, LAST_ACK, CLOSING, CLOSE_WAIT = 2, 3, 9, 11, 8
FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT = 4, 5, 6

FIN_SENT = frozenset({FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, LAST_ACK, CLOSING})
FIN_RECEIVED = frozenset({CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT})

_raw = _socket.socket
"""Its methods are called unbound, to bypass those of subclasses, and those that the checker installs."""


def facts_of(sock: socket.socket, *, peek: bool = True) -> Facts:
    """The facts of the socket, as known to the system; nothing is changed.

    peek: whether to peek at data to receive, which takes a pending error from its owner; `sock` must be non-blocking
    then. Without it every connection counts as open in both directions.
    """
    if _raw.fileno(sock) == -1:
        return OVER
    has_peer = _has_peer(sock)
    if _type(sock) == socket.SOCK_DGRAM:
        return _facts_of_messages(sock, has_peer=has_peer, peek=peek)
    if _listens(sock):
        return LISTENING
    tcp = _tcp_state(sock)
    if tcp in (SYN_SENT, SYN_RECEIVED):
        return SEEKING
    if not peek:
        return LINKED if has_peer else _unconnected(sock)
    head = _peek(sock)
    if isinstance(head, int):
        return _unconnected(sock) if head in (errno.ENOTCONN, errno.EINVAL) else BROKEN  # EINVAL: of AF_UNIX, on Linux
    if not _has_peer(sock):  # the peek may have taken the error that ended the connection
        return BROKEN if head else _linked(False, Receives.EOF)
    receives = Receives.OPEN
    if head == b"":
        receives = Receives.EOF if tcp is None or tcp in FIN_RECEIVED else Receives.OFF
    elif head is not None and tcp not in FIN_RECEIVED and tcp is not None and _receives_have_ended(sock):
        # what is queued can still be read; with nothing there, the peek would have seen the end
        receives = Receives.OFF
    sends = tcp not in FIN_SENT and not (family_of(sock) == LOCAL_FAMILY and _sends_have_ended(sock))
    return _linked(sends, receives)


@cache
def _linked(sends: bool, receives: Receives) -> Facts:
    return replace(LINKED, sends=sends, receives=receives)


def is_bound(sock: socket.socket) -> bool:
    """Whether the socket has a local address."""
    try:
        name = _raw.getsockname(sock)
    except OSError:  # Winsock: WSAEINVAL while unbound
        return False
    return bool(name[1] if family_of(sock) in INTERNET_FAMILIES else name)


def blocking_mode(number: int) -> bool:
    """Whether the descriptor is in blocking mode; Winsock does not report it, and True is a handle's default."""
    return sys.platform == "win32" or os.get_blocking(number)


SO_PROTOCOL_INFOW = 0x2005
PROTOCOL_INFO_SIZE = 628  # of a WSAPROTOCOL_INFOW; its family stands at 76, then two lengths, type and protocol
PROTOCOL_INFO_FAMILY = 76


def socket_of(number: int) -> socket.socket:
    """A socket object over a descriptor, which it owns; its family and type are asked of the system.

    `socket.socket(fileno=...)` asks for the local address first, which Winsock refuses to an unbound socket (WSAEINVAL).
    """
    if sys.platform != "win32":
        return socket.socket(fileno=number)
    view = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=number)
    try:
        info = view.getsockopt(socket.SOL_SOCKET, SO_PROTOCOL_INFOW, PROTOCOL_INFO_SIZE)
    finally:
        view.detach()
    family, _, _, kind, protocol = struct.unpack_from("<5i", info, PROTOCOL_INFO_FAMILY)
    return socket.socket(family, kind, protocol, fileno=number)


class SystemSocket(socket.socket):
    """The socket of an object of this package: `sock << data` sends, and `~sock` accepts, each in one step.

    An exception of a signal handler may come behind a call, and what that gave is lost: how much was sent, or a descriptor.
    CPython runs signal handlers behind calls, at jumps back and where a function begins, and not behind an operator.

    It is made and closed without the methods in Python that socket.socket has around the system's, and has no makefile().
    """

    __slots__ = ()

    __lshift__ = socket.socket.send
    close = _raw.close

    def __exit__(self, *_: object) -> None:
        self.close()

    if TYPE_CHECKING:

        def __invert__(self) -> tuple[int, object]: ...

    else:
        __invert__ = vars(_raw)["_accept"]


def unfilled() -> SystemSocket:
    """A socket object that holds no descriptor yet."""
    sock = SystemSocket.__new__(SystemSocket)
    sock._closed = False  # type: ignore[attr-defined]  # as socket.socket.__init__() does
    return sock


fill = _raw.__init__
"""(socket, family, type, protocol, descriptor): get a descriptor into a SystemSocket, a new one unless it is given"""


def own(sock: socket.socket, number: int) -> None:
    """Put a descriptor into `sock`, which has none.

    `sock` exists before, so that an interrupted caller can see whether it has the descriptor: an object made and dropped
    closes the descriptor.
    """
    init = fill if isinstance(sock, SystemSocket) else socket.socket.__init__
    if sys.platform == "win32":
        view = socket_of(number)
        init(sock, view.family, view.type, view.proto, view.detach())
    else:
        init(sock, -1, -1, -1, number)


def own_again(sock: socket.socket, number: list[int]) -> None:
    """Put the descriptor back that `sock` had before it was detached; may be repeated. number: empty, the descriptor, or -1."""
    if number and number[0] != -1:
        own(sock, number[0])


def take_connection(listener: socket.socket, into: socket.socket) -> socket.socket:
    """Accept a connection, without blocking, into `into`, unless the listener is of another class.

    The descriptor has a name before the interpreter runs anything else: an exception of a signal handler that comes then
    leaves it in `into`, and not lost.
    """
    if type(listener) is not SystemSocket:
        connection = listener.accept()[0]
        connection.setblocking(False)
        return connection
    number = -1
    try:
        number, _ = ~listener
        fill(into, family_of(listener), _type(listener), listener.proto, number)
        into.setblocking(False)
    except BaseException:
        if number != -1:  # once more, and whole
            fill(into, family_of(listener), _type(listener), listener.proto, number)
            into.setblocking(False)
        raise
    return into


def accept_plainly(listener: socket.socket) -> tuple[socket.socket, Any]:
    """As socket.accept(), of a listener that does not wait."""
    number, address = _raw._accept(listener)  # type: ignore[attr-defined]  # the stubs leave it out
    return socket.socket(family_of(listener), _type(listener), listener.proto, number), address


def identity_of(number: int) -> tuple[int, int] | None:
    """An identification of the file behind a descriptor, to detect a reused number; None if there is no file."""
    try:
        found = os.fstat(number)
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextmanager
def borrowed(number: int) -> Iterator[socket.socket]:
    """A socket object over a descriptor that it does not own."""
    sock = unfilled()
    try:
        own(sock, number)
        yield sock
    finally:
        sock.detach()


def make_blocking(number: int) -> None:
    """Put a descriptor into blocking mode, like a new socket of the system."""
    if sys.platform != "win32":
        os.set_blocking(number, True)
        return
    with borrowed(number) as sock:
        sock.setblocking(True)


family_of: Callable[[socket.socket], int] = _raw.family.__get__
"""The family as a number, from which socket.socket.family makes an enum each time"""
_type = _raw.type.__get__


def is_of_kind(sock: socket.socket, kind: int) -> bool:
    """Whether it is a socket of a family that objects of this package have, and of that type."""
    return family_of(sock) in FAMILIES and _type(sock) == kind


def _unconnected(sock: socket.socket) -> Facts:
    return BOUND if is_bound(sock) else OPEN


def _facts_of_messages(sock: socket.socket, *, has_peer: bool, peek: bool) -> Facts:
    if not has_peer:
        found = _unconnected(sock)
        is_shut = peek and _receives_have_ended(sock)  # on Linux an unconnected one, too, and no state is that
        return replace(found, receives=Receives.EOF) if is_shut else found
    if not peek:
        return PEER
    receives = Receives.OFF if _receives_have_ended(sock) else Receives.OPEN
    return replace(PEER, sends=not _sends_have_ended(sock), receives=receives)


def _receives_have_ended(sock: socket.socket) -> bool:
    """Whether shutdown() has ended receives, or the peer its stream; only Linux reports this."""
    if sys.platform != "linux":
        return False
    poller = select.poll()
    poller.register(_raw.fileno(sock), select.POLLRDHUP)
    return any(events & select.POLLRDHUP for _, events in poller.poll(0))


def _sends_have_ended(sock: socket.socket) -> bool:
    """Whether shutdown() has ended sends: on Linux shown by sending 0 bytes on a stream, or an unreadable message.

    Nothing is sent: Linux checks the end of sends first, then the message's memory, which is at an invalid address.
    """
    if _type(sock) == socket.SOCK_STREAM:
        try:
            _raw.send(sock, b"")
        except OSError as error:
            return error.errno in (errno.EPIPE, errno.ESHUTDOWN)
        return False
    if sys.platform != "linux":
        return False
    import ctypes

    flags = socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL
    c_library().send(_raw.fileno(sock), ctypes.c_void_p(1), ctypes.c_size_t(1), flags)
    return ctypes.get_errno() == errno.EPIPE


@cache
def c_library() -> Any:
    """The C library of a POSIX system, for calls that Python does not make."""
    import ctypes  # here, since importing it takes longer than all of this package

    return ctypes.CDLL(None, use_errno=True)


def _listens(sock: socket.socket) -> bool:
    try:
        return bool(_raw.getsockopt(sock, socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _has_peer(sock: socket.socket) -> bool:
    try:
        _raw.getpeername(sock)
    except OSError:
        return False
    return True


def _tcp_state(sock: socket.socket) -> int | None:
    if sys.platform != "linux" or family_of(sock) not in INTERNET_FAMILIES:
        return None
    try:
        return _raw.getsockopt(sock, socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    except OSError:  # closed meanwhile
        return None


def _peek(sock: socket.socket) -> bytes | int | None:
    """The first byte to be received, b"" at the end, None if nothing has arrived, or the error's number."""
    try:
        return _raw.recv(sock, 1, socket.MSG_PEEK)
    except BlockingIOError:
        return None
    except OSError as error:
        return error.errno
