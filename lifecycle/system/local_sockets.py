"""Unix-domain sockets: their paths and abstract names, and who the peer is."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
import sys
from contextlib import suppress
from typing import NamedTuple

from lifecycle.system.outcomes import system_error

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

LOCAL_FAMILY = int(getattr(socket, "AF_UNIX", -1))
"""AF_UNIX, or a number that is not a family"""

LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of sun_path without the NUL that ends it"""

PEER_CREDENTIALS: int | None = getattr(socket, "SO_PEERCRED", None)
"""Linux's option for the credentials of the peer"""


class Credentials(NamedTuple):
    """The process at the other end, as it was when the connection was made: its number, its user and its group."""

    pid: int
    uid: int
    gid: int


class BoundPath(NamedTuple):
    """A path created by a bind, and its file: only this file is removed, and only by the process that created it."""

    path: bytes
    device: int
    inode: int
    process: int


OF_A_PATH = frozenset({errno.ENOENT, errno.ECONNREFUSED, errno.EACCES, errno.EPROTOTYPE, errno.ENOTDIR, errno.ELOOP})
"""The errors that a peer's path can cause"""


def checked_path(path: object) -> bytes:
    """The system's name for a path, or for an abstract name, which begins with a NUL (Linux, unix(7)).

    Raises TypeError if it is not a path; ValueError for an empty one, one with a NUL in it, and an abstract one if the
    system has none; OSError (ENAMETOOLONG) for one that does not fit into a sockaddr_un, EAFNOSUPPORT without AF_UNIX.
    """
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"a path is a str, bytes or an os.PathLike, not {type(path).__name__}")
    name = os.fsencode(path)
    if LOCAL_FAMILY == -1:
        raise OSError(errno.EAFNOSUPPORT, "this system has no Unix-domain sockets for Python")
    if not name:
        raise ValueError("a path is not empty")
    if name.startswith(b"\0"):
        if sys.platform != "linux":
            raise ValueError("only Linux has abstract names, which begin with a NUL: give a path")
        if len(name) > LONGEST_PATH + 1:
            raise OSError(errno.ENAMETOOLONG, f"an abstract name has {LONGEST_PATH} bytes at most, not {len(name) - 1}")
        return name
    if b"\0" in name:
        raise ValueError("a path has no NUL in it")
    if len(name) > LONGEST_PATH:
        raise OSError(
            errno.ENAMETOOLONG, f"the path of a socket has {LONGEST_PATH} bytes at most, not {len(name)}", os.fsdecode(name)
        )
    return name


def bind_to_path(sock: socket.socket, name: bytes, mode: int | None) -> BoundPath | None:
    """Bind to a path or an abstract name; return the path to remove at the end, None for an abstract name.

    A socket left at the path that no process has open is removed first; nothing else is. mode: the
    permissions of the file, as os.chmod() takes them; None for the system's own (the umask). Raises OSError (EADDRINUSE).
    """
    if name.startswith(b"\0"):
        if mode is not None:
            raise ValueError("an abstract name has no permissions: every process of the network namespace can connect")
        sock.bind(name)
        return None
    try:
        sock.bind(name)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise OSError(error.errno, error.strerror, os.fsdecode(name)) from None
        _remove_stale(name)
        sock.bind(name)
    bound = _bound_at(name)
    if mode is not None:
        try:
            os.chmod(name, mode)
        except BaseException:
            remove(bound)
            raise
    return bound


def _bound_at(name: bytes) -> BoundPath:
    made = os.lstat(name)
    return BoundPath(os.path.abspath(name), made.st_dev, made.st_ino, os.getpid())


def bound_path_of(sock: socket.socket) -> BoundPath | None:
    """The path that the bind of a socket has created, from the system; None without one, or for an abstract name."""
    with suppress(OSError):
        name = os.fsencode(sock.getsockname())
        return _bound_at(name) if name and not name.startswith(b"\0") else None
    return None


def bind_anywhere(sock: socket.socket) -> BoundPath | None:
    """Give a datagram socket a name for answers: an abstract one on Linux (autobind), else a temporary path."""
    if sys.platform == "linux":
        sock.bind(b"")
        return None
    import secrets
    import tempfile

    return bind_to_path(sock, os.fsencode(os.path.join(tempfile.gettempdir(), f"lifecycle-{secrets.token_hex(8)}")), 0o600)


def remove(bound: BoundPath) -> None:
    """Remove a path if it is the file that the bind has created, in this process; a missing one is not an error."""
    if os.getpid() != bound.process:  # a child that inherited the object
        return
    with suppress(OSError):
        there = os.lstat(bound.path)
        if (there.st_dev, there.st_ino) == (bound.device, bound.inode):
            os.unlink(bound.path)


def _remove_stale(name: bytes) -> None:
    """Remove a socket at a path that no process has open; OSError (EADDRINUSE) for anything else there.

    A datagram socket is used to find out: it makes no connection for a server to accept, and a stream socket that is bound and
    does not listen yet answers with EPROTOTYPE, whereas a stream connect would be refused as by a stale path.
    """
    shown = os.fsdecode(name)
    if not stat.S_ISSOCK(os.lstat(name).st_mode):
        raise OSError(errno.EADDRINUSE, "a file that is not a socket is at this path, and is not removed", shown)
    with socket.socket(LOCAL_FAMILY, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        if probe.connect_ex(name) != errno.ECONNREFUSED:
            raise OSError(errno.EADDRINUSE, "another socket is bound to this path", shown)
    os.unlink(name)


def connect_error(number: int, name: bytes) -> OSError:
    """The error of a connect to a path, with the path, and with a note if the file there is not a socket."""
    error = OSError(number, os.strerror(number), os.fsdecode(name))
    with suppress(OSError, ValueError):
        if not stat.S_ISSOCK(os.stat(name).st_mode):
            error.add_note("The file at this path is not a socket.")
    return error


def peer_credentials(sock: socket.socket) -> Credentials:
    """The credentials of the peer; OSError (EOPNOTSUPP) if the system does not know them, or the socket is not of AF_UNIX."""
    if PEER_CREDENTIALS is None or sock.family != LOCAL_FAMILY:
        raise system_error(errno.EOPNOTSUPP)
    layout = struct.Struct("3i")
    return Credentials._make(layout.unpack(sock.getsockopt(socket.SOL_SOCKET, PEER_CREDENTIALS, layout.size)))
