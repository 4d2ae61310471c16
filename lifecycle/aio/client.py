"""Client: seeks a connection, then talks over it, awaited."""

from __future__ import annotations

import errno
import socket
from typing import Any

import anyio

from lifecycle.aio.bindable import AsyncBindable
from lifecycle.aio.happy_eyeballs import Race, interleaved
from lifecycle.aio.nowaiting import mode
from lifecycle.aio.resolving import Found, resolve_all
from lifecycle.aio.stream import AsyncStream
from lifecycle.roles import CLIENT
from lifecycle.sockets.connecting import connect_outcome
from lifecycle.sockets.errors import BlockingCallCancelled
from lifecycle.system.addresses import any_address, checked_peer
from lifecycle.system.outcomes import UNDER_WAY, closed_meanwhile, system_error
from lifecycle.system.portable_calls import bind_again, connect_result


class Client(AsyncBindable, AsyncStream, role=CLIENT):
    """The client's side of a stream connection: create(), connect(), then send() and receive().

    engine: see Lifecycle.
    """

    __slots__ = ("_is_free", "_options", "_race")

    def __init__(self, *, engine: str | None = None) -> None:
        super().__init__(engine=engine)
        self._is_free = False  # to connect over another socket than the one it has: nothing but options was asked of that
        self._options: list[tuple[int, int | bytes, int]] = []
        self._race: Race | None = None

    async def create(self, port: int = 0, address: str | None = None, *, family: int | None = None) -> None:
        """Get a socket and bind it: open() and bind() in one (MFC's Create).

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. family: AF_INET
        (the default) or AF_INET6, where the address does not tell. Where none of them is given, connect() is free to use any
        address of a name, of either family, and the local port may be another one afterwards. Raises as Server.create().
        """
        await super().create(port, address, family=family)
        self._is_free = not port and address is None and family is None

    def open(self, family: int | None = None) -> None:
        """Get a socket without an address, so that options can be set before bind() (MFC's Socket).

        family: AF_INET or AF_INET6; when it is not given, the socket is of AF_INET, and connect() is free to use any address
        of a name, of either family. Raises IllegalCall in every state but `empty`, ValueError for another family, OSError
        (EMFILE).
        """
        super().open(socket.AF_INET if family is None else family)
        self._is_free = family is None

    async def bind(self, port: int = 0, address: str | None = None) -> None:
        """Give the socket its local address.

        port: 0..65535, 0 for any free one. address: a local address or name, None for every interface. Raises IllegalCall in
        every state but `open`; ValueError, TypeError; OSError (EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT).
        """
        await super().bind(port, address)
        self._is_free = self._is_free and not port and address is None

    def set_option(self, option: int, value: int | bytes, level: int = socket.SOL_SOCKET) -> None:
        """Set a socket option, as setsockopt(2); legal in every state with a socket.

        option: as in socket.SO_KEEPALIVE. value: an int, or the bytes of a structure. Raises OSError (ENOPROTOOPT) for one
        that cannot be set, by the system or by the reference system's rules (lifecycle.roles.options).
        """
        super().set_option(option, value, level)
        if self._is_free:
            self._options.append((option, value, level))

    async def connect(self, address: str, port: int) -> None:
        """Seek a connection, and wait until it is made.

        address: a numeric address, or a name, whose addresses are tried in the manner of RFC 8305: families take turns, and
        the next attempt begins after a quarter of a second beside those that go on. A client that was given a local address, a
        port or a family keeps its socket, and tries the addresses of its family one after the other. port: 1..65535. Legal in
        `open` (binds implicitly) and `bound`. Raises ConnectionRefusedError and other OSErrors, after which the state is what
        it was and the call may be retried; OSError (EADDRNOTAVAIL) for the address of no machine or port 0, which Linux would
        take for its own. A cancelled connect that is under way in the system leaves the object `connecting`.
        """
        own_family = self._socket.family
        name_family = socket.AF_UNSPEC if self._is_free else own_family
        found = await resolve_all(address, port, own_family, self._kind, name_family=name_family)
        candidates = [(family, checked_peer(name)) for family, name in found]
        if len(candidates) > 1 and self._is_free:
            await self._connect_to_first(interleaved(candidates))
        else:
            await self._connect_in_turn(candidates)
        self._is_free = False

    async def finish_connect(self) -> None:
        """Learn how a connect that did not wait to its end has come out, waiting for it.

        Legal in `connecting`. Raises ConnectionRefusedError and other OSErrors, after which the socket is `bound` and
        connect() may be retried.
        """
        name = self._socket.getsockname()
        await self._settle_connect("finish_connect", connect_result(self._socket, name), name)

    @property
    def is_blocking(self) -> bool:
        """Whether a call on this object waits at this moment, in whichever task (MFC's IsBlocking)."""
        return self._race is not None or super().is_blocking

    def cancel_blocking_call(self) -> None:
        """Make the calls that wait on this object end with BlockingCallCancelled (EINTR); does nothing when none does.

        A cancelled connect goes on in the system: the object is then `connecting`.
        """
        if self._race is not None:
            self._race.cancel()
        super().cancel_blocking_call()

    def outcome_of(self, call: str, error: BaseException) -> str | None:
        """As for every socket; but a connect that was interrupted, by whatever, leaves the system connecting."""
        return connect_outcome(self, call, super().outcome_of(call, error))

    def _wake_all(self) -> None:
        if self._race is not None:
            self._race.cancel()
        super()._wake_all()

    # -- one address ----------------------------------------------------------------------------------------------------

    async def _connect_in_turn(self, candidates: list[Found]) -> None:
        """Try one address after the other over this object's socket."""
        errors: list[OSError] = []
        for _, name in candidates:
            try:
                await self._settle_connect("connect", self._begin_connect(name), name)
            except BlockingIOError:
                raise
            except OSError as error:
                if error.errno in (errno.EBADF, errno.EINTR):  # closed, or cancelled
                    raise
                errors.append(error)
            else:
                return
        raise _most_telling(errors)

    def _begin_connect(self, name: Any) -> int:
        number = self._socket.connect_ex(name)
        if number in UNDER_WAY and not mode.never_waits:
            number = connect_result(self._socket, name)  # on the same machine it has come out already
        return number

    async def _settle_connect(self, call: str, number: int, name: Any) -> None:
        """Wait until the error `number` of a connect is its last word; raise that unless it is 0."""
        number = await self._last_word(number, name)
        if number:
            refused = self._row._after(call, "refused")
            if refused is not None and refused._allows("get_sock_name"):
                bind_again(self._socket)
            raise system_error(number)

    async def _last_word(self, number: int, name: Any) -> int:
        while number in UNDER_WAY:
            try:
                await self._until_writable()
            except BlockingIOError:
                raise system_error(errno.EINPROGRESS) from None
            number = connect_result(self._socket, name)
        return number

    # -- several addresses ----------------------------------------------------------------------------------------------

    async def _connect_to_first(self, candidates: list[Found]) -> None:
        """Try the addresses in the manner of RFC 8305; the socket that is connected first becomes this object's."""
        own = next((found for found in candidates if found[0] == self._socket.family), None)

        async def attempt(found: Found) -> socket.socket:
            if found is not own:
                return await self._connect_beside(found)
            await self._settle_connect("connect", self._begin_connect(found[1]), found[1])
            return self._socket

        self._race = race = Race(attempt, keeps=self._socket)
        try:
            connected = await race.run(candidates)
        finally:
            self._race = None
        if self._row._final:
            if connected is not None:
                connected.close()
            raise closed_meanwhile()
        if connected is None:
            raise BlockingCallCancelled if race.is_cancelled else _most_telling(race.errors)
        if connected is not self._socket:
            self._stop_watching()
            self._reading = self._writing = None
            self._socket.close()
            self._socket = connected

    async def _connect_beside(self, found: Found) -> socket.socket:
        """Connect another socket, with the options of this object's."""
        family, name = found
        sock = self._prepared_socket(family)
        try:
            for option, value, level in self._options:
                sock.setsockopt(level, option, value)
            if self._row._allows("get_sock_name"):
                sock.bind((any_address(family), 0))
            number = sock.connect_ex(name)
            while number in UNDER_WAY:
                await anyio.wait_writable(sock)
                number = connect_result(sock, name)
            if number:
                raise system_error(number)
        except BaseException:
            sock.close()
            raise
        return sock


def _most_telling(errors: list[OSError]) -> OSError:
    """The error of the first attempt that failed; of several it is told that all of them did."""
    first = errors[0]
    if len(errors) > 1:
        first.__cause__ = ExceptionGroup("every address of the name failed", errors)
    return first
