"""OsSocket: what all roles have in common on a real socket of the operating system, blocking or awaited."""

from __future__ import annotations

import errno
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar, NoReturn, TypeVar, cast
from weakref import ref

from lifecycle import roles
from lifecycle.engine import ClosedDuringCall, IllegalCall, Lifecycle, LifecycleError, Role, settled
from lifecycle.net.ownership import LENT, OWNERSHIP, refuse_own_way
from lifecycle.roles import words
from lifecycle.roles.facts import SHUT_DOWN_CHANGES, Facts
from lifecycle.roles.options import refusal_of_option
from lifecycle.system.addresses import Address, from_system
from lifecycle.system.handles import MAX_HANDLE, blocking_mode, facts_of, is_of_kind, make_blocking, own, unfilled
from lifecycle.system.local_sockets import BoundPath, Credentials, peer_credentials, remove
from lifecycle.system.outcomes import note_limit, outcome_of_error
from lifecycle.system.portable_calls import FIONREAD, direction_of, in_place_of, readable_bytes
from lifecycle.system.refusals import answers_here
from lifecycle.system.threads import until_calls_have_ended

NAMES_HERE: Mapping[str, str] = {
    "connect_ex": "connect(), which raises",
    "dup": "detach() or attach()",
    "family": "local_address",
    "getblocking": "the attribute timeout",
    "getpeername": "get_peer_name() or peer_address",
    "getsockname": "get_sock_name() or local_address",
    "getsockopt": "get_option()",
    "gettimeout": "the attribute timeout",
    "ioctl": "io_ctl()",
    "makefile": "Reader(socket) for lines, or SocketFile(socket)",
    "recv": "receive()",
    "recv_into": "receive_into()",
    "recvfrom": "receive_from()",
    "recvfrom_into": "receive_from()",
    "recvmsg": "receive_from()",
    "sendall": "send(), which sends everything",
    "sendfile": "send_file()",
    "sendmsg": "send_gathered()",
    "sendto": "send_to()",
    "setblocking": "the attribute timeout: None waits, 0 does not",
    "setsockopt": "set_option()",
    "settimeout": "the attribute timeout",
    "shutdown": "shut_down()",
}
"""A name of socket.socket -> what it is called on these objects."""

TRIES = 1000
"""How often to ask a socket that is being exchanged for another one, which takes a few system calls"""

LEVELS = frozenset(
    number
    for name in ("SOL_SOCKET", "IPPROTO_IP", "IPPROTO_IPV6", "IPPROTO_TCP", "IPPROTO_UDP", "IPPROTO_ICMP", "IPPROTO_RAW")
    if (number := getattr(socket, name, None)) is not None
)
"""The levels of options that sockets of the internet have."""


Value = TypeVar("Value")

NO_SOCKET: socket.socket = cast("socket.socket", None)
"""Stands for the socket of an object that has none yet; calls that use it are legal only when there is one"""


class NamedElsewhere:
    """Stands for a name of socket.socket: getting it raises AttributeError, which says the name here.

    A descriptor and not __getattr__(), with which CPython does not specialise any attribute of the class: each call of send()
    or receive() would cost a quarter more.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        text = f"{owner.__name__!r} object has no attribute {self._name!r}: here it is {NAMES_HERE[self._name]}"
        raise AttributeError(text, name=self._name, obj=instance)


class OsSocket(Lifecycle):
    """One socket of the system under a role. engine: see Lifecycle."""

    __slots__ = ("_bound_path", "_readers", "_socket")

    internal_modules = ("lifecycle.engine", "lifecycle.net")
    _fresh: ClassVar[Mapping[str, object]] = {"_socket": NO_SOCKET, "_bound_path": None}

    def __init_subclass__(cls, role: Role | None = None, **keywords: object) -> None:
        super().__init_subclass__(role, **keywords)
        for call, kept in OWNERSHIP.items():
            if call in vars(cls) and hasattr(cls, "role"):  # around the checked method, and not around the handler
                setattr(cls, call, kept(vars(cls)[call]))

    _kind: ClassVar[int]

    _bound_path: BoundPath | None
    _socket: socket.socket
    _readers: tuple[ref[Any], ...]
    """the files that were made over it"""

    @property
    def _own_sockets(self) -> tuple[socket.socket, ...]:
        """The sockets that a call of this object waits on."""
        return (self._socket,)

    # -- what a driver provides -----------------------------------------------------------------------------------------

    def _wake_all(self) -> None:
        """Wake the calls that wait on this object: it was closed, or has changed."""
        raise NotImplementedError

    def _has_received(self) -> bool:
        """Whether a receive ends without asking the system, so that a poll of the descriptor need not see it."""
        return False

    def _replace_socket(self, sock: socket.socket) -> None:
        """Hold another socket of the system from now on, and close the one before."""
        before, self._socket = self._socket, sock
        before.close()

    def _exchange_socket(self, sock: socket.socket) -> None:
        """As _replace_socket(), but under the descriptor's number, where the system can do that."""
        self._socket = in_place_of(self._socket, sock)

    # -- what Python's users expect of a socket -------------------------------------------------------------------------

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if name not in NAMES_HERE]

    @staticmethod
    def platform_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """The answers of Winsock and of this system to a refused call, as far as they were measured."""
        return answers_here(role, state, call)

    @staticmethod
    def busy_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """The answer of Winsock while a call is running; POSIX systems have no such error."""
        return {"winsock": "WSAEINPROGRESS"}

    @property
    def local_address(self) -> Address | Any:
        """The local address and port, or None where get_sock_name() is not legal.

        It is typed so that `connect(*server.local_address)` passes: the state, not the type, says whether there is one.
        """
        return self._address(words.GET_SOCK_NAME.name)

    @property
    def peer_address(self) -> Address | None:
        """The peer's address and port, or None where get_peer_name() is not legal, or fails."""
        return self._address(words.GET_PEER_NAME.name)

    @property
    def peer_credentials(self) -> Credentials | None:
        """The process at the other end of a Unix-domain socket (pid, uid, gid), as it was when the connection was made.

        None where get_peer_name() is not legal, over other families, and where the system does not say: Linux does.
        """
        if not self.is_legal(words.GET_PEER_NAME.name):
            return None
        try:
            return peer_credentials(self._socket)
        except OSError:
            return None

    @property
    def is_over(self) -> bool:
        """Whether the object was closed, or its socket handed out."""
        over: bool = self.facts.over
        return over

    def fileno(self) -> int:
        """The descriptor, or -1 when there is none."""
        return -1 if self._socket is NO_SOCKET else self._socket.fileno()

    def __repr__(self) -> str:
        ends = [str(end) for end in (self.local_address, self.peer_address) if end is not None]
        return f"<lifecycle.{type(self).__name__} {' '.join([self.state, ' -> '.join(ends)]).strip()}>"

    # -- calls that every role has --------------------------------------------------------------------------------------

    def get_sock_name(self) -> Address:
        """The local address and port.

        Raises IllegalCall in `empty`, `open` and `closed` (Winsock: WSAEINVAL; Linux would answer 0.0.0.0:0).
        """
        return from_system(self._ask(lambda sock: sock.getsockname()))

    def get_peer_name(self) -> Address:
        """The peer's address and port.

        Raises IllegalCall where there is no peer, OSError (ENOTCONN) when the connection has gone unnoticed.
        """
        return from_system(self._socket.getpeername())

    def set_option(self, level: int = socket.SOL_SOCKET, option: int | None = None, value: int | bytes | None = None) -> None:
        """Set a socket option, as setsockopt(2); legal in every state with a socket.

        The order is that of setsockopt(); by keywords the level may be left out: set_option(option=SO_KEEPALIVE, value=1).
        level: as in socket.SOL_SOCKET. option: as in socket.SO_KEEPALIVE. value: an int, or the bytes of a structure. Raises
        OSError (ENOPROTOOPT) for one that cannot be set, by the system or by the reference system's rules
        (lifecycle.roles.options); TypeError and ValueError for arguments in another order.
        """
        if option is None or value is None:
            raise TypeError("set_option() takes (level, option, value), as setsockopt() does, or the keywords option, value")
        is_debug = level == socket.SOL_SOCKET and option == socket.SO_DEBUG
        if level not in LEVELS or (is_debug and value not in (0, 1)):
            raise ValueError(f"set_option() takes (level, option, value), as setsockopt() does; {level!r} is not a level here")
        refusal = refusal_of_option(self._kind, level, option)
        if refusal is not None:
            raise OSError(errno.ENOPROTOOPT, f"this option {refusal}")
        self._ask(lambda sock: sock.setsockopt(level, option, value))

    def get_option(self, option: int, *, level: int = socket.SOL_SOCKET, size: int = 0) -> int | bytes:
        """Read a socket option, as getsockopt(2); legal in every state with a socket.

        level: as in socket.SOL_SOCKET. size: 0 for an option that is an int, else the bytes of its structure. Raises OSError
        (ENOPROTOOPT) for one that the system does not have.
        """
        checked_size(size)
        return self._ask(lambda sock: sock.getsockopt(level, option, size) if size else sock.getsockopt(level, option))

    def io_ctl(self, command: int = FIONREAD) -> int:
        """Bytes that could be received at once: of a stream all of them, of a datagram socket the first message's.

        command: FIONREAD, the only one (the timeout says whether to wait). Raises ValueError for another one.
        """
        if command != FIONREAD:
            raise ValueError(f"unknown command {command!r}: FIONREAD is the only one")
        return readable_bytes(self._socket)

    def attach(self, handle: int | socket.socket) -> None:
        """Take over a socket that exists already, and enter the state that it is really in.

        handle: a descriptor, or a socket.socket, which gives its descriptor up. Raises OSError when it is not a socket,
        TypeError for an object that sends or receives its own way, as an ssl.SSLSocket does, ValueError when it is of another
        kind or in a state that this role does not have, as a datagram socket that was shut down without a peer; the caller
        keeps it then.
        """
        if isinstance(handle, socket.socket):
            refuse_own_way(handle)
        number = handle.fileno() if isinstance(handle, socket.socket) else handle
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(f"a handle is an int or a socket.socket, not {type(handle).__name__}")
        if not 0 <= number <= MAX_HANDLE:
            raise ValueError(f"{number} is not a handle")
        blocking = blocking_mode(number)
        sock = unfilled()
        try:
            own(sock, number)
            if not is_of_kind(sock, self._kind):
                raise ValueError(f"{type(self).__name__} cannot take over a handle of {sock.family.name}, {sock.type.name}")
            sock.setblocking(False)
            found = facts_of(sock)
            state = self.role.state_of(found)
            if state is None:
                name = next((name for role in roles.ROLES.values() if (name := role.state_of(found)) is not None), None)
                is_what = "was shut down without a peer" if name is None else f"is {name!r}"
                raise ValueError(f"this handle {is_what}, which {type(self).__name__} never is")
            LENT[sock] = blocking
            self._socket = sock
            if isinstance(handle, socket.socket):
                handle.detach()
            return settled(state, None)
        except BaseException:
            LENT.pop(sock, None)
            if sock.fileno() != -1:
                sock.setblocking(blocking)
                sock.detach()
            raise

    def detach(self) -> int:
        """Hand the descriptor out, in blocking mode, and end the object; the connection lives on."""
        number = self._socket.detach()  # first of all: a call that wakes must not find it
        if number == -1:  # close() in another thread was faster
            raise self._refusal(self._node, words.DETACH.name, ClosedDuringCall)
        self._wake_all()
        until_calls_have_ended(self, self._socket)
        make_blocking(number)
        self._bound_path = None  # it stays with the descriptor
        return number

    def close(self) -> None:
        """Close the socket and end the object. Legal in every state; closing again does nothing, and nothing is awaited.

        A call that waits on this object in another thread or task ends with ClosedDuringCall.
        """
        self._release()

    # -- for the handlers -----------------------------------------------------------------------------------------------

    def actual_state(self, call: str) -> str | None:
        """The state of the socket as the system knows it."""
        sock = self._socket
        if sock is NO_SOCKET or self.role.call(call).external:
            return None
        with suppress(OSError):  # closed meanwhile
            return self.role.state_of(facts_of(sock, peek=False))
        return None

    def note_results(self, call: str, error: BaseException, results: list[Any]) -> None:
        """How much was sent."""
        for result in results:
            if isinstance(result, int) and self.role.call(call).payload:
                vars(error).setdefault("sent", result)

    def _complete(self, call: str) -> None:
        """As of every object; and end the directions that the state says were ended."""
        super()._complete(call)
        if call == words.SHUT_DOWN.name:
            at: Facts = self.facts
            ended = {name for name, change in SHUT_DOWN_CHANGES.items() if at.handle and change(at) == at}
            with suppress(OSError):
                for name in ended:
                    self._socket.shutdown(direction_of(name)[1])
                self._wake_all()

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """Classify by the table's errors; None where nothing was asked of the system."""
        if isinstance(error, LifecycleError):
            return None
        if isinstance(error, OSError):
            note_limit(error)
            if error.errno != errno.EAGAIN:
                raised_by(self, error)
        elif call == words.SHUT_DOWN.name:
            return None  # of a signal handler: what was begun is completed
        return outcome_of_error(self._specs[call].errors, error)

    def outcome_before(self, call: str, *arguments: Any, **keywords: Any) -> str:
        """The argument of shut_down() chooses its outcome."""
        return direction_of(*arguments, **keywords)[0] if call == words.SHUT_DOWN.name else "ok"

    def _ask(self, question: Callable[[socket.socket], Value]) -> Value:
        """The socket's answer; asked again while a connect in another thread exchanges the socket, which holds nothing then."""
        for _ in range(TRIES):
            try:
                return question(self._socket)
            except OSError as error:
                is_exchanged = self._claim is not None or self._socket.fileno() != -1
                if error.errno != errno.EBADF or self.is_over or not is_exchanged:
                    raise
            time.sleep(0)
        return question(self._socket)

    def _release(self) -> None:
        """Wake the calls that wait, and close the descriptor; both may be repeated."""
        self._wake_all()
        self._remove_path()
        if self._socket is not NO_SOCKET and not (LENT and self._socket in LENT):
            self._socket.close()

    def _remove_path(self) -> None:
        """Remove the path that this object's bind has made, before the descriptor is closed: another server may follow."""
        bound = self._bound_path
        if bound is not None:
            remove(bound)
            self._bound_path = None

    def _ends_iteration(self, refusal: IllegalCall) -> bool:
        """Whether a refusal ends an iteration over this object: it was closed."""
        return self.is_over

    def _address(self, call: str) -> Address | None:
        if not self.is_legal(call):
            return None
        try:
            name = self._ask(lambda sock: sock.getsockname() if call == words.GET_SOCK_NAME.name else sock.getpeername())
        except OSError:
            return None
        return from_system(name)


for _name in NAMES_HERE:
    setattr(OsSocket, _name, NamedElsewhere(_name))


def raised_by(sock: OsSocket, error: OSError) -> None:
    """Note on an error which object's call it comes from, as a number: an error may outlive the object, and be pickled."""
    vars(error)["socket_id"] = id(sock)


def checked_size(size: int) -> None:
    """TypeError for a size that is not an int, ValueError for one that is below 0 or longer than anything can be."""
    if not isinstance(size, int):
        raise TypeError(f"a size is an int, not {type(size).__name__}")
    if not 0 <= size <= sys.maxsize:
        raise ValueError(f"a size is 0 or more bytes, not {size}")
