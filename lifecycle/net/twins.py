"""The parts that the blocking and the awaited class of a role share: calls that never wait, and operations of those that do."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, cast

from lifecycle.engine import INTERRUPTED, Call, inlined, settled
from lifecycle.net.created import CreatedSocket
from lifecycle.net.operations import Operation
from lifecycle.net.operations.connecting import FREE, OWN, Plan, resolving, set_plan
from lifecycle.net.operations.messages import taken
from lifecycle.net.operations.passing import Found, checked_arrival, receiving_handles
from lifecycle.net.operations.securing import SecureLayer
from lifecycle.net.operations.transfer import hold, let_go, receiving_message, sending_message
from lifecycle.net.option_names import DatagramOptions, StreamOptions
from lifecycle.net.os_socket import OsSocket, checked_size
from lifecycle.net.pairs import socket_pair
from lifecycle.net.tls_calls import TlsCalls
from lifecycle.roles import words
from lifecycle.roles.facts import Link, Receives
from lifecycle.system.addresses import any_address, checked_peer
from lifecycle.system.handles import is_bound
from lifecycle.system.local_sockets import LOCAL_FAMILY, OF_A_PATH, Path, bind_anywhere, checked_path, connect_error
from lifecycle.system.outcomes import system_error
from lifecycle.system.passing import Arrived, numbers_of, refuse_other_family
from lifecycle.system.portable_calls import DIRECTIONS, Direction, bind_again, forget_peer, new_socket, set_peer

if TYPE_CHECKING:
    from array import array

    from _typeshed import HasFileno, ReadableBuffer


class StreamCalls(TlsCalls, StreamOptions):
    """A stream socket with a data phase, but for sending and receiving."""

    __slots__ = ()

    _kind = socket.SOCK_STREAM

    @inlined
    def shut_down(self, how: Direction = "sends") -> None:
        """End one direction of the connection, or both, without closing it. Nothing is waited for.

        how: "sends" (the default), "receives" or "both", or MFC's numbers 1, 0 and 2. Over TLS "sends" sends close_notify and
        no FIN, and the others are a ValueError: there is no message for them. Raises IllegalCall where there is no
        connection, ValueError for another `how`, OSError (ENOTCONN) when the connection has ended unnoticed.
        """
        self._socket.shutdown(DIRECTIONS[how][1])  # the state has changed already: a call that this wakes finds the reason
        self._wake_all()

    @classmethod
    def socketpair(cls, **options: Any) -> tuple[Self, Self]:
        """Two objects that are connected to each other; options: of the class."""
        return socket_pair(cls, **options)

    def _received(self, data: bytes, size: int) -> bytes:
        """The result of receive() for `data`; for b"" it decides whether that is the end of the stream or a reset."""
        if data or not size:
            return data
        if self._was_reset():
            # Linux reports a reset once, perhaps to another thread's send, and then an end of the stream that never came;
            # Winsock reports it again and again.
            raise system_error(errno.ECONNRESET)
        return settled("eof", data)

    def _handles_of(self, data: ReadableBuffer, handles: Iterable[int | HasFileno]) -> array[int]:
        """The descriptors that are to go with `data`, of which there must be a byte."""
        numbers = numbers_of(handles)
        if not memoryview(data).nbytes:
            raise ValueError("descriptors of a stream travel with at least one byte of data")
        self._refuse_handles()
        return numbers

    def _refuse_handles(self) -> None:
        """OSError (EOPNOTSUPP) where descriptors cannot travel; also while another call makes the TLS handshake."""
        if isinstance(self._socket, SecureLayer):
            raise system_error(errno.EOPNOTSUPP)
        refuse_other_family(self._socket)

    def _receiving_handles(self, size: int, limit: int) -> Operation[Arrived | Found]:
        checked_arrival(size, limit)
        self._refuse_handles()
        held = hold(self)
        try:
            if held:  # what a receive has taken ahead came without descriptors
                return taken(held, size), []
        finally:
            let_go(self, held)
        return (yield from receiving_handles(self._socket, size, limit))

    def _arrived(self, came: Arrived | Found) -> Found:
        """The result of receive_handles(); no data means the end of the stream."""
        if isinstance(came, Arrived) and not came.data:
            self._received(b"", 1)
            return settled("eof", (b"", []))
        return cast(Found, came)  # see ownership.handing_over()

    def _was_reset(self) -> bool:
        """Whether an end of the stream that was never ended here is a reset; Linux reports EPIPE for one after the end."""
        facts = self.facts
        if facts.link is Link.RESET or facts.over:  # closed meanwhile: which the engine reports
            return True
        if not facts.is_plain:  # a close_notify cannot be forged
            return False
        if not facts.sends or facts.receives is not Receives.OPEN or self.peer_address is not None:
            return False
        return self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != errno.EPIPE


class ClientCalls(CreatedSocket, StreamCalls):
    """A client's socket: the part of it that connecting uses."""

    __slots__ = ()

    _plan: Plan
    _sought: Any
    """the address of a connect that is under way over this object's own socket, or None"""
    _is_tls_server = False

    @inlined
    def open(self, family: int | None = None) -> None:
        """Get a socket without an address, so that options can be set before bind() (MFC's Socket).

        family: AF_INET, AF_INET6 or AF_UNIX; when it is not given, the socket is of AF_INET, and connect() is free to use any
        address of a name, of either family. Raises IllegalCall in every state but `empty`, ValueError for another family,
        OSError (EMFILE).
        """
        if family is None:
            self._socket = new_socket(socket.AF_INET, self._kind)
            self._plan = FREE  # type: ignore[misc]  # a slot of the class that is made
        else:
            self._socket = self._opened(family)
            self._plan = OWN  # type: ignore[misc]

    def set_option(self, level: int = socket.SOL_SOCKET, option: int | None = None, value: int | bytes | None = None) -> None:
        """As for every socket; what is set before connect() holds for the connection, whichever address answers."""
        super().set_option(level, option, value)
        if self._plan.is_own and option is not None and value is not None:
            set_plan(self, self._plan._replace(options=(*self._plan.options, (level, option, value))))

    def actual_state(self, call: str) -> str | None:
        """As for every socket; but the result of an interrupted connect is left to the next finish_connect()."""
        state = super().actual_state(call)
        return state if self._sought is None or self.facts.link is not Link.SEEKING else None

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; but a connect that was interrupted goes on in the system."""
        outcome = super().outcome_of(call, error)
        seeks = call in (words.CONNECT.name, words.FINISH_CONNECT.name)
        if seeks and outcome in ("failed", None) and self._sought is not None:
            return INTERRUPTED.name
        return outcome

    def _creating(self, port: int, address: str | None, family: int | None) -> Operation[None]:
        yield from super()._creating(port, address, family)
        set_plan(self, FREE if not port and address is None and family is None else OWN)

    def _binding(self, port: int, address: str | None) -> Operation[None]:
        yield from super()._binding(port, address)
        if port or address is not None:
            set_plan(self, self._plan._replace(is_free=False))

    def _socket_beside(self, family: int) -> socket.socket:
        """Another socket, with the options of this object's, and bound where that is bound."""
        sock = self._equal_socket(family)
        try:
            if self.facts.address and family != LOCAL_FAMILY:
                sock.bind((any_address(family), 0))
        except BaseException:
            sock.close()
            raise
        return sock

    def _equal_socket(self, family: int) -> socket.socket:
        """Another socket, with the options of this object's."""
        sock = self._prepared_socket(family)
        try:
            for option in self._plan.options:
                if family == LOCAL_FAMILY and option[0] != socket.SOL_SOCKET:
                    continue  # of the internet's protocols
                sock.setsockopt(*option)
        except BaseException:
            sock.close()
            raise
        return sock

    def _renew_socket(self) -> None:
        """Hold a fresh socket of the system after a connect that has failed, with the same options and local address.

        One of AF_UNIX is kept, whose path exists; an attached socket, whose options are not known, and so is the one there is
        where the system has no other.
        """
        if self._socket.family == LOCAL_FAMILY:
            return
        name = self._socket.getsockname() if self.facts.address else None
        try:
            if self._plan.is_own:
                with suppress(OSError):
                    self._exchange_socket(self._equal_socket(self._socket.family))
            if name is not None:
                bind_again(self._socket, name)
        except BaseException:  # of a signal handler
            if name is not None:
                bind_again(self._socket, name)
            raise


class DatagramCalls(CreatedSocket, DatagramOptions):
    """A datagram socket: the calls that never wait, and the operations of those that do."""

    __slots__ = ()

    _kind = socket.SOCK_DGRAM

    @classmethod
    def socketpair(cls, **options: Any) -> tuple[Self, Self]:
        """Two objects each of which is the other's peer; options: of the class."""
        return socket_pair(cls, **options)

    def disconnect(self) -> None:
        """Forget the peer; the local address stays. Legal in `connected`."""
        forget_peer(self._socket)

    def shut_down(self, how: Direction = "sends") -> None:
        """End one direction, or both; the peer is not notified.

        how: "sends" (the default), "receives" or "both", or MFC's numbers 1, 0 and 2. Legal once a peer is set: without one
        Linux answers ENOTCONN, and yet every later receive ends at once. Raises ValueError for another `how`.
        """
        self._socket.shutdown(DIRECTIONS[how][1])
        self._wake_all()

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; but where a failure leads on, by an implicit bind, the socket says whether it came to it."""
        if self.role.table[self.state].get(call, {}).get("failed", self.state) == self.state:
            return super().outcome_of(call, error)
        return "failed" if is_bound(self._socket) else None

    def _connecting(self, address: str | None, port: int | None, path: Path | None = None) -> Operation[None]:
        peer = yield from self._addressed(address, port, path)
        with _showing(path, peer):
            set_peer(self._socket, peer)

    def _sending(self, data: ReadableBuffer, flags: int) -> Operation[int]:
        refuse_flags(words.SEND, self, flags)
        return sending_message(self._socket, data, flags)

    def _sending_to(
        self, data: ReadableBuffer, address: str | None, port: int | None, flags: int, path: Path | None = None
    ) -> Operation[int]:
        memoryview(data)  # TypeError, before anything is bound
        refuse_flags(words.SEND_TO, self, flags)
        peer = yield from self._addressed(address, port, path)
        with _showing(path, peer):
            return (yield from sending_message(self._socket, data, flags, peer))

    def _sending_handles(self, data: ReadableBuffer, handles: Iterable[int | HasFileno]) -> Operation[int]:
        numbers = numbers_of(handles)
        refuse_other_family(self._socket)
        return sending_message(self._socket, data, 0, handles=numbers)

    def _receiving(self, call: Call, size: int, flags: int) -> Operation[tuple[bytes, Any]]:
        checked_size(size)
        refuse_flags(call, self, flags)
        return receiving_message(self._socket, size, flags)

    def _addressed(self, address: str | None, port: int | None, path: Path | None) -> Operation[Any]:
        """The system's address of a peer; the socket has an address of its own then."""
        local = self._socket.family == LOCAL_FAMILY
        if path is not None:
            name = checked_path(path)
            if not local or address is not None or port is not None:
                raise OSError(
                    errno.EAFNOSUPPORT, "only a socket that was made by open(AF_UNIX) or create(path=...) takes a path"
                )
            if not is_bound(self._socket):
                bound = bind_anywhere(self._socket)
                if bound is not None:
                    self._bound_path = bound
            return name
        if local:
            raise OSError(errno.EAFNOSUPPORT, "this socket is of AF_UNIX: give path=")
        found, *_ = yield from resolving(address, port, self._socket.family, self._kind)
        peer = checked_peer(found[1])
        if not is_bound(self._socket):
            try:
                self._socket.bind((any_address(self._socket.family), 0))
            except OSError:
                if not is_bound(self._socket):  # or else another thread's first send_to() came before
                    raise
        return peer


@contextmanager
def _showing(path: Path | None, name: Any) -> Iterator[None]:
    """Add to the system's errors the path that they are about, and a note if the file there is not a socket."""
    try:
        yield
    except OSError as error:
        if path is None or error.errno not in OF_A_PATH:
            raise
        raise connect_error(error.errno, name) from None


def refuse_flags(call: Call, subject: OsSocket, flags: int) -> None:
    """OSError (EOPNOTSUPP) for flags that the table says the call does not take: systems differ in what they do with them."""
    for name in subject.role.call(call.name).refuses_flags:
        if flags & getattr(socket, name, 0):
            raise system_error(errno.EOPNOTSUPP)
