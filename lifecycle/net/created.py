"""How a server, a client or a datagram socket gets its socket and its address, blocking or awaited."""

from __future__ import annotations

import errno
import socket
from itertools import count
from typing import Any

from lifecycle.net.operations import Operation, Value
from lifecycle.net.operations.connecting import resolving
from lifecycle.net.option_names import NamedOptions
from lifecycle.roles import words
from lifecycle.system.addresses import Address, Found, any_address, checked_port, from_system
from lifecycle.system.handles import INTERNET_FAMILIES, unfilled
from lifecycle.system.local_sockets import LOCAL_FAMILY, BoundPath, Path, bind_to_path, bound_path_of, checked_path
from lifecycle.system.portable_calls import at_every, bound, claim_address, everywhere, new_socket


class CreatedSocket(NamedOptions):
    """An object that is created, rather than filled by an accept()."""

    __slots__ = ()

    def open(self, family: int = socket.AF_INET) -> None:
        """Get a socket without an address, so that options can be set before bind() (MFC's Socket).

        family: AF_INET, AF_INET6 or AF_UNIX. Raises IllegalCall in every state but `empty`, ValueError for another family,
        OSError (EMFILE).
        """
        self._socket = self._opened(family)

    def _opened(self, family: int) -> socket.socket:
        return self._prepared_socket(family if _is_local(family) else checked_family(family))

    def _creating_at(
        self, port: int, address: str | None, family: int | None, path: Path | None, mode: int | None
    ) -> Operation[None]:
        """create(), at a path or at an address."""
        if path is None:
            _refuse_mode(mode)
            return self._creating(port, address, family)
        if port or address is not None or family not in (None, LOCAL_FAMILY):
            raise TypeError("a path takes the place of port, address and family")
        return self._creating_path(checked_path(path), mode)

    def _creating_path(self, name: bytes, mode: int | None) -> Operation[None]:
        sock = self._prepared_socket(LOCAL_FAMILY)
        try:
            self._bind_to_path(sock, name, mode)
        except BaseException:
            sock.close()
            self._remove_path()
            raise
        self._socket = sock
        yield from ()

    def _binding_at(self, port: int, address: str | None, path: Path | None, mode: int | None) -> Operation[None]:
        """bind(), to a path or an address."""
        if path is None:
            _refuse_mode(mode)
            if self._socket.family == LOCAL_FAMILY:
                raise OSError(errno.EAFNOSUPPORT, "this socket was opened for AF_UNIX: bind(path=...)")
            return self._binding(port, address)
        if port or address is not None:
            raise TypeError("a path takes the place of port and address")
        name = checked_path(path)
        if self._socket.family != LOCAL_FAMILY:
            raise OSError(errno.EAFNOSUPPORT, "the socket cannot use a path: open(AF_UNIX) makes one that can")
        return self._binding_path(name, mode)

    def _binding_path(self, name: bytes, mode: int | None) -> Operation[None]:
        self._bind_to_path(self._socket, name, mode)
        yield from ()

    def _bind_to_path(self, sock: socket.socket, name: bytes, mode: int | None) -> None:
        bound: BoundPath | None = None
        try:
            bound = bind_to_path(sock, name, mode)
            if bound is not None:
                self._bound_path = bound
        except BaseException:  # of a signal handler, after the bind
            bound = bound or bound_path_of(sock)
            if bound is not None:
                self._bound_path = bound
            raise

    def _creating(self, port: int, address: str | None, family: int | None) -> Operation[None]:
        """create(), waiting for the look-up of a name."""
        wanted = int(socket.AF_UNSPEC) if family is None else checked_family(family)
        local = any_address(wanted) if address is None else address
        found, *_ = yield from resolving(local, port, wanted, self._kind)
        self._socket = bound(self._prepared_socket(found[0]), found[1])

    def _binding(self, port: int, address: str | None) -> Operation[None]:
        """bind(), waiting for the look-up of a name."""
        family = self._socket.family
        local = any_address(family) if address is None else address
        found, *_ = yield from resolving(local, port, family, self._kind)
        self._socket.bind(found[1])

    def _prepared_socket(self, family: int) -> socket.socket:
        """A new socket of the system, with the options that must be set before the bind."""
        sock = new_socket(family, self._kind)
        try:
            if family != LOCAL_FAMILY:
                self._before_bind(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _before_bind(self, sock: socket.socket) -> None:
        """Set what must be set before the bind; nothing but for a server."""


class ServerCalls(CreatedSocket):
    """A server's socket, but for accept()."""

    __slots__ = ()

    _left: list[socket.socket]
    """connections that interrupted calls of accept() have taken"""

    _kind = socket.SOCK_STREAM

    _others: list[socket.socket]
    """its listeners besides the first one: a name may have several addresses"""

    def listen(self, backlog: int | None = None) -> None:
        """Let connections queue up; listening again changes the queue's length only.

        backlog: how many may wait, the system's own default when None; a number that is out of the system's range is
        clamped by the system. Legal in `bound` and `listening` (on an unbound socket Winsock answers WSAEINVAL, and Linux
        would pick a port). Raises OSError (EADDRINUSE), TypeError.
        """
        if backlog is not None and (not isinstance(backlog, int) or isinstance(backlog, bool)):
            raise TypeError(f"a backlog is an int, not {type(backlog).__name__}")
        for listener in self._own_sockets:
            listener.listen(*(() if backlog is None else (max(0, min(backlog, 2**31 - 1)),)))

    @property
    def local_addresses(self) -> tuple[Address, ...]:
        """The addresses of all its listeners, the first of which is local_address; none where get_sock_name() is not legal."""
        if not self.is_legal(words.GET_SOCK_NAME.name):
            return ()
        return tuple(from_system(listener.getsockname()) for listener in self._own_sockets)

    def set_option(self, level: int = socket.SOL_SOCKET, option: int | None = None, value: int | bytes | None = None) -> None:
        """As for every socket, for the listeners on all addresses."""
        super().set_option(level, option, value)
        for listener in self._others:
            if level not in FAMILY_LEVELS or FAMILY_LEVELS[level] == listener.family:
                listener.setsockopt(level, option, value)  # type: ignore[arg-type]

    def detach(self) -> int:
        """Hand the first listener's descriptor out, in blocking mode, and end the object; the other listeners are closed."""
        number = super().detach()
        self._close_others()
        return number

    @property
    def _own_sockets(self) -> tuple[socket.socket, ...]:
        return (self._socket, *self._others)

    def _in_turn(self) -> tuple[socket.socket, ...]:
        """The listeners; each call begins with the next one."""
        if not self._others:
            return (self._socket,)
        listeners = self._own_sockets
        turn = next(TURNS) % len(listeners)
        return listeners[turn:] + listeners[:turn]

    def _release(self) -> None:
        super()._release()
        self._close_others()

    def _close_others(self) -> None:
        for each in (*getattr(self, "_others", ()), *getattr(self, "_left", ())):
            each.close()

    def _arriving(self) -> socket.socket:
        """A socket object for the connection that an accept() takes; one that an interrupted accept() has left holds it."""
        return self._left.pop() if self._left else unfilled()

    def _leave(self, connection: socket.socket, target: Any) -> None:
        """Keep a connection that an interrupted accept() has taken for the next one."""
        if connection.fileno() != -1:
            if target._socket is connection:
                target._socket = None
            self._left.append(connection)

    def _before_bind(self, sock: socket.socket) -> None:
        claim_address(sock)

    def _creating(self, port: int, address: str | None, family: int | None) -> Operation[None]:
        """At every address: of a name, or of both families, by one socket where the system can do that."""
        wanted = int(socket.AF_UNSPEC) if family is None else checked_family(family)
        if address is None and family is None:
            checked_port(port)
            sock = everywhere(self._prepared_socket, port)
            if sock is not None:
                self._socket = sock
                return
            found: list[Found] = [(each, (any_address(each), port)) for each in INTERNET_FAMILIES]
        else:
            found = yield from resolving(any_address(wanted) if address is None else address, port, wanted, self._kind)
        self._socket, *others = at_every(found, self._prepared_socket)
        self._others[:] = others


TURNS = count()
"""Which listener of a server is asked first: none has to wait for the others"""

FAMILY_LEVELS = {socket.IPPROTO_IP: socket.AF_INET, socket.IPPROTO_IPV6: socket.AF_INET6}
"""The levels of options that one family has"""


def _is_local(family: object) -> bool:
    return isinstance(family, socket.AddressFamily) and family == LOCAL_FAMILY


def _refuse_mode(mode: int | None) -> None:
    if mode is not None:
        raise TypeError("mode is the permissions of a path, and there is none")


def checked_family(family: int) -> int:
    """`family` itself; ValueError for one that is not of the internet."""
    if family not in INTERNET_FAMILIES:
        raise ValueError(f"family {family!r} is neither AF_INET nor AF_INET6")
    return family


def checked_class(kind: type[Value], base: type[Any]) -> type[Value]:
    """`kind` itself; TypeError unless it is a subclass of `base`."""
    if not (isinstance(kind, type) and issubclass(kind, base)):
        raise TypeError(f"accepts is a subclass of {base.__name__}, not {kind!r}")
    return kind
