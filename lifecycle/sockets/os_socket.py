"""OsSocket: what all roles have in common on a real socket of the operating system."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable, Mapping
from typing import ClassVar

from lifecycle.engine import Lifecycle, LifecycleError, settled
from lifecycle.roles.options import refusal_of_option
from lifecycle.sockets.errors import BlockingCallCancelled, SendTimedOut, SendWouldBlock
from lifecycle.system.addresses import Address, from_system
from lifecycle.system.handles import INTERNET_FAMILIES, MAX_HANDLE, blocking_mode, facts_of, make_blocking
from lifecycle.system.outcomes import closed_meanwhile, outcome_of_error, would_block
from lifecycle.system.polling import Wait
from lifecycle.system.portable_calls import FIONREAD, readable_bytes


class OsSocket(Lifecycle):
    """One socket of the system under a role.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. engine: see Lifecycle.
    """

    __slots__ = ("_socket", "_timeout", "_waits")

    internal_modules = ("lifecycle.engine", "lifecycle.sockets", "lifecycle.aio")

    _kind: ClassVar[int]

    def __init__(self, *, timeout: float | None = None, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self._timeout = checked_timeout(timeout)
        self._waits: tuple[Wait, ...] = ()
        self._socket: socket.socket

    # -- what Python's users expect of a socket ------------------------------------------------------------------------

    @staticmethod
    def platform_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """What Winsock and this system would have answered to a refused call, as far as it was measured."""
        from lifecycle.system.platform_answers import platform_answers  # read when somebody reads an error, not at every start

        return platform_answers(role, state, call)

    @staticmethod
    def busy_answers(role: str, state: str, call: str) -> Mapping[str, str]:
        """What Winsock answers while a call is running; POSIX systems have no such error."""
        return {"winsock": "WSAEINPROGRESS"}

    @property
    def timeout(self) -> float | None:
        """Seconds that a blocking call may wait; None for ever, 0 not at all. ValueError for a negative one."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)

    @property
    def local_address(self) -> Address | None:
        """The local address and port, or None where get_sock_name() is not legal."""
        return self._address("get_sock_name")

    @property
    def peer_address(self) -> Address | None:
        """The peer's address and port, or None where get_peer_name() is not legal, or fails."""
        return self._address("get_peer_name")

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment, in whichever thread (MFC's IsBlocking)."""
        return bool(self._waits)

    def fileno(self) -> int:
        """The descriptor, or -1 when there is none."""
        return self._socket.fileno() if hasattr(self, "_socket") else -1

    def __repr__(self) -> str:
        ends = [str(end) for end in (self.local_address, self.peer_address) if end is not None]
        return f"<lifecycle.{type(self).__name__} {' '.join([self.state, ' -> '.join(ends)]).strip()}>"

    # -- calls that every role has --------------------------------------------------------------------------------------

    def get_sock_name(self) -> Address:
        """The local address and port.

        Raises IllegalCall in `empty`, `open` and `closed` (Winsock: WSAEINVAL; Linux would tell 0.0.0.0:0).
        """
        return from_system(self._socket.getsockname())

    def get_peer_name(self) -> Address:
        """The peer's address and port.

        Raises IllegalCall where there is no peer, OSError (ENOTCONN) when the connection has gone unnoticed.
        """
        return from_system(self._socket.getpeername())

    def set_option(self, option: int, value: int | bytes, level: int = socket.SOL_SOCKET) -> None:
        """Set a socket option, as setsockopt(2); legal in every state with a socket.

        option: as in socket.SO_KEEPALIVE. value: an int, or the bytes of a structure. Raises OSError (ENOPROTOOPT) for one
        that cannot be set, by the system or by the reference system's rules (lifecycle.roles.options).
        """
        refusal = refusal_of_option(self._kind, level, option)
        if refusal is not None:
            raise OSError(errno.ENOPROTOOPT, f"this option {refusal}")
        self._socket.setsockopt(level, option, value)

    def get_option(self, option: int, level: int = socket.SOL_SOCKET, size: int = 0) -> int | bytes:
        """Read a socket option, as getsockopt(2); legal in every state with a socket.

        size: 0 for an option that is an int, else the bytes of its structure. Raises OSError (ENOPROTOOPT) for one that
        the system does not have.
        """
        checked_size(size)
        return self._socket.getsockopt(level, option, size) if size else self._socket.getsockopt(level, option)

    def io_ctl(self, command: int = FIONREAD) -> int:
        """Bytes that could be received at once: of a stream all of them, of a datagram socket the first message's.

        command: FIONREAD, the only one (blocking is the timeout's matter). Raises ValueError for another one.
        """
        if command != FIONREAD:
            raise ValueError(f"unknown command {command!r}: FIONREAD is the only one")
        return readable_bytes(self._socket)

    def attach(self, handle: int | socket.socket) -> None:
        """Take over a socket that exists already, and enter the state that it is really in.

        handle: a descriptor, or a socket.socket, which gives its descriptor up. Raises OSError when it is no socket,
        ValueError when it is of another kind or in a state that this role does not have; the caller keeps it then.
        """
        number = handle.fileno() if isinstance(handle, socket.socket) else handle
        if not isinstance(number, int) or isinstance(number, bool):
            raise TypeError(f"a handle is an int or a socket.socket, not {type(handle).__name__}")
        if not 0 <= number <= MAX_HANDLE:
            raise ValueError(f"{number} is not a handle")
        blocking = blocking_mode(number)
        sock = socket.socket(fileno=number)
        try:
            if sock.family not in INTERNET_FAMILIES or sock.type != self._kind:
                raise ValueError(f"{type(self).__name__} cannot take over a handle of {sock.family.name}, {sock.type.name}")
            sock.setblocking(False)
            state = self.role.state_of(facts_of(sock))
            if state is None or self._row._after("attach", state) is None:
                raise ValueError(f"this handle is {state!r}, which {type(self).__name__} never is")
        except BaseException:
            sock.setblocking(blocking)
            sock.detach()
            raise
        if isinstance(handle, socket.socket):
            handle.detach()
        self._socket = sock
        return settled(state, None)

    def detach(self) -> int:
        """Hand the descriptor out, in blocking mode, and end the object; the connection lives on."""
        number = self._socket.detach()  # first of all: whoever wakes must not find it
        if number == -1:  # close() in another thread was faster
            raise closed_meanwhile()
        self._wake_all()
        make_blocking(number)
        return number

    def close(self) -> None:
        """Close the socket and end the object. Legal in every state; closing again does nothing.

        A call that is blocked on this object in another thread ends with ClosedDuringCall.
        """
        self._release()

    # -- blocking calls -------------------------------------------------------------------------------------------------

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does.

        A cancelled connect goes on in the system: the object is then `connecting`.
        """
        for wait in self._waits:
            wait.cancelled = True
            wait.wake()

    def on_message_pending(self) -> None:
        """Called each time that a call on this object is about to wait (MFC's OnMessagePending); does nothing here."""

    def _release(self) -> None:
        """Wake whoever waits, and close the descriptor; both may be repeated."""
        self._wake_all()
        if hasattr(self, "_socket"):
            self._socket.close()

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """Classify by the tables of lifecycle.system.outcomes; None where nothing was asked of the system."""
        return None if isinstance(error, LifecycleError) else outcome_of_error(self.role.call(call).errors, error)

    def _wait(self, *, writing: bool, deadline: float | None, sent: int | None = None) -> None:
        """Return when the descriptor seems ready; raise when the time has passed, or the call was cancelled or closed.

        sent: how much a send has sent so far, for its errors to tell.
        """
        if self._timeout == 0:
            raise would_block() if sent is None else SendWouldBlock(sent)
        wait = Wait()
        try:
            self._replace_waits(lambda waits: (*waits, wait))
            self.on_message_pending()
            if self._row._final:
                raise closed_meanwhile()
            in_time = wait.until_ready(self._socket.fileno(), writing=writing, deadline=deadline)
        finally:
            self._replace_waits(lambda waits: tuple(each for each in waits if each is not wait))
            wait.finish()
        if self._row._final:
            raise closed_meanwhile()
        if wait.cancelled:
            raise BlockingCallCancelled(sent or 0)
        if not in_time:
            raise TimeoutError("timed out") if sent is None else SendTimedOut(sent)

    def _replace_waits(self, change: Callable[[tuple[Wait, ...]], tuple[Wait, ...]]) -> None:
        while True:
            waits = self._waits
            changed = change(waits)
            with self._lock:  # nothing is made under it: that may run the collector, and a finalizer may close this object
                if self._waits is waits:
                    self._waits = changed
                    return

    def _wake_all(self) -> None:
        for wait in self._waits:
            wait.wake()

    def _address(self, call: str) -> Address | None:
        if not self._row._allows(call):
            return None
        try:
            name = self._socket.getsockname() if call == "get_sock_name" else self._socket.getpeername()
        except OSError:
            return None
        return from_system(name)


def checked_size(size: int) -> None:
    """TypeError for a size that is no int, ValueError for one that is below 0 or longer than anything can be."""
    if not isinstance(size, int):
        raise TypeError(f"a size is an int, not {type(size).__name__}")
    if not 0 <= size <= sys.maxsize:
        raise ValueError(f"a size is 0 or more bytes, not {size}")


def checked_timeout(seconds: float | None) -> float | None:
    """`seconds`, or None. TypeError for what is no number, ValueError for what is below 0, or NaN."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"a timeout is a number of seconds or None, not {type(seconds).__name__}")
    if not seconds >= 0:
        raise ValueError(f"a timeout is 0 or more seconds, not {seconds}")
    return seconds
