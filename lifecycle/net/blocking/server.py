"""Server and Accepted, blocking: the call that waits for a connection, and the object that it fills."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import ClassVar

from lifecycle.engine import IllegalCall, Observer, fires_into, inlined, table
from lifecycle.net.blocking.created import Created
from lifecycle.net.blocking.stream import Stream
from lifecycle.net.created import ServerCalls, checked_class
from lifecycle.net.operations import Timeout, checked_timeout
from lifecycle.net.operations.transfer import accepting
from lifecycle.roles import words
from lifecycle.roles.accepted import ACCEPTED
from lifecycle.roles.server import SERVER
from lifecycle.system.handles import take_connection


class Accepted(Stream, role=ACCEPTED):
    """The server's end of one connection: constructed empty, then given to a server's accept(); never created.

    timeout: seconds that a blocking call may wait; None for ever, 0 not at all; when it is not given, accept() passes the
    server's on. engine, journal: see Lifecycle.
    """

    __slots__ = ("_filler", "_timeout_is_own")

    _is_tls_server = True

    _filler: Server | None
    _timeout_is_own: bool
    _fresh: ClassVar[Mapping[str, object]] = {"_filler": None, "_timeout_is_own": False}

    @property
    def timeout(self) -> float | None:
        """As of every socket; accept() keeps one that was set here, and passes the server's on otherwise."""
        return self._timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._timeout = checked_timeout(seconds)
        self._timeout_is_own = True

    def _wake_all(self) -> None:
        super()._wake_all()
        filler = self._filler
        if filler is not None:
            filler._wake_all()


class Server(ServerCalls, Created, role=SERVER):
    """The server's listening socket: create(), listen(), then accept() again and again, or `for accepted in server`.

    timeout: seconds that a blocking call may wait; None for ever (the default), 0 not at all. accepts: the class of the objects
    that accept() makes. engine, journal: see Lifecycle.
    """

    __slots__ = ("_accepts", "_left", "_others")

    def __init__(
        self,
        *,
        timeout: float | None = None,
        accepts: type[Accepted] = Accepted,
        engine: str | None = None,
        journal: Observer | None = None,
    ) -> None:
        super().__init__(timeout=timeout, engine=engine, journal=journal)
        self._accepts = checked_class(accepts, Accepted)
        self._left = []
        self._others = []

    def _new_accepted(self) -> Accepted:
        if self._journal is None and self._node._engine == table.default:
            return self._accepts()
        accepted = self._accepts(engine=self.engine)
        accepted._record_in(self._journal)
        return accepted

    @inlined
    @fires_into(Accepted, default=_new_accepted)
    def accept(self, target: Accepted | None = None, *, timeout: Timeout = ...) -> Accepted:
        """Take the first queued connection, or wait for one; the object that holds it.

        target: an empty Accepted, never created, to fill; a new one is made when it is None. It gets the server's timeout
        unless it has its own. timeout: seconds that this call may wait, None for ever; the server's own where it is not
        given. Legal in `listening`, with a target in `empty`: both are checked before the system is asked.
        Raises TypeError for a target that is not an Accepted; TimeoutError, BlockingIOError; ClosedDuringCall when the server
        or the target was closed meanwhile; OSError (EMFILE), after which the connection still waits in the queue.
        """
        filled: Accepted = target  # type: ignore[assignment]  # _new_accepted() made one
        connection: socket.socket | None = None
        arriving = self._arriving()
        try:
            if arriving.fileno() != -1:
                connection = arriving
            elif timeout is ... and not self._others:
                try:
                    connection = take_connection(self._socket, arriving)
                except (BlockingIOError, ConnectionAbortedError):
                    connection = None
            if connection is None:
                filled._filler = self
                connection = self._run(words.ACCEPT, accepting(self._in_turn(), arriving), filled, timeout)
            if connection is not None:
                filled._socket = connection
                if not filled._timeout_is_own:
                    filled._timeout = self._timeout
        except BaseException:
            self._leave(arriving, filled)
            raise
        finally:
            filled._filler = None
        return filled

    def __iter__(self) -> Iterator[Accepted]:
        """Accept connections until the server is closed, in this thread or another one; a timeout raises TimeoutError."""
        while True:
            try:
                accepted = self.accept()
            except IllegalCall as refusal:
                if self._ends_iteration(refusal):
                    return
                raise
            yield accepted
