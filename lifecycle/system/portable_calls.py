"""Calls on a raw socket that differ between systems."""

from __future__ import annotations

import _socket
import array
import errno
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

from lifecycle.system.addresses import Found, any_address
from lifecycle.system.handles import SystemSocket, c_library, fill, own_again, unfilled
from lifecycle.system.local_sockets import LOCAL_FAMILY, bind_anywhere
from lifecycle.system.outcomes import UNDER_WAY, system_error
from lifecycle.system.polling import is_ready

NEVER_BLOCKS = int(getattr(socket, "SOCK_NONBLOCK", 0))  # not every system has it

# -- making a socket ----------------------------------------------------------------------------------------------------


def new_socket(family: int, kind: int) -> SystemSocket:
    """A non-blocking socket of the system that child processes do not inherit."""
    sock = unfilled()
    fill(sock, family, kind | NEVER_BLOCKS)
    if not NEVER_BLOCKS:
        sock.setblocking(False)
    if family == socket.AF_INET6:  # the default of what an IPv6 socket does with IPv4 differs between systems
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def claim_address(sock: socket.socket) -> None:
    """Let a restarted server reuse its port at once, but no other program share it: the option differs between systems."""
    if sys.platform == "win32":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


LACKS_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENOPROTOOPT, errno.EINVAL})
"""Answers of a system that has no IPv6, or whose IPv6 sockets take no connections of IPv4 (OpenBSD)."""


def everywhere(prepare: Callable[[int], socket.socket], port: int) -> socket.socket | None:
    """A socket bound to every interface of both families (RFC 3493, section 5.3); None if the system does not support it.

    prepare: makes a socket of a family. Raises OSError (EADDRINUSE).
    """
    sock = None
    try:
        sock = prepare(socket.AF_INET6)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind(("::", port))
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, OSError) and error.errno in LACKS_IPV6:
            return None
        raise
    return sock


NOT_HERE = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})
"""Answers of a system that does not have an address."""

TRIES_OF_PORTS = 8


def bound(sock: socket.socket, name: Any) -> socket.socket:
    """The socket, bound; closed where that fails."""
    try:
        sock.bind(name)
    except BaseException:
        sock.close()
        raise
    return sock


def at_every(found: Sequence[Found], prepare: Callable[[int], socket.socket]) -> list[socket.socket]:
    """Sockets bound to the addresses, all to the same port; addresses that this machine does not have are omitted.

    Raises OSError (EADDRINUSE) if one is in use, and the error of the first address if none can be bound.
    """
    for tries_left in reversed(range(TRIES_OF_PORTS)):
        made: list[socket.socket] = []
        missing: OSError | None = None
        try:
            for family, name in found:
                try:
                    made.append(bound(prepare(family), (name[0], made[0].getsockname()[1] if made else name[1], *name[2:])))
                except OSError as error:
                    if error.errno not in NOT_HERE:
                        raise
                    missing = missing or error
        except BaseException as error:
            for each in made:
                each.close()
            is_taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            if is_taken and made and not found[0][1][1] and tries_left:
                continue  # the system chose a port that is free at one address and taken at another
            raise
        if missing is not None and not made:
            raise missing
        return made
    raise AssertionError("the last try raises")


def in_place_of(before: socket.socket, after: socket.socket) -> socket.socket:
    """Close the socket of `before`; return an object with that of `after`.

    If the system supports it, that is `before` itself, with the same descriptor. Raises OSError (EBADF) if `before`
    is closed already; `after` is closed then.
    """
    if sys.platform == "win32":  # its handles are not numbers to choose from
        before.close()
        return after
    number: list[int] = []
    try:
        try:
            with after:
                number.extend(
                    map(_socket.socket.detach, (before,))
                )  # first of all: a close() in another thread must not find it
                if number[0] == -1:
                    raise system_error(errno.EBADF)
                os.dup2(after.fileno(), number[0], inheritable=False)
        finally:
            own_again(before, number)
    except BaseException:  # of a signal handler, perhaps in there
        own_again(before, number)
        raise
    return before


# -- connecting ---------------------------------------------------------------------------------------------------------


def result_by_connecting_again(sock: socket.socket, address: Any) -> int:
    """Linux: a second connect() makes no new attempt, and collects the first one's result.

    It also makes the socket ready for another attempt after a refusal, which reading SO_ERROR does not: the next connect()
    would answer ECONNABORTED, once, without trying. Of an attempt that others have begun (an attached socket) the address is
    not known, and to connect to another one would be an attempt of its own.
    """
    if address is not None:
        return sock.connect_ex(address)
    number = result_by_option(sock, address)
    if number and number not in UNDER_WAY:
        dissolve(sock)  # ready for another attempt
    return number


def result_by_option(sock: socket.socket, address: Any) -> int:
    """POSIX and Winsock: SO_ERROR has the result once the socket is writable; if it was read before, getpeername()."""
    if not is_ready(sock.fileno(), writing=True):
        return errno.EINPROGRESS
    number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if not number:
        try:
            sock.getpeername()
        except OSError:
            return errno.ECONNREFUSED
    return number


connect_result = result_by_connecting_again if sys.platform == "linux" else result_by_option
"""(socket, address, or None where it is not known) -> 0, the number of the error, or one of UNDER_WAY"""


def bind_again(sock: socket.socket, name: Any) -> None:
    """Bind a socket to its local address after a refusal, or to any if that one is in use.

    A new socket has none; and Linux releases a port that it chose itself, but still reports it.
    """
    for each in (name, (any_address(sock.family), 0)):
        with suppress(OSError):  # EINVAL: it is bound still
            sock.bind(each)
            return


# -- a datagram socket's peer -------------------------------------------------------------------------------------------

_EMPTY_NAME = bytes(28)  # as long as a sockaddr_in6


def forget_peer(sock: socket.socket) -> None:
    """Make a connected datagram socket forget its peer, and keep its local address.

    POSIX (connect): an address of family AF_UNSPEC resets the peer; the BSDs do it and report EAFNOSUPPORT or EINVAL.
    Winsock (connect): the unspecified address with port 0 does. Raises OSError when the system refuses.
    """
    before = sock.getsockname()
    try:
        dissolve(sock)
        _keep_name(sock, before)
    except BaseException:  # of a signal handler
        _keep_name(sock, before)
        raise
    sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # what the old peer refused does not concern the next one


def _keep_name(sock: socket.socket, before: Any) -> None:
    """Bind to the previous address, or to another one, if the system dropped it."""
    if sock.family == LOCAL_FAMILY:
        if not sock.getsockname():
            bind_anywhere(sock)
    elif sock.getsockname()[1] == 0:  # Linux forgets a port that it chose itself
        bind_again(sock, before)


def dissolve(sock: socket.socket) -> None:
    """The system's own call that makes a socket forget its peer, and nothing else."""
    if os.name == "nt":
        sock.connect((any_address(sock.family), 0))
        return
    import ctypes

    if c_library().connect(sock.fileno(), _EMPTY_NAME, len(_EMPTY_NAME)) != 0:
        number = ctypes.get_errno()
        if sys.platform == "linux" or number not in (errno.EAFNOSUPPORT, errno.EINVAL):
            raise system_error(number)


def set_peer(sock: socket.socket, peer: Any) -> None:
    """Connect a datagram socket to `peer`; if that fails, the previous peer stays.

    On Linux a connect that fails (EACCES for a broadcast) reports the old peer, and sends to the new one.
    """
    try:
        sock.connect(peer)
    except OSError:
        with suppress(OSError):  # there was none
            sock.connect(sock.getpeername())
        raise


# -- receiving ----------------------------------------------------------------------------------------------------------


def receive_by_recvfrom(sock: socket.socket, size: int, flags: int) -> tuple[bytes, bool, Any]:
    """Winsock: a message that is too long is an error, and its beginning is in the buffer."""
    buffer = bytearray(size)
    try:
        count, sender = sock.recvfrom_into(buffer, size, flags)
    except OSError as error:
        if error.errno != errno.EMSGSIZE:
            raise
        return bytes(buffer), True, None
    return bytes(buffer[:count]), False, sender


receive_message = receive_by_recvfrom
"""(socket, size, flags) -> (data, whether the message was longer, the sender's address)"""

if sys.platform != "win32":

    def receive_by_recvmsg(sock: socket.socket, size: int, flags: int) -> tuple[bytes, bool, Any]:
        """POSIX: MSG_TRUNC marks a message that was longer."""
        data, _, answer, sender = sock.recvmsg(size, 0, flags)
        return data, bool(answer & socket.MSG_TRUNC), sender

    receive_message = receive_by_recvmsg


FIONREAD = 0x4004667F
"""Winsock's number for the command; readable_bytes() knows the system's own."""

_PEEK_START, _PEEK_LIMIT = 1 << 16, 1 << 24


def readable_by_peek(sock: socket.socket) -> int:
    """How many bytes can be received: peek at more and more of them."""
    size = _PEEK_START
    while True:
        try:
            found = len(sock.recv(size, socket.MSG_PEEK))
        except BlockingIOError:
            return 0
        if found < size or size >= _PEEK_LIMIT:
            return found
        size *= 2


readable_bytes = readable_by_peek

if sys.platform != "win32":
    import fcntl
    import termios

    def readable_by_ioctl(sock: socket.socket) -> int:
        """How many bytes can be received: the system says."""
        count = array.array("i", [0])
        fcntl.ioctl(sock, termios.FIONREAD, count)
        return count[0]

    readable_bytes = readable_by_ioctl


# -- ending a direction -------------------------------------------------------------------------------------------------

Direction = Literal["receives", "sends", "both", 0, 1, 2]

DIRECTIONS: Mapping[object, tuple[str, int]] = {
    name: (str(word), number)
    for word, mfc, number in (
        ("receives", 0, socket.SHUT_RD),
        ("sends", 1, socket.SHUT_WR),
        ("both", 2, socket.SHUT_RDWR),
    )
    for name in (word, mfc)
}
"""word or MFC's number -> (the word, the system's number)"""


def direction_of(how: object = "sends") -> tuple[str, int]:
    """(the word, the system's number) of a direction; ValueError for anything else."""
    if type(how) not in (int, str) or how not in DIRECTIONS:
        raise ValueError(f"shut_down() ends 'sends' (1), 'receives' (0) or 'both' (2), not {how!r}")
    return DIRECTIONS[how]
